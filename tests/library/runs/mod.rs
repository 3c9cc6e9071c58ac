//! Runs: how they execute, last and end.

mod durable;
mod execution;
mod gathered;
mod outside;
mod progress;
mod stopping;
mod uncertain;
mod values;
mod waiting;
