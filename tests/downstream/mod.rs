//! Other MCP servers, whose tools procedures call.

mod processes;
mod remote;
mod tools;
