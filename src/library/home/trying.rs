//! Trying the examples of what is to become current, and of what somebody committed.

use std::collections::BTreeSet;

use super::trial::{Trial, UNTRIED, is_untried, told};
use crate::{
    domain::{Broken, Definition, Procedure, example::Verdict},
    library::{Library, LibraryError, now_ms},
    storage::{ProcedureUpdate, Reader, Writer},
    validation,
    versions::ProcedureChange,
};

impl Library {
    /// What each example says of the code; nothing where nothing can be executed in this process.
    ///
    /// # Errors
    /// When executing is not possible at all.
    pub fn try_examples(&self, trial: &Trial) -> Result<Option<Vec<Verdict>>, LibraryError> {
        let config = self.config()?;
        self.trier.as_ref().map(|trier| trier.try_examples(trial, &config)).transpose()
    }

    /// What has to be tried before `change` is made.
    pub(super) fn trial_of(
        &self,
        reader: &Reader<'_>,
        change: &ProcedureChange,
        name: &str,
    ) -> Result<Option<Trial>, LibraryError> {
        if self.trier.is_none() {
            return Ok(None);
        }
        let Some(files) = &change.files else { return Ok(None) };
        let definition: Definition = serde_json::from_str(&files.definition).map_err(|error| {
            LibraryError::internal_because("a definition that was just written can't be read", &error)
        })?;
        let before = reader.procedure_named(name)?;
        Ok(Trial::needed(before.as_ref(), &definition, files.code.as_deref(), files.lock.as_deref()))
    }

    /// Tries what somebody else committed and nobody has tried yet: it becomes current, or it is said why it doesn't.
    pub(in crate::library) fn try_untried(&self) -> Result<(), LibraryError> {
        if self.trier.is_none() {
            return Ok(());
        }
        let untried = self.database.read(|reader| reader.all_broken_anywhere())?;
        for (name, broken) in untried.into_iter().filter(|(_, broken)| is_untried(&broken.reason)) {
            if let Err(error) = self.try_committed(&name, &broken) {
                tracing::warn!(procedure = name, %error, "the examples of what was committed were not tried");
            }
        }
        Ok(())
    }

    fn try_committed(&self, name: &str, broken: &Broken) -> Result<(), LibraryError> {
        let Some((row, version)) = self.database.read(|reader| {
            let Some(row) = reader.procedure_named(name)? else { return Ok(None) };
            let mut found = reader.versions_by_commit(row.id, &broken.commit)?;
            Ok::<_, LibraryError>(found.pop().map(|version| (row, version)))
        })?
        else {
            return Ok(());
        };
        let read = |blob: &Option<String>| blob.as_deref().map(|blob| self.versions.read(blob)).transpose();
        let mut definition: Definition = serde_json::from_str(&self.versions.read(&version.definition_blob)?)
            .map_err(|error| LibraryError::internal_because("what was indexed is no definition any more", &error))?;
        definition.name = row.definition.name.clone();
        if let Some(folder) = broken.file.split('/').nth(1) {
            folder.clone_into(&mut definition.category);
        }
        let former: BTreeSet<_> = definition.former_names.iter().cloned().collect();
        let known = row.definition.former_names.iter().filter(|name| !former.contains(*name)).cloned();
        let known: Vec<_> = known.collect();
        definition.former_names.splice(0..0, known);
        let code = read(&version.code_blob)?.unwrap_or_default();
        let trial = Trial { definition, code, lock: read(&version.lock_blob)? };
        let Some(verdicts) = self.try_examples(&trial)? else { return Ok(()) };
        let failing = trial.failing(verdicts);
        let Trial { definition, code, lock } = trial;
        self.database.write(|writer| {
            // Somebody may have committed meanwhile, or tried it.
            if writer.broken(name)?.as_ref() != Some(broken) {
                return Ok(());
            }
            if !failing.is_empty() {
                let reason = format!(
                    "has code that contradicts the examples of version {}: {}",
                    version.version,
                    told(&failing)
                );
                return Ok(writer.set_broken(name, Some(&Broken { reason, ..broken.clone() }))?);
            }
            let prior = version.code_confidence;
            writer.put_procedure(&ProcedureUpdate {
                row: name,
                definition: &definition,
                code: Some(&code),
                lock: lock.as_deref(),
                version: version.version,
                code_version: Some(if row.code.as_deref() == Some(&code) {
                    row.code_version.unwrap_or(version.version)
                } else {
                    version.version
                }),
                code_prior: Some(
                    prior.unwrap_or_else(|| validation::analyze_for(&code, &definition).confidence(&definition)),
                ),
                at: version.committed_at,
                indexed_at: now_ms(),
            })?;
            Ok::<_, LibraryError>(writer.set_broken(name, None)?)
        })?;
        self.changed.notify_one();
        Ok(())
    }

    /// Notes in the index that a version is not what the procedure is until it was tried.
    pub(super) fn withhold(
        writer: &Writer<'_>,
        before: Option<&Procedure>,
        update: &ProcedureUpdate<'_>,
    ) -> Result<(i64, String), LibraryError> {
        let id = match before {
            Some(row) if row.deleted_at.is_none() => row.id,
            // There is nothing that it could stay: it is known, and has no code yet.
            _ => writer.put_procedure(&ProcedureUpdate {
                code: None,
                lock: None,
                code_version: None,
                code_prior: None,
                ..*update
            })?,
        };
        Ok((id, UNTRIED.to_owned()))
    }
}
