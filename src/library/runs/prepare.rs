//! Making frames: of a procedure that is to be executed, and of one that had begun and made no call yet.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    bind::bind,
    frame::{Frame, Origin},
    interpreter,
};
use crate::{
    config::Config,
    domain::{Hinted as _, Procedure, Status},
    host::Grants,
    library::{Library, LibraryError, ProcedureRef, VersionRef, blocking},
    runtime::{Budget, Capture, PythonError},
};

/// Parameters that are larger than this, as JSON, belong in a file.
const MAX_PARAMETER_BYTES: usize = 4 * 1024 * 1024;

/// Whether a procedure may be begun, by whoever calls it.
///
/// # Errors
/// [`LibraryError::Proposed`] or [`LibraryError::Disabled`].
pub fn check_in_use(procedure: &Procedure) -> Result<(), LibraryError> {
    let definition = &procedure.definition;
    if definition.status == Status::Candidate {
        return Err(LibraryError::Proposed(definition.name.to_string()));
    }
    if !definition.enabled {
        return Err(LibraryError::Disabled(definition.name.to_string()));
    }
    Ok(())
}

/// What makes a run of a procedure that has code: permissions are checked first, then parameters, which are bound.
///
/// # Errors
/// [`LibraryError::PermissionDenied`] or [`LibraryError::Parameters`].
pub fn origin_of(
    procedure: Procedure,
    parameters: &Map<String, Value>,
    config: &Config,
    can_grant: bool,
) -> Result<Origin, LibraryError> {
    let Procedure { id, definition, code, lock, version, .. } = procedure;
    let code = code.unwrap_or_default();
    let name = definition.name.to_string();
    // Where a person can be asked for what is missing, they are, at the call that needs it.
    if !(can_grant && config.offer_grants) {
        Grants::new(config.policy_for(&name), definition.permissions.as_ref(), &config.file())
            .check_declared()
            .map_err(|error| LibraryError::PermissionDenied { name: name.clone(), message: error.message })?;
    }
    interpreter::check_granted(definition.runtime, &name, &code, config)?;
    let size = serde_json::to_string(parameters).map_or(0, |text| text.len());
    if size > MAX_PARAMETER_BYTES {
        let most = MAX_PARAMETER_BYTES / (1024 * 1024);
        let message = format!("its parameters are {size} bytes of JSON, at most {most} MiB are possible; pass a file");
        return Err(LibraryError::Parameters { name, message });
    }
    let program = bind(&code, &definition, parameters)
        .map_err(|error| LibraryError::Parameters { name: name.clone(), message: error.message })?;
    Ok(Origin {
        run_id: uuid::Uuid::now_v7().to_string(),
        procedure_id: id,
        name,
        version,
        steps_total: u32::try_from(definition.steps.len()).unwrap_or(u32::MAX),
        program: Arc::new(program),
        runtime: definition.runtime,
        lock: lock.map(Into::into),
        permissions: definition.permissions,
    })
}

/// The frame of a procedure that code calls by its name. An error is for that code.
///
/// # Errors
/// A Python exception: the procedure is not there, can't be executed, or can't be called like that.
pub async fn called(
    library: &Arc<Library>,
    name: &str,
    arguments: &Map<String, Value>,
    config: &Config,
    (budget, can_grant): (&Arc<Budget>, bool),
) -> Result<Frame, PythonError> {
    let wanted = ProcedureRef::Name(name.to_owned());
    let found = blocking(library, move |library| library.procedure(&wanted)).await;
    let procedure = found.map_err(|error| PythonError::new("LookupError", error.in_full()))?;
    check_in_use(&procedure).map_err(|error| PythonError::new("RuntimeError", error.in_full()))?;
    if procedure.code.is_none() {
        return Err(PythonError::new("RuntimeError", format!("procedure `{name}` has no code")));
    }
    let origin = origin_of(procedure, arguments, config, can_grant);
    let frame = origin.map(|origin| Frame::new(origin, Capture::new(Arc::clone(budget)), config));
    frame.map_err(|error| exception_of(&error))
}

/// The exception that says why a procedure was not started.
pub fn exception_of(error: &LibraryError) -> PythonError {
    let kind = match error {
        LibraryError::Parameters { .. } => "TypeError",
        LibraryError::PermissionDenied { .. }
        | LibraryError::PythonNotGranted { .. }
        | LibraryError::PackagesNotGranted { .. } => "PermissionError",
        _ => "RuntimeError",
    };
    PythonError::new(kind, error.in_full())
}

/// The frame of a run that had made no host call, as it was started.
///
/// # Errors
/// As [`origin_of`]; [`LibraryError::RunNotFound`].
pub fn begun(library: &Library, run_id: &str, config: &Config) -> Result<Frame, LibraryError> {
    let (run, _) = library.run(run_id)?;
    let procedure = library.procedure_at(&ProcedureRef::Id(run.procedure_id), &VersionRef::Number(run.version))?;
    let parameters: Map<String, Value> = serde_json::from_str(&run.parameters).unwrap_or_default();
    let mut origin = origin_of(procedure, &parameters, config, run.can_be_asked)?;
    origin.run_id = run.id;
    Ok(Frame::new(origin, Capture::holding(String::new()), config))
}
