//! Artifacts: files and addresses that are linked to procedures, runs, checkpoints and outcomes.
//!
//! A file is read when it is linked and when it is read back, so it has to lie in a directory that the policy grants, with
//! all symbolic links followed: nobody learns through a hash what is in a file that they may not read. Everything is the
//! user's own.

use std::{
    fs::{self, File},
    io::{self, Read as _},
};

use serde_json::{Map, Value};

use super::{
    linked_file::{Artifact, FileRefusal, hash_file, hash_of, is_granted, real_file, status},
    names,
};
use crate::{
    config::Config,
    domain::{
        artifact::{ContentHash, HashKind, LinkedArtifact, MemoryType},
        scope,
    },
    library::{Library, LibraryError, ProcedureRef, now_ms},
    storage::Reader,
};

/// Larger files are not passed on: they would fill a context many times over.
pub const MAX_READ_BYTES: u64 = 8 * 1024 * 1024;
/// Longest address.
const MAX_URI_BYTES: usize = 2000;
/// Largest metadata, as JSON.
const MAX_METADATA_BYTES: usize = 64 * 1024;
/// So many are shown with what they belong to.
const MAX_SHOWN: u32 = 100;

/// An artifact that is to be linked.
#[derive(Debug, Clone, Default)]
pub struct ArtifactDraft {
    /// What it is: `report`, `screenshot`, `log` and so on.
    pub kind: String,
    /// The absolute path of a file.
    pub path: Option<String>,
    /// The address of something that is somewhere else.
    pub uri: Option<String>,
    pub content_hash: Option<String>,
    pub size_bytes: Option<u64>,
    /// What the caller wants to note.
    pub metadata: Option<Map<String, Value>>,
}

impl Library {
    /// Links an artifact. The same place is linked once and known anew, with what was noted of it unless something else is
    /// said. A file is hashed.
    ///
    /// # Errors
    /// [`LibraryError::Argument`] when something does not fit, [`LibraryError::FileNotGranted`], or that there is nothing of
    /// this name.
    pub fn link_artifact(
        &self,
        memory_type: MemoryType,
        memory_id: &str,
        draft: ArtifactDraft,
    ) -> Result<LinkedArtifact, LibraryError> {
        scope::check_id("artifact.type", &draft.kind)?;
        let given_hash = draft.content_hash.as_deref().map(ContentHash::parse).transpose()?;
        if let Some(metadata) = &draft.metadata {
            let bytes = serde_json::to_string(metadata).map_or(0, |text| text.len());
            if bytes > MAX_METADATA_BYTES {
                return Err(LibraryError::invalid_with_hint(
                    format!(
                        "`artifact.metadata` has {bytes} bytes as JSON, and at most {MAX_METADATA_BYTES} are allowed"
                    ),
                    "keep it in a file of its own",
                ));
            }
        }
        let memory_id = self.memory_key(memory_type, memory_id)?;
        let (location, is_file, content_hash, size_bytes) = match (&draft.path, &draft.uri) {
            (Some(path), None) => {
                let config = self.config()?;
                let file = real_file(&config, path).map_err(|why| not_linked(&config, path, &why))?;
                let (hash, size) = hash_file(&file, given_hash.as_ref().map_or(HashKind::Blake3, |hash| hash.kind))
                    .map_err(|error| not_linked(&config, path, &FileRefusal::Unreadable(error)))?;
                check_given(path, &draft, given_hash.as_ref(), (&hash, size))?;
                let Some(location) = file.to_str() else {
                    return Err(LibraryError::invalid_with_hint(
                        format!("`{path}` is no Unicode text"),
                        "rename the file",
                    ));
                };
                (location.to_owned(), true, Some(hash), Some(size))
            }
            (None, Some(uri)) => {
                check_uri(uri)?;
                (uri.clone(), false, given_hash, draft.size_bytes)
            }
            _ => {
                let message = "`artifact` needs either `path`, for a file on this machine, or `uri`";
                return Err(LibraryError::invalid(message));
            }
        };
        let row = LinkedArtifact {
            id: 0,
            memory_type: memory_type.as_str().to_owned(),
            memory_id,
            kind: draft.kind,
            location,
            is_file,
            content_hash: content_hash.map(|hash| hash.to_string()),
            size_bytes,
            metadata: draft.metadata,
            created_at: now_ms(),
        };
        self.database.write(|writer| {
            let id = writer.link_artifact(&self.user, &row)?;
            writer.artifact(&self.user, id)?.ok_or(LibraryError::ArtifactNotFound(id))
        })
    }

    /// The name under which the thing is known here; it has to be there for this user.
    fn memory_key(&self, memory_type: MemoryType, id: &str) -> Result<String, LibraryError> {
        match memory_type {
            MemoryType::Procedure => Ok(self.procedure(&ProcedureRef::from(id))?.definition.name.to_string()),
            MemoryType::Run if self.database.read(|reader| reader.workflow_run(&self.user, id))?.is_some() => {
                Ok(id.to_owned())
            }
            MemoryType::Run => Ok(self.run(id)?.0.id),
            MemoryType::Checkpoint => {
                if self.database.read(|reader| names::named(reader, &self.user, id))? {
                    return Ok(id.to_owned());
                }
                let shown: String = id.chars().take(300).collect();
                let run = names::run_of(&shown).unwrap_or(&shown).to_owned();
                Err(LibraryError::CheckpointNotFound { id: shown, run })
            }
            MemoryType::Outcome => {
                // By its run, or by the name that answers give it.
                for run in [id, id.strip_prefix("wo_").unwrap_or(id)] {
                    if self.database.read(|reader| reader.outcome_of(&self.user, run))?.is_some() {
                        return Ok(run.to_owned());
                    }
                }
                Err(LibraryError::OutcomeNotFound(id.chars().take(60).collect()))
            }
        }
    }

    /// What this user linked to a thing, oldest first.
    ///
    /// # Errors
    /// [`LibraryError::Storage`] or [`LibraryError::Config`].
    pub fn artifacts_of(&self, memory_type: MemoryType, memory_id: &str) -> Result<Vec<Artifact>, LibraryError> {
        let rows = self.database.read(|reader| exactly(reader, &self.user, memory_type, memory_id))?;
        self.looked_at(rows)
    }

    /// What this user linked to checkpoints of a run.
    pub(in crate::library) fn artifacts_of_checkpoints(&self, run_id: &str) -> Result<Vec<Artifact>, LibraryError> {
        let from = format!("cp_{run_id}_");
        let to = format!("cp_{run_id}_:");
        let kind = MemoryType::Checkpoint.as_str();
        let rows = self.database.read(|reader| reader.artifacts_of(&self.user, kind, (&from, &to), u32::MAX))?;
        self.looked_at(rows)
    }

    /// The files that this user linked and the policy grants, a page after number `after`; and where the next begins.
    ///
    /// # Errors
    /// [`LibraryError::Storage`] or [`LibraryError::Config`].
    pub fn readable_artifacts(
        &self,
        after: i64,
        most: u32,
    ) -> Result<(Vec<LinkedArtifact>, Option<i64>), LibraryError> {
        let rows = self.database.read(|reader| reader.linked_files(&self.user, after, most))?;
        let next = rows.last().filter(|_| u32::try_from(rows.len()) == Ok(most)).map(|row| row.id);
        let config = self.config()?;
        let is_readable =
            |row: &LinkedArtifact| fs::canonicalize(&row.location).is_ok_and(|real| is_granted(&config, &real));
        Ok((rows.into_iter().filter(is_readable).collect(), next))
    }

    /// The content of a linked file, if it is still what it was.
    ///
    /// # Errors
    /// [`LibraryError::ArtifactNotFound`], [`LibraryError::FileNotGranted`], or [`LibraryError::ArtifactChanged`] when it is
    /// missing, changed or too large.
    pub fn read_artifact(&self, id: i64) -> Result<(LinkedArtifact, Vec<u8>), LibraryError> {
        let row = self.database.read(|reader| reader.artifact(&self.user, id))?;
        let row = row.ok_or(LibraryError::ArtifactNotFound(id))?;
        if !row.is_file {
            let message = format!("artifact `{id}` is at `{}`", row.location);
            return Err(LibraryError::invalid_with_hint(message, "read it there"));
        }
        let changed = |why: String| LibraryError::ArtifactChanged { id, location: row.location.clone(), why };
        let config = self.config()?;
        let real = real_file(&config, &row.location).map_err(|refusal| match refusal {
            FileRefusal::NotGranted => not_granted(&config, &row.location),
            FileRefusal::NotAbsolute | FileRefusal::Missing => changed("is missing".to_owned()),
            FileRefusal::NoFile => changed("is no file any more".to_owned()),
            FileRefusal::Unreadable(error) => changed(format!("can't be read ({error})")),
        })?;
        let cant_read = |error: io::Error| changed(format!("can't be read ({error})"));
        let mut content = Vec::new();
        File::open(&real).map_err(cant_read)?.take(MAX_READ_BYTES + 1).read_to_end(&mut content).map_err(cant_read)?;
        if content.len() as u64 > MAX_READ_BYTES {
            let most = MAX_READ_BYTES / (1024 * 1024);
            return Err(LibraryError::invalid_with_hint(
                format!("artifact `{id}` has more than {most} MiB, which is too much for a message"),
                format!("read `{}` itself", row.location),
            ));
        }
        // What was read is what is checked: the file may change in between.
        if let Some(hash) = row.content_hash.as_deref().map(ContentHash::parse).transpose()? {
            let (found, _) = hash_of(&content[..], hash.kind).map_err(cant_read)?;
            if found != hash {
                return Err(changed(format!("has changed since it was linked: its hash was {hash} and is {found}")));
            }
        }
        Ok((row, content))
    }

    fn looked_at(&self, rows: Vec<LinkedArtifact>) -> Result<Vec<Artifact>, LibraryError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let config = self.config()?;
        Ok(rows.into_iter().map(|row| Artifact { status: status(&config, &row), row }).collect())
    }
}

fn exactly(
    reader: &Reader<'_>,
    user: &str,
    memory_type: MemoryType,
    memory_id: &str,
) -> Result<Vec<LinkedArtifact>, LibraryError> {
    // The next text after this one.
    let to = format!("{memory_id}\0");
    Ok(reader.artifacts_of(user, memory_type.as_str(), (memory_id, &to), MAX_SHOWN)?)
}

/// Why a file is not linked, for whoever named it.
fn not_linked(config: &Config, given: &str, refusal: &FileRefusal) -> LibraryError {
    match refusal {
        FileRefusal::NotGranted => not_granted(config, given),
        FileRefusal::NotAbsolute => {
            LibraryError::invalid_with_hint(format!("`artifact.path` is `{given}`"), "give an absolute path")
        }
        FileRefusal::Missing => {
            LibraryError::invalid_with_hint(format!("there is no file `{given}`"), "write it before it is linked")
        }
        FileRefusal::NoFile => {
            LibraryError::invalid_with_hint(format!("`{given}` is no file"), "link one file at a time")
        }
        FileRefusal::Unreadable(error) => LibraryError::invalid(format!("`{given}` can't be read: {error}")),
    }
}

fn not_granted(config: &Config, path: &str) -> LibraryError {
    LibraryError::FileNotGranted { path: path.to_owned(), file: config.file().display().to_string() }
}

fn check_given(
    path: &str,
    draft: &ArtifactDraft,
    given_hash: Option<&ContentHash>,
    (hash, size): (&ContentHash, u64),
) -> Result<(), LibraryError> {
    if let Some(given) = draft.size_bytes.filter(|given| *given != size) {
        return Err(LibraryError::invalid_with_hint(
            format!("nothing was linked: `{path}` has {size} bytes, and `size_bytes` says {given}"),
            "link what you mean, or leave it out",
        ));
    }
    if let Some(given) = given_hash.filter(|given| *given != hash) {
        return Err(LibraryError::invalid_with_hint(
            format!("nothing was linked: the hash of `{path}` is {hash}, and `content_hash` says {given}"),
            "link what you mean, or leave it out",
        ));
    }
    Ok(())
}

fn check_uri(uri: &str) -> Result<(), LibraryError> {
    let refused = |hint: &str| {
        let shown: String = uri.chars().take(100).collect();
        Err(LibraryError::invalid_with_hint(format!("`artifact.uri` is `{shown}`"), hint))
    };
    if uri.len() > MAX_URI_BYTES || uri.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return refused("give at most 2000 bytes without spaces");
    }
    match uri.split_once(':') {
        Some(("file", _)) => refused("give a file on this machine as `path`"),
        Some((scheme, rest))
            if scheme.len() > 1
                && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
                && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
                && !rest.is_empty() =>
        {
            Ok(())
        }
        _ => refused("a URI begins with its scheme, such as `https:` or `s3:`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_scheme_that_is_no_drive_and_no_file() {
        for uri in ["https://example.org/a", "s3:bucket/key", "urn:isbn:1"] {
            assert!(check_uri(uri).is_ok(), "{uri}");
        }
        for uri in ["", "report.pdf", "/tmp/a", "c:\\a", "file:///etc/passwd", "https:", "https://a b", "1x:y"] {
            assert!(check_uri(uri).is_err(), "{uri}");
        }
    }
}
