//! The index of versions.

use rusqlite::{Row, params};

use super::{Reader, StorageError, Writer, procedures::readable};
use crate::domain::{VersionKind, VersionNumber, confidence::posterior};

/// One version of one procedure.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionRow {
    /// 1, 2, 3 …
    pub version: VersionNumber,
    /// What it changed.
    pub kind: VersionKind,
    /// The commit that made it.
    pub commit: String,
    pub definition_blob: String,
    /// Blob of the code, when there is code.
    pub code_blob: Option<String>,
    /// Blob of the packages that the code needs, when it needs any.
    pub lock_blob: Option<String>,
    /// What the checks gave the code, before any run.
    pub code_confidence: Option<f64>,
    /// First line of the commit's message.
    pub message: String,
    /// The author of that commit: a user, whoever pushed it, or the program.
    pub author: String,
    /// When, in seconds since 1970.
    pub committed_at: i64,
    pub lines_added: u32,
    pub lines_removed: u32,
}

const COLUMNS: &str = "version, kind, commit_id, definition_blob, code_blob, code_confidence, message, author, \
                       committed_at, lines_added, lines_removed, lock_blob";

fn from_row(row: &Row<'_>) -> rusqlite::Result<VersionRow> {
    let kind: String = row.get(1)?;
    Ok(VersionRow {
        version: row.get(0)?,
        kind: VersionKind::parse(&kind).unwrap_or(VersionKind::Definition),
        commit: row.get(2)?,
        definition_blob: row.get(3)?,
        code_blob: row.get(4)?,
        code_confidence: row.get(5)?,
        message: row.get(6)?,
        author: row.get(7)?,
        committed_at: row.get(8)?,
        lines_added: row.get(9)?,
        lines_removed: row.get(10)?,
        lock_blob: row.get(11)?,
    })
}

impl Reader<'_> {
    /// The newest `limit` versions of a procedure, newest first, each with the confidence in its code: what the checks gave
    /// it, moved by what this code has earned in all versions that have it.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn versions(&self, procedure_id: i64, limit: u32) -> Result<Vec<(VersionRow, Option<f64>)>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS}, coalesce(successes, 0) AS successes, coalesce(failures, 0) AS failures FROM versions \
             LEFT JOIN code_totals USING (procedure_id, code_blob) WHERE procedure_id = ?1 ORDER BY version DESC LIMIT ?2"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(params![procedure_id, limit], |row| {
            let (version, successes, failures) = (from_row(row)?, row.get("successes")?, row.get("failures")?);
            let confidence = version.code_confidence.map(|prior| posterior(prior, successes, failures));
            Ok((version, confidence))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The version with this number.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn version(&self, procedure_id: i64, version: VersionNumber) -> Result<Option<VersionRow>, StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM versions WHERE procedure_id = ?1 AND version = ?2");
        let mut statement = self.0.prepare_cached(&sql)?;
        let mut rows = statement.query_map(params![procedure_id, version], from_row)?;
        Ok(rows.next().transpose()?)
    }

    /// The versions whose commit id starts with `prefix`, at most two: more than one is ambiguous.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn versions_by_commit(&self, procedure_id: i64, prefix: &str) -> Result<Vec<VersionRow>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM versions WHERE procedure_id = ?1 AND substr(commit_id, 1, length(?2)) = ?2 LIMIT 2"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_map(params![procedure_id, prefix], from_row)?.collect::<Result<_, _>>()?)
    }

    /// Every version of every procedure, with the procedure's handle.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn all_versions(&self) -> Result<Vec<(i64, VersionRow)>, StorageError> {
        let mut statement = self.0.prepare(&format!("SELECT {COLUMNS}, procedure_id FROM versions"))?;
        let rows = statement.query_map([], |row| Ok((row.get("procedure_id")?, from_row(row)?)))?;
        Ok(rows.filter_map(readable).collect::<Result<_, _>>()?)
    }

    /// The highest version number that the procedure of this name ever had; 0 when it had none.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn newest_version(&self, name: &str) -> Result<VersionNumber, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT coalesce(max(version), 0) FROM versions \
             WHERE procedure_id = (SELECT id FROM procedures WHERE name = ?1)",
        )?;
        Ok(statement.query_row([name], |row| row.get(0))?)
    }
}

impl Writer<'_> {
    /// Adds a version. Where it is the current one, the confidence in its code is what that has earned.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`], also when the number is taken.
    pub fn add_version(&self, procedure_id: i64, version: &VersionRow) -> Result<(), StorageError> {
        let sql = format!(
            "INSERT INTO versions (procedure_id, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
        );
        self.0.0.prepare_cached(&sql)?.execute(params![
            procedure_id,
            version.version,
            version.kind.as_str(),
            version.commit,
            version.definition_blob,
            version.code_blob,
            version.code_confidence,
            version.message,
            version.author,
            version.committed_at,
            version.lines_added,
            version.lines_removed,
            version.lock_blob,
        ])?;
        self.note_code_of(procedure_id, version.version)?;
        self.move_confidence(procedure_id)
    }

    /// Adds to what the code of a version has earned the runs that were counted before anybody knew which code it has.
    fn note_code_of(&self, procedure_id: i64, version: VersionNumber) -> Result<(), StorageError> {
        let noted = self
            .0
            .0
            .prepare_cached(
                "UPDATE run_totals SET is_of_code = 1 WHERE procedure_id = ?1 AND version = ?2 AND NOT is_of_code \
                 RETURNING successes, failures",
            )?
            .query_map(params![procedure_id, version], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<Vec<(u64, u64)>, _>>()?;
        let mut add = self.0.0.prepare_cached(
            "INSERT INTO code_totals (procedure_id, code_blob, successes, failures) \
             SELECT procedure_id, code_blob, ?3, ?4 FROM versions \
             WHERE procedure_id = ?1 AND version = ?2 AND code_blob IS NOT NULL \
             ON CONFLICT DO UPDATE SET successes = successes + ?3, failures = failures + ?4",
        )?;
        for (successes, failures) in noted {
            add.execute(params![procedure_id, version, successes, failures])?;
        }
        Ok(())
    }
}
