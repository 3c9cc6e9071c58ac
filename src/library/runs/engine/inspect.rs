//! Looking at runs, and at code before it is executed.

use std::{borrow::Cow, collections::BTreeSet, time::Duration};

use super::Engine;
use crate::{
    config::{Config, Limits},
    domain::{Run, RunStatus},
    downstream, host,
    library::{
        Library, LibraryError, ProcedureRef, VersionRef, blocking,
        runs::{
            journal::read,
            limits::{Left, budget, session_limits},
            registry::Active,
            view::{RunView, step_of_traceback},
        },
    },
    runtime::{Runtime, Verdict},
    validation,
};

/// Looking at code may take this long.
const CHECK_TIME: Duration = Duration::from_secs(10);
/// How long the tools of other servers are waited for when code is checked.
const LISTING_TIME: Duration = Duration::from_secs(5);

impl Engine {
    /// What is known of a run; of one that executes here, also how far it is.
    ///
    /// # Errors
    /// [`LibraryError::RunNotFound`].
    pub async fn view(&self, run_id: &str) -> Result<RunView, LibraryError> {
        let under_way = self.registry.find_active(run_id).map(|active| active.progress().steps.clone());
        let id = run_id.to_owned();
        blocking(&self.library, move |library| {
            let (run, calls) = library.run(&id)?;
            let decisions = library.database.read(|reader| reader.decisions(&id))?;
            let under_way = match under_way {
                Some(steps) => steps,
                None if run.status.is_open() => read::current_steps(library, &id)?,
                None => BTreeSet::new(),
            };
            let failed_in = failed_in(library, &run);
            Ok(RunView::new(run, calls, decisions, &under_way, failed_in))
        })
        .await
    }

    /// What the interpreter's compiler and type checker say of `code`; nothing of it is executed.
    ///
    /// # Errors
    /// [`LibraryError::Sandbox`].
    pub async fn check(&self, code: &str) -> Result<Verdict, LibraryError> {
        let config = blocking(&self.library, Library::config).await?;
        let stub = self.stub_for(code, &config).await;
        check(&*self.resources.runtimes.sandbox, code, &stub, &config.limits).await
    }

    /// The stub to check `code` against: where it names all tools that it calls, with their signatures. That may start
    /// the servers which have them.
    async fn stub_for(&self, code: &str, config: &Config) -> Cow<'static, str> {
        let facts = validation::facts(code);
        if facts.tools_called.is_empty() || facts.calls_other_tools {
            return Cow::Borrowed(host::STUB);
        }
        let listing = self.resources.downstream.list(&config.mcp_servers, |server| facts.calls_server(server));
        let listed = tokio::time::timeout(LISTING_TIME, listing).await.unwrap_or_default();
        let tools: Result<Vec<_>, _> = listed.into_iter().map(|(_, tools)| tools).collect();
        match tools.map(|tools| tools.concat()) {
            Ok(tools) if !tools.is_empty() => Cow::Owned(host::stub_with(&downstream::stub(&tools))),
            _ => Cow::Borrowed(host::STUB),
        }
    }
}

/// The step that a failed run ended in, where its code marks its steps.
fn failed_in(library: &Library, run: &Run) -> Option<u32> {
    let traceback = run.traceback.as_deref().filter(|_| run.status == RunStatus::Failed)?;
    let procedure = library.procedure_at(&ProcedureRef::Id(run.procedure_id), &VersionRef::Number(run.version)).ok()?;
    step_of_traceback(&procedure.code?, traceback)
}

/// What the interpreter's compiler and type checker say of `code`; nothing of it is executed.
///
/// # Errors
/// [`LibraryError::Sandbox`].
pub async fn check(runtime: &dyn Runtime, code: &str, stub: &str, limits: &Limits) -> Result<Verdict, LibraryError> {
    let budget = budget(Left::without_files(CHECK_TIME, 1), limits.output_bytes(), &Active::default());
    Ok(runtime.check(code, stub, session_limits(limits), budget).await?)
}
