//! Host calls while they are under way, and their answers.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::machine::{Call, Progress, Safety, Sequence};
use crate::{
    domain::{HostCall, Permissions, RunId},
    host::{self, Grants},
    library::now_ms,
    runtime::Reply,
};

/// The call that a frame answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub run_id: RunId,
    pub sequence: Sequence,
}

/// The class of the error in the journal for a call whose run ended before it was answered.
pub const CUT_OFF: &str = "Ended";

/// How long a procedure may take that was called, and when that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeLimit {
    pub time: Duration,
    /// Milliseconds since 1970.
    pub ends_at: i64,
}

impl TimeLimit {
    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        self.ends_at <= now_ms()
    }

    /// When it is over, for whoever waits.
    pub fn deadline(&self) -> Instant {
        Instant::now() + Duration::from_millis(u64::try_from(self.ends_at - now_ms()).unwrap_or_default())
    }
}

/// Why a person decides on a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A rule of the user says so; it as it is written.
    Rule(String),
    /// It lacks these grants.
    Grant(Permissions),
}

/// A call on which a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub reason: Reason,
    /// What may be done about the call after a crash, once it may be made.
    pub safety: Safety,
    /// Whether somebody has agreed: to this one call.
    pub is_permitted: bool,
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
    /// Whether a person decides on it, or has, beside what the code asks by itself.
    pub hold: Option<Hold>,
}

/// The answer of a call, and what it takes to write it down.
pub struct Answer {
    pub run_id: RunId,
    pub sequence: Sequence,
    pub entry: HostCall,
    pub reply: Reply,
}

impl PendingCall {
    /// The same; where a rule of the user is about it, it waits for a person.
    #[must_use]
    pub fn held(mut self, grants: &Grants) -> Self {
        let is_call = matches!(self.safety, Safety::Repeatable | Safety::Unknown);
        if self.hold.is_none()
            && self.reply.is_none()
            && is_call
            && let Some(rule) = host::asked(&self.function, &self.arguments, grants)
        {
            self.hold(Reason::Rule(rule.text.clone()));
        }
        self
    }

    /// The same; where it lacks grants that a person could give, it waits for them.
    #[must_use]
    pub fn offered(mut self, grants: &Grants) -> Self {
        let is_call = matches!(self.safety, Safety::Repeatable | Safety::Unknown);
        if self.hold.is_none()
            && self.reply.is_none()
            && is_call
            && let Some(missing) = host::missing(&self.function, &self.arguments, grants)
        {
            self.hold(Reason::Grant(missing));
        }
        self
    }

    fn hold(&mut self, reason: Reason) {
        self.hold = Some(Hold { reason, safety: self.safety, is_permitted: false });
        self.safety = Safety::Gate;
    }

    /// The same as it was saved, under the rules of now. Of what may have been made already when its server ended, a
    /// person says whether it took effect.
    #[must_use]
    pub fn held_again(self, grants: &Grants) -> Self {
        let may_be_done = self.safety == Safety::Unknown;
        let mut call = self.held(grants);
        if may_be_done {
            call.permit();
        }
        call
    }

    /// Somebody has agreed to it.
    pub fn permit(&mut self) {
        if let Some(hold) = &mut self.hold {
            hold.is_permitted = true;
            self.safety = hold.safety;
        }
    }

    /// Why it waits now.
    pub fn held_by(&self) -> Option<&Reason> {
        self.hold.as_ref().filter(|hold| !hold.is_permitted).map(|hold| &hold.reason)
    }

    /// How long the procedure may take that it calls, where it is one and says so.
    pub fn time_limit(&self) -> Option<TimeLimit> {
        let time = host::time_limit(&self.arguments).filter(|_| self.safety == Safety::Nested)?;
        let milliseconds = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Some(TimeLimit { time, ends_at: self.at.saturating_add(milliseconds) })
    }

    /// The call as it is known after a crash.
    pub const fn after_crash(&self) -> Call {
        let progress = if self.reply.is_some() { Progress::Answered } else { Progress::Open };
        Call { sequence: self.sequence, safety: self.safety, progress }
    }

    /// The journal's entry for it, answered with `reply`; `step` is the step of the procedure that makes it.
    pub fn entry(&self, reply: &Reply, step: Option<u32>) -> HostCall {
        let (result, error) = match reply {
            Reply::Value(value) => (Some(journalled(value.clone())), None),
            Reply::Proceed => (None, None),
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
            decided_by_agent: false,
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
