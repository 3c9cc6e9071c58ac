//! Our own runs teach as those of others do: a root run that ended is an outcome of the workflow that has the
//! procedure's name.
//!
//! The end of a run only puts it on a list. A serving process takes it from there later, so that nobody waits for it;
//! who takes it off, in the transaction that stores the outcome, has counted it, and nobody else does.

use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{
        learning::{Path, Trace},
        workflow::Counts,
    },
    library::{Library, LibraryError, Services, now_ms},
    storage::{CallName, EndedRun, NewOutcome, StorageError},
};

/// Runs that are taken at once: the write lock is not held for long.
const BATCH: u32 = 32;
const INTERVAL: Duration = Duration::from_secs(2);
/// How often it is looked for procedures that nobody uses.
const A_DAY: Duration = Duration::from_hours(24);
/// Between two batches: executions go first.
const BREATH: Duration = Duration::from_millis(20);
const MAX_ERROR_CHARS: usize = 2000;

impl Library {
    /// Learns now what a server or a daemon learns by and by: from runs that ended, from what was heard in sessions, and about
    /// procedures that nobody uses. Gives how many changes of procedures are proposed that were not before.
    ///
    /// # Errors
    /// [`LibraryError::Storage`], or what keeps procedures from being read.
    pub fn learn_now(&self) -> Result<usize, LibraryError> {
        while self.learn_from_ended_runs()? {}
        self.learn_from_sessions()?;
        self.look_at_unused()?;
        let mut proposed = 0;
        loop {
            let (is_more, is_new) = self.look_for_amendments()?;
            proposed += is_new;
            if !is_more {
                return Ok(proposed);
            }
        }
    }

    /// Looks at what is to be looked at, when no run is to be counted; `false` when there is no more.
    fn look_on(&self) -> Result<bool, LibraryError> {
        let (is_more, is_new) = self.look_for_amendments()?;
        if is_new > 0 {
            self.learned.notify_one();
        }
        Ok(is_more)
    }

    /// Learns from the next runs that ended; `false` when there are no more.
    fn learn_from_ended_runs(&self) -> Result<bool, LibraryError> {
        let read = self.database.read::<_, StorageError>(|reader| {
            let runs = reader.ended_runs(BATCH)?.into_iter().map(|run| {
                let calls = reader.call_names(&run.run_id)?;
                Ok((run, calls))
            });
            runs.collect::<Result<Vec<_>, StorageError>>()
        })?;
        if read.is_empty() {
            return Ok(false);
        }
        let outcomes: Vec<(String, Option<NewOutcome>)> =
            read.into_iter().map(|(run, calls)| (run.run_id.clone(), outcome_of(run, &calls))).collect();
        let now = now_ms();
        let candidates = self.database.write::<_, StorageError>(|writer| {
            let mut candidates = 0;
            for (run_id, outcome) in &outcomes {
                let is_ours = writer.take_ended_run(run_id)?;
                if is_ours {
                    let user = outcome.as_ref().map(|outcome| outcome.user.as_str());
                    writer.procedures_of_run(run_id)?.into_iter().try_for_each(|id| writer.look_at(id, user))?;
                }
                if let Some(outcome) = outcome
                    && is_ours
                    && writer.add_outcome(outcome)?.is_some()
                {
                    candidates += super::learn(writer, outcome, now)?.len();
                }
            }
            Ok(candidates)
        })?;
        if candidates > 0 {
            self.learned.notify_one();
        }
        Ok(true)
    }

    /// Forgets whose the sessions were that ended before `dead` was read: all their runs have been counted.
    fn forget_sessions(&self, dead: &[String]) -> Result<(), LibraryError> {
        if dead.is_empty() {
            return Ok(());
        }
        Ok(self
            .database
            .write::<_, StorageError>(|writer| dead.iter().try_for_each(|session| writer.forget_session(session)))?)
    }

    fn dead_sessions(&self) -> Result<Vec<String>, LibraryError> {
        let known = self.database.read(|reader| reader.known_sessions())?;
        Ok(known.into_iter().filter(|session| self.session.is_dead(session)).collect())
    }
}

impl Services {
    /// Learns from our own runs until `stop`, and has what was learned put in better words where a model is configured.
    pub async fn keep_learning(&self, stop: CancellationToken) {
        // What is urgent begins first. Afterwards its threads and connections are free: those of their own would stay.
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        tokio::join!(self.keep_counting(stop.clone()), self.keep_rewording(stop.clone()), self.keep_told(stop));
    }

    async fn keep_counting(&self, stop: CancellationToken) {
        let mut dead = self.blocking(Library::dead_sessions).await.unwrap_or_default();
        let mut unused = tokio::time::interval(A_DAY);
        loop {
            let pause = match self.blocking(Library::learn_from_ended_runs).await {
                Ok(true) => BREATH,
                Ok(false) => {
                    let dead = std::mem::take(&mut dead);
                    if let Err(error) = self.blocking(move |library| library.forget_sessions(&dead)).await {
                        tracing::debug!(%error, "sessions that ended can't be forgotten");
                    }
                    // Sessions of clients whose hooks had no time for it.
                    if let Err(error) = self.blocking(Library::learn_from_sessions).await {
                        tracing::warn!(%error, "what was heard in sessions is not learned from; it is tried again");
                    }
                    if unused.tick().now_or_never().is_some()
                        && let Err(error) = self.blocking(Library::look_at_unused).await
                    {
                        tracing::warn!(%error, "procedures that nobody uses are not looked for; they are tomorrow");
                    }
                    match self.blocking(Library::look_on).await {
                        Ok(true) => BREATH,
                        Ok(false) => INTERVAL,
                        Err(error) => {
                            tracing::warn!(%error, "procedures can't be looked at; it is tried again");
                            INTERVAL
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "runs that ended can't be learned from; they are tried again");
                    INTERVAL
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// A run as an outcome: its calls are the nodes, its parameters the state. `None` when nobody knows whose it is.
fn outcome_of(run: EndedRun, calls: &[CallName]) -> Option<NewOutcome> {
    let user = run.user?;
    let mut path = Path::default();
    calls.iter().for_each(|call| path.push(None, &node(call)));
    let mut trace = Trace { path, last_node: calls.last().map(node), ..Trace::default() };
    let parameters: Map<String, Value> = serde_json::from_str(&run.parameters).unwrap_or_default();
    trace.add_state(None, &parameters);
    let error_message = run.error.map(|error| {
        let error = run.error_type.map_or_else(|| error.clone(), |class| format!("{class}: {error}"));
        error.chars().take(MAX_ERROR_CHARS).collect::<String>()
    });
    let failed = calls.iter().filter(|call| call.failed).count();
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    #[expect(clippy::cast_possible_truncation, reason = "no run takes 2^63 milliseconds")]
    let duration_ms = run.duration_ms.round() as i64;
    Some(NewOutcome {
        pattern: super::pattern(&run.first_name, run.ended, &trace, error_message.as_deref()),
        user,
        workflow_id: run.procedure_name,
        run_id: run.run_id,
        procedure_id: Some(run.procedure_id),
        ended: run.ended,
        created_at: run.finished_at,
        counts: Counts {
            duration_ms,
            node_count: number(calls.len()),
            nodes_succeeded: number(calls.len() - failed),
            nodes_failed: number(failed),
        },
        error_message,
        artifacts: Vec::new(),
        trace: trace.cut(),
    })
}

fn node(call: &CallName) -> String {
    call.subject.as_ref().map_or_else(|| call.function.clone(), |subject| format!("{} {subject}", call.function))
}
