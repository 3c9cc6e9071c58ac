//! Steps that are compiled to code, and run.

mod commands;
mod conversions;
mod limits;
mod texts;
mod workflows;
