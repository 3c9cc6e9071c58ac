//! Other MCP servers, whose tools procedures call.

mod confined;
mod processes;
mod remote;
mod tools;
