//! One procedure being executed, and the stack of those that wait for it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::steps::{StepLines, line_of};
use crate::{
    domain::{HostCall, RunId, VersionNumber},
    host::Grants,
    sandbox::Capture,
};

/// What is known of a procedure while it is being executed.
pub struct Frame {
    pub run_id: RunId,
    pub procedure_id: i64,
    pub name: String,
    pub version: VersionNumber,
    pub steps_total: u32,
    pub source: String,
    /// Lines of the procedure's own code at the beginning of the source.
    pub code_lines: u32,
    pub parameters: Value,
    pub grants: Grants,
    pub capture: Capture,
    pub step_lines: StepLines,
    /// Calls that are not yet written to the journal.
    pub calls: Vec<HostCall>,
    /// The host call that the code waits at.
    pub pending: Option<PendingCall>,
    /// Interpreter state, while another frame is on top or the run is paused.
    pub dump: Vec<u8>,
    /// When the frame last got going.
    pub since: Instant,
    /// Time spent before that.
    pub spent: Duration,
}

/// A host call that is not answered yet.
pub struct PendingCall {
    pub function: String,
    pub arguments: Value,
    pub line: u32,
    pub since: Instant,
}

/// Innermost last.
pub struct Stack {
    pub frames: Vec<Frame>,
    /// What a paused run waits for.
    pub instruction: String,
    /// Wall-clock time that the whole tree may still use.
    pub time_left: Duration,
    /// Host calls that the whole tree may still make.
    pub calls_left: usize,
}

impl Frame {
    /// Notes that the code waits at a host call.
    pub fn call_started(&mut self, function: &str, arguments: Value, offset: usize) {
        let line = line_of(&self.source, offset);
        self.pending = Some(PendingCall { function: function.to_owned(), arguments, line, since: Instant::now() });
    }

    /// Adds the answered call to the journal.
    pub fn call_ended(&mut self, answer: Result<Value, String>) {
        let Some(PendingCall { function, arguments, line, since }) = self.pending.take() else { return };
        let (result, error) = match answer {
            Ok(value) => (Some(journalled(value)), None),
            Err(error) => (None, Some(error)),
        };
        self.calls.push(HostCall {
            function,
            arguments: journalled(arguments),
            result,
            error,
            line: Some(line),
            step: self.step_lines.step_at(line),
            duration_ms: milliseconds(since.elapsed()),
        });
    }

    /// The step that the pending call belongs to.
    pub fn current_step(&self) -> Option<u32> {
        self.pending.as_ref().and_then(|pending| self.step_lines.step_at(pending.line))
    }

    /// Time spent executing so far, in milliseconds.
    pub fn duration_ms(&self) -> f64 {
        milliseconds(self.spent + self.since.elapsed())
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
