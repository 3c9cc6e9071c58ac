//! Downstream MCP servers: those of `[mcp_servers.NAME]` in `config.toml`, whose tools procedures may call.
//!
//! The only module that speaks to them. It does not know who may call what: `host` checks that before. Start at
//! [`Downstream`].

mod answer;
mod client;
mod connection;
mod error;
mod lines;
mod process;
mod remote;
mod server;
mod stub;
mod tools;
mod types;
mod waiting;
mod walls;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Map, Value};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::config::ServerSettings;
use server::Server;
use waiting::Waiting;

pub use error::DownstreamError;
pub use stub::stub;
pub use tools::ToolInfo;
pub use walls::{MakeWalls, Walls};

/// The servers that were used so far. Nothing is started before it is called.
pub struct Downstream {
    walls: MakeWalls,
    servers: Mutex<BTreeMap<String, Arc<Server>>>,
    /// Servers whose settings changed or vanished, which end when their last call is answered.
    retiring: Mutex<JoinSet<()>>,
    closed: CancellationToken,
}

impl std::fmt::Debug for Downstream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Downstream").finish_non_exhaustive()
    }
}

impl Downstream {
    /// No servers yet. What `walls` makes is around those that are programs and want it.
    #[must_use]
    pub fn new(walls: MakeWalls) -> Self {
        Self { walls, servers: Mutex::default(), retiring: Mutex::default(), closed: CancellationToken::new() }
    }

    /// Calls a tool of a server, which is started when it is not there. `servers` are the newest settings: servers whose
    /// settings changed or vanished are ended when their last call is answered, the others are kept. A call whose server ends before it answers is made
    /// once more when the tool says that this does no harm.
    ///
    /// # Errors
    /// [`DownstreamError`], whose texts name the server and the tool.
    pub async fn call(
        &self,
        servers: &BTreeMap<String, ServerSettings>,
        server: &str,
        tool: &str,
        arguments: Map<String, Value>,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<Value, DownstreamError> {
        let server = self.server(servers, server)?;
        let _use = server.used().await;
        let since = Instant::now();
        let starting = Waiting { server: server.name(), tool, since, deadline, hint: String::new(), cancel };
        let mut is_first = true;
        loop {
            let connection = server.connection(&starting).await?;
            let waiting = starting.no_longer_than(&server.settings);
            let (error, is_repeatable) = match connection.tool(tool, &waiting).await {
                Ok(known) => match connection.call(tool, arguments.clone(), &waiting).await {
                    Ok(value) => return Ok(value),
                    Err(error) => (error, known.is_repeatable()),
                },
                // To ask for the list again does no harm.
                Err(error) => (error, true),
            };
            let DownstreamError::Ended { message, .. } = &error else { return Err(error) };
            if !is_first || !is_repeatable {
                return Err(error);
            }
            tracing::info!(server = server.name(), tool, why = message, "a call is made again");
            is_first = false;
        }
    }

    /// The tools of every server that `is_wanted`, which is started when it is not there, or why they can't be had.
    pub async fn list(
        &self,
        servers: &BTreeMap<String, ServerSettings>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Vec<(String, Result<Vec<ToolInfo>, DownstreamError>)> {
        let mut listing = JoinSet::new();
        for name in servers.keys().filter(|name| is_wanted(name)) {
            let (name, server) = (name.clone(), self.server(servers, name));
            listing.spawn(async move {
                let tools = match server {
                    Ok(server) => tools_of(&server).await,
                    Err(error) => Err(error),
                };
                (name, tools)
            });
        }
        let mut listed = listing.join_all().await;
        listed.sort_by(|(a, _), (b, _)| a.cmp(b));
        listed
    }

    /// Ends every server, and waits for that. Later calls are refused.
    pub async fn close(&self) {
        self.closed.cancel();
        let servers = std::mem::take(&mut *self.servers.lock().unwrap_or_else(PoisonError::into_inner));
        let mut closing = std::mem::take(&mut *self.retiring.lock().unwrap_or_else(PoisonError::into_inner));
        for server in servers.into_values() {
            closing.spawn(async move { server.close().await });
        }
        closing.join_all().await;
    }

    /// Ends a server when nobody waits for it any more: a run that began with older settings may still do.
    fn retire(&self, server: Arc<Server>) {
        let mut retiring = self.retiring.lock().unwrap_or_else(PoisonError::into_inner);
        while retiring.try_join_next().is_some() {}
        let closed = self.closed.clone();
        retiring.spawn(async move {
            tokio::select! {
                () = server.unused() => {}
                () = closed.cancelled() => {}
            }
            server.close().await;
        });
    }

    fn server(&self, settings: &BTreeMap<String, ServerSettings>, name: &str) -> Result<Arc<Server>, DownstreamError> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let outdated: Vec<String> = servers
            .iter()
            .filter(|(name, server)| settings.get(*name) != Some(&server.settings))
            .map(|(name, _)| name.clone())
            .collect();
        for server in outdated.iter().filter_map(|name| servers.remove(name)) {
            self.retire(server);
        }
        let Some(wanted) = settings.get(name) else {
            return Err(DownstreamError::unknown_server(name, settings.keys().map(String::as_str)));
        };
        if !wanted.enabled {
            return Err(DownstreamError::Disabled { server: name.to_owned() });
        }
        if self.closed.is_cancelled() {
            return Err(DownstreamError::Start {
                server: name.to_owned(),
                message: "this program is ending".to_owned(),
            });
        }
        Ok(Arc::clone(servers.entry(name.to_owned()).or_insert_with(|| Server::new(name, wanted, self.walls))))
    }
}

async fn tools_of(server: &Arc<Server>) -> Result<Vec<ToolInfo>, DownstreamError> {
    let _use = server.used().await;
    let (since, cancel) = (Instant::now(), CancellationToken::new());
    let deadline = since + server.settings.start_timeout() + server.settings.timeout();
    let waiting =
        Waiting { server: server.name(), tool: "tools/list", since, deadline, hint: String::new(), cancel: &cancel };
    let connection = server.connection(&waiting).await?;
    Ok(connection.tools(&waiting).await?.to_vec())
}
