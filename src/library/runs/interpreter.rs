//! Which Python executes a procedure, with which packages, and whether it may.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    config::{Config, clean_environment, resolver_environment},
    domain::{
        RuntimeKind,
        script::{FILES, Script, package},
    },
    host::{self, Grants, Proxy},
    library::LibraryError,
    runtime::{
        Budget, Environments, Interpreter, Packages, PackagesError, RuntimeError, environments, guarded,
        remove_environments,
    },
};

/// Environments that nobody used for so long are removed when the home is tidied.
const UNUSED: Duration = Duration::from_hours(30 * 24);

/// Refuses procedures of the second runtime where the user does not allow it, or not the packages that `code` names.
///
/// # Errors
/// [`LibraryError::PythonNotGranted`] or [`LibraryError::PackagesNotGranted`].
pub fn check_granted(kind: RuntimeKind, name: &str, code: &str, config: &Config) -> Result<(), LibraryError> {
    if kind == RuntimeKind::Sandbox {
        return Ok(());
    }
    if !config.python.enabled {
        return Err(LibraryError::PythonNotGranted { name: name.to_owned(), file: config.file() });
    }
    check_packages(&Script::read(code).unwrap_or_default(), config)
}

/// Refuses dependencies that the user does not allow.
///
/// # Errors
/// [`LibraryError::PackagesNotGranted`].
pub fn check_packages(script: &Script, config: &Config) -> Result<(), LibraryError> {
    let names = script.dependencies.iter().filter_map(|entry| package(entry));
    let missing: Vec<String> = names.filter(|name| !config.python.allows_package(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(LibraryError::PackagesNotGranted { packages: missing, file: config.file() })
}

/// How packages are got for this home.
pub fn packages(config: &Config) -> Packages {
    let python = &config.python;
    Packages {
        uv: python.uv_program(),
        program: python.interpreter(),
        index: python.index.clone(),
        variables: resolver_environment().collect(),
        folder: config.environments(),
    }
}

/// Which version of `uv` gets the packages of a home.
///
/// # Errors
/// [`PackagesError::NoUv`].
pub async fn version_of_uv(config: &Config) -> Result<String, PackagesError> {
    packages(config).version().await
}

/// What the environments of a home take, and of these what nobody used for long.
#[must_use]
pub fn packages_kept(config: &Config) -> (Environments, Environments) {
    let folder = config.environments();
    (environments(&folder, Duration::ZERO), environments(&folder, UNUSED))
}

/// Removes the environments of a home that nobody used for long; what they took.
pub fn tidy_packages(config: &Config) -> Environments {
    remove_environments(&config.environments(), UNUSED)
}

/// The Python of this machine that executes such code; none for that of the sandbox. The packages of its lock are put in
/// place, if they are not.
///
/// # Errors
/// [`RuntimeError::Unavailable`] where the user took the grant back, or there are no packages.
pub async fn of(
    kind: RuntimeKind,
    code: &str,
    lock: Option<&str>,
    config: &Config,
    grants: &Arc<Grants>,
    budget: &Budget,
) -> Result<Option<Interpreter>, RuntimeError> {
    if kind == RuntimeKind::Sandbox {
        return Ok(None);
    }
    let python = &config.python;
    if !python.enabled {
        return Err(unavailable("`enabled` under [python] in config.toml was taken back"));
    }
    let mut interpreter = Interpreter {
        program: python.interpreter(),
        environment: None,
        bounds: None,
        gateway: None,
        variables: clean_environment().collect(),
        memory_bytes: python.memory_bytes(),
        file_bytes: python.file_bytes(),
    };
    let script = Script::read(code).unwrap_or_default();
    if script.dependencies.is_empty() {
        confine(&mut interpreter, config, grants);
        return Ok(Some(interpreter));
    }
    let lock = lock.ok_or_else(|| {
        unavailable(
            "it names packages, and no `procedure.lock` says in which versions; store its code again with \
             generate_procedure_code",
        )
    })?;
    let (packages, lock) = (packages(config), lock.to_owned());
    // On its own: it is there for the next run, should this one have no time to wait for it.
    let making = tokio::spawn(async move { packages.environment(&lock, script.requires_python.as_deref()).await });
    let made = guarded(budget, making).await?.map_err(unavailable)?;
    interpreter.program = made.map_err(unavailable)?;
    interpreter.environment = interpreter.program.parent().and_then(Path::parent).map(Path::to_owned);
    confine(&mut interpreter, config, grants);
    Ok(Some(interpreter))
}

/// Lets its processes read a folder, and tells them where it is.
pub fn show(interpreter: &mut Interpreter, files: PathBuf) {
    if let Some(bounds) = &mut interpreter.bounds {
        bounds.read.push(files.clone());
    }
    interpreter.variables.push((FILES, files.into_os_string()));
}

/// Puts it behind the walls that the policy wants.
fn confine(interpreter: &mut Interpreter, config: &Config, grants: &Arc<Grants>) {
    let Some(confines) = host::confines_of_python(config, grants, interpreter.environment.as_deref()) else { return };
    interpreter.bounds = Some(confines.bounds);
    interpreter.gateway = confines.reach.map(|reach| {
        let hosts = format!("{reach:?}");
        (hosts, Arc::new(Proxy::new("python".to_owned(), reach)) as _)
    });
}

fn unavailable(why: impl std::fmt::Display) -> RuntimeError {
    RuntimeError::Unavailable(why.to_string())
}
