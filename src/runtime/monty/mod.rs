//! The Monty interpreter in crash-isolated worker processes. The only module that knows Monty.
//!
//! Callers hand in Python code and JSON values and get [`Turn`]s back: a call to a host function that they answer, or
//! the end. What a host function may do is not decided here. Start at [`Sandbox`].

mod budget;
mod check;
mod errors;
mod session;
mod values;
pub mod worker;

use std::path::PathBuf;

use monty_pool::{Pool, PoolConfig};
use tokio::sync::OnceCell;

pub use budget::{Budget, Capture};
pub use check::{TypeFinding, Verdict};
pub use errors::{PythonError, SandboxError};
pub use session::{Mount, Reply, Session, SessionLimits, Turn};

/// Workers are replaced after this many sessions, so that a slow leak in one of them can't grow for ever.
const SESSIONS_PER_WORKER: u32 = 10_000;

/// The interpreter that saved states are of. Another one may not understand them.
pub const INTERPRETER: &str = "monty 1.4.0";

/// The name of the host module.
const MODULE: &str = "repertoire";

/// The function of a [`Turn::Call`] by which the code sleeps without holding up what it gathered.
pub const SLEEP: &str = "asyncio.sleep";

/// What `from repertoire import …` finds.
#[derive(Debug, Clone, Copy)]
pub struct HostModule {
    /// Functions, and classes where the name is capitalised.
    pub names: &'static [&'static str],
}

/// A pool of worker processes, started with the first session.
pub struct Sandbox {
    binary: PathBuf,
    workers: usize,
    host: HostModule,
    pool: OnceCell<Pool>,
}

impl Sandbox {
    /// A sandbox whose workers are `binary subprocess` processes, at most `workers` at a time, in which
    /// `from repertoire import …` finds `host`. Starts nothing yet.
    #[must_use]
    pub const fn new(binary: PathBuf, workers: usize, host: HostModule) -> Self {
        Self { binary, workers, host, pool: OnceCell::const_new() }
    }

    async fn pool(&self) -> Result<&Pool, SandboxError> {
        self.pool
            .get_or_try_init(|| async {
                let mut config = PoolConfig::subprocess(&self.binary);
                config.max_processes = self.workers;
                config.max_checkouts_per_worker = Some(SESSIONS_PER_WORKER);
                Pool::new(config).await.map_err(SandboxError::from)
            })
            .await
    }

    /// Lets the idle workers exit.
    pub async fn close(&self) {
        if let Some(pool) = self.pool.get() {
            pool.close().await;
        }
    }
}
