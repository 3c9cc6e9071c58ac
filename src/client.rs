//! A small MCP client over stdio that starts this program as its server: for the demo and the benchmark.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use rmcp::{
    RoleClient, ServiceError,
    model::{CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation, ProtocolVersion},
    service::{ClientInitializeError, ClientLifecycleMode, ClientServiceExt, RunningService},
    transport::TokioChildProcess,
};
use serde_json::{Map, Value};
use tokio::process::Command;

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server can't be started.
    #[error("the server `{}` can't be started: {source}", program.display())]
    Spawn { program: PathBuf, source: std::io::Error },
    /// The handshake failed.
    #[error("the handshake with the server failed: {0}")]
    Handshake(#[from] Box<ClientInitializeError>),
    /// The protocol failed.
    #[error("the call of `{tool}` failed: {source}")]
    Call { tool: String, source: Box<ServiceError> },
}

/// How the client opens the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// `initialize`, as up to protocol 2025-11-25.
    Initialize,
    /// `server/discover`, as from protocol 2026-07-28.
    Discover,
}

/// A connection to a server of its own, which ends with it.
pub struct Client {
    service: RunningService<RoleClient, ClientConfig>,
    process_id: Option<u32>,
}

impl Client {
    /// Starts `program serve --home home …`, for no tenant, and shakes hands with it. Its log is dropped.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn start(program: &Path, home: &Path, arguments: &[&str], opening: Opening) -> Result<Self, ClientError> {
        let spawn_error = |source| ClientError::Spawn { program: program.to_owned(), source };
        let mut command = Command::new(program);
        command.env_remove("REPERTOIRE_TENANT").arg("--home").arg(home).arg("serve").args(arguments);
        let (process, _) = TokioChildProcess::builder(command).stderr(Stdio::null()).spawn().map_err(spawn_error)?;
        let process_id = process.id();
        let info = ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("repertoire-client", env!("CARGO_PKG_VERSION")),
        );
        let lifecycle = match opening {
            Opening::Initialize => ClientLifecycleMode::Initialize,
            Opening::Discover => {
                ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
            }
        };
        let service = info.serve_with_lifecycle(process, lifecycle).await.map_err(Box::new)?;
        Ok(Self { service, process_id })
    }

    /// The server's process id.
    #[must_use]
    pub const fn process_id(&self) -> Option<u32> {
        self.process_id
    }

    /// What `tools/list` answers.
    ///
    /// # Errors
    /// [`ClientError::Call`].
    pub async fn tools(&self) -> Result<Vec<rmcp::model::Tool>, ClientError> {
        self.service
            .list_all_tools()
            .await
            .map_err(|source| ClientError::Call { tool: "tools/list".to_owned(), source: Box::new(source) })
    }

    /// Calls a tool; `arguments` must be an object. The answer is its structured content, also when it tells of a
    /// failure.
    ///
    /// # Errors
    /// [`ClientError::Call`] when the protocol fails.
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<Value, ClientError> {
        let mut request = CallToolRequestParams::new(tool.to_owned());
        request.arguments = match arguments {
            Value::Object(arguments) => Some(arguments),
            _ => Some(Map::new()),
        };
        let result = self.service.call_tool(request).await;
        let result = result.map_err(|source| ClientError::Call { tool: tool.to_owned(), source: Box::new(source) })?;
        Ok(result.structured_content.unwrap_or_default())
    }

    /// Closes the connection, which ends the server.
    pub async fn close(self) {
        if let Err(error) = self.service.cancel().await {
            tracing::debug!(%error, "the connection was not closed cleanly");
        }
    }
}
