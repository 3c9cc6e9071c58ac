//! Everything that a service can answer instead of a result.
//!
//! Below, each layer has errors of its own; they come together in [`LibraryError`]. It says what happened, [`ErrorKind`]
//! whose fault that is, and its hint what to do next. Only `server` and `cli` make texts for the outside of it.

mod hint;
mod kind;
mod making;
mod variants;

pub use kind::ErrorKind;
pub use variants::LibraryError;
