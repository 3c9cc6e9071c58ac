//! The functions of this program that SQL calls: every connection has them, and migrations need them.

use rusqlite::Connection;

use super::{search, states};

pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    states::register(connection)?;
    search::register(connection)
}
