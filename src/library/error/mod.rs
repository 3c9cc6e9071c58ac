//! Everything that a service can answer instead of a result.

mod variants;

pub use variants::LibraryError;
