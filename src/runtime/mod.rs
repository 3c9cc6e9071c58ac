//! What executes the code of procedures.

pub mod monty;
