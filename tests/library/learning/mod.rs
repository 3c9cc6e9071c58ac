//! What runs teach.

pub mod candidates;
mod words;
