//! A conversation with one server: the handshake, its tools, calls, and its end.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rmcp::{
    ServiceError,
    model::{
        CallToolRequestParams, CallToolResponse, ErrorCode, ListToolsResult, PaginatedRequestParams, ProtocolVersion,
    },
    service::{ClientInitializeError, ClientLifecycleMode, ClientServiceExt, Peer, RoleClient, RunningService},
    transport::IntoTransport,
};
use serde_json::{Map, Value};
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    DownstreamError, ToolInfo,
    answer::{self, Answer},
    client::Client,
    lines::{DROPPED, readable},
    process::Process,
    remote,
    waiting::Waiting,
    walls::MakeWalls,
};
use crate::config::{CommandSettings, Reach, ServerSettings};

/// How long what a program wrote before it ended may take to be read.
const DRAIN: Duration = Duration::from_millis(500);
/// How long the protocol may take to close.
const CLOSE: Duration = Duration::from_secs(3);
/// How long to wait for the reason after a connection broke.
const REASON: Duration = Duration::from_secs(2);
const MAX_PAGES: usize = 100;

type Running = RunningService<RoleClient, Client>;

/// A server that has answered the handshake.
pub(super) struct Connection {
    server: String,
    peer: Peer<RoleClient>,
    /// Held while the list is asked for, so that it is asked for once.
    tools: Mutex<Option<Arc<Vec<ToolInfo>>>>,
    tools_changed: Arc<AtomicBool>,
    stop: CancellationToken,
    ending: watch::Receiver<Option<Ending>>,
    is_program: bool,
    since: Instant,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// How a connection ended.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) at: Instant,
    pub(super) message: String,
}

impl Connection {
    /// Starts or reaches a server and shakes hands with it.
    pub(super) async fn open(server: &str, settings: &ServerSettings, walls: MakeWalls) -> Result<Self, String> {
        let tools_changed = Arc::new(AtomicBool::new(false));
        let client = || Client::new(server, Arc::clone(&tools_changed));
        let (service, process) = match &settings.reach {
            Reach::Command(command) => {
                let (service, process) = start(server, command, settings, walls, client).await?;
                (service, Some(process))
            }
            Reach::Http(http) => {
                let shaking = shake(client(), || remote::transport(http));
                let shaken = timeout(settings.start_timeout(), shaking).await.map_err(|_| no_answer(settings))?;
                (shaken?, None)
            }
        };
        let (peer, stop) = (service.peer().clone(), CancellationToken::new());
        let is_program = process.is_some();
        let ending = supervise(service, process, stop.clone());
        let (server, tools, since) = (server.to_owned(), Mutex::default(), Instant::now());
        Ok(Self { server, peer, tools, tools_changed, stop, ending, is_program, since })
    }

    /// How it ended; `None` while it has not.
    pub(super) fn ending(&self) -> Option<Ending> {
        if let Some(ending) = self.ending.borrow().clone() {
            return Some(ending);
        }
        // The supervisor has not noticed yet, or is still ending the program.
        let is_over = self.peer.is_transport_closed() || self.stop.is_cancelled();
        is_over.then(|| Ending { at: Instant::now(), message: "the connection was closed".to_owned() })
    }

    /// How long it has lasted until `end`.
    pub(super) fn lasted_until(&self, end: Instant) -> Duration {
        end.saturating_duration_since(self.since)
    }

    /// Ends the conversation and the program, and waits for that.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        let _ = self.ending.clone().wait_for(Option::is_some).await;
    }

    /// The tools, asked for when they are not known or the server said that they changed.
    pub(super) async fn tools(&self, waiting: &Waiting<'_>) -> Result<Arc<Vec<ToolInfo>>, DownstreamError> {
        let mut known = waiting.on(self.tools.lock()).await?;
        if self.tools_changed.swap(false, Ordering::Relaxed) {
            *known = None;
        }
        if let Some(tools) = known.as_ref() {
            return Ok(Arc::clone(tools));
        }
        let mut tools = Vec::new();
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let page = waiting.on(self.peer.list_tools(Some(PaginatedRequestParams::default().with_cursor(cursor))));
            let ListToolsResult { tools: more, next_cursor, .. } = match page.await? {
                Ok(page) => page,
                Err(ServiceError::McpError(error)) if error.code == ErrorCode::METHOD_NOT_FOUND => break,
                Err(error) => return Err(self.failure(waiting, error).await),
            };
            tools.extend(more.into_iter().map(|tool| ToolInfo::new(&self.server, tool)));
            cursor = next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        let tools = Arc::new(tools);
        *known = Some(Arc::clone(&tools));
        Ok(tools)
    }

    /// Finds a tool by name. A name that is not known makes the list be asked for again: not every server says when it
    /// changes.
    pub(super) async fn tool(&self, name: &str, waiting: &Waiting<'_>) -> Result<ToolInfo, DownstreamError> {
        let find = |tools: &[ToolInfo]| tools.iter().find(|tool| tool.name == name).cloned();
        if let Some(tool) = find(&self.tools(waiting).await?) {
            return Ok(tool);
        }
        self.tools_changed.store(true, Ordering::Relaxed);
        let tools = self.tools(waiting).await?;
        find(&tools).ok_or_else(|| {
            DownstreamError::unknown_tool(&self.server, name, tools.iter().map(|tool| tool.name.as_str()))
        })
    }

    /// Calls a tool. When nobody waits any more, the server is told.
    pub(super) async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        waiting: &Waiting<'_>,
    ) -> Result<Value, DownstreamError> {
        let mut request = CallToolRequestParams::new(tool.to_owned());
        request.arguments = Some(arguments);
        let (server, tool) = (self.server.clone(), tool.to_owned());
        // Dropped before it is done, the future of rmcp sends `notifications/cancelled`.
        match waiting.on(self.peer.call_tool_once(request)).await? {
            Ok(CallToolResponse::Complete(result)) => match answer::read(result) {
                Answer::Value(value) => Ok(value),
                Answer::Failed(text) => Err(DownstreamError::Tool { server, tool, text }),
                Answer::Unusable(message) => Err(DownstreamError::Answer { server, tool, message }),
            },
            Ok(_) => {
                let message = "it asks for input or for a later look, which is not supported".to_owned();
                Err(DownstreamError::Answer { server, tool, message })
            }
            Err(error) => Err(self.failure(waiting, error).await),
        }
    }

    async fn failure(&self, waiting: &Waiting<'_>, error: ServiceError) -> DownstreamError {
        let (server, tool) = (self.server.clone(), waiting.tool.to_owned());
        match error {
            ServiceError::McpError(error) if error.code == ErrorCode(DROPPED) => {
                DownstreamError::Answer { server, tool, message: error.message.into_owned() }
            }
            ServiceError::McpError(error) => {
                DownstreamError::Refused { server, tool, message: format!("{} (code {})", error.message, error.code.0) }
            }
            ServiceError::UnexpectedResponse => {
                DownstreamError::Answer { server, tool, message: "it is not what the protocol says".to_owned() }
            }
            error => {
                let reason = self.reason().await.unwrap_or_else(|| remote::why_not_answered(&error));
                DownstreamError::Ended { server, tool, message: reason }
            }
        }
    }

    /// Why a program does not answer any more. A connection to somewhere else may well go on.
    async fn reason(&self) -> Option<String> {
        if !self.is_program {
            return None;
        }
        let mut ending = self.ending.clone();
        let ended = timeout(REASON, ending.wait_for(Option::is_some)).await.ok()?.ok()?;
        ended.as_ref().map(|ending| ending.message.clone())
    }
}

/// Starts a program and shakes hands with it.
async fn start(
    server: &str,
    command: &CommandSettings,
    settings: &ServerSettings,
    walls: MakeWalls,
    client: impl Fn() -> Client,
) -> Result<(Running, Process), String> {
    let until = Instant::now() + settings.start_timeout();
    for lifecycle in [initialize(), discover()] {
        let (process, stdout, stdin) = Process::spawn(server, command, walls).await?;
        let shaking = client().serve_with_lifecycle((readable(stdout), stdin), lifecycle.clone());
        match tokio::time::timeout_at(until, shaking).await {
            Ok(Ok(service)) => return Ok((service, process)),
            Ok(Err(error)) if wants_discover(&error) && lifecycle == initialize() => drop(process.end().await),
            Ok(Err(ClientInitializeError::JsonRpcError(error))) => {
                return Err(format!("it refused the handshake: {}", error.message));
            }
            Ok(Err(error)) => {
                tracing::debug!(server, %error, "the handshake failed");
                return Err(format!("it did not answer the handshake: {}", process.end().await));
            }
            Err(_) => return Err(format!("{}: {}", no_answer(settings), process.end().await)),
        }
    }
    Err("it knows no handshake that we know".to_owned())
}

/// Shakes hands over a transport, and over another one when the server knows only the newer handshake.
async fn shake<T, E, A>(client: Client, transport: impl Fn() -> Result<T, String>) -> Result<Running, String>
where
    T: IntoTransport<RoleClient, E, A>,
    E: Error + Send + Sync + 'static,
{
    match client.clone().serve_with_lifecycle(transport()?, initialize()).await {
        Err(error) if wants_discover(&error) => {
            client.serve_with_lifecycle(transport()?, discover()).await.map_err(|error| remote::why_not_shaken(&error))
        }
        other => other.map_err(|error| remote::why_not_shaken(&error)),
    }
}

const fn initialize() -> ClientLifecycleMode {
    ClientLifecycleMode::Initialize
}

fn discover() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
}

/// Whether a server answered `initialize` as one does that knows only `server/discover`. The old handshake is tried
/// first: nearly all servers know it, and some hang when the first message is anything else.
fn wants_discover(error: &ClientInitializeError) -> bool {
    match error {
        ClientInitializeError::JsonRpcError(error) => {
            [ErrorCode::METHOD_NOT_FOUND, ErrorCode::UNSUPPORTED_PROTOCOL_VERSION].contains(&error.code)
        }
        _ => false,
    }
}

fn no_answer(settings: &ServerSettings) -> String {
    format!(
        "it did not answer the handshake within {} s (`start_timeout_seconds` in config.toml)",
        settings.start_timeout_seconds
    )
}

/// Watches over a connection: whichever of the conversation and the program ends first ends the other.
fn supervise(service: Running, process: Option<Process>, stop: CancellationToken) -> watch::Receiver<Option<Ending>> {
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        let cancel = service.cancellation_token();
        let mut process = process;
        let mut conversation = std::pin::pin!(service.waiting());
        let exited = async {
            match &mut process {
                Some(process) => process.exited().await,
                None => std::future::pending().await,
            }
        };
        let mut is_over = tokio::select! {
            _ = &mut conversation => true,
            () = exited => false,
            () = stop.cancelled() => false,
        };
        let at = Instant::now();
        if !is_over && !stop.is_cancelled() {
            is_over = timeout(DRAIN, &mut conversation).await.is_ok();
        }
        if !is_over {
            cancel.cancel();
            let _ = timeout(CLOSE, conversation).await;
        }
        let message = match process {
            Some(process) => process.end().await,
            None => "the connection was closed".to_owned(),
        };
        sender.send_replace(Some(Ending { at, message }));
    });
    receiver
}
