//! Starting procedures when their schedule says so, for as long as a server or a daemon runs.
//!
//! All processes of a home keep the same schedules. A tick belongs to the one that takes it, in a transaction that the
//! others wait for, so it fires once; what was missed while none ran fires once as well, when the next one starts.

use std::{sync::Arc, time::Duration};

use serde_json::Map;
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::events::{AT_ONCE, Cause, is_startable};
use crate::{
    domain::Keeper,
    library::{
        Library, LibraryError, ProcedureRef, Services, blocking, now_ms, rfc3339_ms,
        runs::{Active, Engine, Refused},
    },
    storage::{StorageError, Tick, Waiting},
};

/// At the latest after this, the scheduler looks again: another process may have changed a procedure, the system's clock may
/// have been set, or the machine may have slept.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// Ticks to start now, and when to look again.
struct Due {
    ticks: Vec<Tick>,
    look_again: Duration,
}

impl Library {
    /// Takes what is due, and notes that this process looks. Only schedules of this user and of nobody are looked at: those of others run in their servers,
    /// and what is shared by nobody is there to be copied.
    fn take_due_ticks(&self, keeper: Keeper) -> Result<Due, LibraryError> {
        self.note_keeper(keeper)?;
        self.refresh()?;
        let look = || self.database.read(|reader| reader.waiting_schedules(&self.user, self.session.id()));
        let Waiting { next_due, sessions } = look()?;
        let dead: Vec<String> = sessions.into_iter().filter(|session| self.session.is_dead(session)).collect();
        let now = now_ms();
        if dead.is_empty() && next_due.is_none_or(|due| due > now) {
            return Ok(Due { ticks: Vec::new(), look_again: pause_until(next_due, now) });
        }
        let ticks = self
            .database
            .write::<_, StorageError>(|writer| writer.claim_ticks(&self.user, self.session.id(), &dead, now))?;
        let next_due = look()?.next_due;
        Ok(Due { ticks, look_again: pause_until(next_due, now_ms()) })
    }
}

fn pause_until(due: Option<i64>, now: i64) -> Duration {
    let left = due.map_or(LONGEST_SLEEP, |due| Duration::from_millis(u64::try_from(due - now).unwrap_or(0)));
    left.min(LONGEST_SLEEP)
}

impl Services {
    /// Starts procedures by their schedules until `stop`. What takes time happens on other threads: this one speaks to
    /// the client.
    pub async fn keep_schedules(&self, keeper: Keeper, stop: CancellationToken) {
        let (mut runs, places) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
        loop {
            // Before looking, so that no change falls in between.
            let changed = self.library().changed.notified();
            let look_again = match self.blocking(move |library| library.take_due_ticks(keeper)).await {
                Ok(due) => {
                    for tick in due.ticks {
                        let (library, engine) = (self.library_handle(), self.engine_handle());
                        runs.spawn(start(library, engine, tick, Arc::clone(&places), stop.clone()));
                    }
                    due.look_again
                }
                Err(error) => {
                    tracing::warn!(%error, "the schedules can't be looked at; they are tried again");
                    LONGEST_SLEEP
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = changed => {}
                () = tokio::time::sleep(look_again) => {}
            }
            while runs.try_join_next().is_some() {}
        }
        // They end with the engine, and record that.
        runs.detach_all();
    }
}

async fn start(
    library: Arc<Library>,
    engine: Arc<Engine>,
    tick: Tick,
    places: Arc<Semaphore>,
    stop: CancellationToken,
) {
    let _place = places.acquire().await;
    if stop.is_cancelled() {
        // Not ended either, so that the next process starts it.
        return;
    }
    let (id, due) = (tick.procedure_id, rfc3339_ms(tick.due));
    match run(&library, &engine, &tick, &due).await {
        Ok(()) => {}
        // The next process starts it.
        Err(Refused { error: LibraryError::ShuttingDown, .. }) => return,
        Err(Refused { error, run_id: run }) => {
            tracing::warn!(procedure = id, due, run, %error, "a scheduled run was not started");
        }
    }
    let ended =
        blocking(&library, move |library| Ok(library.database.write(|writer| writer.end_tick(&tick, now_ms()))?));
    if let Err(error) = ended.await {
        tracing::warn!(procedure = id, due, %error, "the end of a scheduled run was not recorded");
    }
}

async fn run(library: &Arc<Library>, engine: &Engine, tick: &Tick, due: &str) -> Result<(), Refused> {
    let wanted = ProcedureRef::Id(tick.procedure_id);
    let found = blocking(library, move |library| library.procedure(&wanted)).await;
    let found = found.map_err(|error| Refused { error, run_id: None })?;
    if !is_startable(&found) {
        return Ok(());
    }
    let name = found.definition.name.to_string();
    let parameters = match tick.schedule.schedule() {
        Ok(schedule) => {
            let shown = schedule.wall_clock(jiff::Timestamp::now());
            Cause::tick(due, &shown, &tick.schedule.timezone).parameters_of(&found)
        }
        Err(_) => Map::new(),
    };
    tracing::info!(procedure = name, due, "a scheduled run starts");
    let execution = engine.execute_uncalled(&found, parameters, Active::unheard()).await?;
    let (run, outcome) = (execution.run_id, execution.outcome.as_str());
    let error = execution.error.map(|error| error.message).unwrap_or_default();
    tracing::info!(procedure = name, due, run, outcome, error, "a scheduled run came to an end or a pause");
    Ok(())
}
