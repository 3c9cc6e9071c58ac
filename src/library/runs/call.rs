//! Host calls while they are under way, and their answers.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::machine::{Call, Progress, Safety, Sequence};
use crate::{
    domain::{HostCall, RunId},
    host,
    runtime::Reply,
};

/// The call that a frame answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub run_id: RunId,
    pub sequence: Sequence,
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

/// The answer of a call, and what it takes to write it down.
pub struct Answer {
    pub run_id: RunId,
    pub sequence: Sequence,
    pub entry: HostCall,
    pub reply: Reply,
}

impl PendingCall {
    /// The call as it is known after a crash.
    pub const fn after_crash(&self) -> Call {
        let progress = if self.reply.is_some() { Progress::Answered } else { Progress::Open };
        Call { sequence: self.sequence, safety: self.safety, progress }
    }

    /// The journal's entry for it, answered with `reply`; `step` is the step of the procedure that makes it.
    pub fn entry(&self, reply: &Reply, step: Option<u32>) -> HostCall {
        let (result, error) = match reply {
            Reply::Value(value) => (Some(journalled(value.clone())), None),
            Reply::Instance { fields, .. } => (Some(journalled(Value::Object(fields.clone()))), None),
            Reply::Raise(error) => (None, Some(format!("{}: {}", error.kind, error.message))),
        };
        HostCall {
            function: self.function.clone(),
            arguments: journalled(Value::Object(host::shown_arguments(&self.function, &self.arguments))),
            result,
            error,
            line: Some(self.line),
            step,
            duration_ms: milliseconds(self.since.elapsed()),
        }
    }
}

/// A value as the journal keeps it: one that is very long is cut, because the journal of a run may have a thousand.
fn journalled(value: Value) -> Value {
    const MAX_BYTES: usize = 64 * 1024;
    const KEPT_CHARS: usize = 1000;
    let text = value.to_string();
    if text.len() <= MAX_BYTES {
        return value;
    }
    Value::String(format!("{}… ({} bytes in all)", text.chars().take(KEPT_CHARS).collect::<String>(), text.len()))
}

/// A duration in milliseconds, to the microsecond.
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
