//! `run_command`: a granted program, in a granted directory.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{
    action::Action,
    context::{HostContext, answer, parse},
    function::{Fallible, GrantKind, HostFunction, Perform, as_declared, as_given},
    program::Program,
};
use crate::runtime::PythonError;

const NAME: &str = "run_command";

pub const FUNCTION: HostFunction = HostFunction {
    name: NAME,
    nature: as_declared,
    grant: Some(GrantKind::Command),
    fallible: Fallible::WhileChecked,
    shown: as_given,
    perform: Perform::Waiting(|arguments, context| Box::pin(call(arguments, context))),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    command: Vec<String>,
    cwd: Option<String>,
    stdin: Option<String>,
    #[serde(default = "yes")]
    check: bool,
    timeout: Option<f64>,
    /// Read by [`as_declared`].
    #[serde(default, rename = "idempotent")]
    _idempotent: bool,
}

const fn yes() -> bool {
    true
}

async fn call(arguments: Map<String, Value>, context: &HostContext<'_>) -> Result<Action, PythonError> {
    let arguments: Arguments = parse(NAME, arguments)?;
    if arguments.command.first().is_none_or(String::is_empty) {
        return Err(PythonError::new("ValueError", "run_command(): `command` is empty; its first item is the program"));
    }
    if arguments.command.iter().any(|argument| argument.contains('\0')) {
        return Err(PythonError::new("ValueError", "run_command(): an argument contains a NUL character"));
    }
    context.grants.check_command(&arguments.command)?;
    let directory = match &arguments.cwd {
        Some(directory) => context.grants.check_directory(directory)?,
        None => context.grants.default_directory().map_or_else(std::env::temp_dir, std::path::Path::to_owned),
    };
    let (command, shown) = (&arguments.command, &arguments.command.join(" "));
    let program = Program { command, shown, directory, stdin: arguments.stdin.as_deref() };
    let output = program.run(deadline(&arguments, context), &context.budget.cancel).await?;
    if arguments.check {
        output.check(&program)?;
    }
    let fields = Map::from_iter([
        ("stdout".to_owned(), json!(output.stdout)),
        ("stderr".to_owned(), json!(output.stderr)),
        ("exit_code".to_owned(), json!(output.exit_code)),
    ]);
    Ok(answer(NAME, fields))
}

fn deadline(arguments: &Arguments, context: &HostContext<'_>) -> Instant {
    let own = arguments
        .timeout
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .and_then(|limit| Instant::now().checked_add(limit));
    own.map_or(context.budget.deadline, |own| own.min(context.budget.deadline))
}
