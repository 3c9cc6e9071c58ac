//! How a run as a whole ends, pauses, or is left for another process.

use super::tree::{Stop, Tree};
use crate::{
    library::{
        LibraryError,
        runs::{
            execution::Execution,
            frame::{Frame, broken},
            gate::Gate,
            journal::record::{self, Ending},
        },
    },
    runtime::{PythonError, RuntimeError},
};

impl Tree {
    pub async fn stopped(&self, root: Frame) -> Result<Execution, LibraryError> {
        match self.reason() {
            Some(Stop::Broken(error)) => Err(error),
            Some(Stop::Limit(error)) => self.end_all(root, Ending::Error(error)).await,
            Some(Stop::Runtime(error)) => self.fail(root, error).await,
            None | Some(Stop::Elsewhere) => self.fail(root, RuntimeError::Cancelled).await,
        }
    }

    async fn fail(&self, root: Frame, error: RuntimeError) -> Result<Execution, LibraryError> {
        let limits = &self.config.limits;
        let (kind, message) = match error {
            // The run stays as it was saved, for the next server to go on with.
            RuntimeError::Cancelled if self.active.is_leaving() => {
                return record::all_ended(&self.resources.library, root, Ending::Interrupted).await;
            }
            RuntimeError::Cancelled => return self.end_all(root, Ending::Cancelled).await,
            RuntimeError::TimeLimit => (
                "TimeoutError",
                format!("the run was stopped after {} s (`seconds` under [limits] in config.toml)", limits.seconds),
            ),
            RuntimeError::OutputLimit => (
                "OutputLimit",
                format!(
                    "the run printed more than {} KiB (`output_kib` under [limits] in config.toml)",
                    limits.output_kib
                ),
            ),
            RuntimeError::Result(why) => (
                "ResultLimit",
                format!("{why} (`result_kib` under [limits] in config.toml); return less, or write it to a file"),
            ),
            other => ("SandboxError", other.to_string()),
        };
        self.end_all(root, Ending::Error(PythonError::new(kind, message))).await
    }

    /// Ends a frame and all that it called.
    pub async fn end_all(&self, mut frame: Frame, ending: Ending) -> Result<Execution, LibraryError> {
        frame.abandon_calls();
        record::all_ended(&self.resources.library, frame, ending).await
    }

    /// Pauses a whole run; its state is saved already.
    pub async fn pause(&self, root: &mut Frame) -> Result<Execution, LibraryError> {
        let mut paused = None;
        for (run_id, gates) in Gate::by_frame(root) {
            let first = gates.first().ok_or_else(|| broken("a pause without a question"))?.clone();
            let expires_at = gates.iter().filter_map(|gate| gate.expires_at).min();
            let ending = Ending::Paused { instruction: first.question.clone(), expires_at };
            let frame = root.find_mut(&run_id).ok_or_else(|| broken("a pause of nobody"))?;
            let execution = record::ended(&self.resources.library, frame, ending, None).await?;
            paused = Some(Execution { gate: Some(first), ..execution });
        }
        paused.ok_or_else(|| broken("a pause of nobody"))
    }
}
