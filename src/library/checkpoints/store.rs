//! Checkpoints: where workflows that others run go on after a crash.
//!
//! Everything is the user's own: what another user saved under the same run is not there.

use serde_json::{Map, Value};

use super::{linked_file::Artifact, names::sequence_of};
use crate::{
    domain::{
        canonical::{self, NotJson},
        json, nfc,
        scope::{self, Scope},
        workflow::Checkpoint,
    },
    library::{Library, LibraryError, now_ms},
    storage::{NewCheckpoint, Reader, StorageError, StoredState, WorkflowRunRow, Writer},
};

/// Largest metadata, as JSON.
const MAX_METADATA_BYTES: usize = 64 * 1024;
/// Larger states are hashed on a thread of their own, beside being compressed. Starting it takes 0.05 ms.
const LARGE_STATE_BYTES: usize = 64 * 1024;
/// A run whose branches are more than that is asked about in parts.
const MAX_BRANCHES: usize = 100;

/// A state that is to be saved.
#[derive(Debug, Clone, Default)]
pub struct CheckpointDraft {
    pub workflow_id: String,
    /// The run of that workflow.
    pub run_id: String,
    /// The node that made the state.
    pub node_id: String,
    pub state: State,
    /// The branch, where the run has several.
    pub branch_id: Option<String>,
    /// The checkpoint of the same run that the state came from.
    pub parent_checkpoint_id: Option<String>,
    /// What the caller wants to note.
    pub metadata: Option<Map<String, Value>>,
}

/// A state as it comes.
#[derive(Debug, Clone)]
pub enum State {
    /// As fields.
    Fields(Map<String, Value>),
    /// As JSON of an object.
    Json(String),
}

impl Default for State {
    fn default() -> Self {
        Self::Fields(Map::new())
    }
}

/// A state that can be saved.
pub(in crate::library) struct PreparedCheckpoint {
    workflow_id: String,
    run_id: String,
    node_id: String,
    branch_id: Option<String>,
    parent_checkpoint_id: Option<String>,
    metadata: Option<String>,
    state: StoredState,
    state_hash: String,
}

/// What became of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its number in the run, from 1.
    pub sequence: i64,
    /// The same for equal states.
    pub state_hash: String,
    /// `false` when the latest checkpoint of the branch has this state: nothing was written, and this is that one.
    pub is_new: bool,
}

/// Checkpoints of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkpoints {
    /// The workflow that it is a run of; nothing is known of a run that nothing was saved of.
    pub workflow_id: Option<String>,
    /// Oldest first.
    pub rows: Vec<Checkpoint>,
    /// What was linked to checkpoints of the run.
    pub artifacts: Vec<Artifact>,
}

impl Library {
    /// Saves a state, so that it survives a power cut, unless the latest of its branch is the same.
    ///
    /// # Errors
    /// [`LibraryError::Scope`], [`LibraryError::Argument`] when something is too large, [`LibraryError::RunOfOther`] or
    /// [`LibraryError::CheckpointNotFound`].
    pub fn save_checkpoint(&self, draft: CheckpointDraft) -> Result<Saved, LibraryError> {
        let prepared = self.prepare_checkpoint(draft)?;
        self.database.write_synced(|writer| write_checkpoint(writer, &self.user, prepared))
    }

    /// Checks what is to be saved and makes of it what will be stored, before any lock is taken.
    ///
    /// # Errors
    /// [`LibraryError::Scope`] or [`LibraryError::Argument`].
    pub(in crate::library) fn prepare_checkpoint(
        &self,
        draft: CheckpointDraft,
    ) -> Result<PreparedCheckpoint, LibraryError> {
        let CheckpointDraft { workflow_id, run_id, node_id, state, branch_id, parent_checkpoint_id, metadata } = draft;
        let [workflow_id, run_id, node_id] = [workflow_id, run_id, node_id].map(|id| nfc(&id));
        let (branch_id, parent_checkpoint_id) = (branch_id.map(|id| nfc(&id)), parent_checkpoint_id.map(|id| nfc(&id)));
        Scope { workflow_id: Some(&workflow_id), run_id: Some(&run_id), node_id: Some(&node_id) }.check()?;
        if let Some(branch) = &branch_id {
            scope::check_id("branch_id", branch)?;
        }
        let metadata = metadata
            .map(|metadata| bounded("metadata", Value::Object(metadata).to_string(), MAX_METADATA_BYTES))
            .transpose()?;
        let (state, state_hash) = stored(state, self.config()?.checkpoints.state_bytes)?;
        Ok(PreparedCheckpoint {
            workflow_id,
            run_id,
            node_id,
            branch_id,
            parent_checkpoint_id,
            metadata,
            state,
            state_hash,
        })
    }

    /// Where a run goes on: its latest checkpoint, or the latest of each of `branch_ids`. Those without one are left
    /// out.
    ///
    /// # Errors
    /// [`LibraryError::Scope`] or [`LibraryError::Argument`].
    pub fn resume_point(&self, run_id: &str, branch_ids: Option<&[String]>) -> Result<Checkpoints, LibraryError> {
        scope::check_id("run_id", run_id)?;
        for branch in branch_ids.unwrap_or_default() {
            scope::check_id("branch_ids", branch)?;
        }
        if let Some(branches) = branch_ids.filter(|branches| branches.len() > MAX_BRANCHES) {
            let count = branches.len();
            return Err(LibraryError::invalid_with_hint(
                format!("`branch_ids` has {count} branches, and at most {MAX_BRANCHES} are answered"),
                "ask for the others in further calls",
            ));
        }
        self.checkpoints_of(&nfc(run_id), |reader, run| match branch_ids {
            None => Ok(reader.latest_checkpoint(run.id)?.into_iter().collect()),
            Some(branches) => {
                let latest = branches.iter().map(|branch| match reader.latest_of_branch(run.id, &nfc(branch))? {
                    None => reader.latest_of_branch(run.id, branch),
                    found => Ok(found),
                });
                Ok(latest.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
        })
    }

    /// The newest `limit` checkpoints of a run without their states, oldest first.
    ///
    /// # Errors
    /// [`LibraryError::Scope`].
    pub fn list_checkpoints(&self, run_id: &str, limit: u32) -> Result<Checkpoints, LibraryError> {
        scope::check_id("run_id", run_id)?;
        self.checkpoints_of(&nfc(run_id), |reader, run| reader.list_checkpoints(run.id, limit))
    }

    fn checkpoints_of(
        &self,
        run_id: &str,
        read: impl FnOnce(&Reader<'_>, &WorkflowRunRow) -> Result<Vec<Checkpoint>, StorageError>,
    ) -> Result<Checkpoints, LibraryError> {
        let found = self.database.read(|reader| match reader.workflow_run(&self.user, run_id)? {
            Some(run) => Ok::<_, LibraryError>(Some((read(reader, &run)?, run.workflow_id))),
            None => Ok(None),
        })?;
        let Some((rows, workflow_id)) = found else { return Ok(Checkpoints::default()) };
        Ok(Checkpoints { rows, workflow_id: Some(workflow_id), artifacts: self.artifacts_of_checkpoints(run_id)? })
    }
}

/// Saves it for `user` as a part of what `writer` writes. What is refused has written nothing.
///
/// # Errors
/// [`LibraryError::RunOfOther`] or [`LibraryError::CheckpointNotFound`].
pub(in crate::library) fn write_checkpoint(
    writer: &Writer<'_>,
    user: &str,
    prepared: PreparedCheckpoint,
) -> Result<Saved, LibraryError> {
    let PreparedCheckpoint { workflow_id, run_id, branch_id, parent_checkpoint_id, state_hash, .. } = prepared;
    let run = match writer.workflow_run(user, &run_id)? {
        Some(run) if run.workflow_id != workflow_id => {
            return Err(LibraryError::RunOfOther { run: run_id, workflow: run.workflow_id, given: workflow_id });
        }
        run => run,
    };
    let parent_sequence = match parent_checkpoint_id {
        None => None,
        Some(id) => {
            let sequence = sequence_of(&run_id, &id);
            let is_there = match (&run, sequence) {
                (Some(run), Some(sequence)) => writer.has_checkpoint(run.id, sequence)?,
                _ => false,
            };
            if !is_there {
                return Err(LibraryError::CheckpointNotFound { id, run: run_id });
            }
            sequence
        }
    };
    let run = match run {
        Some(run) => run,
        None => writer.add_workflow_run(user, &run_id, &workflow_id, now_ms())?,
    };
    let latest = writer.latest_hash(run.id, branch_id.as_deref())?;
    if let Some((sequence, hash)) = latest
        && hash == state_hash
    {
        return Ok(Saved { sequence, state_hash: hash, is_new: false });
    }
    let sequence = writer.add_checkpoint(&NewCheckpoint {
        workflow_run: run.id,
        node_id: &prepared.node_id,
        branch_id: branch_id.as_deref(),
        parent_sequence,
        state_hash: &state_hash,
        state: &prepared.state,
        metadata: prepared.metadata.as_deref(),
        created_at: now_ms(),
    })?;
    Ok(Saved { sequence, state_hash, is_new: true })
}

/// A state as it is kept, and its hash.
fn stored(state: State, most: usize) -> Result<(StoredState, String), LibraryError> {
    let text = match state {
        State::Fields(fields) => Value::Object(fields).to_string(),
        State::Json(text) => text,
    };
    let text = bounded("state", text, most)?;
    if text.len() < LARGE_STATE_BYTES {
        let hash = canonical::hash(&text).map_err(|error| unreadable(&text, error))?;
        return Ok((StoredState::pack(text), hash));
    }
    std::thread::scope(|scope| {
        let hashing = scope.spawn(|| canonical::hash(&text));
        let packed = StoredState::packed(&text);
        match hashing.join() {
            Ok(hash) => Ok((packed, hash.map_err(|error| unreadable(&text, error))?)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
    .map(|(packed, hash)| (packed.unwrap_or_else(|| StoredState::text(text)), hash))
}

/// Reading it as a value takes longer, and says where it is wrong.
fn unreadable(text: &str, error: NotJson) -> LibraryError {
    let why = json::read(text).err().map_or_else(|| error.to_string(), |error| error.to_string());
    LibraryError::invalid(format!("nothing was saved: `state` can't be kept: {why}"))
}

fn bounded(field: &str, text: String, most: usize) -> Result<String, LibraryError> {
    if text.len() <= most {
        return Ok(text);
    }
    Err(LibraryError::invalid_with_hint(
        format!("nothing was saved: `{field}` has {} bytes as JSON, and at most {most} are allowed", text.len()),
        "keep large data in a file and link it with link_artifact",
    ))
}
