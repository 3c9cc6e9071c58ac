//! From commits to rows of the index. What is no procedure is noted, and the procedure stays as it was.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    renames::Followed,
    trial::{Trial, is_untried},
};
use crate::{
    domain::{Broken, Definition, ProcedureName, VersionKind, VersionNumber, name::slugify},
    library::{Library, LibraryError, now_ms},
    storage::{ProcedureUpdate, VersionRow, Writer},
    validation,
    versions::{Author, BrokenFile, CommitRecord, RecordedChange, RecordedState, VersionsError, conflict_line},
};

/// How far a number that a commit gives itself may be ahead of those that are known. More is no number that a program
/// gave, and after it none might be left.
const MAX_JUMP: VersionNumber = 1_000_000;

/// Whose commits are indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// What this process just committed.
    Ours,
    /// What others did since.
    Others,
    /// The whole history.
    All,
}

/// What became of a change.
enum Change {
    Indexed,
    /// It is no procedure, as a person made it.
    Broken(BrokenFile),
    /// It was one, and can't be read any more.
    Damaged(BrokenFile),
}

/// The files of a procedure, read.
struct Read {
    definition: Definition,
    /// The name in the file.
    said: ProcedureName,
    code: Option<String>,
    lock: Option<String>,
}

impl Library {
    /// Indexes what commits changed, and returns those of which something can't be read.
    pub(super) fn index(
        &self,
        writer: &Writer<'_>,
        records: &[CommitRecord],
        whose: Whose,
    ) -> Result<HashSet<String>, LibraryError> {
        let followed = self.follow(writer, records, whose == Whose::All)?;
        let mut numbers = Numbers::default();
        numbers.reserve_annotated(writer, records, &followed)?;
        let mut damaged = HashSet::new();
        for (record, followed) in records.iter().zip(&followed) {
            if !record.is_whole {
                damaged.insert(record.id.clone());
            }
            for followed in followed {
                let change = &followed.change;
                let became = match (&change.state, &change.broken) {
                    (Some(state), _) => self.index_change(writer, &mut numbers, record, followed, (state, whose))?,
                    (None, Some(broken)) => Change::Broken(broken.clone()),
                    (None, None) => {
                        if let Some(row) = writer.procedure_named(&followed.row)? {
                            writer.mark_deleted(row.id, record.committed_at)?;
                        }
                        Change::Indexed
                    }
                };
                if matches!(became, Change::Damaged(_)) {
                    damaged.insert(record.id.clone());
                }
                if let Some(left) = &followed.renamed_from {
                    writer.set_broken(left, None)?;
                }
                match became {
                    Change::Indexed => writer.set_broken(&change.name, None)?,
                    Change::Broken(BrokenFile { file, reason }) | Change::Damaged(BrokenFile { file, reason }) => {
                        let commit = record.id.clone();
                        if is_untried(&reason) {
                            tracing::debug!(procedure = change.name, commit, "what was committed is to be tried");
                        } else {
                            tracing::warn!(
                                procedure = change.name,
                                commit,
                                file,
                                reason,
                                "what was committed is passed over"
                            );
                        }
                        writer.set_broken(&change.name, Some(&Broken { file, commit, reason }))?;
                    }
                }
            }
        }
        Ok(damaged)
    }

    fn index_change(
        &self,
        writer: &Writer<'_>,
        numbers: &mut Numbers,
        record: &CommitRecord,
        followed: &Followed,
        (state, whose): (&RecordedState, Whose),
    ) -> Result<Change, LibraryError> {
        let Followed { row, change, renamed_from } = followed;
        let Read { mut definition, said, code, lock } = match self.read_files(change, state)? {
            Ok(read) => read,
            Err(Change::Damaged(broken)) => {
                // It was a version, so its number is used.
                numbers.take(record, row);
                return Ok(Change::Damaged(broken));
            }
            Err(other) => return Ok(other),
        };
        let before = writer.procedure_named(row)?;
        let former = match renamed_from {
            Some(from) => ProcedureName::stored(from).ok(),
            // A file that a person moved still says the name of before.
            None => before.as_ref().and_then(|row| row.definition.former_names.contains(&said).then_some(said)),
        };
        if let Some(former) = former.filter(|former| !definition.former_names.contains(former)) {
            definition.was_called(&former);
        }
        definition.former_names.retain(|former| *former != definition.name);
        if let Some(before) = &before
            && record.annotation.version.is_none()
            && renamed_from.is_none()
            && is_back(writer, before.id, before.version, before.deleted_at, &before.definition.category, state)?
        {
            return Ok(Change::Indexed);
        }
        let version = numbers.take(record, row);
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
            Some(row) if !code_changed && row.code == code => row.code_version.or(Some(version)),
            _ => Some(version),
        };
        let update = ProcedureUpdate {
            row,
            definition: &definition,
            code: code.as_deref(),
            lock: lock.as_deref(),
            version,
            code_version,
            code_prior,
            at: record.committed_at,
            indexed_at: now_ms(),
        };
        // What this program committed was tried before, or comes with it.
        let is_tried =
            whose == Whose::Ours || record.annotation.version.is_some() || record.author == Author::Program.name();
        let trial = Trial::needed(before.as_ref(), &definition, code.as_deref(), lock.as_deref());
        let (id, untried) = match trial.filter(|_| !is_tried) {
            Some(_) => Self::withhold(writer, before.as_ref(), &update).map(|(id, why)| (id, Some(why)))?,
            None => (writer.put_procedure(&update)?, None),
        };
        // Only what was there before may be unreadable here, and then there is nothing to compare with.
        let (lines_added, lines_removed) = self.versions.changed_lines(change).unwrap_or_default();
        writer.add_version(
            id,
            &VersionRow {
                version,
                kind,
                commit: record.id.clone(),
                definition_blob: state.definition.clone(),
                code_blob: state.code.clone(),
                lock_blob: state.lock.clone(),
                code_confidence: code_prior,
                message: record.subject.clone(),
                author: record.author.clone(),
                committed_at: record.committed_at,
                lines_added,
                lines_removed,
            },
        )?;
        Ok(match untried {
            Some(reason) => {
                let file = format!("procedures/{}/{}/procedure.py", state.category, change.name);
                Change::Broken(BrokenFile { file, reason })
            }
            None => Change::Indexed,
        })
    }

    /// The definition and the code in a commit, or what is wrong with them.
    fn read_files(&self, change: &RecordedChange, state: &RecordedState) -> Result<Result<Read, Change>, LibraryError> {
        let folder = format!("procedures/{}/{}", state.category, change.name);
        let broken = |file: &str, reason: String| BrokenFile { file: format!("{folder}{file}"), reason };
        let read = |blob: &str, file: &str| match self.versions.read(blob) {
            Ok(text) => Ok(match conflict_line(&text) {
                Some(line) => Err(Change::Broken(broken(
                    file,
                    format!("has the marks of a merge that was not finished (line {line})"),
                ))),
                None => Ok(text),
            }),
            Err(VersionsError::NotText { why, .. }) => Ok(Err(Change::Broken(broken(file, why)))),
            Err(VersionsError::Unreadable { why, .. }) => {
                Ok(Err(Change::Damaged(broken(file, format!("can't be read: {why}")))))
            }
            Err(error) => Err(LibraryError::from(error)),
        };
        let text = match read(&state.definition, "/procedure.json")? {
            Ok(text) => text,
            Err(change) => return Ok(Err(change)),
        };
        let code = match state.code.as_deref().map(|blob| read(blob, "/procedure.py")).transpose()? {
            None => None,
            // What a person left empty is no code yet.
            Some(Ok(code)) => Some(code).filter(|code| !validation::is_no_code(code)),
            Some(Err(change)) => return Ok(Err(change)),
        };
        let lock = match state.lock.as_deref().map(|blob| read(blob, "/procedure.lock")).transpose()? {
            None => None,
            Some(Ok(lock)) => Some(lock),
            Some(Err(change)) => return Ok(Err(change)),
        };
        let name = match ProcedureName::stored(&change.name) {
            Ok(name) if name.as_str() == change.name => name,
            Ok(name) => {
                let reason = format!("is no name of a procedure; `{name}` would be one");
                return Ok(Err(Change::Broken(broken("", reason))));
            }
            Err(error) => {
                let reason = format!("is no name of a procedure: {error}");
                return Ok(Err(Change::Broken(broken("", reason))));
            }
        };
        if slugify(&state.category) != state.category {
            let reason = format!("is in no category: `{}` can't be one", state.category);
            return Ok(Err(Change::Broken(broken("", reason))));
        }
        let reader = &mut serde_json::Deserializer::from_str(&text);
        let parsed = serde_path_to_error::deserialize::<_, Definition>(&mut *reader);
        let parsed = parsed.map_err(|error| match error.path().to_string() {
            path if path == "." => error.inner().to_string(),
            path => format!("`{path}`: {}", error.inner()),
        });
        match parsed.and_then(|parsed| reader.end().map(|()| parsed).map_err(|error| error.to_string())) {
            Ok(mut definition) => {
                // The folder decides: it is what git keeps unique.
                let said = std::mem::replace(&mut definition.name, name);
                definition.category.clone_from(&state.category);
                Ok(Ok(Read { definition, said, code, lock }))
            }
            Err(error) => Ok(Err(Change::Broken(broken("/procedure.json", format!("is no definition: {error}"))))),
        }
    }
}

/// Whether a commit brings back what the index has as the current version, after something that was none.
fn is_back(
    writer: &Writer<'_>,
    id: i64,
    version: VersionNumber,
    deleted_at: Option<i64>,
    category: &str,
    state: &RecordedState,
) -> Result<bool, LibraryError> {
    if deleted_at.is_some() || category != state.category {
        return Ok(false);
    }
    let current = writer.version(id, version)?;
    Ok(current.is_some_and(|row| {
        row.definition_blob == state.definition && row.code_blob == state.code && row.lock_blob == state.lock
    }))
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

impl Known {
    fn newest(&self) -> VersionNumber {
        self.reserved.last().copied().unwrap_or_default().max(self.indexed)
    }
}

impl Numbers {
    fn reserve_annotated(
        &mut self,
        writer: &Writer<'_>,
        records: &[CommitRecord],
        followed: &[Vec<Followed>],
    ) -> Result<(), LibraryError> {
        for (record, followed) in records.iter().zip(followed) {
            for Followed { row, .. } in followed {
                if !self.by_procedure.contains_key(row) {
                    let indexed = writer.newest_version(row)?;
                    self.by_procedure.insert(row.clone(), Known { indexed, ..Known::default() });
                }
            }
            if let ([Followed { row, .. }], Some(version)) = (&followed[..], record.annotation.version)
                && let Some(known) = self.by_procedure.get_mut(row)
                && version > known.indexed
                && version <= known.newest().saturating_add(MAX_JUMP)
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
        let mut free = known.indexed.saturating_add(1)..=VersionNumber::MAX;
        let number = free.find(|number| !known.reserved.contains(number)).unwrap_or(VersionNumber::MAX);
        known.reserved.insert(number);
        number
    }
}
