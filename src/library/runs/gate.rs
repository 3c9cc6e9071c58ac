//! What a run waits for somebody to decide, and what their decision makes of it. Asking them is in `drive/ask.rs`.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    call::PendingCall,
    decision::{Decider, Decision},
    frame::Frame,
    machine::{Safety, Sequence},
};
use crate::{
    domain::{GateKind, Hinted as _, RunId},
    host::{self, GateRequest},
    library::{LibraryError, now_ms},
    runtime::{PythonError, Reply},
};

/// A question that is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// The run whose code waits: one that was called, perhaps.
    pub run_id: RunId,
    /// The name of its procedure.
    pub procedure: String,
    pub step: Option<u32>,
    /// The call that waits.
    pub sequence: Sequence,
    /// What is asked.
    pub request: GateRequest,
    /// What they read: with the way to answer, where that is not obvious.
    pub question: String,
    /// When it stops waiting; milliseconds since 1970.
    pub expires_at: Option<i64>,
    /// Whether nobody knows if the call took effect before the server ended.
    pub is_uncertain: bool,
    /// The class of what the call returns, where that is no plain value.
    pub class: Option<&'static str>,
}

/// Somebody who can be asked while a run is being executed.
pub trait Asker: Send + Sync {
    /// Asks, and waits for an answer. `None` when nobody answers in time, or can be asked at all.
    fn ask<'a>(&'a self, gate: &'a Gate) -> BoxFuture<'a, Option<(Decision, Decider)>>;
}

/// Which question of a run is meant: the one that the call `sequence` of the run `run_id` asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionId {
    /// The run whose code asks.
    pub run_id: RunId,
    /// Its call.
    pub sequence: Sequence,
}

impl Gate {
    /// What tells this question from all others.
    #[must_use]
    pub fn id(&self) -> QuestionId {
        QuestionId { run_id: self.run_id.clone(), sequence: self.sequence }
    }

    /// The question that a run waits for: the one that is meant; else the first that has stopped waiting, or the first.
    ///
    /// # Errors
    /// [`LibraryError::StateRefused`] when it waits for nothing, [`LibraryError::AlreadyDecided`] when it does not wait
    /// for that any more.
    pub fn open_in(root: Option<&Frame>, run_id: &str, meant: Option<&QuestionId>) -> Result<Self, LibraryError> {
        let mut gates = root.map(Self::all_of).unwrap_or_default();
        if gates.is_empty() {
            return Err(nothing_waits(run_id));
        }
        let at = match meant {
            Some(meant) => gates.iter().position(|gate| gate.id() == *meant),
            None => Some(gates.iter().position(Self::is_late).unwrap_or_default()),
        };
        at.map(|at| gates.swap_remove(at)).ok_or_else(|| LibraryError::AlreadyDecided(run_id.to_owned()))
    }

    /// The questions that a frame and all that it called wait for, in the order in which the code made the calls.
    #[must_use]
    pub fn all_of(frame: &Frame) -> Vec<Self> {
        let is_open = |call: &&PendingCall| call.reply.is_none() && frame.state.awaited.contains(&call.sequence);
        let mut gates = Vec::new();
        for call in frame.waiting.iter().filter(is_open) {
            match call.safety {
                Safety::Repeatable => {}
                Safety::Unknown | Safety::Gate => gates.extend(Self::of(frame, call.sequence)),
                Safety::Nested => {
                    let calls = |child: &&Frame| child.caller.as_ref().is_some_and(|by| by.sequence == call.sequence);
                    gates.extend(frame.children.iter().filter(calls).flat_map(Self::all_of));
                }
            }
        }
        gates
    }

    /// The same for each frame by itself, those that are called first.
    #[must_use]
    pub fn by_frame(frame: &Frame) -> Vec<(RunId, Vec<Self>)> {
        let called = frame.children.iter().flat_map(Self::by_frame);
        called.chain([(frame.origin.run_id.clone(), Self::all_of(frame))]).collect()
    }

    /// The question that `frame` waits for an answer to at the call `sequence`.
    fn of(frame: &Frame, sequence: Sequence) -> Option<Self> {
        let call = frame.waiting_for(sequence)?;
        if call.safety != Safety::Gate {
            return Some(Self::uncertain(frame, call));
        }
        let request = host::gate(&call.function, call.arguments.clone()).ok()?;
        let expires_at = request.timeout.map(|limit| call.at.saturating_add(milliseconds(limit)));
        let question = if request.choices.is_empty() {
            request.question.clone()
        } else {
            format!("{} (one of: {})", request.question, request.choices.join(", "))
        };
        Some(Self { request, question, expires_at, is_uncertain: false, class: None, ..Self::uncertain(frame, call) })
    }

    fn uncertain(frame: &Frame, call: &PendingCall) -> Self {
        let shown = Value::Object(host::shown_arguments(&call.function, &call.arguments));
        let arguments: String = shown.to_string().chars().take(300).collect();
        let question = format!(
            "The server ended while `{}` was executing (line {}, {arguments}), and nobody knows whether it took effect. \
             Look. If it did: `approve` with `value` = what it returned. If it did not: `approve` without a value \
             executes it again. `reject` lets the code see an error.",
            call.function, call.line
        );
        let request =
            GateRequest { kind: GateKind::Step, question: question.clone(), choices: Vec::new(), timeout: None };
        Self {
            run_id: frame.origin.run_id.clone(),
            procedure: frame.origin.name.clone(),
            step: frame.step_lines.step_at(call.line),
            sequence: call.sequence,
            request,
            question,
            expires_at: None,
            is_uncertain: true,
            class: host::class_of(&call.function),
        }
    }

    /// Whether it has stopped waiting.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now_ms())
    }

    /// Whether it is a question to a person, rather than work that an agent can do as well.
    #[must_use]
    pub fn is_for_people(&self) -> bool {
        self.request.kind != GateKind::Step
    }

    /// The same decision where it is an answer to the question, and a refusal where it can't be read as one.
    #[must_use]
    pub fn read(&self, decision: Decision, decider: &Decider) -> Decision {
        match self.reply(&decision, decider) {
            Ok(_) => decision,
            Err(error) => Decision::Reject(Some(error.in_full())),
        }
    }

    /// What the code gets for a decision; `None` when the call is to be made again.
    ///
    /// # Errors
    /// When the decision is no answer to the question.
    pub fn reply(&self, decision: &Decision, decider: &Decider) -> Result<Option<Reply>, LibraryError> {
        let question = &self.request.question;
        let reply = match (decision, self.request.kind) {
            (Decision::Reject(reason), kind) => {
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let (class, what) = match kind {
                    GateKind::Approval => {
                        ("PermissionError", format!("\"{question}\" was rejected by {}", decider.name()))
                    }
                    GateKind::Question => {
                        ("RuntimeError", format!("\"{question}\" was not answered by {}", decider.name()))
                    }
                    GateKind::Step if self.is_uncertain => {
                        ("RuntimeError", "the server ended during this call".to_owned())
                    }
                    GateKind::Step => ("RuntimeError", format!("the step \"{question}\" was rejected")),
                };
                Reply::Raise(PythonError::new(class, format!("{what}{reason}")))
            }
            (Decision::Expire, kind) => {
                let class = match kind {
                    GateKind::Approval => "PermissionError",
                    GateKind::Question | GateKind::Step => "TimeoutError",
                };
                Reply::Raise(PythonError::new(class, format!("nobody decided on \"{question}\" in time")))
            }
            (Decision::Approve(None), _) if self.is_uncertain => return Ok(None),
            (Decision::Approve(value), GateKind::Approval) => {
                Reply::Value(json!({"approved_by": decider.name(), "value": value}))
            }
            (Decision::Approve(None), GateKind::Question) => {
                return Err(LibraryError::invalid_with_hint(
                    format!("\"{question}\" wants an answer"),
                    "pass it as `value`",
                ));
            }
            (Decision::Approve(Some(value)), GateKind::Question) if !self.request.choices.is_empty() => {
                let chosen = value.as_str().filter(|text| self.request.choices.iter().any(|choice| choice == text));
                let Some(chosen) = chosen else {
                    let choices = self.request.choices.join("`, `");
                    return Err(LibraryError::invalid_with_hint(
                        format!("{value} is no answer"),
                        format!("choose one of `{choices}`"),
                    ));
                };
                Reply::Value(Value::from(chosen))
            }
            (Decision::Approve(value), GateKind::Question | GateKind::Step) => match (self.class, value) {
                (Some(class), Some(Value::Object(fields))) => Reply::Instance { class, fields: fields.clone() },
                _ => Reply::Value(value.clone().unwrap_or_default()),
            },
        };
        Ok(Some(reply))
    }
}

/// The error for an open run without a question.
pub fn nothing_waits(run_id: &str) -> LibraryError {
    LibraryError::StateRefused { id: run_id.to_owned(), reason: "it waits for nothing".to_owned() }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
