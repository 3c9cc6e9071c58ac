//! The programs that agents live in, and this server's entry in their configuration.
//!
//! Knows where each client keeps its settings ([`table`]), edits text and nothing else ([`edit`], with an editor per format
//! beneath it), and writes files so that nothing is lost ([`files`]). What is written, asked and shown is for `cli` to say.

pub mod edit;
pub mod files;
mod jsonc;
pub mod plugin;
pub mod record;
mod refused;
mod splice;
pub mod table;
mod tables;

#[cfg(test)]
mod edit_tests;

pub use refused::Refused;
