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
    runtime::PythonError,
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
    /// What a call does.
    pub perform: Perform,
}

/// How a host function is performed.
pub enum Perform {
    /// Without waiting for anything.
    AtOnce(fn(Map<String, Value>, &HostContext<'_>) -> Result<Action, PythonError>),
    /// Together with something outside, which takes its time.
    Waiting(for<'a> fn(Map<String, Value>, &'a HostContext<'a>) -> Performing<'a>),
    /// Not at all: the run waits for somebody's decision. The function says what is asked for.
    Gate(GateKind, fn(GateKind, Map<String, Value>) -> Result<GateRequest, PythonError>),
}

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
            perform: Perform::Gate(kind, read),
        }
    }
}

/// Arguments that have no secrets.
pub(super) fn as_given(arguments: Map<String, Value>) -> Map<String, Value> {
    arguments
}

/// The nature of a call of which only the code knows it, and says so with `idempotent=True`.
pub(super) fn as_declared(arguments: &Map<String, Value>, _: &Config) -> Nature {
    match arguments.get("idempotent") {
        Some(Value::Bool(true)) => Nature::Repeatable,
        _ => Nature::Once,
    }
}
