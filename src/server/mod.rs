//! The MCP surface: translates between the protocol and the services, and decides nothing else.
//!
//! [`serve_stdio`] answers the handshake before it touches the home, and ends when stdin closes. A tool is one file in
//! `tools`, which lists them; [`catalog`] says which of them a server shows.

mod answer;
pub mod catalog;
mod consent;
mod elicit;
mod envelope;
mod excerpt;
mod large_argument;
mod line;
mod progress;
mod prompts;
mod repair;
mod reply;
mod resources;
mod rounds;
mod schema;
pub mod tool;
mod tools;
pub(crate) mod transport;
mod verbatim;

use std::{path::PathBuf, sync::Arc, time::Duration};

use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt,
    model::{
        CallToolRequestParams, CallToolResponse, CustomRequest, CustomResult, ErrorCode, GetPromptRequestParams,
        GetPromptResponse, Implementation, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
        ListToolsResult, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse,
        ServerCapabilities, ServerConfig,
    },
    service::{RequestContext, ServerInitializeError},
    transport::stdio_pipes,
};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Start},
    domain::{Hinted as _, Keeper},
    library::{Duties, LibraryError, Services, Starters},
};
use catalog::{Catalog, Selection};
use progress::CallContext;
use transport::LineTransport;

const INSTRUCTIONS: &str = "Procedural memory: know-how that runs. Before you work out how to do a recurring task, call \
    recall_procedures; when one fits, execute_procedure. After you solved something worth repeating, call \
    remember_procedure and then generate_procedure_code with code that you wrote. Procedures run in a sandbox and can \
    touch only what the user's policy grants; an error says what to ask the user for. `procedure_id` takes the number or the \
    name; lists are short unless `limit` says more. Every answer has `success` and a `timestamp`.";

/// How long calls may take to end after the client has gone. With what [`Duties::end`] takes that is within two seconds.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How a server is started.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The home, who uses it and for whom. It is looked at only after the handshake: what is wrong is told by the calls.
    pub start: Start,
    /// Whether a new home gets the starter procedures.
    pub starters: Starters,
    /// Which tools are shown.
    pub selection: Selection,
    /// The program whose processes execute code: this one.
    pub worker: PathBuf,
}

/// Why a server ended otherwise than by its client closing the connection.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The client and the server did not come together.
    #[error("the handshake failed: {0}")]
    Handshake(#[from] Box<ServerInitializeError>),
}

/// A pipe holds 64 KiB, so that the two ends take turns over each piece of a large message. These hold a megabyte, where
/// they are pipes and the system allows it.
#[cfg(target_os = "linux")]
fn widen_pipes() {
    const BYTES: usize = 1 << 20;
    let _ = rustix::pipe::fcntl_setpipe_size(std::io::stdin(), BYTES);
    let _ = rustix::pipe::fcntl_setpipe_size(std::io::stdout(), BYTES);
}

/// Serves one client over stdin and stdout until stdin closes, or `asked` says that the process is asked to end.
///
/// # Errors
/// [`ServeError`] when the connection fails. A client that leaves is not an error.
pub async fn serve_stdio(options: ServeOptions, asked: impl Future<Output = ()>) -> Result<(), ServeError> {
    let server = Server::new(options);
    let opening = server.clone();
    #[cfg(target_os = "linux")]
    widen_pipes();
    let (reader, writer) = stdio_pipes();
    let closed = CancellationToken::new();
    let transport = LineTransport::new(reader, writer, server.catalog.large_arguments(), closed.clone());
    tokio::pin!(asked);
    let shaken = tokio::select! {
        shaken = server.clone().serve(transport) => shaken,
        () = &mut asked => return Ok(()),
    };
    let running = match shaken {
        Ok(running) => running,
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(Box::new(error).into()),
    };
    // The handshake is answered; what takes time begins now, not with the first call.
    let duties = Duties::begin(Keeper::Server, async move {
        match opening.services().await {
            // What may change nothing starts nothing either.
            Ok(services) if !opening.options.selection.read_only => Some(Arc::clone(services)),
            Ok(_) => None,
            Err(error) => {
                tracing::error!(error = error.in_full(), "the home can't be opened; every call will say so");
                None
            }
        }
    });
    let waiting = running.waiting();
    tokio::pin!(waiting);
    let ended = tokio::select! {
        ended = &mut waiting => Some(ended),
        () = closed.cancelled() => None,
        () = &mut asked => {
            tracing::info!("asked to end");
            None
        }
    };
    duties.end(server.services.get()).await;
    // Calls whose runs were stopped may still want to say so, but nobody is left to wait for long.
    if ended.is_none() && tokio::time::timeout(LAST_WORDS, waiting).await.is_err() {
        tracing::debug!("some calls were not answered any more");
    }
    Ok(())
}

/// The protocol's view of this program.
#[derive(Clone)]
struct Server {
    options: Arc<ServeOptions>,
    catalog: Arc<Catalog>,
    services: Arc<OnceCell<Arc<Services>>>,
}

impl Server {
    fn new(options: ServeOptions) -> Self {
        let catalog = Arc::new(Catalog::new(&options.selection));
        Self { options: Arc::new(options), catalog, services: Arc::default() }
    }

    async fn services(&self) -> Result<&Arc<Services>, LibraryError> {
        let ServeOptions { start, starters, worker, .. } = &*self.options;
        self.services
            .get_or_try_init(|| async {
                let config = Config::load(start)?;
                let (tenant, stores) = (config.tenant.as_deref(), config.stores());
                tracing::info!(home = %config.home.display(), tenant, stores = %stores.display(), "serving");
                Services::open(config, *starters, worker.clone()).await.map(Arc::new)
            })
            .await
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let mut implementation = Implementation::new("repertoire", env!("CARGO_PKG_VERSION"));
        implementation.title = Some("Repertoire".to_owned());
        let mut info =
            ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_prompts().enable_resources().build());
        info.protocol_version = ProtocolVersion::LATEST_WITH_INITIALIZE;
        info.server_info = implementation;
        info.instructions = Some(INSTRUCTIONS.to_owned());
        info
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.catalog.entries().iter().map(|entry| entry.listed.clone()).collect();
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        mut request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(entry) = self.catalog.find(&request.name) else {
            let known = self.catalog.closest(&request.name).map_or_else(
                || "tools/list shows what there is".to_owned(),
                |closest| format!("the closest name is `{closest}`"),
            );
            let name: String = request.name.chars().take(100).collect();
            return Err(ErrorData::invalid_params(format!("there is no tool `{name}` here; {known}"), None));
        };
        let reply = match self.services().await {
            Ok(services) => {
                let mut call = CallContext::of(&context, !self.options.selection.read_only);
                let replied = match consent::answered(services, &mut request, &mut call) {
                    Some(reply) => Some(reply),
                    None => rounds::go_on(services, &mut request, &call).await,
                };
                match replied {
                    Some(reply) => reply,
                    None => entry.call(services, request.arguments.unwrap_or_default(), &call).await,
                }
            }
            Err(error) => reply::refusal(&error),
        };
        Ok(reply.into_response())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(prompts::list()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        match self.services().await {
            Ok(services) => Ok(prompts::get(services, &request).await?.into()),
            Err(error) => Err(ErrorData::internal_error(error.in_full(), None)),
        }
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        match self.services().await {
            Ok(services) => resources::list(services, cursor).await,
            Err(error) => Err(ErrorData::internal_error(error.in_full(), None)),
        }
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match self.services().await {
            Ok(services) => Ok(resources::read(services, request.uri).await?.into()),
            Err(error) => Err(ErrorData::internal_error(error.in_full(), None)),
        }
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let message = format!("there is no method `{}`", request.method.chars().take(100).collect::<String>());
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None))
    }
}
