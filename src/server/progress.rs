//! Keeping a client informed during a long call, and noticing when it gave up.

use std::time::Duration;

use rmcp::{
    Peer, RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
};
use tokio_util::sync::CancellationToken;

use crate::library::runs::{Active, Progress};

/// A call that takes longer than this is reported on, and again each time it has passed.
const INTERVAL: Duration = Duration::from_secs(2);

/// The call that a tool answers.
pub struct CallContext {
    cancelled: CancellationToken,
    peer: Peer<RoleServer>,
    token: Option<ProgressToken>,
}

impl CallContext {
    /// A call whose client cancels it through `cancelled` and wants progress under `token`.
    #[must_use]
    pub const fn new(cancelled: CancellationToken, peer: Peer<RoleServer>, token: Option<ProgressToken>) -> Self {
        Self { cancelled, peer, token }
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
    let step = progress.step.map_or_else(String::new, |step| format!("step {step} of {}: ", progress.steps_total));
    format!("{step}{} ({} host calls so far)", progress.doing, progress.calls)
}
