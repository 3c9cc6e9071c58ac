//! Keeps the index in the database in step with the history in git.
//!
//! Git is the truth. A write commits first and indexes second, both under the database's write lock; whatever another
//! program committed, or a crash left unindexed, is indexed by the next look at the home.

use std::{
    fmt::Write as _,
    sync::{Arc, PoisonError},
    time::Duration,
};

use super::indexing::Whose;
use super::trial::{Trial, confidence_left};
use crate::{
    domain::{Definition, FailingExample, Hinted as _, ProcedureName, VersionKind, VersionNumber},
    library::{Actor, Library, LibraryError},
    storage::Writer,
    versions::{
        Annotation, Author, Bundle, CommitRecord, Files, LOCK_PATIENCE, Main, NewCommit, ProcedureChange, VersionsError,
    },
};

/// How long whoever only wants to read waits for the index to follow the history.
const FOLLOW_PATIENCE: Duration = Duration::from_secs(4);

/// A change of one procedure that is about to be committed.
pub(in crate::library) struct Plan {
    pub subject: String,
    pub kind: VersionKind,
    pub confidence: Option<f64>,
    pub change: ProcedureChange,
    /// Where the procedure had another name until now: that, and the category of its folder.
    pub leaves: Option<(ProcedureName, String)>,
}

impl Plan {
    /// The files of `definition` and `code`, with the packages that this needs, in the folder of the definition's category.
    pub fn change(
        definition: &Definition,
        code: Option<&str>,
        lock: Option<&str>,
        old_category: Option<&str>,
    ) -> Result<ProcedureChange, LibraryError> {
        Ok(ProcedureChange {
            name: definition.name.clone(),
            category: definition.category.clone(),
            old_category: old_category.filter(|old| *old != definition.category).map(str::to_owned),
            files: Some(Files {
                definition: to_file(definition)?,
                code: code.map(str::to_owned),
                lock: lock.map(str::to_owned),
                attached: definition.files.clone(),
                brought: None,
            }),
        })
    }
}

impl Plan {
    /// The same, with the files that travel with it from now on.
    pub fn bringing(mut change: ProcedureChange, bundle: Option<&Arc<Bundle>>) -> ProcedureChange {
        if let Some(files) = &mut change.files {
            files.brought = bundle.map(Arc::clone);
        }
        change
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
    /// Brings the index up to date with the history, if it is behind. Where that can't be done, because the history is
    /// damaged, nothing can be written, or somebody else has the database, what the index knows is gone on with.
    pub(in crate::library) fn refresh(&self) -> Result<(), LibraryError> {
        match self.catch_up() {
            Ok(()) => {
                *self.behind.lock().unwrap_or_else(PoisonError::into_inner) = None;
                Ok(())
            }
            Err(error) if self.database.read(|reader| reader.indexed_commit())?.is_none() => Err(error),
            Err(error) => {
                let why = error.in_full();
                let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
                if behind.as_ref() != Some(&why) {
                    tracing::error!(error = why, "the index can't follow the history; what it knows is gone on with");
                }
                *behind = Some(why);
                Ok(())
            }
        }
    }

    fn catch_up(&self) -> Result<(), LibraryError> {
        let generation = self.database.generation()?;
        let head = self.versions.head().ok().flatten().map(|head| (generation, head));
        if head.is_some() && *self.synced.lock().unwrap_or_else(PoisonError::into_inner) == head {
            return Ok(());
        }
        let indexed = self.database.read(|reader| reader.indexed_commit())?;
        let is_current = match &head {
            Some((_, head)) => indexed.as_ref() == Some(head) && self.versions.standing()? == Main::At(head.clone()),
            None => false,
        };
        let head = if is_current {
            head
        } else {
            let head = self.database.write_within(FOLLOW_PATIENCE, |writer| {
                let head = self.stand(writer, Duration::ZERO)?;
                self.sync(writer, head.as_deref())?;
                Ok::<_, LibraryError>(head)
            })?;
            head.map(|head| (generation, head))
        };
        self.try_untried()?;
        *self.synced.lock().unwrap_or_else(PoisonError::into_inner) = head;
        self.changed.notify_one();
        Ok(())
    }

    /// Commits what `plan` decides and indexes it. `plan` sees the newest state and is asked again when somebody else
    /// was faster. What is committed is done: where it can't be indexed at once, the index follows later.
    ///
    /// # Errors
    /// What `plan` returns, and that nothing could be committed. [`LibraryError::Unindexed`] when it is committed, but
    /// nothing can be said of it.
    pub(in crate::library) fn commit_change(
        &self,
        by: &Actor,
        plan: impl Fn(&Writer<'_>) -> Result<Plan, LibraryError>,
    ) -> Result<VersionNumber, LibraryError> {
        let mut tried = None;
        loop {
            let mut trial = None;
            match (self.commit_tried(by, &plan, tried.as_ref(), &mut trial), trial) {
                // Nobody waits for the database while code is executed.
                (Err(_), Some(trial)) => {
                    let verdicts = self.try_examples(&trial)?.unwrap_or_default();
                    tried = Some((trial.failing(verdicts), trial));
                }
                (committed, _) => return committed,
            }
        }
    }

    /// The same; where something else has to be tried before than what was `tried`, that is `untried` afterwards.
    fn commit_tried(
        &self,
        by: &Actor,
        plan: impl Fn(&Writer<'_>) -> Result<Plan, LibraryError>,
        tried: Option<&(Vec<FailingExample>, Trial)>,
        untried: &mut Option<Trial>,
    ) -> Result<VersionNumber, LibraryError> {
        let mut committed = None;
        let written = self.database.write(|writer| {
            loop {
                let head = self.stand(writer, LOCK_PATIENCE)?;
                self.sync(writer, head.as_deref())?;
                let Plan { mut subject, kind, mut confidence, mut change, leaves } = plan(writer)?;
                let name = leaves.as_ref().map_or(&change.name, |(before, _)| before).to_string();
                if let Some(remark) = self.check_gates(writer, by, &change)? {
                    subject.push_str(&remark);
                }
                let version = writer.newest_version(&name)?.checked_add(1).ok_or_else(|| {
                    LibraryError::invalid(format!("`{name}` has the highest version number that there is"))
                })?;
                let removal = change.files.is_none();
                let failing = match (self.trial_of(writer, &change, &name)?, tried) {
                    (None, _) => Vec::new(),
                    (Some(trial), Some((failing, done))) if trial == *done => failing.clone(),
                    (Some(trial), _) => {
                        *untried = Some(trial);
                        return Err(LibraryError::invalid("it is tried first"));
                    }
                };
                if !failing.is_empty() {
                    if !by.accepts_failing {
                        return Err(LibraryError::ExamplesFail { name, failing });
                    }
                    let examples = tried.map_or(0, |(_, trial)| trial.definition.examples.len());
                    confidence = confidence.map(|confidence| confidence_left(confidence, failing.len(), examples));
                    let numbers: Vec<String> = failing.iter().map(|failing| failing.example.to_string()).collect();
                    let which = if failing.len() == 1 { "example" } else { "examples" };
                    let _ = write!(subject, " (contradicts {which} {}; accepted)", numbers.join(", "));
                }
                let failing_examples: Vec<usize> = failing.iter().map(|failing| failing.example).collect();
                if let Some(broken) = writer.broken(&name)? {
                    if !removal && kind != VersionKind::Rollback {
                        let good = writer.procedure_named(&name)?.map(|row| row.version).filter(|good| *good > 0);
                        return Err(LibraryError::Broken { name, broken, good });
                    }
                    // Where it has two folders, the wrong one goes with this.
                    let other = broken.file.split('/').nth(1).filter(|other| *other != change.category);
                    change.old_category = change.old_category.or_else(|| other.map(str::to_owned));
                }
                let annotation = if removal {
                    Annotation::default()
                } else {
                    Annotation { version: Some(version), kind: Some(kind), confidence, failing_examples }
                };
                let leaves =
                    leaves.map(|(name, category)| ProcedureChange { name, category, old_category: None, files: None });
                let changes: Vec<ProcedureChange> = std::iter::once(change).chain(leaves).collect();
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
                let generation = self.database.generation()?;
                *self.synced.lock().unwrap_or_else(PoisonError::into_inner) = Some((generation, head));
                self.changed.notify_one();
            }
            Err(error) => {
                tracing::warn!(procedure = name, %error, "a commit was not indexed with it; the index catches up");
                self.catch_up().map_err(|error| LibraryError::Unindexed { name, why: error.to_string() })?;
            }
        }
        Ok(version)
    }

    fn index_commit(&self, writer: &Writer<'_>, record: &CommitRecord) -> Result<(), LibraryError> {
        self.index(writer, std::slice::from_ref(record), Whose::Ours)?;
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
                let head = self.stand(writer, LOCK_PATIENCE)?;
                self.sync(writer, head.as_deref())?;
                if only_if_empty && head.is_some() {
                    return Ok(());
                }
                let changes = procedures
                    .iter()
                    .map(|(definition, code)| {
                        let present = writer.procedure_named(definition.name.as_str())?;
                        let category = present.as_ref().map(|row| row.definition.category.as_str());
                        Plan::change(definition, code.as_deref(), None, category)
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

    pub(super) fn sync(&self, writer: &Writer<'_>, head: Option<&str>) -> Result<(), LibraryError> {
        let indexed = writer.indexed_commit()?;
        let Some(head) = head else { return Ok(()) };
        if indexed.as_deref() == Some(head) {
            return Ok(());
        }
        let records = match self.versions.commits_between(indexed.as_deref(), head) {
            Ok(records) => records,
            Err(VersionsError::Diverged(from)) => {
                tracing::warn!(from, head, "the procedure history was rewritten; the index is built anew");
                return self.index_anew(writer, head);
            }
            Err(error) => return Err(error.into()),
        };
        self.index(writer, &records, if indexed.is_none() { Whose::All } else { Whose::Others })?;
        Ok(writer.set_indexed_commit(head)?)
    }
}
