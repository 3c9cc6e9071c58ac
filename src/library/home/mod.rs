//! A home that is open: the process that has it open, its key, its index, and taking care of its database.

mod index;
mod key;
mod maintenance;
mod session;

pub(in crate::library) use {index::Plan, key::Key};

pub use maintenance::Maintenance;
pub use session::Session;
