//! Versions of procedures: listing them, and going back to one.

use super::lookup::ProcedureRef;
use crate::{
    domain::{Definition, Procedure, VersionKind, VersionNumber},
    library::{Actor, Library, LibraryError, home::Plan},
    storage::{Reader, VersionRow},
    validation,
};

/// Shortest commit prefix that names a version.
const SHORTEST_PREFIX: usize = 7;

/// Most of a reason that the history keeps.
const MAX_REASON_CHARS: usize = 300;

/// A version as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionRef {
    /// By number.
    Number(VersionNumber),
    /// By text: `3`, `v3` or the beginning of a commit id.
    Text(String),
}

/// One version, and whether it is the current one.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionView {
    pub version: VersionRow,
    /// In its code: what the checks gave it, moved by the runs of all versions that have this code.
    pub confidence: Option<f64>,
    /// Whether it is what the procedure is now.
    pub is_current: bool,
}

impl Library {
    /// The newest `limit` versions, newest first; also of a removed procedure.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`].
    pub fn versions(&self, wanted: &ProcedureRef, limit: u32) -> Result<(Procedure, Vec<VersionView>), LibraryError> {
        let row = self.procedure_or_removed(wanted)?;
        let versions = self.database.read(|reader| reader.versions(row.id, limit))?;
        let is_current = |version: &VersionRow| row.deleted_at.is_none() && version.version == row.version;
        let views = versions
            .into_iter()
            .map(|(version, confidence)| VersionView { is_current: is_current(&version), version, confidence })
            .collect();
        Ok((row, views))
    }

    /// A procedure as it was in a version: its definition, and its code where it had any; also of a removed one.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`], [`LibraryError::VersionNotFound`].
    pub fn procedure_at(&self, wanted: &ProcedureRef, version: &VersionRef) -> Result<Procedure, LibraryError> {
        let row = self.procedure_or_removed(wanted)?;
        let found = self.database.read(|reader| resolve(reader, &row, version))?;
        let definition = self.definition_in(&found, row.definition.name.as_str())?;
        let code = found.code_blob.as_deref().map(|blob| self.versions.read(blob)).transpose()?;
        let lock = found.lock_blob.as_deref().map(|blob| self.versions.read(blob)).transpose()?;
        Ok(Procedure { definition, code, lock, version: found.version, ..row })
    }

    fn definition_in(&self, version: &VersionRow, name: &str) -> Result<Definition, LibraryError> {
        let text = self.versions.read(&version.definition_blob)?;
        serde_json::from_str(&text).map_err(|error| {
            // It was one when it was indexed.
            let what = format!("version {} of `{name}` is no definition any more", version.version);
            LibraryError::internal_because(what, &error)
        })
    }

    /// Makes the code of an earlier version the newest one. Nothing is lost: it is a new version.
    ///
    /// # Errors
    /// [`LibraryError::VersionNotFound`], [`LibraryError::VersionWithoutCode`] or [`LibraryError::WantsPerson`].
    pub fn rollback(
        &self,
        wanted: &ProcedureRef,
        target: &VersionRef,
        reason: Option<&str>,
        by: &Actor,
    ) -> Result<(Procedure, VersionNumber), LibraryError> {
        let row = self.own_procedure(wanted)?;
        let name = row.definition.name.to_string();
        let target = self.database.read(|reader| resolve(reader, &row, target))?;
        // Going on from a version settles what is broken, also from one without code.
        let code = target.code_blob.as_deref().map(|blob| self.versions.read(blob)).transpose()?;
        let code = match code.filter(|code| !validation::is_no_code(code)) {
            Some(code) => Some(code),
            None if row.is_broken => None,
            None => return Err(LibraryError::VersionWithoutCode { name, version: target.version }),
        };
        // What it was written for comes back with it, and the packages that it had.
        let lock = target.lock_blob.as_deref().map(|blob| self.versions.read(blob)).transpose()?;
        let then = self.definition_in(&target, &name)?.runtime;
        self.commit_change(by, |reader| {
            let mut row = self.find_own(reader, &ProcedureRef::Id(row.id))?;
            if row.code == code && row.lock == lock && row.definition.runtime == then && !row.is_broken {
                let message = format!("the code of `{name}` is already that of version {}", target.version);
                return Err(LibraryError::invalid_with_hint(message, "nothing to roll back"));
            }
            let reason: String = reason.unwrap_or_default().chars().take(MAX_REASON_CHARS).collect();
            let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
            if code.is_some() {
                row.definition.runtime = then;
            }
            Ok(Plan {
                subject: format!("Roll {name} back to version {}{reason}", target.version),
                kind: VersionKind::Rollback,
                confidence: target.code_confidence,
                change: Plan::change(&row.definition, code.as_deref(), lock.as_deref(), None)?,
                leaves: None,
            })
        })?;
        Ok((self.procedure(&ProcedureRef::Id(row.id))?, target.version))
    }
}

fn resolve(reader: &Reader<'_>, row: &Procedure, target: &VersionRef) -> Result<VersionRow, LibraryError> {
    let name = row.definition.name.to_string();
    let not_found = |given: &str| LibraryError::VersionNotFound {
        name: name.clone(),
        given: given.chars().take(60).collect(),
        newest: row.version,
    };
    let text = match target {
        VersionRef::Number(number) => {
            return reader.version(row.id, *number)?.ok_or_else(|| not_found(&number.to_string()));
        }
        VersionRef::Text(text) => text.trim(),
    };
    let digits = text.strip_prefix(['v', 'V']).unwrap_or(text);
    // A long row of digits can also be the beginning of a commit id; a number that exists wins.
    if let Ok(number) = digits.parse::<VersionNumber>()
        && let Some(version) = reader.version(row.id, number)?
    {
        return Ok(version);
    }
    if text.len() < SHORTEST_PREFIX || !text.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(not_found(text));
    }
    match &reader.versions_by_commit(row.id, &text.to_ascii_lowercase())?[..] {
        [version] => Ok(version.clone()),
        [] => Err(not_found(text)),
        _ => Err(LibraryError::invalid_with_hint(
            format!("`{text}` begins more than one commit of `{name}`"),
            "give more digits",
        )),
    }
}
