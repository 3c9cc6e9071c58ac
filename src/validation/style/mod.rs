//! Habits and completeness: what reads badly or is missing, although it runs.

pub mod body;
pub mod completeness;
mod flow;
