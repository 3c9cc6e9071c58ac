//! What runs teach.

pub mod candidates;
mod proposals;
mod told;
mod ways;
mod words;
