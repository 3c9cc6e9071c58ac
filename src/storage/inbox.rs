//! The inbox: what procedures put before the user.

use rusqlite::{OptionalExtension, Row, named_params, params, types::Type};
use serde_json::{Map, Value};

use super::{Reader, StorageError, Writer, json::Json, users::Users};
use crate::domain::{ItemKind, NewItem};

/// An item as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemRow {
    pub id: i64,
    /// What the procedure gave.
    pub item: NewItem,
    /// The run that made it.
    pub run_id: String,
    /// The procedure that made it, by its name today.
    pub procedure: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// When it was done with, in milliseconds since 1970.
    pub resolved_at: Option<i64>,
    /// Who was done with it.
    pub resolved_by: Option<String>,
    /// Whether an agent was.
    pub by_agent: bool,
}

const SELECT: &str = "SELECT inbox.id, kind, title, body, data, channel, undelivered, run_id, procedures.name AS procedure, \
                      inbox.created_at AS made_at, resolved_at, resolved_by, \
                      resolved_by_agent \
                      FROM inbox JOIN procedures ON procedures.id = procedure_id";

fn from_row(row: &Row<'_>) -> rusqlite::Result<ItemRow> {
    let kind: String = row.get("kind")?;
    let kind = ItemKind::parse(&kind).ok_or_else(|| {
        let why = format!("an item of the inbox is of the kind `{kind}`");
        rusqlite::Error::FromSqlConversionFailure(1, Type::Text, why.into())
    })?;
    let Json(data): Json<Map<String, Value>> = row.get("data")?;
    Ok(ItemRow {
        id: row.get("id")?,
        item: NewItem {
            kind,
            title: row.get("title")?,
            body: row.get("body")?,
            data,
            channel: row.get("channel")?,
            undelivered: row.get("undelivered")?,
        },
        run_id: row.get("run_id")?,
        procedure: row.get("procedure")?,
        created_at: row.get("made_at")?,
        resolved_at: row.get("resolved_at")?,
        resolved_by: row.get("resolved_by")?,
        by_agent: row.get("resolved_by_agent")?,
    })
}

impl Reader<'_> {
    /// One item, if it is of a run of `users`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn item(&self, users: &Users, id: i64) -> Result<Option<ItemRow>, StorageError> {
        let sql = format!("{SELECT} WHERE inbox.id = :id AND {}", Users::INBOX);
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_row(named_params! {":id": id, ":users": users}, from_row).optional()?)
    }

    /// The newest `limit` items of runs of `users`, newest first: those that are open, or all of them.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn list_items(
        &self,
        users: &Users,
        kind: Option<ItemKind>,
        include_resolved: bool,
        limit: u32,
    ) -> Result<Vec<ItemRow>, StorageError> {
        let open = if include_resolved { "TRUE" } else { "resolved_at IS NULL" };
        let sql = format!(
            "{SELECT} WHERE {open} AND (:kind IS NULL OR kind = :kind) AND {} ORDER BY inbox.id DESC LIMIT :limit",
            Users::INBOX
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let kind = kind.map(ItemKind::as_str);
        let rows = statement.query_map(named_params! {":kind": kind, ":users": users, ":limit": limit}, from_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many entries the inbox of `users` has: items that are open, and runs that wait for somebody.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn count_open(&self, users: &Users) -> Result<u64, StorageError> {
        let sql = format!(
            "SELECT (SELECT count(*) FROM inbox WHERE resolved_at IS NULL AND {}) + \
             (SELECT count(*) FROM runs WHERE runs.status = 'paused' AND parent_run_id IS NULL AND waiting_for IS NOT NULL AND {})",
            Users::INBOX,
            Users::RUNS
        );
        Ok(self.0.prepare_cached(&sql)?.query_row(named_params! {":users": users}, |row| row.get(0))?)
    }

    /// Whether there is an item of a procedure with this title that nobody is done with.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn has_open_item(&self, procedure_id: i64, title: &str) -> Result<bool, StorageError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM inbox WHERE resolved_at IS NULL AND procedure_id = ?1 AND title = ?2)";
        Ok(self.0.prepare_cached(sql)?.query_row(params![procedure_id, title], |row| row.get(0))?)
    }

    /// The host function at which a paused run waits for a decision, as its saved state says.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn awaited_function(&self, root_run_id: &str) -> Result<Option<String>, StorageError> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT json_extract(call.value, '$.function') \
                 FROM frames JOIN json_each(frames.state, '$.waiting') AS call \
                 WHERE root_run_id = ?1 AND json_extract(call.value, '$.safety') = 'gate' \
                 AND json_extract(call.value, '$.reply') IS NULL ORDER BY depth DESC, call.key LIMIT 1",
            )?
            .query_row([root_run_id], |row| row.get(0))
            .optional()?)
    }
}

impl Writer<'_> {
    /// Stores an item of a run, which is whose the run is: of `user`, where nothing says that. Gives its number.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn add_item(
        &self,
        item: &NewItem,
        run_id: &str,
        procedure_id: i64,
        user: &str,
        at: i64,
    ) -> Result<i64, StorageError> {
        let NewItem { kind, title, body, data, channel, undelivered } = item;
        let id = self
            .0
            .0
            .prepare_cached(
                "INSERT INTO inbox (kind, title, body, data, run_id, procedure_id, user, channel, undelivered, \
                 created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, coalesce((SELECT user FROM runs WHERE id = ?5), ?7), \
                 ?8, ?9, ?10) RETURNING id",
            )?
            .query_row(
                params![kind.as_str(), title, body, Json(data), run_id, procedure_id, user, channel, undelivered, at],
                |row| row.get(0),
            )?;
        Ok(id)
    }

    /// Says that an item is done with. `false` when it was before, or is not there.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn resolve_item(&self, id: i64, by: &str, is_agent: bool, at: i64) -> Result<bool, StorageError> {
        let changed = self
            .0
            .0
            .prepare_cached(
                "UPDATE inbox SET resolved_at = ?2, resolved_by = ?3, resolved_by_agent = ?4 \
                 WHERE id = ?1 AND resolved_at IS NULL",
            )?
            .execute(params![id, at, by, is_agent])?;
        Ok(changed == 1)
    }
}
