//! What procedures can call outside the sandbox: the module `repertoire`.
//!
//! One file per function, with its row of the table `FUNCTIONS`; names, parameters and documentation are in the stub. What
//! needs the engine (calling a procedure, storing something) comes back as an [`Action`]; what waits for a decision is
//! described by [`gate`] and never called.

mod action;
mod call_procedure;
mod call_tool;
mod channels;
mod checkpoint;
mod context;
mod create_task;
mod draft_email;
mod function;
mod gates;
mod grants;
mod http_request;
mod llm;
mod log;
mod notify;
mod outline;
mod program;
mod run_command;
mod sleep;
#[cfg(test)]
mod tests;
mod texts;

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::{
    config::Config,
    domain::{GateKind, Nature, host_module},
    runtime::{HostModule, PythonError, Reply, SLEEP},
};

use function::Perform;

pub use crate::domain::host_module::STUB;
pub use action::{Action, GateRequest, NewState};
pub use context::HostContext;
pub use function::{Fallible, GrantKind, HostFunction};
pub use grants::Grants;
pub use outline::{outline, stub_with};

/// What `from repertoire import …` finds.
pub static MODULE: LazyLock<HostModule> = LazyLock::new(|| HostModule { names: host_module::names() });

/// The functions of the module in the order of the stub, and what the interpreter asks us for beside it.
static FUNCTIONS: &[HostFunction] = &[
    run_command::FUNCTION,
    call_procedure::FUNCTION,
    call_tool::FUNCTION,
    http_request::FUNCTION,
    llm::FUNCTION,
    gates::MANUAL_STEP,
    gates::APPROVE,
    gates::ASK,
    checkpoint::FUNCTION,
    notify::FUNCTION,
    create_task::FUNCTION,
    draft_email::FUNCTION,
    log::FUNCTION,
    sleep::FUNCTION,
];

/// What the table says of a function.
#[must_use]
pub fn function(name: &str) -> Option<&'static HostFunction> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// What kind of call this is.
#[must_use]
pub fn nature(name: &str, arguments: &Map<String, Value>, config: &Config) -> Nature {
    function(name).map_or(Nature::Once, |function| (function.nature)(arguments, config))
}

/// The arguments of a call as the journal keeps them and people see them: without what is recognised as a secret.
#[must_use]
pub fn shown_arguments(name: &str, arguments: &Map<String, Value>) -> Map<String, Value> {
    let arguments = arguments.clone();
    match function(name) {
        Some(function) => (function.shown)(arguments),
        None => arguments,
    }
}

/// The class of what a host function returns, where that is no plain value.
#[must_use]
pub fn class_of(function: &str) -> Option<&'static str> {
    host_module::class_of(function).map(|class| class.name)
}

/// Arguments of a host call by name, also where they came by position.
///
/// # Errors
/// A `TypeError` that names what does not fit, or the error of a gate that has nothing to ask.
pub fn named_arguments(
    function: &str,
    args: Vec<Value>,
    kwargs: Map<String, Value>,
) -> Result<Map<String, Value>, PythonError> {
    let positional = positional_names(function);
    if args.len() > positional.len() {
        let message =
            format!("{function}() takes {} positional arguments, {} were given", positional.len(), args.len());
        return Err(PythonError::new("TypeError", message));
    }
    let mut named = kwargs;
    for (name, value) in positional.iter().zip(args) {
        if named.insert((*name).to_owned(), value).is_some() {
            return Err(PythonError::new("TypeError", format!("{function}() got multiple values for `{name}`")));
        }
    }
    // What waits for a decision is never called, so there is nobody else to refuse what it can't be asked.
    if gate_kind(function).is_some() {
        gate(function, named.clone())?;
    }
    Ok(named)
}

fn positional_names(function: &str) -> &'static [&'static str] {
    match host_module::signature(function) {
        Some(signature) => &signature.positional,
        None if function == SLEEP => &sleep::POSITIONAL,
        None => &[],
    }
}

/// Performs a host call.
pub async fn call(name: &str, arguments: Map<String, Value>, context: &HostContext<'_>) -> Action {
    let action = match function(name).map(|function| &function.perform) {
        Some(Perform::AtOnce(perform)) => perform(arguments, context),
        Some(Perform::Waiting(perform)) => perform(arguments, context).await,
        // A gate is the engine's.
        Some(Perform::Gate(..)) | None => Err(unknown(name)),
    };
    action.unwrap_or_else(|error| Action::Reply(Reply::Raise(error)))
}

/// What kind of decision a function waits for, if it waits for one.
#[must_use]
pub fn gate_kind(name: &str) -> Option<GateKind> {
    match function(name)?.perform {
        Perform::Gate(kind, _) => Some(kind),
        Perform::AtOnce(_) | Perform::Waiting(_) => None,
    }
}

/// What a call of a gate asks for.
///
/// # Errors
/// A `TypeError` or `ValueError` that names the argument.
pub fn gate(name: &str, arguments: Map<String, Value>) -> Result<GateRequest, PythonError> {
    match function(name).map(|function| &function.perform) {
        Some(Perform::Gate(kind, read)) => read(*kind, arguments),
        _ => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> PythonError {
    PythonError::new("NameError", format!("`{name}` is not a function of the module `repertoire`"))
}
