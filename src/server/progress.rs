//! Keeping a client informed during a long call, and noticing when it gave up.

use std::{sync::Arc, time::Duration};

use rmcp::{
    Peer, RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::RequestContext,
};
use tokio_util::sync::CancellationToken;

use super::{
    elicit::{Elicitation, Way},
    heard::Heard,
};
use crate::{
    domain::Decider,
    library::{
        Actor, Library, LibraryError, Services,
        runs::{Active, Asker, Progress},
    },
};

/// A call that takes longer than this is reported on, and again each time it has passed.
const INTERVAL: Duration = Duration::from_secs(2);

/// The call that a tool answers.
pub struct CallContext {
    cancelled: CancellationToken,
    peer: Peer<RoleServer>,
    token: Option<ProgressToken>,
    client: String,
    way: Option<Way>,
    may_execute: bool,
    /// The run that this call executes, if it does.
    run: Active,
    /// What the user said to a question, where this call brings that.
    pub(super) heard: Option<Heard>,
}

impl CallContext {
    /// The call that rmcp calls `context`, to a server that executes procedures or does not.
    #[must_use]
    pub fn of(context: &RequestContext<RoleServer>, may_execute: bool) -> Self {
        let client = context.meta.client_info().map(|info| info.name);
        let client = client.or_else(|| context.peer.peer_info().map(|info| info.client_info.name.clone()));
        Self {
            cancelled: context.ct.clone(),
            peer: context.peer.clone(),
            token: context.meta.get_progress_token(),
            client: client.map_or_else(|| "a client".to_owned(), |name| name.chars().take(60).collect()),
            way: Way::of(context),
            may_execute,
            run: Active::default(),
            heard: None,
        }
    }

    /// The client itself, which is an agent.
    #[must_use]
    pub fn agent(&self) -> Decider {
        Decider::Agent(self.client.clone())
    }

    /// The client's user.
    #[must_use]
    pub fn user(&self) -> Decider {
        Decider::Person(format!("{}'s user", self.client))
    }

    /// Whether the user is asked by the answer of the call.
    #[must_use]
    pub fn asks_by_rounds(&self) -> bool {
        self.way == Some(Way::Round)
    }

    /// Whether the client can put questions before its user.
    #[must_use]
    pub const fn can_ask(&self) -> bool {
        self.way.is_some()
    }

    /// Notes what the user said.
    pub(super) fn hear(&mut self, heard: Heard) {
        self.heard = Some(heard);
    }

    /// In whose hands the call is.
    pub(super) fn actor(&self) -> Actor {
        match &self.heard {
            Some(Heard::Agreed(digest)) => Actor::agreed(self.user(), digest.clone()),
            _ => Actor::new(self.agent(), self.can_ask()),
        }
    }

    /// How the user can be asked by a request, and how long they may take; `None` where they can't, or nobody is to be
    /// asked.
    pub(super) async fn asks_by_request(&self, services: &Services) -> Option<(Peer<RoleServer>, Duration)> {
        let config = services.blocking(Library::config).await.ok()?;
        let limit = Duration::from_secs(config.runs.ask_seconds);
        (self.way == Some(Way::Request) && !limit.is_zero()).then(|| (self.peer.clone(), limit))
    }

    /// Whether the server executes procedures: one that may change nothing does not.
    #[must_use]
    pub const fn may_execute(&self) -> bool {
        self.may_execute
    }

    /// A handle on a run that this call executes. The run can ask the user, where the client can.
    ///
    /// # Errors
    /// When the configuration can't be read.
    pub async fn active(&self, services: &Services) -> Result<Active, LibraryError> {
        let Some(way) = self.way else { return Ok(self.run.clone()) };
        let limit = Duration::from_secs(services.blocking(Library::config).await?.runs.ask_seconds);
        let asker = Elicitation { way, peer: self.peer.clone(), limit, decider: self.user() };
        let asker: Option<Arc<dyn Asker>> = if limit.is_zero() { None } else { Some(Arc::new(asker)) };
        Ok(self.run.clone().asking(asker))
    }

    /// Lets the call go on when its request is over; whoever gets the request's token tells it when that is cancelled by
    /// means of the other one.
    pub(super) fn detach(&mut self) -> (CancellationToken, CancellationToken) {
        let own = CancellationToken::new();
        (std::mem::replace(&mut self.cancelled, own.clone()), own)
    }

    /// A handle on the run that this call executes, if it does.
    #[must_use]
    pub fn run(&self) -> Active {
        self.run.clone()
    }

    /// Waits for `work`: cancels it through `cancel` when the client cancels the call, and reports what `describe` says
    /// of it when the client asked for that.
    pub async fn watch<T>(
        &self,
        cancel: &CancellationToken,
        describe: impl Fn() -> String,
        work: impl Future<Output = T>,
    ) -> T {
        tokio::pin!(work);
        let mut reports: u32 = 0;
        let mut cancelled = false;
        loop {
            tokio::select! {
                value = &mut work => return value,
                () = self.cancelled.cancelled(), if !cancelled => {
                    cancel.cancel();
                    cancelled = true;
                }
                () = tokio::time::sleep(INTERVAL), if self.token.is_some() => {
                    reports += 1;
                    self.report(reports, describe()).await;
                }
            }
        }
    }

    /// Waits for `work`, a run that `active` is a handle on.
    pub async fn watch_run<T>(&self, active: &Active, work: impl Future<Output = T>) -> T {
        self.watch(&active.cancel, || describe(&active.progress()), work).await
    }

    async fn report(&self, reports: u32, message: String) {
        let Some(token) = &self.token else { return };
        // The protocol wants a number that grows; how long the work will take is not known.
        let mut note = ProgressNotificationParam::new(token.clone(), f64::from(reports));
        note.message = Some(message);
        if let Err(error) = self.peer.notify_progress(note).await {
            tracing::debug!(%error, "a progress note was not sent");
        }
    }
}

fn describe(progress: &Progress) -> String {
    let step = progress.steps.first();
    let step = step.map_or_else(String::new, |step| format!("step {step} of {}: ", progress.steps_total));
    format!("{step}{} ({} host calls so far)", progress.doing, progress.calls)
}
