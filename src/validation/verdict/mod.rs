//! What all findings together say of the code.

pub mod score;
