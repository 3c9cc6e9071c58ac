//! Holding code to the examples of its definition, before it becomes what a procedure is.
//!
//! Who changes a procedure here is told which examples the new version contradicts, and nothing is changed. What somebody
//! else committed is in the history already: it is a version, and the procedure stays as it was before. That code may have to
//! be executed is why nobody waits for the database meanwhile.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use crate::{
    config::Config,
    domain::{Broken, Definition, FailingExample, Procedure, example::Verdict},
    library::{Library, LibraryError, now_ms},
    storage::{ProcedureUpdate, Reader, Writer},
    validation,
    versions::ProcedureChange,
};

/// What is said of a version that nobody had the time to try.
const UNTRIED: &str = "has code whose examples were not tried yet";
/// Failing examples that a sentence names.
const NAMED: usize = 2;

/// Code and the definition whose examples it is held to.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    pub definition: Definition,
    pub code: String,
    /// The packages that it needs.
    pub lock: Option<String>,
}

/// Executes code with examples. Blocks.
pub trait Trier: Send + Sync {
    /// What each example of the definition says of the code, in their order.
    ///
    /// # Errors
    /// When nothing can be executed at all.
    fn try_examples(&self, trial: &Trial, config: &Arc<Config>) -> Result<Vec<Verdict>, LibraryError>;
}

impl Trial {
    /// What has to be tried before a procedure becomes this; nothing where what is executed stays as it is.
    pub fn needed(
        before: Option<&Procedure>,
        definition: &Definition,
        code: Option<&str>,
        lock: Option<&str>,
    ) -> Option<Self> {
        let code = code.filter(|_| !definition.examples.is_empty())?;
        let stays = |row: &Procedure| {
            let was = &row.definition;
            row.code.as_deref() == Some(code)
                && row.lock.as_deref() == lock
                && was.runtime == definition.runtime
                && was.parameters == definition.parameters
                && was.examples == definition.examples
        };
        let is_known = before.is_some_and(|row| row.deleted_at.is_none() && stays(row));
        (!is_known).then(|| Self {
            definition: definition.clone(),
            code: code.to_owned(),
            lock: lock.map(str::to_owned),
        })
    }

    /// The examples that the code contradicts.
    #[must_use]
    pub fn failing(&self, verdicts: Vec<Verdict>) -> Vec<FailingExample> {
        let numbered = self.definition.examples.iter().zip(verdicts).zip(1..);
        let failing = numbered.filter_map(|((example, verdict), number)| match verdict {
            Verdict::Failed { expected, got } => {
                let parameters = serde_json::json!(example.parameters);
                let parameters = crate::domain::example::short(&parameters);
                Some(FailingExample { example: number, parameters, expected, got })
            }
            Verdict::Passed | Verdict::Untried(_) => None,
        });
        failing.collect()
    }
}

/// Whether that is all that is said of a version.
pub fn is_untried(reason: &str) -> bool {
    reason == UNTRIED
}

/// Failing examples in a sentence.
pub fn told(failing: &[FailingExample]) -> String {
    let mut text: String = failing.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if let Some(more) = failing.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let _ = write!(text, "; and {more} more");
    }
    text
}

/// What is left of the confidence in code that contradicts some of the examples that there are.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "at most a hundred examples")]
pub fn confidence_left(confidence: f64, failing: usize, examples: usize) -> f64 {
    confidence * (1.0 - 0.5 * failing as f64 / examples.max(1) as f64)
}

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
        definition.category = broken.file.split('/').nth(1).unwrap_or(&definition.category).to_owned();
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
