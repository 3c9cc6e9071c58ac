//! Telling a client what changed: lists that are others now, and resources that it follows.
//!
//! Up to protocol 2025-11-25 the server tells by itself, and of the resources that were subscribed to. Later ones ask for
//! it with `subscriptions/listen`, which goes on for as long as it is listened to.

use rmcp::{
    Peer, RoleServer,
    model::{Prompt, ResourceUpdatedNotificationParam, SubscriptionFilter},
    service::{ServiceError, SubscriptionContext, SubscriptionSendError, SubscriptionSink},
};

use super::{
    followed::Followed,
    procedure_tools::{self, ProcedureTool},
    prompts,
    state::Server,
};
use crate::{domain::Hinted as _, library::Services};

/// Over what a client is told, and of which lists.
enum Listener {
    /// The connection itself: of all lists.
    Peer(Peer<RoleServer>),
    /// A subscription: of the lists that it asked for.
    Subscription(SubscriptionSink),
}

/// Something to be told.
enum News {
    Tools,
    Prompts,
    Resources,
    Resource(String),
}

impl Listener {
    fn wants(&self, news: &News) -> bool {
        let Self::Subscription(sink) = self else { return true };
        let SubscriptionFilter { tools_list_changed, prompts_list_changed, resources_list_changed, .. } =
            sink.accepted();
        match news {
            News::Tools => *tools_list_changed == Some(true),
            News::Prompts => *prompts_list_changed == Some(true),
            News::Resources => *resources_list_changed == Some(true),
            News::Resource(_) => true,
        }
    }

    /// Whether it still listens.
    async fn tell(&self, news: News) -> bool {
        match self {
            Self::Peer(peer) => {
                let told: Result<(), ServiceError> = match news {
                    News::Tools => peer.notify_tool_list_changed().await,
                    News::Prompts => peer.notify_prompt_list_changed().await,
                    News::Resources => peer.notify_resource_list_changed().await,
                    News::Resource(uri) => {
                        peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await
                    }
                };
                told.is_ok()
            }
            Self::Subscription(sink) => {
                let told: Result<(), SubscriptionSendError> = match news {
                    News::Tools => sink.notify_tool_list_changed().await,
                    News::Prompts => sink.notify_prompt_list_changed().await,
                    News::Resources => sink.notify_resource_list_changed().await,
                    News::Resource(uri) => sink.notify_resource_updated(uri).await,
                };
                told.is_ok()
            }
        }
    }
}

/// The lists that depend on what procedures there are, where a server has such.
#[derive(PartialEq)]
struct Lists {
    tools: Vec<ProcedureTool>,
    prompts: Vec<Prompt>,
}

impl Lists {
    async fn of(server: &Server, services: &Services) -> Self {
        let selection = &server.options.selection;
        let tools = if selection.procedure_tools { procedure_tools::all(services).await } else { Ok(Vec::new()) };
        let prompts = if selection.template_prompts { prompts::of_templates(services).await } else { Ok(Vec::new()) };
        // What can't be read now is told by whoever asks for it.
        Self { tools: tools.unwrap_or_default(), prompts: prompts.unwrap_or_default() }
    }
}

impl Server {
    /// Tells a client of an older protocol what changes, until it has gone.
    pub(super) async fn tell_peer(self, peer: Peer<RoleServer>) {
        let followed = self.followed.clone();
        self.tell(&Listener::Peer(peer), &followed).await;
    }

    /// Tells a subscription what changes, until it ends.
    pub(super) async fn tell_subscription(&self, context: &SubscriptionContext) {
        let sink = context.sink().clone();
        let followed = Followed::default();
        if let Ok(services) = self.services().await {
            for uri in sink.accepted().resource_subscriptions.iter().flatten() {
                followed.add(services, uri.clone()).await;
            }
        }
        let listener = Listener::Subscription(sink);
        tokio::select! {
            () = self.tell(&listener, &followed) => {}
            () = context.cancelled() => {}
        }
    }

    async fn tell(&self, listener: &Listener, followed: &Followed) {
        // Where the home can't be opened nothing changes, and every call says so.
        let Ok(services) = self.services().await else { return };
        let mut changes = match services.watch().await {
            Ok(changes) => changes,
            Err(error) => {
                tracing::warn!(
                    error = error.in_full(),
                    "changes are not noticed, so that the client is not told of them"
                );
                return;
            }
        };
        let mut lists = Lists::of(self, services).await;
        loop {
            let changed = match services.next_change(changes).await {
                Ok((changed, next)) => {
                    changes = next;
                    changed
                }
                Err(error) => {
                    tracing::warn!(error = error.in_full(), "changes are not noticed any more");
                    return;
                }
            };
            let mut news = Vec::new();
            // Both depend on what is executed as well: a procedure earns its place.
            let now = Lists::of(self, services).await;
            if now.tools != lists.tools {
                news.push(News::Tools);
            }
            if now.prompts != lists.prompts {
                news.push(News::Prompts);
            }
            lists = now;
            if changed.procedures {
                news.push(News::Resources);
            }
            news.extend(followed.changed(services).await.into_iter().map(News::Resource));
            for news in news.into_iter().filter(|news| listener.wants(news)) {
                if !listener.tell(news).await {
                    return;
                }
            }
        }
    }
}
