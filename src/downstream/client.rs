//! What we answer when a server asks us something: that it is not supported, so that it does not wait.
#![expect(deprecated, reason = "servers of older protocols ask for sampling and roots")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rmcp::{
    ClientHandler, ErrorData, RoleClient,
    model::{
        ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams,
        ElicitResult, ErrorCode, Implementation, ListRootsResult, ProtocolVersion,
    },
    service::{NotificationContext, RequestContext},
};

/// Our side of a conversation.
#[derive(Clone)]
pub(super) struct Client {
    server: String,
    tools_changed: Arc<AtomicBool>,
}

impl Client {
    /// For a conversation with `server`, which sets `tools_changed` when it says so.
    pub(super) fn new(server: &str, tools_changed: Arc<AtomicBool>) -> Self {
        Self { server: server.to_owned(), tools_changed }
    }

    fn refuse<T>(&self, method: &'static str) -> Result<T, ErrorData> {
        tracing::debug!(server = self.server, method, "an MCP server asked for what is not supported");
        let message = format!("repertoire does not support `{method}`");
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None))
    }
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let implementation = Implementation::new("repertoire", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), implementation)
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }

    async fn create_message(
        &self,
        _: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        self.refuse("sampling/createMessage")
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        self.refuse("roots/list")
    }

    async fn create_elicitation(
        &self,
        _: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        self.refuse("elicitation/create")
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.tools_changed.store(true, Ordering::Relaxed);
    }
}
