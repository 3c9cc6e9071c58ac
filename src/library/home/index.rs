//! Keeps the index in the database in step with the history in git.
//!
//! Git is the truth. A write commits first and indexes second, both under the database's write lock; whatever another
//! program committed, or a crash left unindexed, is indexed by the next look at the home.

use std::{
    collections::{BTreeSet, HashMap},
    sync::PoisonError,
};

use crate::{
    domain::{Definition, ProcedureName, VersionKind, VersionNumber},
    library::{Library, LibraryError, now_ms},
    storage::{ProcedureUpdate, VersionRow, Writer},
    validation,
    versions::{
        Annotation, Author, CommitRecord, Files, NewCommit, ProcedureChange, RecordedChange, RecordedState,
        VersionsError,
    },
};

/// A change of one procedure that is about to be committed.
pub(in crate::library) struct Plan {
    pub subject: String,
    pub kind: VersionKind,
    pub confidence: Option<f64>,
    pub change: ProcedureChange,
}

impl Plan {
    /// The files of `definition` and `code`, in the folder of the definition's category.
    pub fn change(
        definition: &Definition,
        code: Option<&str>,
        old_category: Option<&str>,
    ) -> Result<ProcedureChange, LibraryError> {
        Ok(ProcedureChange {
            name: definition.name.clone(),
            category: definition.category.clone(),
            old_category: old_category.filter(|old| *old != definition.category).map(str::to_owned),
            files: Some(Files { definition: to_file(definition)?, code: code.map(str::to_owned) }),
        })
    }
}

fn to_file(definition: &Definition) -> Result<String, LibraryError> {
    let mut text = serde_json::to_string_pretty(definition).map_err(|error| {
        LibraryError::internal_because(format!("the definition of `{}` can't be written", definition.name), &error)
    })?;
    text.push('\n');
    Ok(text)
}

impl Library {
    /// Brings the index up to date with the history, if it is behind.
    pub(in crate::library) fn refresh(&self) -> Result<(), LibraryError> {
        let head = self.versions.head()?;
        if *self.synced.lock().unwrap_or_else(PoisonError::into_inner) == head {
            return Ok(());
        }
        let indexed = self.database.read(|reader| reader.indexed_commit())?;
        if indexed != head {
            self.database.write(|writer| self.sync(writer, head.as_deref()))?;
        }
        *self.synced.lock().unwrap_or_else(PoisonError::into_inner) = head;
        self.changed.notify_one();
        Ok(())
    }

    /// Throws the index away and builds it again from the history. Runs, their totals and local handles stay.
    ///
    /// # Errors
    /// [`LibraryError`] when the history can't be read.
    pub fn rebuild_index(&self) -> Result<u64, LibraryError> {
        self.database.write(|writer| {
            let head = self.versions.head()?;
            writer.clear_index(now_ms() / 1000)?;
            self.sync(writer, head.as_deref())
        })?;
        Ok(self.database.read(|reader| reader.procedure_count())?)
    }

    /// Commits what `plan` decides and indexes it. `plan` sees the newest state and is asked again when somebody else
    /// was faster. What is committed is done: where it can't be indexed at once, the index follows later.
    ///
    /// # Errors
    /// What `plan` returns, and that nothing could be committed. [`LibraryError::Unindexed`] when it is committed, but
    /// nothing can be said of it.
    pub(in crate::library) fn commit_change(
        &self,
        plan: impl Fn(&Writer<'_>) -> Result<Plan, LibraryError>,
    ) -> Result<VersionNumber, LibraryError> {
        let mut committed = None;
        let written = self.database.write(|writer| {
            loop {
                let head = self.versions.head()?;
                self.sync(writer, head.as_deref())?;
                let Plan { subject, kind, confidence, change } = plan(writer)?;
                let name = change.name.to_string();
                let version = writer.newest_version(&name)? + 1;
                let removal = change.files.is_none();
                let annotation = if removal {
                    Annotation::default()
                } else {
                    Annotation { version: Some(version), kind: Some(kind), confidence }
                };
                let changes = [change];
                let author = Author::User(self.user());
                let commit = NewCommit { author, subject: &subject, annotation: &annotation, changes: &changes };
                if let Some(record) = self.versions.commit(head.as_deref(), &commit)? {
                    committed = Some((record.id.clone(), name, version));
                    return self.index_commit(writer, &record);
                }
            }
        });
        let Some((head, name, version)) = committed else {
            return written.and_then(|()| Err(LibraryError::internal("a change came to no commit")));
        };
        match written {
            Ok(()) => {
                *self.synced.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
                self.changed.notify_one();
            }
            Err(error) => {
                tracing::warn!(procedure = name, %error, "a commit was not indexed with it; the index catches up");
                self.refresh().map_err(|error| LibraryError::Unindexed { name, why: error.to_string() })?;
            }
        }
        Ok(version)
    }

    fn index_commit(&self, writer: &Writer<'_>, record: &CommitRecord) -> Result<(), LibraryError> {
        self.index(writer, std::slice::from_ref(record))?;
        Ok(writer.set_indexed_commit(&record.id)?)
    }

    /// Adds many procedures in one commit; into an empty history only, where that is asked for.
    pub(in crate::library) fn commit_import(
        &self,
        author: Author<'_>,
        subject: &str,
        procedures: &[(Definition, Option<String>)],
        only_if_empty: bool,
    ) -> Result<(), LibraryError> {
        let mut is_committed = false;
        let written = self.database.write(|writer| {
            loop {
                let head = self.versions.head()?;
                self.sync(writer, head.as_deref())?;
                if only_if_empty && head.is_some() {
                    return Ok(());
                }
                let changes = procedures
                    .iter()
                    .map(|(definition, code)| {
                        let present = writer.procedure_named(definition.name.as_str())?;
                        let category = present.as_ref().map(|row| row.definition.category.as_str());
                        Plan::change(definition, code.as_deref(), category)
                    })
                    .collect::<Result<Vec<_>, LibraryError>>()?;
                let commit = NewCommit { author, subject, annotation: &Annotation::default(), changes: &changes };
                if let Some(record) = self.versions.commit(head.as_deref(), &commit)? {
                    is_committed = true;
                    return self.index_commit(writer, &record);
                }
            }
        });
        match written {
            Err(error) if is_committed => tracing::warn!(%error, "an import was not indexed with its commit"),
            written => written?,
        }
        self.refresh()
    }

    fn sync(&self, writer: &Writer<'_>, head: Option<&str>) -> Result<(), LibraryError> {
        let indexed = writer.indexed_commit()?;
        let Some(head) = head else {
            if indexed.is_some() {
                tracing::warn!("the procedure history is empty now; the index follows it");
                writer.clear_index(now_ms() / 1000)?;
            }
            return Ok(());
        };
        if indexed.as_deref() == Some(head) {
            return Ok(());
        }
        let records = match self.versions.commits_between(indexed.as_deref(), head) {
            Ok(records) => records,
            Err(VersionsError::Diverged(from)) => {
                tracing::warn!(from, head, "the procedure history was rewritten; the index is built anew");
                writer.clear_index(now_ms() / 1000)?;
                self.versions.commits_between(None, head)?
            }
            Err(error) => return Err(error.into()),
        };
        self.index(writer, &records)?;
        Ok(writer.set_indexed_commit(head)?)
    }

    fn index(&self, writer: &Writer<'_>, records: &[CommitRecord]) -> Result<(), LibraryError> {
        let mut numbers = Numbers::default();
        numbers.reserve_annotated(writer, records)?;
        for record in records {
            for change in &record.changes {
                match &change.state {
                    Some(state) => self.index_change(writer, &mut numbers, record, change, state)?,
                    None => {
                        if let Some(row) = writer.procedure_named(&change.name)? {
                            writer.mark_deleted(row.id, record.committed_at)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn index_change(
        &self,
        writer: &Writer<'_>,
        numbers: &mut Numbers,
        record: &CommitRecord,
        change: &RecordedChange,
        state: &RecordedState,
    ) -> Result<(), LibraryError> {
        let Some(definition) = self.read_definition(record, change, state)? else { return Ok(()) };
        let code = state.code.as_deref().map(|blob| self.versions.read(blob)).transpose()?;
        let before = writer.procedure_named(definition.name.as_str())?;
        let version = numbers.take(record, &change.name);
        let code_changed = change.before.as_ref().and_then(|before| before.code.as_ref()) != state.code.as_ref();
        let kind = record.annotation.kind.unwrap_or(match &change.before {
            Some(_) if code_changed => VersionKind::Code,
            _ => VersionKind::Definition,
        });
        let code_prior = code.as_deref().map(|code| {
            let carried = before.as_ref().filter(|_| !code_changed).and_then(|row| row.code_prior);
            let stated = record.annotation.confidence.or(carried);
            stated.unwrap_or_else(|| validation::analyze_for(code, &definition).confidence(&definition))
        });
        let code_version = match &before {
            _ if code.is_none() => None,
            Some(row) if !code_changed => row.code_version.or(Some(version)),
            _ => Some(version),
        };
        let id = writer.put_procedure(&ProcedureUpdate {
            definition: &definition,
            code: code.as_deref(),
            version,
            code_version,
            code_prior,
            at: record.committed_at,
            indexed_at: now_ms(),
        })?;
        let (lines_added, lines_removed) = self.versions.changed_lines(change)?;
        writer.add_version(
            id,
            &VersionRow {
                version,
                kind,
                commit: record.id.clone(),
                definition_blob: state.definition.clone(),
                code_blob: state.code.clone(),
                code_confidence: code_prior,
                message: record.subject.clone(),
                author: record.author.clone(),
                committed_at: record.committed_at,
                lines_added,
                lines_removed,
            },
        )?;
        Ok(())
    }

    /// The definition in a commit. One that a person broke is passed over, with a word in the log: the last good
    /// version stays in use until it is mended.
    fn read_definition(
        &self,
        record: &CommitRecord,
        change: &RecordedChange,
        state: &RecordedState,
    ) -> Result<Option<Definition>, LibraryError> {
        let text = match self.versions.read(&state.definition) {
            Ok(text) => text,
            Err(error @ VersionsError::NotText(_)) => {
                tracing::warn!(procedure = change.name, commit = record.id, %error, "a definition was passed over");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let named = ProcedureName::parse(&change.name).ok().filter(|name| name.as_str() == change.name);
        match (serde_json::from_str::<Definition>(&text), named) {
            (Ok(mut definition), Some(name)) => {
                // The folder decides: it is what git keeps unique.
                definition.name = name;
                definition.category.clone_from(&state.category);
                Ok(Some(definition))
            }
            (Err(error), _) => {
                tracing::warn!(procedure = change.name, commit = record.id, %error, "a definition was passed over");
                Ok(None)
            }
            (Ok(_), None) => {
                tracing::warn!(
                    folder = change.name,
                    commit = record.id,
                    "a folder with an invalid name was passed over"
                );
                Ok(None)
            }
        }
    }
}

/// Hands out version numbers. A commit of this program says its number; commits of people take the numbers that are
/// left, in order, so that building the index anew gives the same ones.
#[derive(Default)]
struct Numbers {
    by_procedure: HashMap<String, Known>,
    by_commit: HashMap<String, VersionNumber>,
}

/// Numbers of one procedure: everything up to `indexed` is in the index, `reserved` is on its way there.
#[derive(Default)]
struct Known {
    indexed: VersionNumber,
    reserved: BTreeSet<VersionNumber>,
}

impl Numbers {
    fn reserve_annotated(&mut self, writer: &Writer<'_>, records: &[CommitRecord]) -> Result<(), LibraryError> {
        for record in records {
            for change in &record.changes {
                if !self.by_procedure.contains_key(&change.name) {
                    let indexed = writer.newest_version(&change.name)?;
                    self.by_procedure.insert(change.name.clone(), Known { indexed, ..Known::default() });
                }
            }
            if let ([change], Some(version)) = (&record.changes[..], record.annotation.version)
                && let Some(known) = self.by_procedure.get_mut(&change.name)
                && version > known.indexed
                && known.reserved.insert(version)
            {
                self.by_commit.insert(record.id.clone(), version);
            }
        }
        Ok(())
    }

    fn take(&mut self, record: &CommitRecord, name: &str) -> VersionNumber {
        if let Some(version) = self.by_commit.get(&record.id) {
            return *version;
        }
        let known = self.by_procedure.entry(name.to_owned()).or_default();
        let number = (known.indexed + 1..=VersionNumber::MAX)
            .find(|number| !known.reserved.contains(number))
            .unwrap_or_default();
        known.reserved.insert(number);
        number
    }
}
