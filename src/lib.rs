//! Repertoire: procedural memory for AI agents, as an MCP server.
//!
//! An agent remembers a procedure once; it becomes Python code that is checked, versioned in git, executed in a
//! sandbox and measured. Imports point downwards in this list:
//!
//! - [`cli`]: the command line. [`server`]: the MCP tools over stdio. [`client`]: an MCP client for demo and benchmark.
//!   [`clients`]: the settings of programs that use the server.
//! - [`library`]: the services, the engine that executes procedures among them.
//! - [`validation`]: judging code. [`compiler`]: from steps to code. [`host`]: what procedures may call.
//! - [`storage`]: SQLite. [`versions`]: git. [`runtime`]: the interpreter. [`models`]: language models. [`downstream`]:
//!   other MCP servers. They do not know each other. [`confinement`]: walls around programs. [`launch`]: starting them.
//! - [`config`]: the home and its policy. [`domain`]: plain data.
//!
//! `docs/architecture.md` is the map in more words, and `tests/layers/` holds the source to it.

#[cfg(any(test, fuzzing))]
pub mod borders;
pub mod cli;
pub mod client;
pub mod clients;
pub mod compiler;
pub mod config;
pub mod confinement;
pub mod domain;
pub mod downstream;
pub mod host;
pub mod launch;
pub mod library;
pub mod models;
pub mod runtime;
pub mod server;
pub mod storage;
pub mod validation;
pub mod versions;
