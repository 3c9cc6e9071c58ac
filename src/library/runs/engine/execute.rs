//! Executing a procedure from its beginning.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Engine;
use crate::{
    domain::{Outcome, Procedure, RunStatus},
    library::{
        Library, LibraryError, ProcedureRef, blocking, now_ms,
        runs::{
            drive::tree::Tree,
            execution::Execution,
            frame::Frame,
            journal::record,
            limits::{Left, budget},
            prepare::{check_in_use, origin_of},
            registry::Active,
        },
    },
    runtime::{Capture, PythonError},
    storage::{NewRun, StorageError},
};

impl Engine {
    /// Executes a procedure and waits until it ends or pauses. `active` lets the caller watch and stop it.
    ///
    /// # Errors
    /// [`LibraryError`] when it can't be executed at all; what its code does wrong is an [`Execution`].
    pub async fn execute(
        &self,
        wanted: &ProcedureRef,
        parameters: Map<String, Value>,
        active: Active,
    ) -> Result<Execution, LibraryError> {
        let wanted = wanted.clone();
        let look_up = move |library: &Library| Ok((library.procedure(&wanted)?, library.config()?));
        let (row, config) = blocking(&self.library, look_up).await?;
        check_in_use(&row)?;
        if row.code.is_none() {
            return self.skip(row, Value::Object(parameters).to_string()).await;
        }
        let limits = &config.limits;
        let budget = budget(Left::all(limits), limits.output_bytes(), &active);
        let origin = origin_of(row, &parameters, &config, active.can_grant)?;
        let frame = Frame::new(origin, Capture::new(Arc::clone(&budget)), &config);
        record::started(&self.resources.journal, &frame, active.can_be_asked).await?;
        active.begin(&frame.origin.run_id);
        {
            let mut progress = active.progress();
            progress.steps_total = frame.origin.steps_total;
            progress.doing.clone_from(&frame.origin.name);
        }
        let root_id = frame.origin.run_id.clone();
        let tree = Tree::new(Arc::clone(&self.resources), config, budget, active, root_id.clone());
        self.or_released(&root_id, self.execute_tree(tree, frame)).await
    }

    /// Executes a run from where its root stands.
    pub(in crate::library::runs) async fn execute_tree(
        &self,
        tree: Tree,
        root: Frame,
    ) -> Result<Execution, LibraryError> {
        let id = tree.root_id.clone();
        tree.active.begin(&id);
        if self.registry.activate(&id, &tree.active) {
            self.heed_cancellations();
        }
        // Boxed, because the state of a whole run is large and would be moved with every caller's future.
        let ended = Box::pin(tree.execute(root)).await;
        self.registry.deactivate(&id);
        ended
    }

    async fn skip(&self, row: Procedure, parameters: String) -> Result<Execution, LibraryError> {
        let name = row.definition.name.to_string();
        let error = format!("procedure `{name}` has no code yet; generate_procedure_code makes it");
        let execution = Execution {
            run_id: uuid::Uuid::now_v7().to_string(),
            procedure_id: row.id,
            name,
            status: RunStatus::Skipped,
            outcome: Outcome::Skipped,
            result: None,
            output: String::new(),
            error: Some(PythonError::new("NoCode", error)),
            waiting_for: None,
            gate: None,
            waits_until: None,
            duration_ms: 0.0,
        };
        blocking(&self.library, move |library| {
            library.database.write::<_, StorageError>(|writer| {
                writer.skip_run(&NewRun {
                    id: &execution.run_id,
                    procedure_id: row.id,
                    version: row.version,
                    caller: None,
                    session: library.session.id(),
                    user: &library.user,
                    can_be_asked: false,
                    parameters: &parameters,
                    steps_total: u32::try_from(row.definition.steps.len()).unwrap_or(u32::MAX),
                    started_at: now_ms(),
                })
            })?;
            Ok(execution)
        })
        .await
    }
}
