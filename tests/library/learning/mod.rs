//! What runs teach.

pub mod candidates;
mod proposals;
mod ways;
mod words;
