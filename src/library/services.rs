//! The services as one async surface: what the MCP tools and the command line call.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    Library, LibraryError, ProcedureRef, Starters, Validated,
    runs::{self, Engine, blocking},
};
use crate::{
    config::{Config, Limits},
    domain::{Definition, Procedure},
    host,
    runtime::monty::Sandbox,
    validation::{self, Analysis, Context},
};

/// Checks a source that belongs to no home: by its syntax tree and, when nothing speaks against it, by having the
/// interpreter compile it and check its types in a process of the program `worker`.
///
/// # Errors
/// [`LibraryError::Sandbox`]. Bad code is not an error here.
pub async fn check_source(
    code: &str,
    entry_name: &str,
    definition: Option<&Definition>,
    worker: PathBuf,
) -> Result<Validated, LibraryError> {
    let context = Context { entry_name: Some(entry_name), definition, grants: None };
    let mut analysis = validation::analyze(code, &context);
    if analysis.checks.runnable {
        let verdict = runs::check(&Sandbox::new(worker, 1, host::MODULE), code, host::STUB, &Limits::default()).await?;
        analysis = analysis.with_verdict(&verdict);
    }
    Ok(Validated::from(analysis))
}

/// How often open runs that nobody takes care of are looked for.
const RECOVERY_INTERVAL: Duration = Duration::from_secs(5);

/// How often checkpoints that are too old or too many are looked for.
const PRUNE_INTERVAL: Duration = Duration::from_hours(1);

/// The library and the engine of one home.
pub struct Services {
    library: Arc<Library>,
    engine: Arc<Engine>,
}

impl Services {
    /// Opens the home of `config`; workers will be processes of the program `worker`.
    ///
    /// # Errors
    /// [`LibraryError`] when the home can't be used.
    pub async fn open(config: Config, starters: Starters, worker: PathBuf) -> Result<Self, LibraryError> {
        let opened = tokio::task::spawn_blocking(move || Library::open(config, starters)).await;
        let library = opened.map_err(|error| LibraryError::lost_task("opening the home", &error))??;
        let library = Arc::new(library);
        Ok(Self { engine: Arc::new(Engine::new(Arc::clone(&library), worker)?), library })
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The library, for callers that may block.
    #[must_use]
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The engine, for a task of its own.
    pub(super) fn engine_handle(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    /// The library, for a task of its own.
    pub(super) fn library_handle(&self) -> Arc<Library> {
        Arc::clone(&self.library)
    }

    /// Goes on with open runs whose process has ended, and ends what has waited too long, until `stop`.
    pub async fn keep_runs(&self, stop: CancellationToken) {
        loop {
            self.engine.recover().await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RECOVERY_INTERVAL) => {}
            }
        }
    }

    /// Removes checkpoints that are too old or too many, now and each hour, until `stop`.
    pub async fn keep_checkpoints(&self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.blocking(Library::prune_checkpoints).await {
                tracing::warn!(%error, "old checkpoints were not removed");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PRUNE_INTERVAL) => {}
            }
        }
    }

    /// Runs `work` on a thread that may block.
    ///
    /// # Errors
    /// What `work` returns.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Library) -> Result<T, LibraryError> + Send + 'static,
    ) -> Result<T, LibraryError> {
        blocking(&self.library, work).await
    }

    /// Checks code, for a procedure where one is named. Stores nothing.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`]. Bad code is not an error here.
    pub async fn validate(
        &self,
        code: String,
        wanted: Option<ProcedureRef>,
    ) -> Result<(Validated, Option<i64>), LibraryError> {
        let (_, analysis, row) = self.check(code, wanted).await?;
        Ok((Validated::from(analysis), row.map(|row| row.id)))
    }

    /// What the syntax tree of `code` shows and, when nothing speaks against it, what the interpreter says.
    pub(super) async fn check(
        &self,
        code: String,
        wanted: Option<ProcedureRef>,
    ) -> Result<(String, Analysis, Option<Procedure>), LibraryError> {
        let analyzed = self.blocking(move |library| {
            let (analysis, row) = library.analyze(&code, wanted.as_ref())?;
            Ok((code, analysis, row))
        });
        let (code, mut analysis, row) = analyzed.await?;
        // What does not pass the checks is not shown to the interpreter at all.
        if analysis.checks.runnable {
            let verdict = self.engine.check(&code).await?;
            analysis = analysis.with_verdict(&verdict);
        }
        Ok((code, analysis, row))
    }
}
