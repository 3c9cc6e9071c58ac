//! What is wrong with the stores of a home, for whoever looks after it.

use std::collections::BTreeMap;

use super::private::{Open, open_to_others};
use crate::{
    domain::{Procedure, VersionNumber},
    library::{Library, LibraryError},
    versions::{Checked, RecordedState},
};

/// What the database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The version of its tables.
    pub schema: u32,
    /// SQLite's own check: `ok`, or what is wrong.
    pub integrity: String,
    /// What was done to get the stores out of a state that they should not have been in, latest first: when, in seconds
    /// since 1970, and what.
    pub mendings: Vec<(i64, String)>,
}

/// What the history has, and what of it can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    pub checked: Checked,
    /// Versions that are known and whose text is nowhere any more, by procedure.
    pub lost: BTreeMap<String, Vec<VersionNumber>>,
    /// Procedures that the index has otherwise than the newest commit.
    pub differing: Vec<String>,
}

impl Library {
    /// The state of the database.
    ///
    /// # Errors
    /// [`LibraryError::Storage`] when it can't be read.
    pub fn health(&self) -> Result<Health, LibraryError> {
        Ok(Health {
            schema: self.database.schema_version()?,
            integrity: self.database.integrity()?,
            mendings: self.database.read(|reader| reader.mendings())?,
        })
    }

    /// Reads all of the history.
    ///
    /// # Errors
    /// [`LibraryError`] when it can't be opened, or the index can't be read.
    pub fn check_history(&self) -> Result<History, LibraryError> {
        let checked = self.versions.check()?;
        let (versions, procedures) =
            self.database.read(|reader| Ok::<_, LibraryError>((reader.all_versions()?, reader.all_procedures()?)))?;
        let differing = self.differing(&procedures)?;
        let names: BTreeMap<i64, String> =
            procedures.into_iter().map(|row| (row.id, row.definition.name.to_string())).collect();
        let mut lost: BTreeMap<String, Vec<VersionNumber>> = BTreeMap::new();
        for (id, version) in versions {
            let blobs = [Some(&version.definition_blob), version.code_blob.as_ref(), version.lock_blob.as_ref()];
            let mut is_lost = false;
            for blob in blobs.into_iter().flatten() {
                is_lost = is_lost || !self.versions.has_blob(blob)?;
            }
            if let Some(name) = names.get(&id).filter(|_| is_lost) {
                lost.entry(name.clone()).or_default().push(version.version);
            }
        }
        lost.values_mut().for_each(|versions| versions.sort_unstable());
        Ok(History { checked, lost, differing })
    }

    /// The procedures that the index has otherwise than the newest commit. SQLite does not notice a bit that was flipped in a
    /// text, and git does.
    fn differing(&self, procedures: &[Procedure]) -> Result<Vec<String>, LibraryError> {
        let Some(head) = self.versions.head()? else { return Ok(Vec::new()) };
        let mut present: BTreeMap<String, RecordedState> = match self.versions.procedures_at(&head) {
            Ok(present) => present.into_iter().collect(),
            // That it is damaged was found already.
            Err(_) => return Ok(Vec::new()),
        };
        let mut differing = Vec::new();
        for row in procedures {
            let there = present.remove(row.definition.name.as_str());
            if !row.is_broken && self.missing_from(there.as_ref(), row)?.is_some() {
                differing.push(row.definition.name.to_string());
            }
        }
        for name in present.into_keys() {
            if self.database.read(|reader| reader.broken(&name))?.is_none() {
                differing.push(name);
            }
        }
        Ok(differing)
    }

    /// What of the home others may read or write although it should be this user's alone.
    #[must_use]
    pub fn open_to_others(&self) -> Vec<Open> {
        open_to_others(&self.folder)
    }

    /// Builds the indexes of the database's tables anew; `false` when that does not make it sound.
    ///
    /// # Errors
    /// [`LibraryError::Storage`] when it can't be read.
    pub fn mend_database(&self) -> Result<bool, LibraryError> {
        if let Err(error) = self.database.reindex() {
            tracing::warn!(%error, "the indexes of the database can't be built anew");
            return Ok(false);
        }
        Ok(self.database.integrity()? == "ok")
    }
}
