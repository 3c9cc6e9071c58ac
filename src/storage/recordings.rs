//! Recordings: what agents did for a task, with the procedure that was made of it.

use rusqlite::{OptionalExtension as _, params};

use super::{Reader, StorageError, Writer, json::Json};
use crate::domain::recording::Recording;

/// A recording that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingRow {
    pub procedure_id: i64,
    pub session: Option<String>,
    pub recording: Recording,
}

/// A recording that is to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewRecording<'r> {
    pub session: Option<&'r str>,
    pub recording: &'r Recording,
    pub digest: &'r str,
    pub kind: &'r str,
    pub procedure_id: i64,
    /// Milliseconds since 1970.
    pub at: i64,
}

impl Reader<'_> {
    /// The procedure that this very recording led to.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn procedure_of_recording(&self, user: &str, digest: &str) -> Result<Option<i64>, StorageError> {
        let sql = "SELECT procedure_id FROM recordings WHERE user = ?1 AND digest = ?2";
        Ok(self.0.prepare_cached(sql)?.query_row([user, digest], |row| row.get(0)).optional()?)
    }

    /// The user's newest recording of a kind whose procedure is still there.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn recording_of_kind(&self, user: &str, kind: &str) -> Result<Option<RecordingRow>, StorageError> {
        self.recording("user = ?1 AND kind = ?2 AND deleted_at IS NULL", params![user, kind])
    }

    /// The user's newest recording of what a procedure does.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn recording_of_procedure(&self, user: &str, procedure_id: i64) -> Result<Option<RecordingRow>, StorageError> {
        self.recording("user = ?1 AND procedure_id = ?2", params![user, procedure_id])
    }

    fn recording(&self, which: &str, of: impl rusqlite::Params) -> Result<Option<RecordingRow>, StorageError> {
        let sql = format!(
            "SELECT procedure_id, session, recording FROM recordings JOIN procedures ON procedures.id = procedure_id \
             WHERE {which} ORDER BY recordings.id DESC LIMIT 1"
        );
        let row = self.0.prepare_cached(&sql)?.query_row(of, |row| {
            Ok(RecordingRow {
                procedure_id: row.get(0)?,
                session: row.get(1)?,
                recording: row.get::<_, Json<Recording>>(2)?.0,
            })
        });
        Ok(row.optional()?)
    }
}

impl Writer<'_> {
    /// Keeps a recording, unless it is kept already.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn add_recording(&self, user: &str, new: &NewRecording<'_>) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "INSERT OR IGNORE INTO recordings (user, session, recording, digest, kind, procedure_id, recorded_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![user, new.session, Json(new.recording), new.digest, new.kind, new.procedure_id, new.at])?;
        Ok(())
    }

    /// Has the recordings of the user that led to one procedure lead to another.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn move_recordings(&self, user: &str, from: i64, to: i64) -> Result<(), StorageError> {
        let sql = "UPDATE recordings SET procedure_id = ?3 WHERE user = ?1 AND procedure_id = ?2";
        self.0.0.prepare_cached(sql)?.execute(params![user, from, to])?;
        Ok(())
    }
}
