//! Runs: how they execute, last and end.

mod durable;
mod execution;
mod gathered;
mod stopping;
