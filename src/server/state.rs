//! The server: what it was started with, and the services of its home once that is open.

use std::{path::PathBuf, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rmcp::model::{Icon, Implementation, ProtocolVersion, ServerCapabilities, ServerConfig};
use tokio::sync::OnceCell;

use super::{
    catalog::{Catalog, Choice, Selection},
    followed::Followed,
};
use crate::{
    config::{Config, Start},
    library::{LibraryError, Services, Starters},
};

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

/// Seen beside the name of the server, on light and on dark: notes.
const ICON: &str = include_str!("icon.svg");

const INSTRUCTIONS: &str = "Procedural memory: know-how that runs. Before you work out how to do a recurring task, call \
    recall_procedures; when one fits, execute_procedure. After you solved something worth repeating, call \
    remember_procedure and then generate_procedure_code with code that you wrote. Procedures run in a sandbox and can \
    touch only what the user's policy grants; an error says what to ask the user for. `procedure_id` takes the number or the \
    name; lists are short unless `limit` says more. Every answer has `success` and a `timestamp`.";
/// Said where they are not shown.
const MORE_TOOLS: &str = " Tools for programs that run workflows of their own (checkpoints, events, triggers) are listed by \
    `repertoire serve --toolsets all`.";

/// The protocol's view of this program.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) options: Arc<ServeOptions>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) services: Arc<OnceCell<Arc<Services>>>,
    /// What a client of an older protocol follows.
    pub(super) followed: Followed,
    /// What it says of itself.
    pub(super) info: Arc<ServerConfig>,
}

impl Server {
    pub(super) fn new(options: ServeOptions) -> Self {
        let catalog = Arc::new(Catalog::new(&options.selection));
        let info = Arc::new(info(&options));
        Self { options: Arc::new(options), catalog, services: Arc::default(), followed: Followed::default(), info }
    }

    pub(super) async fn services(&self) -> Result<&Arc<Services>, LibraryError> {
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

fn info(options: &ServeOptions) -> ServerConfig {
    let mut implementation = Implementation::new("repertoire", env!("CARGO_PKG_VERSION"));
    implementation.title = Some("Repertoire".to_owned());
    implementation.description = Some("Procedural memory: know-how that runs".to_owned());
    implementation.icons = Some(vec![
        Icon::new(format!("data:image/svg+xml;base64,{}", BASE64_STANDARD.encode(ICON.trim())))
            .with_mime_type("image/svg+xml")
            .with_sizes(vec!["any".to_owned()]),
    ]);
    let capabilities = ServerCapabilities::builder()
        .enable_tools()
        .enable_tool_list_changed()
        .enable_prompts()
        .enable_prompts_list_changed()
        .enable_resources()
        .enable_resources_list_changed()
        .enable_resources_subscribe()
        .enable_completions()
        .enable_tasks()
        .enable_skills_with_directory_read()
        .build();
    let mut info = ServerConfig::new(capabilities);
    info.protocol_version = ProtocolVersion::LATEST_WITH_INITIALIZE;
    info.server_info = implementation;
    let shows_all = options.selection.choices.contains(&Choice::All);
    let more = if shows_all || options.selection.read_only { "" } else { MORE_TOOLS };
    info.instructions = Some(format!("{INSTRUCTIONS}{more}"));
    info
}
