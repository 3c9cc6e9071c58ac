//! One server of the configuration: started on first use, kept, started again after a crash, but not at once when it
//! keeps crashing.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{RwLock, RwLockReadGuard, watch},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{DownstreamError, connection::Connection, waiting::Waiting, walls::MakeWalls};
use crate::config::ServerSettings;

/// A server that has lasted this long is not one that keeps crashing.
const STABLE: Duration = Duration::from_mins(1);
/// After the second failure in a row; twice as long after each one more.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_mins(1);
/// How long ending a server may hold up our own end.
const CLOSE: Duration = Duration::from_secs(3);

/// A server with the settings that it was or will be started with.
pub(super) struct Server {
    name: String,
    pub(super) settings: ServerSettings,
    walls: MakeWalls,
    state: Mutex<State>,
    closed: CancellationToken,
    /// Read by every call while it lasts.
    in_use: RwLock<()>,
}

struct State {
    phase: Phase,
    failures: Failures,
}

/// What the start came to: the connection, or why there is none.
type Started = Option<Result<Arc<Connection>, String>>;

enum Phase {
    Idle,
    Starting(watch::Receiver<Started>),
    Running(Arc<Connection>),
}

impl Server {
    pub(super) fn new(name: &str, settings: &ServerSettings, walls: MakeWalls) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            settings: settings.clone(),
            walls,
            state: Mutex::new(State { phase: Phase::Idle, failures: Failures::default() }),
            closed: CancellationToken::new(),
            in_use: RwLock::default(),
        })
    }

    /// Its name in the configuration.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Notes that somebody uses the server.
    pub(super) async fn used(&self) -> RwLockReadGuard<'_, ()> {
        self.in_use.read().await
    }

    /// Returns when nobody uses it.
    pub(super) async fn unused(&self) {
        drop(self.in_use.write().await);
    }

    /// A connection: the one that there is, the one that somebody else is opening, or a new one.
    pub(super) async fn connection(
        self: &Arc<Self>,
        waiting: &Waiting<'_>,
    ) -> Result<Arc<Connection>, DownstreamError> {
        let mut starting = match self.look()? {
            Phase::Running(connection) => return Ok(connection),
            Phase::Starting(starting) => starting,
            Phase::Idle => return Err(self.start_error("it was stopped".to_owned())),
        };
        let started = waiting.on(starting.wait_for(Option::is_some)).await?;
        let started = started.ok().and_then(|started| started.clone());
        started.unwrap_or_else(|| Err("it was stopped".to_owned())).map_err(|message| self.start_error(message))
    }

    /// Where the server stands. Starts it when it is not there and has had its rest.
    fn look(self: &Arc<Self>) -> Result<Phase, DownstreamError> {
        let mut state = self.state();
        if self.closed.is_cancelled() {
            return Ok(Phase::Idle);
        }
        if let Phase::Running(connection) = &state.phase {
            let Some(ending) = connection.ending() else { return Ok(Phase::Running(Arc::clone(connection))) };
            tracing::info!(server = self.name, why = ending.message, "an MCP server ended");
            let lasted = connection.lasted_until(ending.at);
            state.phase = Phase::Idle;
            state.failures.add(ending.at, lasted, ending.message);
        }
        if let Phase::Starting(starting) = &state.phase {
            return Ok(Phase::Starting(starting.clone()));
        }
        let now = Instant::now();
        if let Some(wait) = state.failures.rest_at(now) {
            return Err(DownstreamError::Resting {
                server: self.name.clone(),
                failures: state.failures.count,
                wait,
                message: state.failures.last.clone(),
            });
        }
        let (sender, starting) = watch::channel(None);
        state.phase = Phase::Starting(starting.clone());
        // On a task of its own: who asked first may give up while others wait.
        tokio::spawn(Arc::clone(self).start(sender));
        Ok(Phase::Starting(starting))
    }

    async fn start(self: Arc<Self>, sender: watch::Sender<Started>) {
        tracing::debug!(server = self.name, "an MCP server is started");
        let opened = tokio::select! {
            biased;
            () = self.closed.cancelled() => Err("it was stopped".to_owned()),
            opened = Connection::open(&self.name, &self.settings, self.walls) => opened.map(Arc::new),
        };
        {
            let mut state = self.state();
            state.phase = match &opened {
                Ok(connection) => Phase::Running(Arc::clone(connection)),
                Err(message) => {
                    state.failures.add(Instant::now(), Duration::ZERO, message.clone());
                    Phase::Idle
                }
            };
        }
        if self.closed.is_cancelled()
            && let Ok(connection) = &opened
        {
            connection.close().await;
        }
        sender.send_replace(Some(opened));
    }

    /// Ends the server for good.
    pub(super) async fn close(&self) {
        self.closed.cancel();
        let phase = std::mem::replace(&mut self.state().phase, Phase::Idle);
        let ended = timeout(CLOSE, async {
            match phase {
                Phase::Running(connection) => connection.close().await,
                Phase::Starting(mut starting) => drop(starting.wait_for(Option::is_some).await),
                Phase::Idle => {}
            }
        });
        if ended.await.is_err() {
            tracing::warn!(server = self.name, "an MCP server did not end in time");
        }
    }

    fn start_error(&self, message: String) -> DownstreamError {
        DownstreamError::Start { server: self.name.clone(), message }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Failures in a row.
#[derive(Default)]
struct Failures {
    count: u32,
    last: String,
    rests_until: Option<Instant>,
}

impl Failures {
    /// Notes a failure. The first one costs nothing: anything may crash once.
    fn add(&mut self, at: Instant, lasted: Duration, message: String) {
        self.count = if lasted >= STABLE { 1 } else { self.count.saturating_add(1) };
        self.last = message;
        let rest = match self.count {
            0 | 1 => Duration::ZERO,
            count => FIRST_REST.saturating_mul(1 << (count - 2).min(16)).min(LONGEST_REST),
        };
        self.rests_until = at.checked_add(rest);
    }

    /// How long it still rests at `now`.
    fn rest_at(&self, now: Instant) -> Option<Duration> {
        let left = self.rests_until?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_double_and_end() {
        let (mut failures, now) = (Failures::default(), Instant::now());
        let mut rests = Vec::new();
        for _ in 0..9 {
            failures.add(now, Duration::ZERO, "crash".to_owned());
            rests.push(failures.rest_at(now).map_or(0, |rest| rest.as_secs()));
        }
        assert_eq!(rests, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(failures.rest_at(now + Duration::from_mins(1)), None);
        failures.add(now, STABLE, "crash".to_owned());
        assert_eq!((failures.count, failures.rest_at(now)), (1, None));
    }
}
