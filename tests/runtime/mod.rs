//! The bounds within which code runs.

mod dialect;
mod differential;
mod limits;
mod modules;
pub mod python;
