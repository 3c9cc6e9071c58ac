//! Conditions call for a procedure as they become true. What they have called for is remembered, across processes.

use serde_json::{Map, Value};

use crate::{
    domain::{
        Trigger,
        trigger::{ConditionTrigger, after},
    },
    library::{Library, LibraryError, now_ms},
    storage::{Reader, StorageError, TriggerRow},
};

/// Subjects are kept as they are up to this length.
const MAX_SUBJECT_BYTES: usize = 200;

/// A condition that an event says something of.
struct Seen {
    row: TriggerRow,
    subject: String,
    holds: bool,
    cooldown_ms: i64,
}

impl Seen {
    fn of(row: TriggerRow, payload: &Map<String, Value>) -> Option<Self> {
        let Trigger::Condition(condition) = &row.trigger else { return None };
        let holds = condition.state(payload)?;
        let ConditionTrigger { cooldown_seconds, .. } = condition;
        let (subject, cooldown_ms) =
            (kept(condition.subject(payload)), i64::from(cooldown_seconds.unwrap_or(0)) * 1000);
        Some(Self { row, subject, holds, cooldown_ms })
    }

    /// What is to be remembered, where that is something else than before, and whether it calls.
    fn look(&self, reader: &Reader<'_>, now: i64) -> Result<(bool, Option<Change>), StorageError> {
        let known = reader.called(self.row.procedure_id, &self.subject)?;
        let (next, calls) = after(known, self.holds, self.cooldown_ms, now);
        Ok((calls, (next != known).then_some(Change(next))))
    }
}

struct Change(Option<crate::domain::trigger::Called>);

impl Library {
    /// Those of `rows` whose condition becomes true with `payload`. One event of several processes at once is one of them
    /// after the other: only one finds that it becomes true.
    pub(super) fn becoming_true(
        &self,
        rows: Vec<TriggerRow>,
        payload: &Map<String, Value>,
    ) -> Result<Vec<TriggerRow>, LibraryError> {
        let seen: Vec<Seen> = rows.into_iter().filter_map(|row| Seen::of(row, payload)).collect();
        let now = now_ms();
        // While nothing changes, which is nearly always, nobody waits for the write lock.
        let changes = self.database.read::<_, StorageError>(|reader| {
            let looks = seen.iter().map(|seen| Ok(seen.look(reader, now)?.1.is_some()));
            looks.collect::<Result<Vec<bool>, StorageError>>()
        })?;
        let changed: Vec<Seen> =
            seen.into_iter().zip(changes).filter_map(|(seen, changes)| changes.then_some(seen)).collect();
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.database.write::<_, StorageError>(|writer| {
            let mut calling = Vec::new();
            for seen in &changed {
                let (calls, change) = seen.look(writer, now)?;
                if let Some(Change(next)) = change {
                    writer.note_called(seen.row.procedure_id, &seen.subject, next)?;
                }
                if calls {
                    calling.push(seen.row.clone());
                }
            }
            Ok(calling)
        })?)
    }
}

/// A subject as it is remembered.
fn kept(subject: String) -> String {
    if subject.len() <= MAX_SUBJECT_BYTES { subject } else { blake3::hash(subject.as_bytes()).to_hex().to_string() }
}
