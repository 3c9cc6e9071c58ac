//! Who keeps the clock: the sessions of servers and daemons. Whether they live yet is known to the home.

use rusqlite::{named_params, params};
use serde_json::json;

use super::{Reader, StorageError, Writer};
use crate::domain::Keeper;

/// A session that keeps the clock, or did so when it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeeperRow {
    pub session: String,
    pub keeper: Keeper,
}

impl Reader<'_> {
    /// The sessions that keep the schedules of `user`.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn keepers(&self, user: &str) -> Result<Vec<KeeperRow>, StorageError> {
        let mut statement =
            self.0.prepare_cached("SELECT session, kind FROM clock_keepers WHERE user = ?1 ORDER BY session")?;
        let rows = statement.query_map([user], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?.into_iter();
        // A kind of a newer program keeps the clock as servers do.
        Ok(rows
            .map(|(session, kind)| KeeperRow { session, keeper: Keeper::parse(&kind).unwrap_or(Keeper::Server) })
            .collect())
    }
}

impl Writer<'_> {
    /// Notes that `session` keeps the schedules of `user`, and that the `dead` ones keep none any more.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn note_keeper(&self, session: &str, user: &str, keeper: Keeper, dead: &[String]) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached("DELETE FROM clock_keepers WHERE session IN (SELECT value FROM json_each(:dead))")?
            .execute(named_params! {":dead": json!(dead).to_string()})?;
        self.0
            .0
            .prepare_cached("INSERT OR REPLACE INTO clock_keepers (session, user, kind) VALUES (?1, ?2, ?3)")?
            .execute(params![session, user, keeper.as_str()])?;
        Ok(())
    }
}
