//! What runs teach.

mod candidates;
mod words;
