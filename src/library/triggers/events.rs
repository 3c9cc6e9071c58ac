//! Finding the procedures that a situation or an event calls for, and starting those of an event.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use jiff::civil::DateTime;
use serde_json::{Map, Value, json};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    domain::{Procedure, Status, Trigger, trigger::context_keys},
    library::{
        Library, LibraryError, Services,
        runs::{Active, Execution, Refused},
    },
    storage::TriggerRow,
    validation,
};

/// How many procedures are executed at the same time for one event, or for the ticks of one process. Time that a run
/// waits for a worker is taken from its own.
pub(in crate::library) const AT_ONCE: usize = 4;
const MAX_EVENT_CHARS: usize = 200;

/// What a tick brings.
const TICK_FIELDS: [&str; 4] = ["scheduled_at", "date", "time", "timezone"];
/// Parameters that get all of what an event or a tick brings.
const WHOLE: [&str; 2] = ["trigger", "event"];

/// What became of a procedure that an event called for.
#[derive(Debug)]
pub struct Triggered {
    /// Its handle.
    pub procedure_id: i64,
    pub name: String,
    /// Its run, or why it did not start.
    pub execution: Result<Execution, Refused>,
}

impl Library {
    /// The procedures that the situation `context` calls for, best first: by the share of executions that succeeded,
    /// then by how many there were, then by which was used or changed last.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn match_procedures(&self, context: &Map<String, Value>, limit: usize) -> Result<Vec<Procedure>, LibraryError> {
        self.refresh()?;
        let event_type = context.get("event_type").and_then(Value::as_str);
        let keys = context_keys(context);
        let found = self
            .database
            .read(|reader| reader.triggers(&self.user, false, event_type, &["condition", "conditions"], &keys))?;
        let matching = found.into_iter().filter(|row| row.trigger.matches_context(context)).collect();
        self.ranked_procedures(matching, limit)
    }

    /// The procedures that an event calls for, best first: of the user's own, because what the others share gets nothing
    /// that it was not called with. Templates are there to be copied, and the copies are called.
    fn called_for(&self, event_type: &str, payload: &Map<String, Value>) -> Result<Vec<Procedure>, LibraryError> {
        self.refresh()?;
        let keys = context_keys(payload);
        let found =
            self.database.read(|reader| reader.triggers(&self.user, true, Some(event_type), &["condition"], &keys))?;
        let (conditions, others): (Vec<TriggerRow>, Vec<TriggerRow>) =
            found.into_iter().partition(|row| matches!(row.trigger, Trigger::Condition(_)));
        let mut matching: Vec<TriggerRow> =
            others.into_iter().filter(|row| row.trigger.matches_event(event_type, payload)).collect();
        matching.extend(self.becoming_true(conditions, payload)?);
        let mut called = self.ranked_procedures(matching, usize::MAX)?;
        called.retain(|row| !row.definition.is_template());
        Ok(called)
    }

    fn ranked_procedures(&self, mut rows: Vec<TriggerRow>, limit: usize) -> Result<Vec<Procedure>, LibraryError> {
        rows.sort_by(|a, b| {
            success_rate(b)
                .total_cmp(&success_rate(a))
                .then_with(|| evidence(b).cmp(&evidence(a)))
                .then_with(|| (Reverse(a.used_at), a.procedure_id).cmp(&(Reverse(b.used_at), b.procedure_id)))
        });
        rows.truncate(limit);
        self.database.read(|reader| {
            let found = rows.iter().map(|row| reader.procedure(row.procedure_id)).collect::<Result<Vec<_>, _>>()?;
            Ok(found.into_iter().flatten().filter(|row| row.deleted_at.is_none()).collect())
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn success_rate(row: &TriggerRow) -> f64 {
    let finished = row.successes + row.failures;
    if finished == 0 { 0.0 } else { row.successes as f64 / finished as f64 }
}

/// More executions say more for a procedure that succeeds. For one that never did they say more against it, so that
/// what was never tried comes before it.
fn evidence(row: &TriggerRow) -> i64 {
    let count = if row.successes > 0 { row.uses } else { row.failures };
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    if row.successes > 0 { count } else { -count }
}

impl Services {
    /// Executes every procedure that an event calls for, and waits until all have ended or paused. Each gets the
    /// payload's fields under the names of its parameters.
    ///
    /// # Errors
    /// [`LibraryError::Argument`] for an event without a type. A procedure that can't be executed is told in its place.
    pub async fn emit_event(
        &self,
        event_type: String,
        payload: Map<String, Value>,
        active: &Active,
    ) -> Result<Vec<Triggered>, LibraryError> {
        let length = event_type.chars().count();
        if event_type.trim().is_empty() || length > MAX_EVENT_CHARS {
            return Err(LibraryError::invalid_with_hint(
                format!("`event_type` must have 1 to {MAX_EVENT_CHARS} characters, it has {length}"),
                "name the event, for example `calendar_event_ended`",
            ));
        }
        let cause = Cause::event(&event_type, payload.clone());
        let found = self.blocking(move |library| library.called_for(&event_type, &payload)).await?;
        let order: HashMap<i64, usize> = found.iter().enumerate().map(|(at, row)| (row.id, at)).collect();
        let (mut runs, places) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
        for row in found {
            let (engine, active, places) = (self.engine_handle(), active.clone(), Arc::clone(&places));
            let parameters = cause.parameters_of(&row);
            runs.spawn(async move {
                let _place = places.acquire().await;
                let execution = if active.cancel.is_cancelled() {
                    let error = LibraryError::invalid("not started: the event was cancelled");
                    Err(Refused { error, run_id: None })
                } else {
                    engine.execute_uncalled(&row, parameters, active).await
                };
                Triggered { procedure_id: row.id, name: row.definition.name.to_string(), execution }
            });
        }
        let mut ended: Vec<Triggered> = Vec::with_capacity(order.len());
        while let Some(joined) = runs.join_next().await {
            match joined {
                Ok(triggered) => ended.push(triggered),
                Err(error) => tracing::error!(%error, "a run that an event had started was lost"),
            }
        }
        ended.sort_by_key(|triggered| order.get(&triggered.procedure_id).copied());
        Ok(ended)
    }
}

/// Why a procedure is started, and what it is given for it.
pub(in crate::library) struct Cause {
    fields: Map<String, Value>,
    whole: Value,
}

impl Cause {
    pub(super) fn event(event_type: &str, payload: Map<String, Value>) -> Self {
        let whole = json!({"event_type": event_type, "payload": payload});
        Self { fields: payload, whole }
    }

    /// A tick that was `due`, on a clock that shows `shown`.
    pub fn tick(due: &str, shown: &DateTime, timezone: &str) -> Self {
        let (date, time) = (shown.date().to_string(), shown.strftime("%H:%M").to_string());
        let values = [due, &date, &time, timezone].map(Value::from);
        let fields: Map<String, Value> = TICK_FIELDS.map(str::to_owned).into_iter().zip(values).collect();
        Self { whole: json!({"event_type": "time", "payload": fields}), fields }
    }

    /// The same, with more to say, or other things.
    pub fn with(mut self, more: Map<String, Value>) -> Self {
        self.fields.extend(more);
        self.whole["payload"] = Value::Object(self.fields.clone());
        self
    }

    /// The parameters that the procedure takes, as far as the cause has them: fields by name, all of them as `trigger`,
    /// and the event with its type as `event`.
    pub fn parameters_of(&self, row: &Procedure) -> Map<String, Value> {
        let given = |name: String| {
            let value = match (self.fields.get(&name), name.as_str()) {
                (Some(value), _) => value.clone(),
                (None, name) if name == WHOLE[1] => self.whole.clone(),
                (None, name) if name == WHOLE[0] => Value::Object(self.fields.clone()),
                (None, _) => return None,
            };
            Some((name, value))
        };
        parameter_names(row).into_iter().filter_map(given).collect()
    }
}

/// The parameters that a tick can fill, for people.
pub(super) fn fields_for() -> String {
    TICK_FIELDS.iter().chain(&WHOLE).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What the procedure declares and its code takes. Without code only what it declares: nothing will run.
fn parameter_names(row: &Procedure) -> BTreeSet<String> {
    let declared = row.definition.parameters.iter().map(|parameter| parameter.name.clone());
    let entry = row.code.as_deref().and_then(|code| {
        let name = validation::entry_name(code, &row.definition);
        validation::entry_point(code, Some(&name)).ok().flatten()
    });
    match entry {
        Some(entry) if !entry.accepts_any_keyword => {
            entry.parameters.into_iter().map(|parameter| parameter.name).collect()
        }
        Some(entry) => declared.chain(entry.parameters.into_iter().map(|parameter| parameter.name)).collect(),
        None => declared.collect(),
    }
}

/// Whether a procedure may be started by something other than a caller.
pub(in crate::library) fn is_startable(row: &Procedure) -> bool {
    row.definition.enabled && row.definition.status == Status::Active && row.deleted_at.is_none()
}
