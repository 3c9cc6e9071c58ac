//! What the table of host functions says of each of them.

use std::pin::Pin;

use serde_json::{Map, Value};

use super::{
    action::{Action, GateRequest},
    context::HostContext,
};
use crate::{
    config::Config,
    domain::{GateKind, Nature},
    runtime::{PythonError, Reply},
};

/// A host function: what its stub does not say.
pub struct HostFunction {
    /// What it is called in the stub, which has its parameters, its result and its documentation.
    pub name: &'static str,
    /// What making a call with these arguments once more would do.
    pub nature: fn(&Map<String, Value>, &Config) -> Nature,
    /// What a call has to be granted; none where it reaches nothing but the run and the user.
    pub grant: Option<GrantKind>,
    /// Whether code has to be ready for it to fail.
    pub fallible: Fallible,
    /// The arguments as the journal keeps them and people see them.
    pub shown: fn(Map<String, Value>) -> Map<String, Value>,
    /// What the code gets where somebody says that a call with these arguments gave this.
    pub said: fn(&Map<String, Value>, Reply) -> Reply,
    /// What a call does.
    pub perform: Perform,
}

/// How a host function is performed.
pub enum Perform {
    /// Without waiting for anything.
    AtOnce(fn(Map<String, Value>, &HostContext<'_>) -> Result<Action, PythonError>),
    /// Together with something outside, which takes its time.
    Waiting(for<'a> fn(Map<String, Value>, &'a HostContext<'a>) -> Performing<'a>),
    /// Not at all: the run waits for the clock. The function says when the wait ends that began at a moment, both in
    /// milliseconds since 1970; `None` where that is never.
    Timer(Due),
    /// Not at all: the run waits for somebody's decision. The function says what is asked for.
    Gate(GateKind, fn(GateKind, Map<String, Value>) -> Result<GateRequest, PythonError>),
}

/// When a wait ends that began at a moment, both in milliseconds since 1970.
pub type Due = fn(Map<String, Value>, i64) -> Result<Option<i64>, PythonError>;

/// A call that is being performed. Boxed, because a conversation with a server is large and would be moved around.
pub type Performing<'a> = Pin<Box<dyn Future<Output = Result<Action, PythonError>> + Send + 'a>>;

/// Kinds of grants. Which command, tool or host it is, is the first parameter of the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantKind {
    /// The command in the list `command`, and the folder `cwd`.
    Command,
    /// The tool of a downstream server in `tool`.
    Tool,
    /// The host of the address in `url`.
    Host,
    /// The use of the language model.
    Model,
}

/// Whether a call fails in the normal course of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallible {
    /// Only where the code or the policy is wrong.
    No,
    /// However it is called.
    Yes,
    /// Unless it is called with `check=False`.
    WhileChecked,
}

impl HostFunction {
    /// A function that waits for somebody's decision.
    pub(super) const fn gate(
        name: &'static str,
        kind: GateKind,
        read: fn(GateKind, Map<String, Value>) -> Result<GateRequest, PythonError>,
    ) -> Self {
        Self {
            name,
            nature: |_, _| Nature::Gate,
            grant: None,
            fallible: Fallible::No,
            shown: as_given,
            said: as_said,
            perform: Perform::Gate(kind, read),
        }
    }
}

impl HostFunction {
    /// A function that waits for the clock.
    pub(super) const fn timer(name: &'static str, due: Due) -> Self {
        Self {
            name,
            // What is waited for is a moment, whoever waits.
            nature: |_, _| Nature::Repeatable,
            grant: None,
            fallible: Fallible::No,
            shown: as_given,
            said: as_said,
            perform: Perform::Timer(due),
        }
    }

    /// When the wait ends that a call of it began `at` a moment; `None` when it is no wait for the clock.
    pub fn due(&self, arguments: Map<String, Value>, at: i64) -> Option<Result<Option<i64>, PythonError>> {
        match self.perform {
            Perform::Timer(due) => Some(due(arguments, at)),
            Perform::AtOnce(_) | Perform::Waiting(_) | Perform::Gate(..) => None,
        }
    }
}

/// Arguments that have no secrets.
pub(super) fn as_given(arguments: Map<String, Value>) -> Map<String, Value> {
    arguments
}

/// What was said, whatever it is.
pub(super) fn as_said(_: &Map<String, Value>, reply: Reply) -> Reply {
    reply
}

/// The nature of a call of which only the code knows it, and says so with `idempotent=True`.
pub(super) fn as_declared(arguments: &Map<String, Value>, _: &Config) -> Nature {
    match arguments.get("idempotent") {
        Some(Value::Bool(true)) => Nature::Repeatable,
        _ => Nature::Once,
    }
}
