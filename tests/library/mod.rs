//! What the program does, by subject, as the rooms of `src/library` have it.

mod code;
mod home;
pub mod inbox;
mod learning;
mod procedures;
mod runs;
mod triggers;
mod workflows;
