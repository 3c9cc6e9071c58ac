//! What a run waits for somebody to decide, and what their decision makes of it. Asking them is in `drive/ask.rs`.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::{
    call::{PendingCall, Reason},
    decision::Decision,
    frame::Frame,
    machine::{Safety, Sequence},
    wait::waits_for_the_clock,
};
use crate::{
    config::Approvals,
    domain::{Decider, Extent, GateKind, Hinted as _, Permissions, RunId, folded, visible},
    host::{self, GateRequest},
    launch,
    library::{LibraryError, now_ms},
    runtime::{PythonError, Reply, WRITE},
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
    /// Whether it is a rule of the user that asks: only a person answers, whoever may decide otherwise.
    pub is_of_policy: bool,
    /// The grants that the call lacks, where it waits for those.
    pub missing: Option<Permissions>,
    /// The host function that is called.
    pub function: String,
    /// What it is called with.
    pub arguments: Map<String, Value>,
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
            let wakes_at = root.and_then(Frame::wakes_at);
            return Err(wakes_at.map_or_else(|| nothing_waits(run_id), |until| waits_for_the_clock(run_id, until)));
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
        if let Some(reason) = call.held_by() {
            let (request, missing) = match reason {
                Reason::Rule(rule) => (host::held(&call.function, rule, &call.arguments), None),
                Reason::Grant(missing) => {
                    (host::wanted(&frame.origin.name, &call.function, missing, &call.arguments), Some(missing.clone()))
                }
            };
            let question = visible(&request.question).into_owned();
            return Some(Self { request, question, missing, is_uncertain: false, ..Self::uncertain(frame, call) });
        }
        if call.safety != Safety::Gate {
            return Some(Self::uncertain(frame, call));
        }
        let request = host::gate(&call.function, call.arguments.clone()).ok()?;
        let expires_at = request.timeout.map(|limit| call.at.saturating_add(milliseconds(limit)));
        let question = if request.choices.is_empty() {
            visible(&request.question).into_owned()
        } else {
            visible(&format!("{} (one of: {})", request.question, request.choices.join(", "))).into_owned()
        };
        Some(Self { request, question, expires_at, is_uncertain: false, ..Self::uncertain(frame, call) })
    }

    fn uncertain(frame: &Frame, call: &PendingCall) -> Self {
        let shown = Value::Object(host::shown_arguments(&call.function, &call.arguments));
        let arguments: String = visible(&shown.to_string()).chars().take(300).collect();
        let question = format!(
            "The server ended while `{}` was executing (line {}, {arguments}), and nobody knows whether it took effect. \
             {} Look. If it did: `approve` with `value` = what it returned: {}. If it did not: `approve` without a value \
             executes it again. `reject` lets the code see an error.",
            call.function,
            call.line,
            launch::fate(),
            host::needed(&call.function)
        );
        let request = GateRequest {
            kind: GateKind::Step,
            question: question.clone(),
            choices: Vec::new(),
            timeout: None,
            optional: false,
        };
        Self {
            run_id: frame.origin.run_id.clone(),
            procedure: frame.origin.name.clone(),
            step: frame.step_lines.step_at(call.line),
            sequence: call.sequence,
            request,
            question,
            expires_at: None,
            is_uncertain: true,
            is_of_policy: call.hold.is_some() || call.function == WRITE,
            missing: None,
            function: call.function.clone(),
            arguments: call.arguments.clone(),
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

    /// Who may decide it, where the policy says this of questions in general.
    #[must_use]
    pub const fn left_to(&self, approvals: Approvals) -> Approvals {
        if self.is_of_policy { Approvals::Human } else { approvals }
    }

    /// Whether agreeing to it lets the call be made that it is about.
    #[must_use]
    pub fn holds_call(&self) -> bool {
        self.is_of_policy && !self.is_uncertain && self.function != WRITE
    }

    /// Whether a person is to be asked. Saying that a call took effect, or that it is made once more, is a decision too
    /// where those are left to people.
    #[must_use]
    pub fn asks_person(&self, approvals: Approvals) -> bool {
        self.is_for_people() || (self.is_uncertain && self.left_to(approvals) == Approvals::Human)
    }

    /// The same decision where it is an answer to the question, and a refusal where it can't be read as one. What became of
    /// a call is not refused by an answer that can't be: nobody has said it yet.
    ///
    /// # Errors
    /// [`LibraryError::Argument`] for such an answer.
    pub fn read(&self, decision: Decision, decider: &Decider) -> Result<Decision, LibraryError> {
        match self.reply(&decision, decider) {
            Ok(_) => Ok(decision),
            Err(error) if self.is_uncertain => Err(error),
            Err(error) => Ok(Decision::Reject(Some(error.in_full()))),
        }
    }

    /// What the code gets for a decision; `None` when the call is to be made again.
    ///
    /// # Errors
    /// When the decision is no answer to the question.
    pub fn reply(&self, decision: &Decision, decider: &Decider) -> Result<Option<Reply>, LibraryError> {
        // What the policy asks goes on with all that the call is made with.
        let question = self.request.question.lines().next().filter(|_| self.is_of_policy && !self.is_uncertain);
        let question = question.unwrap_or(&self.request.question);
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
            (Decision::Expire, _) if self.request.optional => Reply::Value(Value::Null),
            (Decision::Expire, kind) => {
                let class = match kind {
                    GateKind::Approval => "PermissionError",
                    GateKind::Question | GateKind::Step => "TimeoutError",
                };
                Reply::Raise(PythonError::new(class, format!("nobody decided on \"{question}\" in time")))
            }
            (Decision::Approve(None), _) if self.is_uncertain => return Ok(None),
            (Decision::Approve(value), _) if self.holds_call() => {
                self.extent(value.as_ref())?;
                return Ok(None);
            }
            (Decision::Approve(_), _) if self.is_of_policy && !self.is_uncertain => Reply::Proceed,
            (Decision::Approve(Some(value)), _) if self.is_uncertain => {
                host::outcome(&self.function, &self.arguments, value.clone()).map_err(|why| {
                    LibraryError::invalid_with_hint(
                        format!("`{}` can't have returned the `value`: {why}", self.function),
                        format!("pass {}; or leave it out to execute the call again", host::needed(&self.function)),
                    )
                })?
            }
            (Decision::Approve(value), GateKind::Approval) => {
                let mut given = Map::new();
                given.insert("approved_by".to_owned(), json!(decider.name()));
                given.insert("value".to_owned(), json!(value));
                if decider.is_agent() {
                    given.insert("by_agent".to_owned(), json!(true));
                }
                Reply::Value(Value::Object(given))
            }
            (Decision::Approve(None), GateKind::Question) => {
                return Err(LibraryError::invalid_with_hint(
                    format!("\"{question}\" wants an answer"),
                    "pass it as `value`",
                ));
            }
            (Decision::Approve(Some(value)), GateKind::Question) if !self.request.choices.is_empty() => {
                let Some(chosen) = self.chosen(value) else {
                    let choices = self.request.choices.join("`, `");
                    return Err(LibraryError::invalid_with_hint(
                        format!("{value} is no answer"),
                        format!("choose one of `{choices}`"),
                    ));
                };
                Reply::Value(Value::from(chosen))
            }
            (Decision::Approve(value), GateKind::Question | GateKind::Step) => {
                Reply::Value(value.clone().unwrap_or_default())
            }
        };
        Ok(Some(reply))
    }

    /// How far the grant goes that an approval gives: once, where it does not say. Nothing else is asked of the policy's
    /// other questions, where a value is a comment.
    ///
    /// # Errors
    /// [`LibraryError::Argument`] for an extent that is not offered.
    pub fn extent(&self, value: Option<&Value>) -> Result<Extent, LibraryError> {
        let (Some(missing), Some(value)) = (&self.missing, value) else { return Ok(Extent::Once) };
        let offered = Extent::offered(missing);
        let meant = value.as_str().and_then(Extent::read).filter(|extent| offered.contains(extent));
        meant.ok_or_else(|| {
            LibraryError::invalid_with_hint(
                format!("{value} is no answer"),
                format!("choose one of `{}`", self.request.choices.join("`, `")),
            )
        })
    }

    /// The choice that is meant: one of them as it is written, or the only one that differs in case and space.
    fn chosen(&self, value: &Value) -> Option<&str> {
        let said = value.as_str()?;
        let choices = || self.request.choices.iter().map(String::as_str);
        let alike = |choice: &&str| folded(choice.trim()) == folded(said.trim());
        let only = Some(choices().filter(alike)).filter(|alike| alike.clone().count() == 1);
        choices().find(|choice| *choice == said).or_else(|| only?.next())
    }
}

/// The error for an open run without a question.
pub fn nothing_waits(run_id: &str) -> LibraryError {
    LibraryError::StateRefused { id: run_id.to_owned(), reason: "it waits for nothing".to_owned() }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
