//! Writing runs to the database.

use std::sync::Arc;

use serde_json::Value;

use super::{engine::Execution, frame::Frame};
use crate::{
    domain::{Outcome, RunStatus},
    library::{Library, LibraryError, now_ms},
    sandbox::PythonError,
    storage::{NewRun, RunEnd, StorageError},
};

/// How one frame ended.
pub enum Ending {
    /// Normally, with this result.
    Result(Value),
    /// With an exception of the code, or at a limit.
    Error(PythonError),
    /// Because somebody cancelled it.
    Cancelled,
    /// Not yet: it waits for this.
    Paused(String),
}

impl Ending {
    const fn status(&self) -> RunStatus {
        match self {
            Self::Result(_) => RunStatus::Succeeded,
            Self::Error(_) => RunStatus::Failed,
            Self::Cancelled => RunStatus::Cancelled,
            Self::Paused(_) => RunStatus::Paused,
        }
    }

    const fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Result(_) => Some(Outcome::Success),
            Self::Error(_) => Some(Outcome::Failure),
            // Nobody can tell how it would have gone, so it does not count.
            Self::Cancelled => None,
            Self::Paused(_) => Some(Outcome::Paused),
        }
    }
}

/// Runs `work` on a thread that may block.
pub async fn blocking<T: Send + 'static>(
    library: &Arc<Library>,
    work: impl FnOnce(&Library) -> Result<T, LibraryError> + Send + 'static,
) -> Result<T, LibraryError> {
    let library = Arc::clone(library);
    match tokio::task::spawn_blocking(move || work(&library)).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(LibraryError::Invalid(format!("the server is shutting down: {error}"))),
        },
    }
}

/// Records that a frame starts.
pub async fn started(library: &Arc<Library>, frame: &Frame, parent: Option<&str>) -> Result<(), LibraryError> {
    let (id, parent) = (frame.run_id.clone(), parent.map(str::to_owned));
    let (procedure_id, version, steps_total) = (frame.procedure_id, frame.version, frame.steps_total);
    let parameters = frame.parameters.to_string();
    blocking(library, move |library| {
        library.database.write::<_, StorageError>(|writer| {
            writer.start_run(&NewRun {
                id: &id,
                procedure_id,
                version,
                parent_run_id: parent.as_deref(),
                session: library.session.id(),
                parameters: &parameters,
                steps_total,
                started_at: now_ms(),
            })
        })?;
        Ok(())
    })
    .await
}

/// Records how a frame ended or that it is paused, and says the same to the caller.
pub async fn ended(library: &Arc<Library>, frame: &mut Frame, ending: Ending) -> Result<Execution, LibraryError> {
    let calls = std::mem::take(&mut frame.calls);
    let (status, outcome) = (ending.status(), ending.outcome());
    let mut execution = Execution {
        run_id: frame.run_id.clone(),
        procedure_id: frame.procedure_id,
        name: frame.name.clone(),
        status,
        outcome: outcome.unwrap_or(Outcome::Failure),
        result: None,
        output: frame.capture.text(),
        error: None,
        waiting_for: None,
        duration_ms: frame.duration_ms(),
    };
    match ending {
        Ending::Result(value) => execution.result = Some(value),
        Ending::Error(error) => execution.error = Some(error),
        Ending::Cancelled => execution.error = Some(PythonError::new("Cancelled", "the run was cancelled")),
        Ending::Paused(instruction) => execution.waiting_for = Some(instruction),
    }
    blocking(library, move |library| {
        let result = execution.result.as_ref().map(ToString::to_string);
        let error = execution.error.as_ref();
        let end = RunEnd {
            status,
            outcome,
            result: result.as_deref(),
            output: &execution.output,
            error: error.map(|error| error.message.as_str()),
            error_type: error.map(|error| error.kind.as_str()),
            traceback: error.map(|error| error.traceback.as_str()),
            waiting_for: execution.waiting_for.as_deref(),
            at: now_ms(),
            duration_ms: execution.duration_ms,
            calls: &calls,
        };
        library.database.write(|writer| writer.end_run(&execution.run_id, &end))?;
        Ok(execution)
    })
    .await
}
