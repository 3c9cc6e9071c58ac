//! Writing runs to the database.

use serde_json::Value;

use super::Journal;
use super::write::{answer_row, write_answer};
use crate::{
    domain::{HostCall, Outcome, RunStatus},
    library::{
        Library, LibraryError, blocking, now_ms,
        runs::{call::Answer, execution::Execution, frame::Frame, machine::Sequence, unheard},
    },
    runtime::{PythonError, Reply},
    storage::{NewRun, RunEnd, StorageError, Writer},
};

/// How one frame ended.
#[derive(Debug, Clone)]
pub enum Ending {
    /// Normally, with this result.
    Result(Value),
    /// With an exception of the code, or at a limit.
    Error(PythonError),
    /// Because somebody cancelled it.
    Cancelled,
    /// Not yet: its process ends, and another may go on with it.
    Interrupted,
    /// Not yet: it waits for this.
    Paused {
        /// What somebody is to do or decide; nothing where it only waits for the clock.
        instruction: Option<String>,
        /// When it stops waiting; milliseconds since 1970.
        expires_at: Option<i64>,
        /// When the clock goes on with it; milliseconds since 1970.
        due_at: Option<i64>,
    },
}

impl Ending {
    const fn status(&self) -> RunStatus {
        match self {
            Self::Result(_) => RunStatus::Succeeded,
            Self::Error(_) => RunStatus::Failed,
            Self::Cancelled => RunStatus::Cancelled,
            Self::Interrupted => RunStatus::Interrupted,
            Self::Paused { .. } => RunStatus::Paused,
        }
    }

    /// What the procedure that called it gets.
    pub fn reply(&self) -> Reply {
        match self {
            Self::Result(value) => Reply::Value(value.clone()),
            Self::Error(error) => Reply::Raise(error.clone()),
            _ => Reply::Raise(PythonError::new("RuntimeError", "it did not end")),
        }
    }

    const fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Result(_) => Some(Outcome::Success),
            Self::Error(_) => Some(Outcome::Failure),
            // Nobody can tell how it would have gone, so it does not count.
            Self::Cancelled | Self::Interrupted => None,
            Self::Paused { .. } => Some(Outcome::Paused),
        }
    }
}

/// Records that a run starts, and whether whoever started it can be asked.
pub async fn started(journal: &Journal, frame: &Frame, can_be_asked: bool) -> Result<(), LibraryError> {
    let Some(library) = journal.library() else { return Ok(()) };
    let (origin, caller) = (&frame.origin, frame.caller.clone());
    let id = origin.run_id.clone();
    let (procedure_id, version, steps_total) = (origin.procedure_id, origin.version, origin.steps_total);
    let parameters = origin.program.parameters.to_string();
    blocking(library, move |library| {
        library.database.write::<_, StorageError>(|writer| {
            writer.start_run(&NewRun {
                id: &id,
                procedure_id,
                version,
                caller: caller.as_ref().map(|caller| (caller.run_id.as_str(), caller.sequence)),
                session: library.session.id(),
                user: &library.user,
                can_be_asked,
                parameters: &parameters,
                steps_total,
                started_at: now_ms(),
            })
        })?;
        Ok(())
    })
    .await
}

/// A frame as it ended or pauses, to be written.
struct Closed {
    execution: Execution,
    outcome: Option<Outcome>,
    calls: Vec<(Sequence, HostCall)>,
    expires_at: Option<i64>,
    due_at: Option<i64>,
    was_saved: bool,
    is_unheard: bool,
}

impl Closed {
    fn of(frame: &mut Frame, ending: Ending) -> Self {
        let (status, outcome) = (ending.status(), ending.outcome());
        let mut execution = Execution {
            run_id: frame.origin.run_id.clone(),
            procedure_id: frame.origin.procedure_id,
            name: frame.origin.name.clone(),
            status,
            outcome: outcome.unwrap_or(Outcome::Failure),
            result: None,
            output: frame.capture.text(),
            error: None,
            waiting_for: None,
            waits_until: None,
            gate: None,
            duration_ms: frame.duration_ms(),
        };
        let (mut expires, mut due) = (None, None);
        match ending {
            Ending::Result(value) => execution.result = Some(value),
            Ending::Error(error) => execution.error = Some(error),
            Ending::Cancelled => execution.error = Some(PythonError::new("Cancelled", "the run was cancelled")),
            Ending::Interrupted => {
                execution.error = Some(PythonError::new("Interrupted", "the server ended before the run did"));
            }
            Ending::Paused { instruction, expires_at, due_at } => {
                execution.waits_until = due_at.filter(|_| instruction.is_none());
                execution.waiting_for = instruction;
                (expires, due) = (expires_at, due_at);
            }
        }
        let calls = std::mem::take(&mut frame.unwritten);
        let (was_saved, is_unheard) = (!frame.snapshot.is_empty(), frame.is_unheard);
        Self { execution, outcome, calls, expires_at: expires, due_at: due, was_saved, is_unheard }
    }

    fn write(&self, library: &Library, writer: &Writer<'_>) -> Result<(), StorageError> {
        let Self { execution, outcome, calls, expires_at, due_at, was_saved, is_unheard } = self;
        let status = execution.status;
        let result = execution.result.as_ref().map(ToString::to_string);
        let error = execution.error.as_ref();
        let end = RunEnd {
            status,
            outcome: *outcome,
            result: result.as_deref(),
            output: &execution.output,
            error: error.map(|error| error.message.as_str()),
            error_type: error.map(|error| error.kind.as_str()),
            traceback: error.map(|error| error.traceback.as_str()),
            waiting_for: execution.waiting_for.as_deref(),
            at: now_ms(),
            duration_ms: execution.duration_ms,
            calls,
            expires_at: *expires_at,
            due_at: *due_at,
        };
        let is_written = writer.end_run(&execution.run_id, &end)?;
        if is_written && *is_unheard && status == RunStatus::Failed {
            let item = unheard::failed(&execution.name, error);
            writer.add_item(&item, &execution.run_id, execution.procedure_id, &library.user, end.at)?;
        }
        if *was_saved && !matches!(status, RunStatus::Paused | RunStatus::Interrupted) {
            writer.delete_frame(&execution.run_id)?;
        }
        Ok(())
    }
}

/// Records how a frame ended or that it is paused, and says the same to the caller. `answer` is what the procedure that
/// called it gets, written down together with it: a run never ends without its caller knowing. What it called and does not
/// wait for any more ends with it.
pub async fn ended(
    journal: &Journal,
    frame: &mut Frame,
    ending: Ending,
    answer: Option<Answer>,
) -> Result<Execution, LibraryError> {
    let mut closed = Vec::new();
    if !matches!(ending, Ending::Paused { .. } | Ending::Interrupted) {
        frame.children.iter_mut().for_each(Frame::abandon_calls);
        closed = closed_children(frame, &Ending::Cancelled);
    }
    let last = Closed::of(frame, ending);
    write(journal, closed, last, answer).await
}

/// Records that a frame and all that it called ended so, or are left. All at once: a caller whose procedure has ended
/// without an answer would call it again after a crash.
pub async fn all_ended(journal: &Journal, mut frame: Frame, ending: Ending) -> Result<Execution, LibraryError> {
    let closed = closed_children(&mut frame, &ending);
    let last = Closed::of(&mut frame, ending);
    write(journal, closed, last, None).await
}

/// All that a frame called and that has not ended.
fn closed_children(frame: &mut Frame, ending: &Ending) -> Vec<Closed> {
    let called = std::mem::take(&mut frame.children).into_iter().flat_map(Frame::with_those_called);
    called.map(|mut called| Closed::of(&mut called, ending.clone())).collect()
}

async fn write(
    journal: &Journal,
    closed: Vec<Closed>,
    last: Closed,
    answer: Option<Answer>,
) -> Result<Execution, LibraryError> {
    let Some(library) = journal.library() else { return Ok(last.execution) };
    blocking(library, move |library| {
        let row = answer.as_ref().map(|answer| answer_row(library, answer)).transpose()?;
        library.database.write::<_, StorageError>(|writer| {
            closed.iter().chain([&last]).try_for_each(|closed| closed.write(library, writer))?;
            match (&answer, &row) {
                (Some(answer), Some(row)) => write_answer(writer, answer, row),
                _ => Ok(()),
            }
        })?;
        Ok(last.execution)
    })
    .await
}
