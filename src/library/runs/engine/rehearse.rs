//! Executing code to see what it does: nothing of it is written down, and a recording answers in the place of the world.

use std::{sync::Arc, time::Duration};

use crate::{
    config::Config,
    domain::{Definition, Example, Permissions},
    library::{
        LibraryError,
        runs::{
            bind::bind,
            drive::tree::Tree,
            execution::Execution,
            frame::{Frame, Origin},
            interpreter,
            journal::Journal,
            limits::{Left, budget},
            prepare::exception_of,
            recording::Recording,
            registry::Active,
            resources::{self, Resources},
        },
    },
    runtime::{Capture, PythonError, Runtimes},
};

/// Operations on files that can be tried. None of them succeeds: nothing is granted.
const FILE_CALLS: usize = 100;

/// What executing code with an example came to.
pub struct Rehearsal {
    /// How it ended, or the error for which it did not begin.
    pub ended: Result<Execution, PythonError>,
    /// The host call that it made and that is not recorded, in words.
    pub missing: Option<String>,
    /// Whether it tried to do something with files.
    pub wants_files: bool,
}

/// Executes code with the parameters of an example, for at most `time`. Its host calls are answered by what is recorded with
/// the example, and it has no files.
///
/// # Errors
/// [`LibraryError::PythonNotGranted`] or [`LibraryError::PackagesNotGranted`], or what is wrong with the runtime.
pub async fn rehearse(
    runtimes: &Runtimes,
    config: &Arc<Config>,
    definition: &Definition,
    (code, lock): (&str, Option<&str>),
    example: &Example,
    time: Duration,
) -> Result<Rehearsal, LibraryError> {
    let name = definition.name.to_string();
    interpreter::check_granted(definition.runtime, &name, code, config)?;
    let parameters = example.parameters.clone().into_iter().collect();
    let program = match bind(code, definition, &parameters) {
        Ok(program) => program,
        Err(error) => {
            let error = exception_of(&LibraryError::Parameters { name, message: error.message });
            return Ok(Rehearsal { ended: Err(error), missing: None, wants_files: false });
        }
    };
    let active = Active::default();
    let left = Left { file_calls: FILE_CALLS, ..Left::without_files(time, config.limits.host_calls) };
    let budget = budget(left, config.limits.output_bytes(), &active);
    let run_id = uuid::Uuid::now_v7().to_string();
    let origin = Origin {
        run_id: run_id.clone(),
        procedure_id: 0,
        name,
        version: 0,
        steps_total: 0,
        program: Arc::new(program),
        runtime: definition.runtime,
        lock: lock.map(Into::into),
        permissions: Some(Permissions::default()),
    };
    let frame = Frame::new(origin, Capture::new(Arc::clone(&budget)), config);
    let resources = Arc::new(Resources {
        journal: Journal::Nowhere,
        runtimes: runtimes.clone(),
        downstream: resources::downstream(),
    });
    let recording = Recording::of(example.calls.as_deref().unwrap_or_default());
    let tree = Tree::new(resources, Arc::clone(config), Arc::clone(&budget), active, run_id);
    let execution = Box::pin(tree.answered_by(recording.clone()).execute(frame)).await?;
    Ok(Rehearsal {
        ended: Ok(execution),
        missing: recording.missing(),
        wants_files: budget.file_calls_left() < FILE_CALLS,
    })
}
