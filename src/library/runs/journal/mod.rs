//! What is written of a run while it executes, so that another process can go on with it.

pub mod read;
pub mod record;
mod saved;
pub mod write;
