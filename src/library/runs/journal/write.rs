//! What a run leaves in the database while it is open, so that another process can go on with it.
//!
//! Written at each host call: before it, the interpreter and the calls that it waits at; after it, the answer. Both
//! survive a killed process. Everything that goes back into an interpreter carries the seal of this home.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use crate::library::runs::{
    frame::{Caller, Frame, Origin, PendingCall},
    journal::{
        record::blocking,
        saved::{SavedCall, SavedReply},
    },
    machine::{Sequence, State},
    steps::StepLines,
};
use crate::{
    config::Config,
    domain::{DecisionRecord, HostCall, Permissions, RunId, VersionNumber, inbox::NewItem},
    library::{CheckpointDraft, Library, LibraryError, now_ms},
    runtime::monty::{Budget, Capture, INTERPRETER, PythonError, Reply},
    storage::{AnswerRow, FrameRow, StorageError, Writer},
};

/// A frame, without its output and its interpreter.
#[derive(Serialize, Deserialize)]
struct SavedFrame {
    interpreter: String,
    procedure_id: i64,
    name: String,
    version: VersionNumber,
    steps_total: u32,
    source: String,
    code_lines: u32,
    parameters: Value,
    permissions: Option<Permissions>,
    caller: Option<Caller>,
    waiting: Vec<SavedCall>,
    awaited: Vec<Sequence>,
    is_direct: bool,
    deferred: Vec<SavedCall>,
    last_sequence: Sequence,
    spent_ms: u64,
    left: Left,
}

/// What is left of the budget of a whole tree.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Left {
    pub time_ms: u64,
    pub calls: usize,
}

impl Left {
    /// What is left of `budget` now; never so little time that nothing can be done with it.
    pub fn of(budget: &Budget) -> Self {
        let time = budget.deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
        Self { time_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX), calls: budget.calls_left() }
    }

    /// What two frames of a run agree on: they draw on the same budget, and were saved at different times.
    fn least(self, other: Self) -> Self {
        Self { time_ms: self.time_ms.min(other.time_ms), calls: self.calls.min(other.calls) }
    }

    /// The time.
    pub const fn time(self) -> Duration {
        Duration::from_millis(self.time_ms)
    }
}

/// The answer of a call, and what it takes to write it down.
pub struct Answer {
    pub run_id: String,
    pub sequence: Sequence,
    pub entry: HostCall,
    pub reply: Reply,
}

fn unreadable(run_id: &str, error: impl std::fmt::Display) -> LibraryError {
    LibraryError::StateRefused { id: run_id.to_owned(), reason: error.to_string() }
}

fn parts<'a>(row: &'a FrameRow, depth: &'a [u8]) -> [&'a [u8]; 6] {
    let FrameRow { run_id, root_run_id, state, output, snapshot, .. } = row;
    [run_id.as_bytes(), root_run_id.as_bytes(), depth, state.as_bytes(), output.as_bytes(), snapshot]
}

/// Writes down where a frame stands, with its interpreter.
pub async fn save(
    library: &Arc<Library>,
    frame: &mut Frame,
    root_run_id: &str,
    budget: &Budget,
) -> Result<(), LibraryError> {
    let Origin { run_id, procedure_id, name, version, steps_total, source, code_lines, parameters, permissions } =
        &frame.origin;
    let saved = SavedFrame {
        interpreter: INTERPRETER.to_owned(),
        procedure_id: *procedure_id,
        name: name.clone(),
        version: *version,
        steps_total: *steps_total,
        source: source.clone(),
        code_lines: *code_lines,
        parameters: parameters.clone(),
        permissions: permissions.clone(),
        caller: frame.caller.clone(),
        waiting: frame.waiting.iter().map(SavedCall::from).collect(),
        awaited: frame.state.awaited.clone(),
        is_direct: frame.is_direct,
        deferred: frame.deferred.iter().map(SavedCall::from).collect(),
        last_sequence: frame.last_sequence,
        spent_ms: u64::try_from((frame.spent + frame.since.elapsed()).as_millis()).unwrap_or(u64::MAX),
        left: Left::of(budget),
    };
    let state = serde_json::to_string(&saved).map_err(|error| unreadable(run_id, error))?;
    let mut row = FrameRow {
        run_id: run_id.clone(),
        root_run_id: root_run_id.to_owned(),
        depth: frame.depth,
        state,
        output: frame.capture.text(),
        snapshot: frame.snapshot.clone(),
        seal: Vec::new(),
    };
    let entries = std::mem::take(&mut frame.unwritten);
    blocking(library, move |library| {
        row.seal = library.key.seal(&parts(&row, &row.depth.to_le_bytes()));
        library.database.write::<_, StorageError>(|writer| {
            writer.add_host_calls(&row.run_id, &entries)?;
            writer.save_frame(&row)
        })?;
        Ok(())
    })
    .await
}

/// Writes down the answer of a call, before the code gets it.
pub async fn save_answer(library: &Arc<Library>, answer: Answer) -> Result<(), LibraryError> {
    blocking(library, move |library| {
        let row = answer_row(library, &answer)?;
        library.database.write::<_, StorageError>(|writer| write_answer(writer, &answer, &row))?;
        Ok(())
    })
    .await
}

/// Writes down a decision and the answer that it is, so that both survive a power cut.
pub async fn save_decision(
    library: &Arc<Library>,
    answer: Option<Answer>,
    run_id: String,
    decision: DecisionRecord,
) -> Result<(), LibraryError> {
    blocking(library, move |library| {
        let row = answer.as_ref().map(|answer| answer_row(library, answer)).transpose()?;
        library.database.write_synced::<_, StorageError>(|writer| {
            writer.save_decision(&run_id, &decision)?;
            match (&answer, &row) {
                (Some(answer), Some(row)) => write_answer(writer, answer, row),
                _ => Ok(()),
            }
        })?;
        Ok(())
    })
    .await
}

/// Stores an item together with the answer that has its number: one without the other never survives.
pub async fn save_item(
    library: &Arc<Library>,
    item: NewItem,
    call: (String, i64, Sequence),
    mut entry: HostCall,
) -> Result<Reply, LibraryError> {
    blocking(library, move |library| {
        let (run_id, procedure_id, sequence) = call;
        library.database.write(|writer| {
            let id = writer.add_item(&item, &run_id, procedure_id, &library.user, now_ms())?;
            let reply = match item.answer(id) {
                Ok(stored) => {
                    entry.result = Some(stored.clone());
                    Reply::Value(stored)
                }
                Err(why) => {
                    entry.error = Some(format!("RuntimeError: {why}"));
                    entry.result = None;
                    Reply::Raise(PythonError::new("RuntimeError", why))
                }
            };
            let answer = Answer { run_id, sequence, entry, reply };
            let row = answer_row(library, &answer)?;
            write_answer(writer, &answer, &row)?;
            Ok(answer.reply)
        })
    })
    .await
}

/// Saves a checkpoint of a run together with the answer of the call: a call that is made again finds its answer and saves
/// nothing twice. Like everything that the run goes on from, it survives a killed process.
pub async fn save_checkpoint(
    library: &Arc<Library>,
    draft: CheckpointDraft,
    sequence: Sequence,
    mut entry: HostCall,
) -> Result<Reply, LibraryError> {
    blocking(library, move |library| {
        let run_id = draft.run_id.clone();
        let prepared = library.prepare_checkpoint(draft);
        library.database.write(|writer| {
            let reply = match prepared.and_then(|prepared| library.write_checkpoint(writer, prepared)) {
                Ok(_) => Reply::Value(Value::Null),
                Err(
                    refused @ (LibraryError::Invalid(_) | LibraryError::Scope(_) | LibraryError::RunOfOther { .. }),
                ) => {
                    let error = PythonError::new("ValueError", format!("checkpoint(): {refused}"));
                    entry.error = Some(format!("{}: {}", error.kind, error.message));
                    entry.result = None;
                    Reply::Raise(error)
                }
                Err(error) => return Err(error),
            };
            let answer = Answer { run_id, sequence, entry, reply };
            let row = answer_row(library, &answer)?;
            write_answer(writer, &answer, &row)?;
            Ok(answer.reply)
        })
    })
    .await
}

/// The sealed row of an answer.
pub fn answer_row(library: &Library, answer: &Answer) -> Result<AnswerRow, LibraryError> {
    let reply =
        serde_json::to_string(&SavedReply::from(&answer.reply)).map_err(|error| unreadable(&answer.run_id, error))?;
    let sequence = answer.sequence;
    let seal = library.key.seal(&[answer.run_id.as_bytes(), &sequence.to_le_bytes(), reply.as_bytes()]);
    Ok(AnswerRow { sequence, reply, seal })
}

/// Writes an answer and its entry in the journal.
pub fn write_answer(writer: &Writer<'_>, answer: &Answer, row: &AnswerRow) -> Result<(), StorageError> {
    writer.add_host_calls(&answer.run_id, &[(answer.sequence, answer.entry.clone())])?;
    writer.save_answer(&answer.run_id, row)
}

/// The tree of an open run as it was saved, with the answers that came since; and what is left of its budget. `None` when
/// the run had made no host call.
///
/// # Errors
/// [`LibraryError::StateRefused`] when the state was not written by this home or by this version of the interpreter.
pub fn load(
    library: &Library,
    root_run_id: &str,
    config: &Config,
) -> Result<(Option<Frame>, Option<Left>), LibraryError> {
    let rows = library.database.read(|reader| reader.frames(root_run_id))?;
    let mut left: Option<Left> = None;
    let mut called: HashMap<RunId, Vec<Frame>> = HashMap::new();
    // Those that are called come first, so that their callers can take them.
    for row in rows.into_iter().rev() {
        let (mut frame, left_then) = opened(library, row, config)?;
        left = Some(left.map_or(left_then, |left| left.least(left_then)));
        frame.children = called.remove(&frame.origin.run_id).unwrap_or_default();
        match &frame.caller {
            Some(caller) => called.entry(caller.run_id.clone()).or_default().push(frame),
            None if called.is_empty() => return Ok((Some(frame), left)),
            None => break,
        }
    }
    if called.is_empty() { Ok((None, None)) } else { Err(unreadable(root_run_id, "a part of it is not there")) }
}

/// A single frame as it was saved, with the answers that came since. `None` when its code had made no host call.
///
/// # Errors
/// As [`load`].
pub fn load_frame(library: &Library, run_id: &str, config: &Config) -> Result<Option<Frame>, LibraryError> {
    let row = library.database.read(|reader| reader.frame(run_id))?;
    Ok(row.map(|row| opened(library, row, config)).transpose()?.map(|(frame, _)| frame))
}

/// The steps in which the code of an open run waits, as it was saved.
///
/// # Errors
/// [`LibraryError::Storage`]. What can't be read has no steps.
pub fn current_steps(library: &Library, run_id: &str) -> Result<BTreeSet<u32>, LibraryError> {
    let row = library.database.read(|reader| reader.frame(run_id))?;
    let saved = row.and_then(|row| serde_json::from_str::<SavedFrame>(&row.state).ok());
    let steps = saved.map(|saved| {
        let lines = StepLines::read(&saved.source);
        saved.waiting.iter().filter_map(|call| lines.step_at(call.line)).collect()
    });
    Ok(steps.unwrap_or_default())
}

fn opened(library: &Library, row: FrameRow, config: &Config) -> Result<(Frame, Left), LibraryError> {
    let run_id = row.run_id.clone();
    if !library.key.fits(&parts(&row, &row.depth.to_le_bytes()), &row.seal) {
        return Err(unreadable(&run_id, "it was changed since this home wrote it"));
    }
    let saved: SavedFrame = serde_json::from_str(&row.state).map_err(|error| unreadable(&run_id, error))?;
    if saved.interpreter != INTERPRETER {
        let why = format!("it is of the interpreter {}, this program has {INTERPRETER}", saved.interpreter);
        return Err(unreadable(&run_id, why));
    }
    let run = library.database.read(|reader| reader.run(&run_id))?;
    if run.is_none_or(|run| run.version != saved.version || run.procedure_id != saved.procedure_id) {
        return Err(unreadable(&run_id, format!("it is of version {}, the run is not", saved.version)));
    }
    let left = saved.left;
    Ok((restored(library, row, saved, config)?, left))
}

fn restored(library: &Library, row: FrameRow, saved: SavedFrame, config: &Config) -> Result<Frame, LibraryError> {
    let origin = Origin {
        run_id: row.run_id,
        procedure_id: saved.procedure_id,
        name: saved.name,
        version: saved.version,
        steps_total: saved.steps_total,
        source: saved.source,
        code_lines: saved.code_lines,
        parameters: saved.parameters,
        permissions: saved.permissions,
    };
    let mut frame = Frame::new(origin, Capture::holding(row.output), config);
    (frame.caller, frame.depth) = (saved.caller, row.depth);
    frame.waiting = saved.waiting.into_iter().map(PendingCall::from).collect();
    frame.deferred = saved.deferred.into_iter().map(PendingCall::from).collect();
    frame.is_direct = saved.is_direct;
    frame.last_sequence = saved.last_sequence;
    frame.spent = Duration::from_millis(saved.spent_ms);
    frame.snapshot = row.snapshot;
    let run_id = frame.origin.run_id.clone();
    for answer in library.database.read(|reader| reader.answers(&run_id))? {
        let sealed = [run_id.as_bytes(), &answer.sequence.to_le_bytes(), answer.reply.as_bytes()];
        if !library.key.fits(&sealed, &answer.seal) {
            return Err(unreadable(&run_id, "an answer was changed since this home wrote it"));
        }
        let reply: SavedReply = serde_json::from_str(&answer.reply).map_err(|error| unreadable(&run_id, error))?;
        if let Some(call) = frame.waiting.iter_mut().find(|call| call.sequence == answer.sequence) {
            call.reply = Some(reply.into());
        }
    }
    frame.state = State::saved(Frame::calls_of(&frame.waiting), saved.awaited);
    Ok(frame)
}

/// What the journal says of a decision made now.
pub fn decision(sequence: Sequence, question: String, decision: &str, decided_by: String) -> DecisionRecord {
    DecisionRecord { sequence, question, decision: decision.to_owned(), decided_by, decided_at: now_ms() }
}
