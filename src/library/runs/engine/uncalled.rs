//! Executing what nobody called: the clock or an event did. Nothing of it fails in silence.

use serde_json::{Map, Value};

use super::Engine;
use crate::{
    domain::{Outcome, Procedure, RunId, RunStatus},
    library::{
        Library, LibraryError, ProcedureRef, blocking, now_ms,
        runs::{
            execution::Execution,
            prepare::{exception_of, origin_of},
            registry::Active,
            unheard,
        },
    },
    runtime::PythonError,
    storage::{NewRun, RunEnd, StorageError},
};

/// Why a procedure was not started that nobody called.
#[derive(Debug)]
pub struct Refused {
    pub error: LibraryError,
    /// The failed run that says so, where it could be written down.
    pub run_id: Option<RunId>,
}

impl Engine {
    /// Executes a procedure that nobody called. Where it can't be started with `parameters`, that is a failed run.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn execute_uncalled(
        &self,
        procedure: &Procedure,
        parameters: Map<String, Value>,
        mut active: Active,
    ) -> Result<Execution, Refused> {
        let given = Value::Object(parameters.clone()).to_string();
        active.is_unheard = true;
        let error = match self.execute(&ProcedureRef::Id(procedure.id), parameters, active).await {
            Ok(execution) => {
                if execution.outcome == Outcome::Skipped {
                    self.tell_skipped(&execution).await;
                }
                return Ok(execution);
            }
            Err(error) => error,
        };
        // The others come of a run that began, or of what would keep this one from being written down, too.
        let is_refused = matches!(
            error,
            LibraryError::Parameters { .. }
                | LibraryError::PermissionDenied { .. }
                | LibraryError::PythonNotGranted { .. }
                | LibraryError::PackagesNotGranted { .. }
                | LibraryError::Config(_)
        );
        if !is_refused {
            return Err(Refused { error, run_id: None });
        }
        match self.record_refused(procedure, given, exception_of(&error)).await {
            Ok(run_id) => Err(Refused { error, run_id: Some(run_id) }),
            Err(unwritten) => {
                tracing::warn!(error = %unwritten, "a run that could not start can't be recorded");
                Err(Refused { error, run_id: None })
            }
        }
    }

    async fn record_refused(
        &self,
        procedure: &Procedure,
        parameters: String,
        error: PythonError,
    ) -> Result<RunId, LibraryError> {
        let (id, version, name) = (procedure.id, procedure.version, procedure.definition.name.to_string());
        let steps_total = u32::try_from(procedure.definition.steps.len()).unwrap_or(u32::MAX);
        blocking(&self.library, move |library| {
            let (run_id, at) = (uuid::Uuid::now_v7().to_string(), now_ms());
            let run = NewRun {
                id: &run_id,
                procedure_id: id,
                version,
                caller: None,
                session: library.session.id(),
                user: &library.user,
                can_be_asked: false,
                parameters: &parameters,
                steps_total,
                started_at: at,
            };
            let end = RunEnd {
                status: RunStatus::Failed,
                outcome: Some(Outcome::Failure),
                result: None,
                output: "",
                error: Some(&error.message),
                error_type: Some(&error.kind),
                traceback: None,
                waiting_for: None,
                at,
                duration_ms: 0.0,
                calls: &[],
                expires_at: None,
                due_at: None,
            };
            library.database.write::<_, StorageError>(|writer| {
                writer.start_run(&run)?;
                writer.end_run(&run_id, &end)?;
                writer.add_item(&unheard::failed(&name, Some(&error)), &run_id, id, &library.user, at)
            })?;
            Ok(run_id)
        })
        .await
    }

    /// Once, until somebody is done with it: it is the same each time.
    async fn tell_skipped(&self, execution: &Execution) {
        let (item, run_id, id) = (unheard::skipped(&execution.name), execution.run_id.clone(), execution.procedure_id);
        let told = blocking(&self.library, move |library| {
            library.database.write::<_, StorageError>(|writer| {
                if writer.has_open_item(id, item.title.as_deref().unwrap_or_default())? {
                    return Ok(());
                }
                writer.add_item(&item, &run_id, id, &library.user, now_ms()).map(drop)
            })?;
            Ok(())
        });
        if let Err(error) = told.await {
            tracing::warn!(%error, "that there was nothing to run can't be told");
        }
    }
}

impl Library {
    /// Why a procedure could not be started with `parameters` now, where that is so.
    pub(in crate::library) fn refusal_of(
        &self,
        procedure: &Procedure,
        parameters: &Map<String, Value>,
    ) -> Option<LibraryError> {
        procedure.code.as_ref()?;
        match self.config() {
            Ok(config) => origin_of(procedure.clone(), parameters, &config, false).err(),
            Err(error) => Some(error),
        }
    }
}
