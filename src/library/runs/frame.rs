//! One procedure being executed.

use std::{collections::HashSet, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    state::{Call, Safety, Sequence, State},
    steps::{StepLines, line_of},
};
use crate::{
    config::Config,
    domain::{HostCall, Permissions, RunId, VersionNumber},
    host::Grants,
    library::now_ms,
    sandbox::{Budget, Capture, Reply},
    validation,
};

/// What makes a frame: enough to start it from its beginning.
pub struct Origin {
    pub run_id: RunId,
    pub procedure_id: i64,
    pub name: String,
    pub version: VersionNumber,
    pub steps_total: u32,
    /// The code, and the call of its entry point.
    pub source: String,
    /// Lines of the procedure's own code at the beginning of the source.
    pub code_lines: u32,
    pub parameters: Value,
    /// What the procedure declares that it needs.
    pub permissions: Option<Permissions>,
}

/// What is known of a procedure while it is being executed.
pub struct Frame {
    pub origin: Origin,
    pub grants: Arc<Grants>,
    pub capture: Capture,
    pub step_lines: StepLines,
    /// Byte offsets of calls whose result is awaited.
    pub deferrable: HashSet<u32>,
    /// Where it stands.
    pub state: State,
    /// The calls that the state is about, in its order.
    pub waiting: Vec<PendingCall>,
    /// Whether `waiting` is what was gathered, rather than one call that is made as it is.
    pub is_gathered: bool,
    /// Calls that were answered with a promise and are not awaited yet.
    pub deferred: Vec<PendingCall>,
    /// Answered calls that are not in the journal yet, because they need not survive.
    pub unwritten: Vec<(Sequence, HostCall)>,
    /// The last number in its journal.
    pub last_sequence: Sequence,
    /// Interpreter state at `waiting`, while no session has it.
    pub snapshot: Vec<u8>,
    /// When the frame last got going.
    pub since: Instant,
    /// Time spent before that.
    pub spent: Duration,
}

/// A host call that the code has not got the answer of.
#[derive(Debug, Clone)]
pub struct PendingCall {
    pub sequence: Sequence,
    /// The interpreter's number for it.
    pub call_id: u32,
    pub function: String,
    pub arguments: Map<String, Value>,
    pub line: u32,
    pub safety: Safety,
    pub since: Instant,
    /// When the code made it; milliseconds since 1970.
    pub at: i64,
    pub reply: Option<Reply>,
}

impl Frame {
    /// A frame that has not started.
    pub fn new(origin: Origin, capture: Capture, config: &Config) -> Self {
        Self {
            grants: Arc::new(Grants::new(&config.policy, origin.permissions.as_ref(), &config.file())),
            step_lines: StepLines::read(&origin.source),
            deferrable: validation::deferred_calls(&origin.source),
            origin,
            capture,
            state: State::new(),
            waiting: Vec::new(),
            is_gathered: false,
            deferred: Vec::new(),
            unwritten: Vec::new(),
            last_sequence: 0,
            snapshot: Vec::new(),
            since: Instant::now(),
            spent: Duration::ZERO,
        }
    }

    /// Numbers a call that the code makes.
    pub fn call(
        &mut self,
        function: String,
        arguments: Map<String, Value>,
        safety: Safety,
        at: (u32, usize),
    ) -> PendingCall {
        self.last_sequence += 1;
        let (call_id, offset) = at;
        PendingCall {
            sequence: self.last_sequence,
            call_id,
            function,
            arguments,
            line: line_of(&self.origin.source, offset),
            safety,
            since: Instant::now(),
            at: now_ms(),
            reply: None,
        }
    }

    /// The calls as the state machine sees them.
    pub fn calls_of(pending: &[PendingCall]) -> Vec<Call> {
        let call =
            |call: &PendingCall| Call { sequence: call.sequence, safety: call.safety, answered: call.reply.is_some() };
        pending.iter().map(call).collect()
    }

    /// The call with this number.
    pub fn waiting_for(&self, sequence: Sequence) -> Option<&PendingCall> {
        self.waiting.iter().find(|call| call.sequence == sequence)
    }

    /// The journal's entry for an answered call.
    pub fn entry(&self, call: &PendingCall, reply: &Reply) -> HostCall {
        let (result, error) = match reply {
            Reply::Value(value) => (Some(journalled(value.clone())), None),
            Reply::Instance { fields, .. } => (Some(journalled(Value::Object(fields.clone()))), None),
            Reply::Raise(error) => (None, Some(format!("{}: {}", error.kind, error.message))),
        };
        HostCall {
            function: call.function.clone(),
            arguments: journalled(Value::Object(call.arguments.clone())),
            result,
            error,
            line: Some(call.line),
            step: self.step_lines.step_at(call.line),
            duration_ms: milliseconds(call.since.elapsed()),
        }
    }

    /// The step that the code has come to.
    pub fn current_step(&self) -> Option<u32> {
        self.waiting.first().and_then(|pending| self.step_lines.step_at(pending.line))
    }

    /// Time spent executing so far, in milliseconds.
    pub fn duration_ms(&self) -> f64 {
        milliseconds(self.spent + self.since.elapsed())
    }

    /// Stops its clock, until it goes on under a budget.
    pub fn rest(&mut self) {
        self.spent += self.since.elapsed();
        self.since = Instant::now();
    }

    /// Goes on under another budget.
    pub fn under(&mut self, budget: &Arc<Budget>) {
        self.capture = self.capture.under(Arc::clone(budget));
        self.since = Instant::now();
    }
}

/// A value as the journal keeps it: one that is very long is cut, because the journal of a run may have a thousand.
fn journalled(value: Value) -> Value {
    const MOST_BYTES: usize = 64 * 1024;
    const KEPT_CHARS: usize = 1000;
    let text = value.to_string();
    if text.len() <= MOST_BYTES {
        return value;
    }
    Value::String(format!("{}… ({} bytes in all)", text.chars().take(KEPT_CHARS).collect::<String>(), text.len()))
}

/// A duration in milliseconds, to the microsecond.
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
