//! One procedure being executed.

use std::{collections::HashSet, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    call::{Answer, CUT_OFF, Caller, PendingCall, Reason, TimeLimit, milliseconds},
    machine::{Effect, Event, Safety, Sequence, State},
    snapshot::Snapshot,
    steps::{StepLines, line_of},
};
use crate::{
    config::Config,
    domain::{HostCall, Permissions, RunId, RuntimeKind, VersionNumber},
    host::{self, Grants},
    library::{LibraryError, now_ms},
    runtime::{Budget, Capture, Program, PythonError, Reply},
    validation,
};

/// The error for what can't happen.
pub fn broken(what: &str) -> LibraryError {
    LibraryError::internal(format!("the engine is in disorder: {what}"))
}

/// What makes a frame: enough to start it from its beginning.
pub struct Origin {
    pub run_id: RunId,
    pub procedure_id: i64,
    pub name: String,
    pub version: VersionNumber,
    pub steps_total: u32,
    /// The code, the call of its entry point, and the parameters.
    pub program: Arc<Program>,
    /// What executes that.
    pub runtime: RuntimeKind,
    /// The packages that it needs.
    pub lock: Option<Arc<str>>,
    /// What the procedure declares that it needs.
    pub permissions: Option<Permissions>,
}

impl Origin {
    /// What it may do as the policy is now.
    fn grants(&self, config: &Config) -> Grants {
        Grants::new(config.policy_for(&self.name), self.permissions.as_ref(), &config.file())
            .under(Arc::clone(&config.rules))
    }
}

/// What is known of a procedure while it is being executed.
pub struct Frame {
    pub origin: Origin,
    /// Whose result it makes; nobody's at the root.
    pub caller: Option<Caller>,
    /// How many callers it has.
    pub depth: u32,
    /// How long its caller waits for it, where that is not as long as the run may take.
    pub limit: Option<TimeLimit>,
    pub grants: Arc<Grants>,
    /// What of that is granted for this run alone.
    pub granted: Permissions,
    pub capture: Capture,
    pub step_lines: StepLines,
    /// Byte offsets of calls whose result is awaited.
    pub deferrable: HashSet<u32>,
    pub state: State,
    /// The calls whose answers the code has not got.
    pub waiting: Vec<PendingCall>,
    /// Whether the code waits at one call that it made as it is, rather than at promises.
    pub is_direct: bool,
    /// Procedures that it called and that are not being executed now.
    pub children: Vec<Self>,
    /// Calls that were answered with a promise and are not awaited yet.
    pub deferred: Vec<PendingCall>,
    /// Answered calls that are not in the journal yet, because they need not survive.
    pub unwritten: Vec<(Sequence, HostCall)>,
    /// The last number in its journal.
    pub last_sequence: Sequence,
    /// What the runtime restores the program from, at `waiting`; nothing before it was saved.
    pub snapshot: Snapshot,
    /// When the frame last got going.
    pub since: Instant,
    /// Time spent before that.
    pub spent: Duration,
    /// Whether it is told in the inbox when it fails: nobody waits for how it ends.
    pub is_unheard: bool,
    /// How often its worker was lost since it came further.
    pub losses: u32,
}

impl Frame {
    /// A frame that has not started.
    pub fn new(origin: Origin, capture: Capture, config: &Config) -> Self {
        Self {
            grants: Arc::new(origin.grants(config)),
            granted: Permissions::default(),
            step_lines: StepLines::read(&origin.program.source),
            deferrable: validation::deferred_calls(&origin.program.source),
            origin,
            caller: None,
            depth: 0,
            limit: None,
            capture,
            state: State::new(),
            waiting: Vec::new(),
            is_direct: false,
            children: Vec::new(),
            deferred: Vec::new(),
            unwritten: Vec::new(),
            last_sequence: 0,
            snapshot: Snapshot::default(),
            since: Instant::now(),
            spent: Duration::ZERO,
            is_unheard: false,
            losses: 0,
        }
    }

    /// The same, called by the call `sequence` of `caller`.
    pub fn called_by(self, caller: &Self, sequence: Sequence) -> Self {
        let by = Caller { run_id: caller.origin.run_id.clone(), sequence };
        Self { caller: Some(by), depth: caller.depth + 1, ..self }.limited_by(caller)
    }

    /// The same, with the time that its caller gives it.
    pub fn limited_by(mut self, caller: &Self) -> Self {
        let sequence = self.caller.as_ref().map(|by| by.sequence);
        self.limit = sequence.and_then(|sequence| caller.waiting_for(sequence)?.time_limit());
        self.under(caller.budget());
        self
    }

    /// What it may use up.
    pub const fn budget(&self) -> &Arc<Budget> {
        self.capture.budget()
    }

    /// Whether its time is over before that of its whole run.
    pub fn has_less_time_than(&self, run: &Budget) -> bool {
        self.budget().deadline < run.deadline
    }

    /// The error for that.
    pub fn time_is_up(&self) -> PythonError {
        let after = self.limit.map_or_else(
            || "when the time of its caller was over".to_owned(),
            |limit| format!("after {} s", limit.time.as_secs_f64()),
        );
        PythonError::new("TimeoutError", format!("`{}` was stopped {after}", self.origin.name))
    }

    /// The call of a procedure that waits although its time is over: who called it, and by which call.
    pub fn find_late(&self) -> Option<(RunId, Sequence)> {
        let late = self.children.iter().find(|child| child.limit.is_some_and(|limit| limit.is_over()));
        let by = late.and_then(|child| child.caller.as_ref()).map(|by| (by.run_id.clone(), by.sequence));
        by.or_else(|| self.children.iter().find_map(Self::find_late))
    }

    /// When the first of the procedures that it called, and that those called, has no time left.
    pub fn first_limit(&self) -> Option<i64> {
        let of = |child: &Self| child.limit.map(|limit| limit.ends_at).into_iter().chain(child.first_limit()).min();
        self.children.iter().filter_map(of).min()
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
            line: line_of(&self.origin.program.source, offset),
            safety,
            since: Instant::now(),
            at: now_ms(),
            reply: None,
            hold: None,
        }
    }

    /// The call with this number.
    pub fn waiting_for(&self, sequence: Sequence) -> Option<&PendingCall> {
        self.waiting.iter().find(|call| call.sequence == sequence)
    }

    /// What an event makes of the frame, and what is to be done.
    ///
    /// # Errors
    /// When the event can't happen now, which is a fault of the engine.
    pub fn on(&mut self, event: Event) -> Result<Vec<Effect>, LibraryError> {
        self.state.on(event).map_err(|error| broken(&error.to_string()))
    }

    /// The journal's entry for an answered call.
    pub fn entry(&self, call: &PendingCall, reply: &Reply) -> HostCall {
        call.entry(reply, self.step_lines.step_at(call.line))
    }

    /// Takes the answer of a call; what has to be written down of it.
    pub fn answer(&mut self, sequence: Sequence, reply: Reply) -> Option<Answer> {
        let entry = self.entry(self.waiting_for(sequence)?, &reply);
        self.set_reply(sequence, reply.clone());
        Some(Answer { run_id: self.origin.run_id.clone(), sequence, entry, reply })
    }

    /// Takes the answer of a call.
    pub fn set_reply(&mut self, sequence: Sequence, reply: Reply) {
        if let Some(call) = self.waiting.iter_mut().find(|call| call.sequence == sequence) {
            call.reply = Some(reply);
        }
    }

    /// Somebody agreed to a call that the policy had asked about, or gave what it lacks.
    pub fn permit(&mut self, sequence: Sequence) {
        let Some(call) = self.waiting.iter_mut().find(|call| call.sequence == sequence) else { return };
        let missing = match call.held_by() {
            Some(Reason::Grant(missing)) => missing.clone(),
            _ => Permissions::default(),
        };
        call.permit();
        self.grant(&missing);
    }

    /// Whether a call that waits for grants lacks none any more, and nobody wants to be asked about it beside that.
    pub fn has_all_for(&self, sequence: Sequence) -> bool {
        self.waiting_for(sequence).is_some_and(|call| {
            host::missing(&call.function, &call.arguments, &self.grants).is_none()
                && host::asked(&call.function, &call.arguments, &self.grants).is_none()
        })
    }

    /// Takes a grant for the rest of this run.
    pub fn grant(&mut self, more: &Permissions) {
        if !more.is_empty() {
            self.granted = self.granted.with(more);
            self.grants = Arc::new(self.grants.with(more));
        }
    }

    /// It and all that it called go on under the policy of now.
    pub fn under_policy(&mut self, config: &Config) {
        self.grants = Arc::new(self.origin.grants(config).with(&self.granted));
        self.children.iter_mut().for_each(|child| child.under_policy(config));
    }

    /// Takes out the answers that the code waits for, with the interpreter's numbers of their calls.
    pub fn take_replies(&mut self) -> Vec<(u32, Reply)> {
        let state = &self.state;
        let is_handed = |call: &mut PendingCall| call.reply.is_some() && state.delivers(call.sequence);
        self.waiting.extract_if(.., is_handed).filter_map(|call| Some((call.call_id, call.reply?))).collect()
    }

    /// Notes in the journal that nobody will answer what it and all that it called wait for.
    pub fn abandon_calls(&mut self) {
        let ended = Reply::Raise(PythonError::new(CUT_OFF, "the run ended here"));
        let open = self.waiting.iter().filter(|call| call.reply.is_none());
        let entries: Vec<_> = open.map(|call| (call.sequence, self.entry(call, &ended))).collect();
        self.unwritten.extend(entries);
        self.children.iter_mut().for_each(Self::abandon_calls);
    }

    /// The frame of a run: this one, or one that it called.
    pub fn find_mut(&mut self, run_id: &str) -> Option<&mut Self> {
        if self.origin.run_id == run_id {
            return Some(self);
        }
        self.children.iter_mut().find_map(|child| child.find_mut(run_id))
    }

    /// Takes out the procedure that was called by the call `sequence`.
    pub fn take_child(&mut self, sequence: Sequence) -> Option<Self> {
        let is_it = |child: &Self| child.caller.as_ref().is_some_and(|caller| caller.sequence == sequence);
        let at = self.children.iter().position(is_it)?;
        Some(self.children.swap_remove(at))
    }

    /// It and all that it called, those first.
    pub fn with_those_called(mut self) -> Vec<Self> {
        let children = std::mem::take(&mut self.children);
        children.into_iter().flat_map(Self::with_those_called).chain([self]).collect()
    }

    /// What it and all that it called printed, in bytes.
    pub fn printed(&self) -> usize {
        self.capture.len() + self.children.iter().map(Self::printed).sum::<usize>()
    }

    /// The steps that the code waits in.
    pub fn current_steps(&self) -> impl Iterator<Item = u32> {
        self.waiting.iter().filter_map(|pending| self.step_lines.step_at(pending.line))
    }

    /// Time spent executing so far, in milliseconds.
    pub fn duration_ms(&self) -> f64 {
        milliseconds(self.spent + self.since.elapsed())
    }

    /// Stops its clock and those of all that it called, until they go on under a budget.
    pub fn rest(&mut self) {
        self.spent += self.since.elapsed();
        self.since = Instant::now();
        self.children.iter_mut().for_each(Self::rest);
    }

    /// Goes on under another budget, with all that it called.
    pub fn under(&mut self, budget: &Arc<Budget>) {
        let budget = match self.limit {
            Some(limit) => Arc::new(budget.within(limit.deadline())),
            None => Arc::clone(budget),
        };
        self.capture = self.capture.under(Arc::clone(&budget));
        self.since = Instant::now();
        self.children.iter_mut().for_each(|child| child.under(&budget));
    }
}
