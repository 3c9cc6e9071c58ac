//! Remembering, updating and deleting procedures.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    definition::{DefinitionDraft, DefinitionPatch},
    lookup::{ProcedureRef, find},
    recall::RANKED,
    relevance,
    rename::Naming,
    runtime_choice::choose,
};
use crate::{
    domain::{Definition, Procedure, RuntimeKind, Status, VersionKind, VersionNumber},
    library::{Actor, Library, LibraryError, home::Plan, now_ms},
    storage::{Reader, Words},
    versions::Bundle,
    versions::ProcedureChange,
};

/// Procedures that share this much of their words are called similar.
const SIMILAR_WORDS: f64 = 0.6;
const SIMILAR_CANDIDATES: usize = 5;

/// Code that is to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewCode<'a> {
    pub text: &'a str,
    /// The packages that it needs, each in one version.
    pub lock: Option<&'a str>,
}

impl<'a> From<&'a str> for NewCode<'a> {
    fn from(text: &'a str) -> Self {
        Self { text, lock: None }
    }
}

/// A procedure that was remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    pub procedure: Procedure,
    /// Others that say nearly the same.
    pub similar: Vec<Similar>,
    /// Which runtime was chosen for its code, and why, where it can't be the sandbox.
    pub note: Option<String>,
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
    pub fn remember(
        &self,
        draft: DefinitionDraft,
        code: Option<NewCode<'_>>,
        by: &Actor,
    ) -> Result<Remembered, LibraryError> {
        let wanted = draft.fields.runtime;
        let definition = Definition { owner: Some(self.user.clone()), ..draft.build()? };
        self.store(definition, code, wanted, by)
    }

    /// Commits a new procedure, for the runtime that is `wanted`, or that its code needs.
    pub(in crate::library) fn store(
        &self,
        definition: Definition,
        code: Option<NewCode<'_>>,
        wanted: Option<RuntimeKind>,
        by: &Actor,
    ) -> Result<Remembered, LibraryError> {
        self.store_with(definition, code, wanted, None, by)
    }

    /// The same, with files that travel with it.
    pub(in crate::library) fn store_with(
        &self,
        mut definition: Definition,
        code: Option<NewCode<'_>>,
        wanted: Option<RuntimeKind>,
        files: Option<&Arc<Bundle>>,
        by: &Actor,
    ) -> Result<Remembered, LibraryError> {
        let mut confidence = None;
        let mut note = None;
        if let Some(code) = code {
            let choice = choose(code.text, Some(&definition), wanted, &*self.config()?);
            definition.runtime = choice.runtime;
            if !choice.analysis.is_storable() {
                return Err(LibraryError::CodeRejected { issues: choice.analysis.issues });
            }
            confidence = Some(choice.analysis.confidence(&definition));
            note = choice.note;
        }
        let definition = &definition;
        self.commit_change(by, |reader| {
            self.check_name(reader, definition.name.as_str(), None)?;
            Ok(Plan {
                subject: format!("Remember {}", definition.name),
                kind: VersionKind::Definition,
                confidence,
                change: Plan::bringing(
                    Plan::change(definition, code.map(|code| code.text), code.and_then(|code| code.lock), None)?,
                    files,
                ),
                leaves: None,
            })
        })?;
        self.database.read(|reader| {
            let procedure = find(reader, &self.user, &ProcedureRef::Name(definition.name.to_string()))?;
            let similar = similar(reader, &self.user, Some(procedure.id), &procedure.definition);
            let similar = similar.unwrap_or_else(|error| {
                tracing::warn!(%error, "what is like a new procedure was not looked for");
                Vec::new()
            });
            Ok(Remembered { procedure, similar, note })
        })
    }

    /// Changes fields of a definition, and what it is called. With `expected`, only if that is still its version.
    ///
    /// # Errors
    /// [`LibraryError::StaleVersion`], [`LibraryError::NotOwner`], [`LibraryError::WantsPerson`] where it would decide on a
    /// candidate, or what is wrong with the fields or the name.
    pub fn update(
        &self,
        wanted: &ProcedureRef,
        expected: Option<VersionNumber>,
        patch: &DefinitionPatch,
        naming: &Naming,
        by: &Actor,
    ) -> Result<Procedure, LibraryError> {
        self.change("Update", wanted, expected, patch, naming, by)
    }

    /// Changes fields of a definition; `verb` says in the history what that is. That a candidate is none any more wants a
    /// person's word.
    pub(in crate::library) fn change(
        &self,
        verb: &str,
        wanted: &ProcedureRef,
        expected: Option<VersionNumber>,
        patch: &DefinitionPatch,
        naming: &Naming,
        by: &Actor,
    ) -> Result<Procedure, LibraryError> {
        let id = self.procedure(wanted)?.id;
        // The code stays as it is.
        self.commit_change(&Actor::program().accepting_failing(by.accepts_failing), |writer| {
            let row = self.find_own(writer, &ProcedureRef::Id(id))?;
            check_expected(&row, expected)?;
            let mut definition = row.definition.clone();
            patch.clone().apply(&mut definition)?;
            let renamed = self.rename(writer, &row, naming, &mut definition)?;
            if definition == row.definition {
                return Err(LibraryError::invalid_with_hint(
                    format!("nothing would change in `{}`", definition.name),
                    "pass the fields that should have other values",
                ));
            }
            if row.definition.status == Status::Candidate && definition.status != Status::Candidate {
                self.want_word_on(&row, &definition, writer, by)?;
                writer.decide_proposal(id, &self.user, by.decider.is_agent(), now_ms())?;
            }
            let subject = match &renamed {
                Some(before) => format!("Rename {before} to {}", definition.name),
                None => format!("{verb} {}", definition.name),
            };
            // What is renamed leaves its folder, and does not move within it.
            let category = renamed.is_none().then_some(row.definition.category.as_str());
            Ok(Plan {
                subject,
                kind: VersionKind::Definition,
                confidence: row.code_prior,
                change: Plan::change(&definition, row.code.as_deref(), row.lock.as_deref(), category)?,
                leaves: renamed.map(|before| (before, row.definition.category)),
            })
        })?;
        self.procedure(&ProcedureRef::Id(id))
    }

    /// Whether `by` may decide on a candidate, which is to be `wanted`.
    fn want_word_on(
        &self,
        row: &Procedure,
        wanted: &Definition,
        reader: &Reader<'_>,
        by: &Actor,
    ) -> Result<(), LibraryError> {
        let number = reader.proposal_of(row.id)?.unwrap_or_default();
        let (verb, flag) = match wanted.status {
            Status::Active => ("Put into use", "--approve"),
            Status::Candidate | Status::Archived => ("Put away", "--reject"),
        };
        let shown = serde_json::to_string_pretty(wanted).unwrap_or_default();
        let code = row.code.as_ref().map_or_else(String::new, |code| format!("\n{code}"));
        let name = &wanted.name;
        let question = format!("{verb} procedure `{name}`, candidate {number}?\n{shown}{code}");
        self.want_person(by, &format!("on candidate {number}"), question, || {
            format!("ask them to run `repertoire review {number} {flag}` in a terminal")
        })
    }

    /// Removes a procedure. Its history stays in git, its versions and runs in the index.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`], [`LibraryError::StaleVersion`] or [`LibraryError::NotOwner`].
    pub fn delete(&self, wanted: &ProcedureRef, expected: Option<VersionNumber>) -> Result<Procedure, LibraryError> {
        let id = self.procedure(wanted)?.id;
        // The code stays as it is.
        self.commit_change(&Actor::program(), |reader| {
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
                leaves: None,
            })
        })?;
        self.procedure_or_removed(&ProcedureRef::Id(id))
    }
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
    let near = near(reader, user, id, definition)?;
    Ok(near.into_iter().filter(|near| near.similarity >= SIMILAR_WORDS).collect())
}

/// Procedures that say something like a definition, which may be that of procedure `id`: nearest first.
pub(in crate::library) fn near(
    reader: &Reader<'_>,
    user: &str,
    id: Option<i64>,
    definition: &Definition,
) -> Result<Vec<Similar>, LibraryError> {
    let mine = words(definition);
    let query = format!("{} {}", definition.name.as_str().replace(['_', '-'], " "), definition.description);
    let hits = relevance::ranked(reader.answering(&query, Words::Any, RANKED)?, relevance::LOOKED_AT);
    let mut near = Vec::new();
    for relevance::Ranked { text: hit, .. } in hits.into_iter().take(SIMILAR_CANDIDATES + 1) {
        let Some(Procedure { definition, .. }) = reader.procedure(hit.id)?.filter(|_| Some(hit.id) != id) else {
            continue;
        };
        if definition.status == Status::Archived || !definition.may_be_read_by(user) {
            continue;
        }
        let similarity = shared(&mine, &words(&definition));
        near.push(Similar { id: hit.id, similarity, name: definition.name.to_string() });
    }
    near.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    Ok(near)
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
