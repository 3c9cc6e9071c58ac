//! Steps that are compiled to code, and run.

mod conversions;
mod workflows;
