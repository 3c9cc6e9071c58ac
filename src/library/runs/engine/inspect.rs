//! Looking at runs, and at code before it is executed.

use std::{borrow::Cow, collections::BTreeSet, time::Duration};

use super::Engine;
use crate::{
    config::{Config, Limits},
    downstream, host,
    library::{
        Library, LibraryError, blocking,
        runs::{
            journal::read,
            limits::{budget, session_limits},
            registry::Active,
            view::RunView,
        },
    },
    runtime::{Runtime, Verdict},
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
        blocking(&self.resources.library, move |library| {
            let (run, calls) = library.run(&id)?;
            let decisions = library.database.read(|reader| reader.decisions(&id))?;
            let under_way = match under_way {
                Some(steps) => steps,
                None if run.status.is_open() => read::current_steps(library, &id)?,
                None => BTreeSet::new(),
            };
            Ok(RunView::new(run, calls, decisions, &under_way))
        })
        .await
    }

    /// What the interpreter's compiler and type checker say of `code`; nothing of it is executed.
    ///
    /// # Errors
    /// [`LibraryError::Sandbox`].
    pub async fn check(&self, code: &str) -> Result<Verdict, LibraryError> {
        let config = blocking(&self.resources.library, Library::config).await?;
        let stub = self.stub_for(code, &config).await;
        check(&*self.resources.runtime, code, &stub, &config.limits).await
    }

    /// The stub to check `code` against: where it names all tools that it calls, with their signatures. That may start
    /// the servers which have them.
    async fn stub_for(&self, code: &str, config: &Config) -> Cow<'static, str> {
        let calls = code.matches("call_tool(").count();
        let named = code.matches("call_tool(\"").count() + code.matches("call_tool('").count();
        if calls == 0 || calls != named {
            return Cow::Borrowed(host::STUB);
        }
        let is_called = |name: &str| code.contains(&format!("\"{name}/")) || code.contains(&format!("'{name}/"));
        let listing = self.resources.downstream.list(&config.mcp_servers, is_called);
        let listed = tokio::time::timeout(LISTING_TIME, listing).await.unwrap_or_default();
        let tools: Result<Vec<_>, _> = listed.into_iter().map(|(_, tools)| tools).collect();
        match tools.map(|tools| tools.concat()) {
            Ok(tools) if !tools.is_empty() => Cow::Owned(host::stub_with(&downstream::stub(&tools))),
            _ => Cow::Borrowed(host::STUB),
        }
    }
}

/// What the interpreter's compiler and type checker say of `code`; nothing of it is executed.
///
/// # Errors
/// [`LibraryError::Sandbox`].
pub async fn check(runtime: &dyn Runtime, code: &str, stub: &str, limits: &Limits) -> Result<Verdict, LibraryError> {
    let budget = budget(CHECK_TIME, 1, limits.output_bytes(), &Active::default());
    Ok(runtime.check(code, stub, session_limits(limits), budget).await?)
}
