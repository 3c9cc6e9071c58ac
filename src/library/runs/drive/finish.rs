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
                return record::all_ended(&self.resources.journal, root, Ending::Interrupted).await;
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
            RuntimeError::WriteLimit => (
                "OSError",
                format!(
                    "[Errno 28] the run may write {} MiB to files and exceeded that (`write_mib` under [limits] in config.toml)",
                    limits.write_mib
                ),
            ),
            RuntimeError::Result(why) => (
                "ResultLimit",
                format!("{why} (`result_kib` under [limits] in config.toml); return less, or write it to a file"),
            ),
            RuntimeError::Nesting(why) => (
                "ResultLimit",
                format!("{why}, as deep as JSON readers go; return less of it, or `json.dumps` of the inner part"),
            ),
            RuntimeError::Exceeded(_) => (
                "ResourceLimit",
                format!("{error} (`memory_mib` = {} under [python] in config.toml)", self.config.python.memory_mib),
            ),
            RuntimeError::Nondeterministic(why) => ("nondeterministic", why),
            RuntimeError::Journal(why) => ("JournalLimit", format!("{why}; have less answered, or write it to files")),
            other => ("SandboxError", other.to_string()),
        };
        self.end_all(root, Ending::Error(PythonError::new(kind, message))).await
    }

    /// Ends a frame and all that it called.
    pub async fn end_all(&self, mut frame: Frame, ending: Ending) -> Result<Execution, LibraryError> {
        frame.abandon_calls();
        record::all_ended(&self.resources.journal, frame, ending).await
    }

    /// Pauses a whole run; its state is saved already.
    pub async fn pause(&self, root: &mut Frame) -> Result<Execution, LibraryError> {
        let mut paused = None;
        for (run_id, gates) in Gate::by_frame(root) {
            let frame = root.find_mut(&run_id).ok_or_else(|| broken("a pause of nobody"))?;
            let first = gates.first().cloned();
            let wakes_at = frame.wakes_at();
            let expires_at = gates.iter().filter_map(|gate| gate.expires_at).chain(frame.first_limit()).min();
            if first.is_none() && wakes_at.is_none() {
                return Err(broken("a pause without a question"));
            }
            let ending = Ending::Paused {
                instruction: first.as_ref().map(|gate| gate.question.clone()),
                expires_at,
                due_at: wakes_at.into_iter().chain(expires_at).min(),
            };
            let execution = record::ended(&self.resources.journal, frame, ending, None).await?;
            paused = Some(Execution { gate: first, ..execution });
        }
        paused.ok_or_else(|| broken("a pause of nobody"))
    }
}
