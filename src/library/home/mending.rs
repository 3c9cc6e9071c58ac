//! Getting a home out of the states that its stores should not be in, as [`standing`](super::standing) decides.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use super::indexing::Whose;
use super::{
    index::Plan,
    standing::{Index, Step, decide},
};
use crate::{
    domain::{Definition, Procedure, VersionKind},
    library::{Library, LibraryError, now_ms},
    storage::Writer,
    versions::{
        Annotation, Author, Checked, Damage, LOCK_PATIENCE, Main, NewCommit, ProcedureChange, RecordedState,
        VersionsError,
    },
};

/// What building the index anew came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Procedures that there are.
    pub procedures: u64,
    /// What was done beside, in sentences.
    pub done: Vec<String>,
}

impl Library {
    /// The commit that the history stands at, after what can be put right by itself was. `None`: nothing was ever
    /// committed. Callers hold the write lock. `main` that somebody has locked is waited for no longer than `lock_patience`.
    pub(super) fn stand(&self, writer: &Writer<'_>, lock_patience: Duration) -> Result<Option<String>, LibraryError> {
        let main = match self.versions.standing()? {
            Main::At(commit) => return Ok(Some(commit)),
            main => main,
        };
        let indexed = writer.indexed_commit()?;
        // What names a commit of which nobody has heard names none, where another is known.
        let main = match (main, &indexed) {
            (Main::Damaged { commit, is_doubtful: true, .. }, Some(indexed))
                if *indexed != commit && self.versions.has_commit(indexed)? =>
            {
                Main::Lost
            }
            (main, _) => main,
        };
        let index = if indexed.is_some() { Index::Knows } else { Index::New };
        let newest = match main {
            Main::Empty | Main::Lost => self.versions.newest_known(indexed.as_deref())?,
            Main::Absent | Main::At(_) | Main::Damaged { .. } => None,
        };
        match (decide(&main, newest.is_some(), index), newest, main) {
            (Step::Begin, ..) => {
                self.versions.create()?;
                Ok(None)
            }
            (Step::PointMain, Some(commit), _) => {
                self.versions.point_main_to(&commit, lock_patience)?;
                note(writer, &format!("`main` of the history was lost, and leads to commit {commit:.10} again"))?;
                let has_all = match &indexed {
                    Some(indexed) => self.versions.has_commit(indexed)?,
                    None => true,
                };
                if !has_all {
                    return self.restore(writer);
                }
                Ok(Some(commit))
            }
            (Step::Restore, ..) => {
                self.versions.create()?;
                self.restore(writer)
            }
            (Step::Damaged, _, Main::Damaged { commit, why, .. }) => {
                let path = self.versions.path().into();
                Err(VersionsError::Damaged { path, commit, why }.into())
            }
            _ => Err(VersionsError::Lost(self.versions.path().into()).into()),
        }
    }

    /// Commits what the index has and the history has not, and indexes all anew.
    fn restore(&self, writer: &Writer<'_>) -> Result<Option<String>, LibraryError> {
        let mut head = self.versions.head()?;
        let mut present: BTreeMap<String, RecordedState> = match &head {
            Some(head) => self.versions.procedures_at(head)?.into_iter().collect(),
            None => BTreeMap::new(),
        };
        let mut count = 0;
        for row in writer.all_procedures()? {
            let there = present.remove(row.definition.name.as_str());
            let Some(change) = self.missing_from(there.as_ref(), &row)? else { continue };
            let subject = format!("Restore {} from the index", row.definition.name);
            let author = writer.version(row.id, row.version)?.map(|version| version.author);
            let author = match author.as_deref() {
                Some(author) if author != Author::Program.name() => Author::User(author),
                _ => Author::Program,
            };
            let annotation = match change.files {
                Some(_) => Annotation {
                    failing_examples: Vec::new(),
                    version: Some(row.version),
                    kind: Some(VersionKind::Definition),
                    confidence: row.code_prior,
                },
                None => Annotation::default(),
            };
            let changes = [change];
            let commit = NewCommit { author, subject: &subject, annotation: &annotation, changes: &changes };
            let made = self.versions.commit(head.as_deref(), &commit)?;
            let made = made.ok_or_else(|| LibraryError::internal("the history moved while it was restored"))?;
            head = Some(made.id);
            count += 1;
        }
        note(
            writer,
            &format!(
                "the history lacked what the index has: {count} procedures were committed again, as they are now; what \
                 they were in earlier versions is lost"
            ),
        )?;
        if let Some(head) = &head {
            self.index_anew(writer, head)?;
        }
        Ok(head)
    }

    /// The change that makes the history have what the index has of a procedure, if it has not.
    pub(super) fn missing_from(
        &self,
        there: Option<&RecordedState>,
        row: &Procedure,
    ) -> Result<Option<ProcedureChange>, LibraryError> {
        let category = there.map(|state| state.category.as_str());
        if row.deleted_at.is_some() {
            return Ok(category.map(|category| ProcedureChange {
                name: row.definition.name.clone(),
                category: category.to_owned(),
                old_category: None,
                files: None,
            }));
        }
        let change = Plan::change(&row.definition, row.code.as_deref(), row.lock.as_deref(), category)?;
        let Some(state) = there else { return Ok(Some(change)) };
        let reads_as = |blob: &str| self.versions.read(blob).ok();
        let definition: Option<Definition> =
            reads_as(&state.definition).and_then(|text| serde_json::from_str(&text).ok());
        // As the index reads it: the folder says the name, and a name that it had may be known from the history alone.
        let known = &row.definition;
        let definition = definition.map(|mut there| {
            if there.former_names.iter().all(|name| known.former_names.contains(name)) {
                there.former_names.clone_from(&known.former_names);
            }
            Definition { name: known.name.clone(), category: state.category.clone(), ..there }
        });
        let code = state.code.as_deref().map(reads_as);
        let lock = state.lock.as_deref().map(reads_as);
        let is_as_known = |there: &Option<Option<String>>, known: &Option<String>| match (there, known) {
            (None, None) => true,
            (Some(there), Some(known)) => there.as_ref() == Some(known),
            _ => false,
        };
        let is_same = definition.as_ref() == Some(&row.definition)
            && category == Some(&row.definition.category)
            && is_as_known(&code, &row.code)
            && is_as_known(&lock, &row.lock);
        Ok((!is_same).then_some(change))
    }

    /// Builds the index anew from the history up to `head`. What the history can't be read for any more stays.
    pub(super) fn index_anew(&self, writer: &Writer<'_>, head: &str) -> Result<(), LibraryError> {
        let versions = writer.all_versions()?;
        let live: Vec<Procedure> =
            writer.all_procedures()?.into_iter().filter(|row| row.deleted_at.is_none()).collect();
        let now = now_ms() / 1000;
        writer.clear_index(now)?;
        let records = self.versions.commits_between(None, head)?;
        let damaged = self.index(writer, &records, Whose::All)?;
        let known: HashSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
        for row in live {
            // Not a commit removed it: what brought it can't be read, or is no procedure now.
            let is_unseen = writer.procedure(row.id)?.is_some_and(|row| row.deleted_at == Some(now));
            if is_unseen && (!damaged.is_empty() || writer.broken(row.definition.name.as_str())?.is_some()) {
                writer.revive(&row, now_ms())?;
            }
        }
        for (id, version) in versions {
            let commit = version.commit.as_str();
            let is_lost = damaged.contains(commit) || !known.contains(commit) && !self.versions.has_commit(commit)?;
            if is_lost && writer.version(id, version.version)?.is_none() {
                writer.add_version(id, &version)?;
            }
        }
        Ok(writer.set_indexed_commit(head)?)
    }

    /// Throws the index away and builds it again from the history; a history in which something is damaged is made anew
    /// of what can be read and of what the index knows. Runs, their totals and local handles stay.
    ///
    /// # Errors
    /// [`LibraryError`] when the history can't be read, and the index knows nothing of it.
    pub fn rebuild_index(&self) -> Result<Rebuilt, LibraryError> {
        let done = self.database.write(|writer| {
            let mut done = Vec::new();
            match self.versions.check() {
                Ok(checked) if !checked.damage.iter().any(Damage::can_be_mended) => {}
                Ok(checked) => done.push(self.salvage(writer, &checked)?),
                Err(VersionsError::Absent(_)) => {}
                Err(error) => return Err(error.into()),
            }
            let head = match self.stand(writer, LOCK_PATIENCE) {
                Err(LibraryError::Versions(VersionsError::Damaged { commit, .. })) => {
                    done.push(self.go_on_without(writer, &commit)?);
                    self.versions.head()?
                }
                Ok(Some(head)) if !self.versions.is_whole(&head)? => {
                    done.push(self.go_on_without(writer, &head)?);
                    self.versions.head()?
                }
                head => head?,
            };
            match &head {
                Some(head) => self.index_anew(writer, head)?,
                None => writer.clear_index(now_ms() / 1000)?,
            }
            Ok::<_, LibraryError>(done)
        })?;
        self.try_untried()?;
        Ok(Rebuilt { procedures: self.database.read(|reader| reader.procedure_count())?, done })
    }

    /// Makes the repository anew of what can be read, and of the texts that the index has.
    fn salvage(&self, writer: &Writer<'_>, checked: &Checked) -> Result<String, LibraryError> {
        let mut texts = Vec::new();
        for row in writer.all_procedures()? {
            let change = Plan::change(&row.definition, row.code.as_deref(), row.lock.as_deref(), None)?;
            texts.extend(
                change.files.into_iter().flat_map(|files| [Some(files.definition), files.code, files.lock]).flatten(),
            );
        }
        let aside = self.versions.salvage(&texts, now_ms() / 1000)?;
        let done = format!(
            "{} objects or refs of the history were damaged; it was made anew of what can be read and what the index \
             knows, and the damaged one is kept as {}",
            checked.damage.len(),
            aside.display()
        );
        note(writer, &done)?;
        Ok(done)
    }

    /// Makes `main` lead to the newest commit that can be read, and commits on it what the index has beside.
    fn go_on_without(&self, writer: &Writer<'_>, commit: &str) -> Result<String, LibraryError> {
        let knows = writer.indexed_commit()?.is_some();
        match self.versions.newest_whole()? {
            Some(newest) => self.versions.point_main_to(&newest, LOCK_PATIENCE)?,
            None if knows => self.versions.drop_main()?,
            None => return Err(VersionsError::Lost(self.versions.path().into()).into()),
        }
        let done = if knows {
            self.restore(writer)?;
            format!("commit {commit:.10} can't be read; what the index knows of it was committed again")
        } else {
            format!(
                "commit {commit:.10} can't be read, and the index knows nothing of it; what came before it is there"
            )
        };
        note(writer, &done)?;
        Ok(done)
    }
}

/// Remembers what was done, for whoever asks `doctor`, and says it in the log.
fn note(writer: &Writer<'_>, what: &str) -> Result<(), LibraryError> {
    tracing::warn!("{what}");
    Ok(writer.note_mending(now_ms() / 1000, what)?)
}
