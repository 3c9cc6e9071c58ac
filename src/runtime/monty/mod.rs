//! The Monty interpreter in crash-isolated worker processes. The only module that knows Monty.

mod errors;
mod files;
mod session;
mod type_check;
mod values;
pub mod worker;
mod writes;

use std::{path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;
use monty_pool::{Checkout, Pool, PoolConfig, PoolError, ReplConfig};
use tokio::sync::OnceCell;

use super::{Bounds, Budget, HostModule, Limits, Runtime, RuntimeError, Session, Verdict, guarded};

/// Workers are replaced after this many sessions, so that a slow leak in one of them can't grow for ever.
const SESSIONS_PER_WORKER: u32 = 10_000;

/// A pool of worker processes, started with the first session.
pub struct Monty {
    binary: PathBuf,
    workers: usize,
    module: HostModule,
    pool: OnceCell<Pool>,
}

impl Monty {
    /// Workers are `binary subprocess` processes, at most `workers` at a time. Starts nothing yet.
    #[must_use]
    pub const fn new(binary: PathBuf, workers: usize, module: HostModule) -> Self {
        Self { binary, workers, module, pool: OnceCell::const_new() }
    }

    async fn pool(&self) -> Result<&Pool, RuntimeError> {
        self.pool
            .get_or_try_init(|| async {
                let mut config = PoolConfig::subprocess(&self.binary);
                config.max_processes = self.workers;
                config.max_checkouts_per_worker = Some(SESSIONS_PER_WORKER);
                Pool::new(config).await.map_err(RuntimeError::from)
            })
            .await
    }

    /// Waits for a worker to become free.
    async fn checkout(&self, config: &ReplConfig, budget: &Budget) -> Result<Checkout, RuntimeError> {
        let pool = self.pool().await?;
        // Boxed: starting a worker has a large state, which every future around it would carry along.
        let checkout = Box::pin(guarded(budget, async {
            match pool.checkout(config).await {
                // An idle worker may have been killed from outside since it was last used; the pool has dropped it now.
                Err(PoolError::Crashed { .. }) => pool.checkout(config).await,
                other => other,
            }
        }));
        Ok(checkout.await??)
    }
}

impl Runtime for Monty {
    fn id(&self) -> &'static str {
        "monty 1.4.0"
    }

    fn open<'a>(&'a self, bounds: Bounds<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, RuntimeError>> {
        Box::pin(self.open_session(bounds))
    }

    fn check<'a>(
        &'a self,
        code: &'a str,
        stub: &'a str,
        limits: Limits,
        budget: Arc<Budget>,
    ) -> BoxFuture<'a, Result<Verdict, RuntimeError>> {
        Box::pin(self.check_types(code, stub, limits, budget))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Some(pool) = self.pool.get() {
                pool.close().await;
            }
        })
    }
}
