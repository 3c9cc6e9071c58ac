//! What is written of a run while it executes.

pub mod record;
mod saved;
pub mod write;
