//! What runs teach.

mod amendments;
pub mod candidates;
#[cfg(unix)]
mod growth;
mod proposals;
mod recorded;
mod told;
mod ways;
mod words;
