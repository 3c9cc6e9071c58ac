//! What the validator says of code.

mod held_out;
mod types;
