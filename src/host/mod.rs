//! What procedures can call outside the sandbox: the module `repertoire`.
//!
//! One file per function. A function is described to authors in `repertoire.pyi`, named in [`MODULE`] and dispatched in
//! [`call`]. What needs the engine (calling a procedure, pausing) comes back as an [`Action`].

mod call_procedure;
mod grants;
mod log;
mod manual_step;
mod run_command;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::sandbox::{Budget, Capture, HostModule, PythonError, Reply};

pub use grants::Grants;

/// The typed stub of the module: what authors of procedures and their tools read.
pub const STUB: &str = include_str!("repertoire.pyi");

/// What `from repertoire import …` finds.
pub const MODULE: HostModule =
    HostModule { names: &["run_command", "call_procedure", "manual_step", "log", "CommandResult"], stub: STUB };

/// What the engine has to do for a host call.
#[derive(Debug)]
pub enum Action {
    /// Go on with this answer.
    Reply(Reply),
    /// Execute another procedure and go on with its result.
    CallProcedure {
        /// Its name.
        name: String,
        /// Its parameters.
        arguments: Map<String, Value>,
    },
    /// Pause until somebody brings a value.
    Pause {
        /// What they are asked to do.
        instruction: String,
    },
}

/// What a host function may use.
#[derive(Debug)]
pub struct HostContext<'a> {
    /// What the policy and the procedure allow.
    pub grants: &'a Grants,
    /// Output of the run.
    pub capture: &'a Capture,
    /// Time left, and cancellation.
    pub budget: &'a Arc<Budget>,
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

const fn positional_names(function: &str) -> &'static [&'static str] {
    match function.as_bytes() {
        b"run_command" => &["command"],
        b"call_procedure" => &["name", "arguments"],
        b"manual_step" => &["instruction"],
        b"log" => &["message"],
        _ => &[],
    }
}

/// Performs a host call.
pub async fn call(function: &str, arguments: Map<String, Value>, context: &HostContext<'_>) -> Action {
    let action = match function {
        "run_command" => run_command::call(arguments, context).await,
        "call_procedure" => call_procedure::call(arguments),
        "manual_step" => manual_step::call(arguments),
        "log" => log::call(arguments, context),
        _ => Err(PythonError::new("NameError", format!("`{function}` is not a function of the module `repertoire`"))),
    };
    action.unwrap_or_else(|error| Action::Reply(Reply::Raise(error)))
}

/// Arguments as a typed value.
fn parse<T: DeserializeOwned>(function: &str, arguments: Map<String, Value>) -> Result<T, PythonError> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| PythonError::new("TypeError", format!("{function}(): {error}")))
}
