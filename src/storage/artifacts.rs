//! Artifacts: what is linked to procedures, runs, checkpoints and outcomes.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Map, Value};

use super::{Reader, StorageError, Writer, json::Json};
use crate::domain::artifact::LinkedArtifact;

const COLUMNS: &str =
    "id, memory_type, memory_id, type, location, is_file, content_hash, size_bytes, metadata, created_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<LinkedArtifact> {
    let metadata: Option<Json<Map<String, Value>>> = row.get("metadata")?;
    Ok(LinkedArtifact {
        id: row.get("id")?,
        memory_type: row.get("memory_type")?,
        memory_id: row.get("memory_id")?,
        kind: row.get("type")?,
        location: row.get("location")?,
        is_file: row.get("is_file")?,
        content_hash: row.get("content_hash")?,
        size_bytes: row.get("size_bytes")?,
        metadata: metadata.map(|Json(metadata)| metadata),
        created_at: row.get("created_at")?,
    })
}

impl Reader<'_> {
    /// What `user` linked to things of this type whose names are in the range `from..to`, oldest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn artifacts_of(
        &self,
        user: &str,
        memory_type: &str,
        (from, to): (&str, &str),
        most: u32,
    ) -> Result<Vec<LinkedArtifact>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM artifacts WHERE user = ?1 AND memory_type = ?2 AND memory_id >= ?3 AND memory_id < ?4 \
             ORDER BY id LIMIT ?5"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(params![user, memory_type, from, to, most], from_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The files that `user` linked, in the order of their numbers, after number `after`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn linked_files(&self, user: &str, after: i64, most: u32) -> Result<Vec<LinkedArtifact>, StorageError> {
        let sql =
            format!("SELECT {COLUMNS} FROM artifacts WHERE user = ?1 AND id > ?2 AND is_file ORDER BY id LIMIT ?3");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(params![user, after, most], from_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The artifact of this number, if `user` linked it.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn artifact(&self, user: &str, id: i64) -> Result<Option<LinkedArtifact>, StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM artifacts WHERE user = ?1 AND id = ?2");
        Ok(self.0.prepare_cached(&sql)?.query_row(params![user, id], from_row).optional()?)
    }
}

impl Writer<'_> {
    /// Stores an artifact; of one at the same place, what is not said anew stays. Gives its number. That of `artifact` says
    /// nothing.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn link_artifact(&self, user: &str, artifact: &LinkedArtifact) -> Result<i64, StorageError> {
        let sql = "INSERT INTO artifacts (user, memory_type, memory_id, type, location, is_file, content_hash, size_bytes, \
             metadata, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
             ON CONFLICT (user, memory_type, memory_id, location) DO UPDATE SET type = excluded.type, \
             size_bytes = CASE WHEN excluded.content_hash <> content_hash THEN excluded.size_bytes \
             ELSE coalesce(excluded.size_bytes, size_bytes) END, \
             content_hash = coalesce(excluded.content_hash, content_hash), \
             metadata = coalesce(excluded.metadata, metadata), created_at = excluded.created_at RETURNING id";
        let id = self.0.0.prepare_cached(sql)?.query_row(
            params![
                user,
                artifact.memory_type,
                artifact.memory_id,
                artifact.kind,
                artifact.location,
                artifact.is_file,
                artifact.content_hash,
                artifact.size_bytes,
                artifact.metadata.as_ref().map(Json),
                artifact.created_at
            ],
            |row| row.get(0),
        )?;
        Ok(id)
    }
}
