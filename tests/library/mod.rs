//! What the program does, by subject, as the rooms of `src/library` have it.

mod code;
mod conditions;
mod home;
pub mod inbox;
pub mod learning;
mod procedures;
mod run_now;
mod runs;
mod triggers;
mod uncalled;
mod upkeep;
mod workflows;
