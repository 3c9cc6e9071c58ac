//! Remembering, updating and deleting procedures.

use std::collections::BTreeSet;

use super::{
    definition::{DefinitionDraft, DefinitionPatch},
    lookup::{ProcedureRef, check_owner, find},
};
use crate::{
    domain::{Definition, Procedure, Status, VersionKind, VersionNumber},
    library::{Library, LibraryError, home::Plan},
    storage::{Reader, Words},
    validation,
    versions::ProcedureChange,
};

/// Procedures that share this much of their words are called similar.
const SIMILAR_WORDS: f64 = 0.6;
const SIMILAR_CANDIDATES: u32 = 5;

/// A procedure that was remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    pub procedure: Procedure,
    /// Others that say nearly the same.
    pub similar: Vec<Similar>,
}

/// A procedure that resembles another.
#[derive(Debug, Clone, PartialEq)]
pub struct Similar {
    /// Its handle.
    pub id: i64,
    pub name: String,
    /// Share of common words, 0 to 1.
    pub similarity: f64,
}

impl Library {
    /// Stores a new procedure as version 1 (or the next one, when a removed procedure of that name comes back).
    ///
    /// # Errors
    /// [`LibraryError::NameTaken`], [`LibraryError::NameHidden`], [`LibraryError::CodeRejected`], or what is wrong with the draft.
    pub fn remember(&self, draft: DefinitionDraft, code: Option<&str>) -> Result<Remembered, LibraryError> {
        self.store(&Definition { owner: Some(self.user.clone()), ..draft.build()? }, code)
    }

    /// Commits a new procedure.
    pub(in crate::library) fn store(
        &self,
        definition: &Definition,
        code: Option<&str>,
    ) -> Result<Remembered, LibraryError> {
        let confidence = code.map(|code| confidence_if_storable(code, definition)).transpose()?;
        self.commit_change(|reader| {
            if let Some(row) = reader.procedure_named(definition.name.as_str())? {
                self.check_name_is_free(&row)?;
            }
            Ok(Plan {
                subject: format!("Remember {}", definition.name),
                kind: VersionKind::Definition,
                confidence,
                change: Plan::change(definition, code, None)?,
            })
        })?;
        self.database.read(|reader| {
            let procedure = find(reader, &self.user, &ProcedureRef::Name(definition.name.to_string()))?;
            let similar = similar(reader, &self.user, Some(procedure.id), &procedure.definition);
            let similar = similar.unwrap_or_else(|error| {
                tracing::warn!(%error, "what is like a new procedure was not looked for");
                Vec::new()
            });
            Ok(Remembered { procedure, similar })
        })
    }

    /// A removed procedure's name is free for whom it belonged to: with the name come its versions and stats.
    fn check_name_is_free(&self, row: &Procedure) -> Result<(), LibraryError> {
        let name = row.definition.name.to_string();
        if !row.definition.may_be_read_by(&self.user) {
            return Err(LibraryError::NameHidden(name));
        }
        if row.deleted_at.is_none() {
            return Err(LibraryError::NameTaken { name, id: row.id, version: row.version });
        }
        check_owner(row, &self.user)
    }

    /// Changes fields of a definition. With `expected`, only if that is still its version.
    ///
    /// # Errors
    /// [`LibraryError::StaleVersion`], [`LibraryError::NotOwner`], or what is wrong with the fields.
    pub fn update(
        &self,
        wanted: &ProcedureRef,
        expected: Option<VersionNumber>,
        patch: &DefinitionPatch,
    ) -> Result<Procedure, LibraryError> {
        let id = self.procedure(wanted)?.id;
        self.commit_change(|reader| {
            let row = self.find_own(reader, &ProcedureRef::Id(id))?;
            check_expected(&row, expected)?;
            let mut definition = row.definition.clone();
            patch.clone().apply(&mut definition)?;
            if definition == row.definition {
                return Err(LibraryError::invalid_with_hint(
                    format!("nothing would change in `{}`", definition.name),
                    "pass the fields that should have other values",
                ));
            }
            Ok(Plan {
                subject: format!("Update {}", definition.name),
                kind: VersionKind::Definition,
                confidence: row.code_prior,
                change: Plan::change(&definition, row.code.as_deref(), Some(&row.definition.category))?,
            })
        })?;
        self.procedure(&ProcedureRef::Id(id))
    }

    /// Removes a procedure. Its history stays in git, its versions and runs in the index.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`], [`LibraryError::StaleVersion`] or [`LibraryError::NotOwner`].
    pub fn delete(&self, wanted: &ProcedureRef, expected: Option<VersionNumber>) -> Result<Procedure, LibraryError> {
        let id = self.procedure(wanted)?.id;
        self.commit_change(|reader| {
            let row = self.find_own(reader, &ProcedureRef::Id(id))?;
            check_expected(&row, expected)?;
            Ok(Plan {
                subject: format!("Delete {}", row.definition.name),
                kind: VersionKind::Definition,
                confidence: None,
                change: ProcedureChange {
                    name: row.definition.name,
                    category: row.definition.category,
                    old_category: None,
                    files: None,
                },
            })
        })?;
        self.procedure_or_removed(&ProcedureRef::Id(id))
    }
}

/// Confidence in `code`, from the checks of its syntax tree. What must not be stored is refused.
fn confidence_if_storable(code: &str, definition: &Definition) -> Result<f64, LibraryError> {
    let analysis = validation::analyze_for(code, definition);
    if !analysis.is_storable() {
        return Err(LibraryError::CodeRejected { issues: analysis.issues });
    }
    Ok(analysis.confidence(definition))
}

pub(in crate::library) fn check_expected(row: &Procedure, expected: Option<VersionNumber>) -> Result<(), LibraryError> {
    match expected {
        Some(expected) if expected != row.version => {
            Err(LibraryError::StaleVersion { name: row.definition.name.to_string(), expected, current: row.version })
        }
        _ => Ok(()),
    }
}

/// Procedures that say nearly the same as a definition, which may be that of procedure `id`.
pub(in crate::library) fn similar(
    reader: &Reader<'_>,
    user: &str,
    id: Option<i64>,
    definition: &Definition,
) -> Result<Vec<Similar>, LibraryError> {
    let mine = words(definition);
    let query = format!("{} {}", definition.name.as_str().replace(['_', '-'], " "), definition.description);
    let hits = reader.search_procedures(&query, Words::Any, SIMILAR_CANDIDATES + 1)?;
    let mut similar: Vec<Similar> = hits
        .into_iter()
        .filter(|hit| {
            let definition = &hit.procedure.definition;
            Some(hit.procedure.id) != id && definition.status != Status::Archived && definition.may_be_read_by(user)
        })
        .map(|hit| Similar {
            id: hit.procedure.id,
            similarity: shared(&mine, &words(&hit.procedure.definition)),
            name: hit.procedure.definition.name.to_string(),
        })
        .filter(|similar| similar.similarity >= SIMILAR_WORDS)
        .collect();
    similar.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    Ok(similar)
}

fn words(definition: &Definition) -> BTreeSet<String> {
    let mut text = format!("{} {}", definition.name.as_str().replace(['_', '-'], " "), definition.description);
    for step in &definition.steps {
        text.push(' ');
        text.push_str(&step.words());
    }
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// Jaccard index: the share of all words that both have, rounded to two digits.
fn shared(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    let union = a.union(b).count().max(1);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand words")]
    let share = a.intersection(b).count() as f64 / union as f64;
    (share * 100.0).round() / 100.0
}
