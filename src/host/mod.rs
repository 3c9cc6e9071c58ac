//! What procedures can call outside the sandbox: the module `repertoire`.
//!
//! One file per function. A function is described to authors in `repertoire.pyi`, named in [`MODULE`] and dispatched in
//! [`call`]. What needs the engine (calling a procedure, storing something) comes back as an [`Action`]; what waits for a decision is
//! described by [`gate`] and never called.

mod action;
mod call_procedure;
mod call_tool;
mod channels;
mod checkpoint;
mod context;
mod create_task;
mod draft_email;
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
mod texts;

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::{
    config::Config,
    domain::{Nature, host_module},
    runtime::monty::{HostModule, PythonError, Reply, SLEEP},
};

pub use crate::domain::host_module::{STUB, class_of};
pub use action::{Action, GateRequest, NewState};
pub use context::HostContext;
pub use gates::gate;
pub use grants::Grants;
pub use outline::{outline, stub_with};

/// What `from repertoire import …` finds.
pub static MODULE: LazyLock<HostModule> = LazyLock::new(|| HostModule { names: host_module::names() });

/// What kind of call this is.
#[must_use]
pub fn nature(function: &str, arguments: &Map<String, Value>, config: &Config) -> Nature {
    let is_declared_safe = || arguments.get("idempotent").and_then(Value::as_bool).unwrap_or(false);
    match function {
        "log" => Nature::Immediate,
        "call_procedure" => Nature::Nested,
        // Items and checkpoints are stored together with the answer.
        "checkpoint" | "llm" | "create_task" | "draft_email" | SLEEP => Nature::Repeatable,
        "notify" if notify::stays_here(arguments, &config.channels) => Nature::Repeatable,
        "http_request" if http_request::is_repeatable(arguments) => Nature::Repeatable,
        _ if gates::is_gate(function) => Nature::Gate,
        _ if is_declared_safe() => Nature::Repeatable,
        _ => Nature::Once,
    }
}

/// The arguments of a call as the journal keeps them and people see them: without what is recognised as a secret.
#[must_use]
pub fn shown_arguments(function: &str, arguments: &Map<String, Value>) -> Map<String, Value> {
    let arguments = arguments.clone();
    if function == "http_request" { http_request::shown(arguments) } else { arguments }
}

/// Arguments of a host call by name, also where they came by position.
///
/// # Errors
/// A `TypeError` that names what does not fit.
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
    Ok(named)
}

fn positional_names(function: &str) -> &'static [&'static str] {
    match host_module::signature(function) {
        Some(signature) => &signature.positional,
        // It belongs to `asyncio`, which our stub does not describe.
        None if function == SLEEP => &["delay"],
        None => &[],
    }
}

/// Performs a host call.
pub async fn call(function: &str, arguments: Map<String, Value>, context: &HostContext<'_>) -> Action {
    let action = match function {
        "run_command" => run_command::call(arguments, context).await,
        "call_procedure" => call_procedure::call(arguments),
        // Boxed, because a conversation with a server is large and the other calls would be moved with it.
        "call_tool" => Box::pin(call_tool::call(arguments, context)).await,
        "http_request" => Box::pin(http_request::call(arguments, context)).await,
        "llm" => Box::pin(llm::call(arguments, context)).await,
        "checkpoint" => checkpoint::call(arguments),
        "notify" => Box::pin(notify::call(arguments, context)).await,
        "create_task" => create_task::call(arguments),
        "draft_email" => draft_email::call(arguments),
        "log" => log::call(arguments, context),
        SLEEP => sleep::call(arguments, context).await,
        _ => Err(PythonError::new("NameError", format!("`{function}` is not a function of the module `repertoire`"))),
    };
    action.unwrap_or_else(|error| Action::Reply(Reply::Raise(error)))
}
