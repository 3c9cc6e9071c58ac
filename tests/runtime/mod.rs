//! The bounds within which code runs.

mod limits;
