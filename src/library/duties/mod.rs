//! What a process does for a home by itself, for as long as it has it open: it keeps the clock, goes on with open runs, keeps
//! the home from growing and learns. A server does so beside answering its client, a daemon does nothing else.

mod daemon;

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Services;
use crate::domain::Keeper;

pub use daemon::{keep_home, stores_to_keep};

/// How long what is done by itself may take to notice that it is over.
const LAST_MOMENT: Duration = Duration::from_millis(500);
/// How long all that is under way may take to end.
const LONGEST_END: Duration = Duration::from_millis(1300);

/// The duties of one process for the stores of one home, or of one tenant of it, while they are done.
pub struct Duties {
    stop: CancellationToken,
    work: JoinHandle<()>,
}

impl Duties {
    /// Begins with them as soon as the services are there. Where nothing can be written there is nothing to do.
    pub fn begin(keeper: Keeper, opening: impl Future<Output = Option<Arc<Services>>> + Send + 'static) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let work = tokio::spawn(async move {
            if let Some(services) = opening.await.filter(|services| services.library().read_only().is_none()) {
                tokio::join!(
                    services.keep_schedules(keeper, stopped.clone()),
                    services.keep_runs(stopped.clone()),
                    services.keep_small(stopped.clone()),
                    services.keep_learning(stopped)
                );
            }
        });
        Self { stop, work }
    }

    /// Ends them in good order, and with them everything that `services` execute: runs stay as they are saved, for the next
    /// process to go on with.
    pub async fn end(mut self, services: Option<&Arc<Services>>) {
        self.stop.cancel();
        let ending = async {
            if tokio::time::timeout(LAST_MOMENT, &mut self.work).await.is_err() {
                self.work.abort();
            }
            if let Some(services) = services {
                services.engine().shut_down().await;
            }
        };
        if tokio::time::timeout(LONGEST_END, ending).await.is_err() {
            tracing::warn!("not everything came to its end in time; the next process goes on with it");
        }
    }
}
