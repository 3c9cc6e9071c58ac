//! Whose runs somebody sees, and who uses these stores at all.

use rusqlite::{
    OptionalExtension as _, ToSql,
    types::{ToSqlOutput, Value},
};
use serde_json::json;

use super::{Reader, StorageError};
use crate::domain::Run;

/// The users whose runs somebody sees; bound to `:users`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Users(Vec<String>);

impl Users {
    /// Their names, as a query.
    pub(super) const NAMES: &'static str = "SELECT value FROM json_each(:users)";
    /// What a row of `runs` must be to be theirs. What has no user is of a program that did not know whose it was.
    pub(super) const RUNS: &'static str = "(runs.user IS NULL OR runs.user IN (SELECT value FROM json_each(:users)))";
    /// The same of the inbox.
    pub(super) const INBOX: &'static str = "inbox.user IN (SELECT value FROM json_each(:users))";

    /// `user`, and those who show them theirs.
    #[must_use]
    pub fn new(user: &str, shown_by: &[String]) -> Self {
        Self([user].into_iter().chain(shown_by.iter().map(String::as_str)).map(str::to_owned).collect())
    }

    /// Whether a run is one of theirs.
    #[must_use]
    pub fn see(&self, run: &Run) -> bool {
        run.user.as_ref().is_none_or(|user| self.0.contains(user))
    }
}

impl ToSql for Users {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Text(json!(self.0).to_string())))
    }
}

impl Reader<'_> {
    /// Who started a run.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn user_of_run(&self, run_id: &str) -> Result<Option<String>, StorageError> {
        let mut statement = self.0.prepare_cached("SELECT user FROM runs WHERE id = ?1")?;
        Ok(statement.query_row([run_id], |row| row.get(0)).optional()?.flatten())
    }

    /// Whether anybody beside `user` uses these stores: has opened them, or owns a procedure there.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn has_other_users(&self, user: &str) -> Result<bool, StorageError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM users WHERE name <> ?1)";
        Ok(self.0.prepare_cached(sql)?.query_row([user], |row| row.get::<_, bool>(0))?
            || self.has_other_owners(user)?)
    }
}
