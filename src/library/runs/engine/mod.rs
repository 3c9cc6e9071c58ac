//! The entry points: execute a procedure, go on with a run, stop it.

pub mod execute;
pub mod resume;
