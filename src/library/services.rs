//! The services as one async surface: what the MCP tools and the command line call.

use std::{path::PathBuf, sync::Arc};

use super::{
    CodeSource, Generated, Library, LibraryError, ProcedureRef, Starters, Validated, code,
    runs::{self, Engine, blocking},
};
use crate::{
    config::{Config, Limits},
    domain::Definition,
    host,
    sandbox::Sandbox,
    validation::Context,
};

/// Checks a source that belongs to no home: by its syntax tree and, when nothing speaks against it, by having the
/// interpreter compile it in a process of the program `worker`.
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
    let validated = code::judge(code, &context, None);
    if !validated.checks.runnable {
        return Ok(validated);
    }
    let refused = runs::compile_error(&Sandbox::new(worker, 1, host::NAMES), code, &Limits::default()).await?;
    Ok(if refused.is_some() { code::judge(code, &context, refused.as_ref()) } else { validated })
}

/// The library and the engine of one home.
pub struct Services {
    library: Arc<Library>,
    engine: Engine,
}

impl Services {
    /// Opens the home of `config`; workers will be processes of the program `worker`.
    ///
    /// # Errors
    /// [`LibraryError`] when the home can't be used.
    pub async fn open(config: Config, starters: Starters, worker: PathBuf) -> Result<Self, LibraryError> {
        let opened = tokio::task::spawn_blocking(move || Library::open(config, starters)).await;
        let library = opened.map_err(|error| LibraryError::Invalid(format!("opening the home failed: {error}")))??;
        let library = Arc::new(library);
        Ok(Self { engine: Engine::new(Arc::clone(&library), worker)?, library })
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The library, for callers that may block.
    #[must_use]
    pub fn library(&self) -> &Library {
        &self.library
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

    /// Makes code for a procedure (the given code, or the step compiler's), checks it, and commits it.
    ///
    /// # Errors
    /// [`LibraryError::CodeRejected`] when it has syntax or security errors; nothing is stored then.
    pub async fn generate(
        &self,
        wanted: ProcedureRef,
        code: Option<String>,
        use_model: bool,
    ) -> Result<Generated, LibraryError> {
        let target = wanted.clone();
        let proposal = self
            .blocking(move |library| {
                let proposal = library.propose_code(&target, code, use_model)?;
                library.check_proposal(&target, &proposal)?;
                Ok(proposal)
            })
            .await?;
        let refused = self.engine.compile_error(&proposal.code).await?;
        self.blocking(move |library| library.accept_code(&wanted, proposal, refused.as_ref())).await
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
        let (code, target) = (Arc::new(code), wanted.clone());
        let text = Arc::clone(&code);
        let (analysis, id) = self.blocking(move |library| library.validate(&text, target.as_ref(), None)).await?;
        // What does not pass the checks is not shown to the interpreter at all.
        if !analysis.checks.runnable {
            return Ok((analysis, id));
        }
        let refused = self.engine.compile_error(&code).await?;
        if refused.is_none() {
            return Ok((analysis, id));
        }
        self.blocking(move |library| library.validate(&code, wanted.as_ref(), refused.as_ref())).await
    }
}

impl CodeSource {
    /// The word used in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Heuristic => "heuristic",
        }
    }
}
