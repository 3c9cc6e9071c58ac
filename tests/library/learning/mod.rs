//! What runs teach.

pub mod candidates;
mod proposals;
mod recorded;
mod told;
mod ways;
mod words;
