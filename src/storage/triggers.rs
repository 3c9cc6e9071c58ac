//! What starts procedures by itself: the index of triggers, and the ticks of schedules.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};
use serde_json::json;

use super::{
    Reader, StorageError, Writer,
    json::Json,
    procedures::{OWN, VISIBLE},
};
use crate::domain::{
    Definition, Status, Trigger,
    trigger::{IndexKeys, TimeTrigger},
};

/// Keys of one trigger that are compared, and how far those who use a key are counted.
const MAX_COMPARED: usize = 16;
const ENOUGH_TO_TELL: u32 = 100;
/// Ticks are remembered for this long after they were taken.
const KEPT_MS: i64 = 30 * 24 * 3600 * 1000;
/// A tick that a process took and did not start is started by another one up to this much later.
const LATEST_MS: i64 = 24 * 3600 * 1000;

/// A trigger that may match, and what its procedure is ranked by.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerRow {
    pub procedure_id: i64,
    pub trigger: Trigger,
    /// Executions that succeeded.
    pub successes: u64,
    /// Executions that failed.
    pub failures: u64,
    /// Executions that were started.
    pub uses: u64,
    /// Start of the latest run in milliseconds since 1970, or when the definition was changed, whichever is later.
    pub used_at: i64,
}

/// A tick that this process has taken, and must start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// What is to be executed.
    pub procedure_id: i64,
    /// When it was due, in milliseconds since 1970.
    pub due: i64,
    pub schedule: TimeTrigger,
}

/// What the schedules of a user wait for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The next tick, in milliseconds since 1970.
    pub next_due: Option<i64>,
    /// Other sessions that have taken ticks which have not ended.
    pub sessions: Vec<String>,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<TriggerRow> {
    Ok(TriggerRow {
        procedure_id: row.get("procedure_id")?,
        trigger: row.get::<_, Json<Trigger>>("trigger")?.0,
        successes: row.get("successes")?,
        failures: row.get("failures")?,
        uses: row.get("uses")?,
        used_at: row.get("used_at")?,
    })
}

impl Reader<'_> {
    /// Triggers that may match: events of `event_type`, and conditions with one of `keys`, which are of the kinds `kinds`.
    /// Of the procedures that `user` may read, or with `own_only` only of their own.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn triggers(
        &self,
        user: &str,
        own_only: bool,
        event_type: Option<&str>,
        kinds: &[&str],
        keys: &BTreeSet<String>,
    ) -> Result<Vec<TriggerRow>, StorageError> {
        let whose = if own_only { OWN } else { VISIBLE };
        let sql = format!(
            "SELECT procedure_id, triggers.definition AS trigger, successes, failures, uses, \
             max(coalesce(last_run_at, 0), updated_at * 1000) AS used_at \
             FROM triggers JOIN procedures ON id = procedure_id WHERE {whose} AND ( \
             (kind = 'event' AND key = :event) OR \
             (kind IN (SELECT value FROM json_each(:kinds)) AND key IN (SELECT value FROM json_each(:keys))))"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let (kinds, keys) = (json!(kinds).to_string(), json!(keys).to_string());
        let rows = statement
            .query_map(named_params! {":user": user, ":event": event_type, ":kinds": kinds, ":keys": keys}, from_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many procedures of `user` the clock starts, and when the next of them is due, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn schedules(&self, user: &str) -> Result<(u64, Option<i64>), StorageError> {
        let sql = format!(
            "SELECT count(*), min(next_due) FROM schedules JOIN procedures ON id = procedure_id \
             WHERE {OWN} AND deleted_at IS NULL"
        );
        let parameters = named_params! {":user": user};
        Ok(self.0.prepare_cached(&sql)?.query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// What the schedules that the process of `user` keeps wait for.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn waiting_schedules(&self, user: &str, session: &str) -> Result<Waiting, StorageError> {
        let sql = format!(
            "SELECT next_due FROM schedules JOIN procedures ON id = procedure_id WHERE {OWN} AND deleted_at IS NULL \
             ORDER BY next_due LIMIT 1"
        );
        let next_due =
            self.0.prepare_cached(&sql)?.query_row(named_params! {":user": user}, |row| row.get(0)).optional()?;
        let mut statement =
            self.0.prepare_cached("SELECT DISTINCT session FROM ticks WHERE ended_at IS NULL AND session <> ?1")?;
        let sessions = statement.query_map([session], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Waiting { next_due, sessions })
    }
}

impl Writer<'_> {
    /// Indexes the trigger of a definition. A schedule that is new begins `now`, in milliseconds since 1970.
    pub(super) fn index_trigger(&self, id: i64, definition: &Definition, now: i64) -> Result<(), StorageError> {
        let startable = definition.enabled && definition.status == Status::Active;
        let Some(trigger) = definition.trigger.as_ref().filter(|_| startable) else { return self.remove_trigger(id) };
        let keys = trigger.index_keys();
        if self.was_otherwise(id, trigger)? {
            self.forget_called(id)?;
        }
        self.0
            .0
            .prepare_cached(
                "INSERT OR REPLACE INTO triggers (procedure_id, kind, key, definition) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![id, keys.kind, self.rarest(&keys)?, Json(trigger)])?;
        match trigger.time() {
            Some(schedule) => self.keep_schedule(id, schedule, now),
            None => self.remove_schedule(id),
        }
    }

    fn was_otherwise(&self, id: i64, trigger: &Trigger) -> Result<bool, StorageError> {
        let mut statement = self.0.0.prepare_cached("SELECT definition FROM triggers WHERE procedure_id = ?1")?;
        let known = statement.query_row([id], |row| row.get::<_, Json<Trigger>>(0)).optional();
        // What can't be read any more was written by another program.
        Ok(known.map_or(true, |known| known.is_some_and(|Json(known)| known != *trigger)))
    }

    /// The key that the fewest others are kept under: what all have in common narrows no search.
    fn rarest<'k>(&self, keys: &'k IndexKeys) -> Result<&'k str, StorageError> {
        let mut count = self
            .0
            .0
            .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM triggers WHERE kind = ?1 AND key = ?2 LIMIT ?3)")?;
        let mut rarest = (u32::MAX, "");
        for key in keys.keys.iter().take(MAX_COMPARED) {
            let used: u32 = count.query_row(params![keys.kind, key, ENOUGH_TO_TELL], |row| row.get(0))?;
            if used < rarest.0 {
                rarest = (used, key);
            }
        }
        Ok(rarest.1)
    }

    fn keep_schedule(&self, id: i64, schedule: &TimeTrigger, now: i64) -> Result<(), StorageError> {
        let Some(next_due) = next_due(schedule, now) else { return self.remove_schedule(id) };
        self.0
            .0
            .prepare_cached(
                "INSERT INTO schedules (procedure_id, cron, timezone, next_due) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT DO UPDATE SET cron = ?2, timezone = ?3, next_due = ?4 WHERE cron <> ?2 OR timezone <> ?3",
            )?
            .execute(params![id, schedule.cron, schedule.timezone, next_due])?;
        Ok(())
    }

    fn remove_schedule(&self, id: i64) -> Result<(), StorageError> {
        self.0.0.prepare_cached("DELETE FROM schedules WHERE procedure_id = ?1")?.execute([id])?;
        Ok(())
    }

    pub(super) fn remove_trigger(&self, id: i64) -> Result<(), StorageError> {
        self.0.0.prepare_cached("DELETE FROM triggers WHERE procedure_id = ?1")?.execute([id])?;
        self.forget_called(id)?;
        self.remove_schedule(id)
    }

    /// Takes the ticks that are due at `now` for `session`: one per procedure, however many were missed. And those that
    /// one of the `dead` sessions took but did not come to start.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn claim_ticks(&self, user: &str, session: &str, dead: &[String], now: i64) -> Result<Vec<Tick>, StorageError> {
        let sql = format!(
            "SELECT procedure_id, next_due, cron, timezone FROM schedules JOIN procedures ON id = procedure_id \
             WHERE next_due <= :now AND {OWN} AND deleted_at IS NULL ORDER BY next_due, procedure_id"
        );
        let due: Vec<Tick> = self
            .0
            .0
            .prepare_cached(&sql)?
            .query_map(named_params! {":now": now, ":user": user}, tick_from_row)?
            .collect::<Result<_, _>>()?;
        let mut taken = self.take_over(user, session, dead, now)?;
        for tick in due {
            match next_due(&tick.schedule, now) {
                Some(next) => self
                    .0
                    .0
                    .prepare_cached("UPDATE schedules SET next_due = ?2 WHERE procedure_id = ?1")?
                    .execute(params![tick.procedure_id, next])
                    .map(drop)?,
                None => self.remove_schedule(tick.procedure_id)?,
            }
            let inserted = self
                .0
                .0
                .prepare_cached(
                    "INSERT OR IGNORE INTO ticks (procedure_id, tick, session, claimed_at) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![tick.procedure_id, tick.due, session, now])?;
            self.0
                .0
                .prepare_cached("DELETE FROM ticks WHERE procedure_id = ?1 AND claimed_at < ?2")?
                .execute(params![tick.procedure_id, now - KEPT_MS])?;
            if inserted > 0 {
                taken.push(tick);
            }
        }
        Ok(taken)
    }

    /// Ticks of sessions that ended between taking and starting them. Where the procedure has run since, it may have
    /// been for the tick: better not twice.
    fn take_over(&self, user: &str, session: &str, dead: &[String], now: i64) -> Result<Vec<Tick>, StorageError> {
        if dead.is_empty() {
            return Ok(Vec::new());
        }
        let dead = json!(dead).to_string();
        let sql = format!(
            "UPDATE ticks SET session = :session, claimed_at = :now \
             WHERE ended_at IS NULL AND session IN (SELECT value FROM json_each(:dead)) AND claimed_at > :earliest \
             AND procedure_id IN (SELECT procedure_id FROM schedules JOIN procedures ON id = procedure_id WHERE {OWN} AND deleted_at IS NULL) \
             AND NOT EXISTS (SELECT 1 FROM runs \
                             WHERE runs.procedure_id = ticks.procedure_id AND started_at >= ticks.claimed_at) \
             RETURNING procedure_id, tick"
        );
        let parameters = named_params! {
            ":session": session, ":now": now, ":dead": dead, ":earliest": now - LATEST_MS, ":user": user,
        };
        let taken: Vec<(i64, i64)> = self
            .0
            .0
            .prepare_cached(&sql)?
            .query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        self.0
            .0
            .prepare_cached(
                "UPDATE ticks SET ended_at = ?2 \
                 WHERE ended_at IS NULL AND session IN (SELECT value FROM json_each(?1))",
            )?
            .execute(params![dead, now])?;
        let mut schedule = self.0.0.prepare_cached(
            "SELECT procedure_id, ?2 AS next_due, cron, timezone FROM schedules WHERE procedure_id = ?1",
        )?;
        let mut ticks = Vec::new();
        for (id, tick) in taken {
            ticks.push(schedule.query_row([id, tick], tick_from_row)?);
        }
        Ok(ticks)
    }

    /// Says that the run of a tick ended, or will not come.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn end_tick(&self, tick: &Tick, at: i64) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached("UPDATE ticks SET ended_at = ?3 WHERE procedure_id = ?1 AND tick = ?2")?
            .execute(params![tick.procedure_id, tick.due, at])?;
        Ok(())
    }
}

fn tick_from_row(row: &Row<'_>) -> rusqlite::Result<Tick> {
    Ok(Tick {
        procedure_id: row.get("procedure_id")?,
        due: row.get("next_due")?,
        schedule: TimeTrigger { cron: row.get("cron")?, timezone: row.get("timezone")? },
    })
}

/// The tick after `now`, in milliseconds since 1970.
fn next_due(schedule: &TimeTrigger, now: i64) -> Option<i64> {
    let after = Timestamp::from_millisecond(now).ok()?;
    Some(schedule.schedule().ok()?.next_after(after)?.as_millisecond())
}
