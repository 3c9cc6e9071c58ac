//! What procedures can call outside the sandbox: the module `repertoire`.
//!
//! One file per function, with its row of the table `FUNCTIONS`; names, parameters and documentation are in the stub. What
//! needs the engine (calling a procedure, storing something) comes back as an [`Action`]; what waits for a decision is
//! described by [`gate`] and never called.

mod action;
mod bounds;
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
mod held;
mod http_request;
mod llm;
mod log;
mod missing;
mod network;
mod notify;
mod numbers;
mod outcome;
mod outline;
mod program;
mod proxy;
mod reach;
mod rules;
mod run_command;
mod skip_step;
mod sleep;
#[cfg(test)]
mod tests;
mod texts;

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::{
    config::Config,
    domain::{GateKind, Nature, Permissions, Rule, host_module},
    runtime::{HostModule, PythonError, Reply},
};

use function::Perform;

pub use crate::domain::host_module::STUB;
pub use action::{Action, GateRequest, NewState};
pub use bounds::{Confines, of_python as confines_of_python, of_server as walls_of_server};
pub use call_procedure::time_limit;
pub use context::HostContext;
pub use function::{Fallible, GrantKind, HostFunction};
pub use grants::Grants;
pub use outcome::{needed, reply as outcome};
pub use outline::{outline, stub_with};
pub use proxy::Proxy;
pub use reach::Reach;

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
    sleep::FOR,
    sleep::UNTIL,
    gates::APPROVE,
    gates::ASK,
    checkpoint::FUNCTION,
    notify::FUNCTION,
    create_task::FUNCTION,
    draft_email::FUNCTION,
    log::FUNCTION,
    skip_step::FUNCTION,
    sleep::ASYNC,
    sleep::TIME,
    held::WRITE_FILE,
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

/// Whether a function reaches nothing outside of the run: it writes to its output, waits for the clock, or keeps its state.
#[must_use]
pub fn is_within_run(name: &str) -> bool {
    [log::FUNCTION.name, skip_step::FUNCTION.name, checkpoint::FUNCTION.name].contains(&name) || is_timer(name)
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

/// Arguments of a host call by name, also where they came by position.
///
/// # Errors
/// A `TypeError` that names what does not fit, a `ValueError` for a number out of range, or the error of a gate that has
/// nothing to ask.
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
    numbers::check(function, &named)?;
    // What waits for a decision or for the clock is never called, so there is nobody else to refuse what it can't be asked.
    if gate_kind(function).is_some() {
        gate(function, named.clone())?;
    }
    if let Some(due) = due(function, named.clone(), jiff::Timestamp::now().as_millisecond()) {
        due?;
    }
    Ok(named)
}

fn positional_names(function: &str) -> &'static [&'static str] {
    match host_module::signature(function) {
        Some(signature) => &signature.positional,
        None if is_timer(function) => &sleep::POSITIONAL,
        None => &[],
    }
}

/// Performs a host call.
pub async fn call(name: &str, arguments: Map<String, Value>, context: &HostContext<'_>) -> Action {
    let action = match function(name).map(|function| &function.perform) {
        Some(Perform::AtOnce(perform)) => perform(arguments, context),
        Some(Perform::Waiting(perform)) => perform(arguments, context).await,
        // These are the engine's.
        Some(Perform::Gate(..) | Perform::Timer(_)) | None => Err(unknown(name)),
    };
    action.unwrap_or_else(|error| Action::Reply(Reply::Raise(error)))
}

/// What kind of decision a function waits for, if it waits for one.
#[must_use]
pub fn gate_kind(name: &str) -> Option<GateKind> {
    match function(name)?.perform {
        Perform::Gate(kind, _) => Some(kind),
        Perform::AtOnce(_) | Perform::Waiting(_) | Perform::Timer(_) => None,
    }
}

/// Whether a function waits for the clock.
#[must_use]
pub fn is_timer(name: &str) -> bool {
    function(name).is_some_and(|function| matches!(function.perform, Perform::Timer(_)))
}

/// When the wait ends that a call began `at` a moment, both in milliseconds since 1970; `None` when it waits for something
/// else, `Some(Ok(None))` where that is never.
#[must_use]
pub fn due(name: &str, arguments: Map<String, Value>, at: i64) -> Option<Result<Option<i64>, PythonError>> {
    function(name)?.due(arguments, at)
}

/// The rule of the user by which a person decides on a call, where it is granted.
#[must_use]
pub fn asked<'g>(name: &str, arguments: &Map<String, Value>, grants: &'g Grants) -> Option<&'g Rule> {
    held::asked(function(name)?.grant?, arguments, grants)
}

/// What is asked about a call that waits because of such a rule.
#[must_use]
pub fn held(name: &str, rule: &str, arguments: &Map<String, Value>) -> GateRequest {
    held::request(function(name).and_then(|function| function.grant), name, rule, &shown_arguments(name, arguments))
}

/// The grants that a call lacks, and with which it would be made.
#[must_use]
pub fn missing(name: &str, arguments: &Map<String, Value>, grants: &Grants) -> Option<Permissions> {
    missing::of(function(name)?.grant?, arguments, grants)
}

/// What is asked about a call of `procedure` that waits for such grants.
#[must_use]
pub fn wanted(procedure: &str, name: &str, missing: &Permissions, arguments: &Map<String, Value>) -> GateRequest {
    missing::request(procedure, name, missing, &shown_arguments(name, arguments))
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
