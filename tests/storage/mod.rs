//! The database.

mod locks;
mod migrations;
