//! `run_command`: a granted program, in a granted directory.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    action::Action,
    bounds,
    context::{HostContext, answer, deadline, parse},
    function::{Fallible, GrantKind, HostFunction, Perform, as_declared, as_given},
    outcome,
    program::Program,
};
use crate::{
    confinement,
    runtime::{PythonError, Reply},
};

const NAME: &str = "run_command";

pub const FUNCTION: HostFunction = HostFunction {
    name: NAME,
    nature: as_declared,
    grant: Some(GrantKind::Command),
    fallible: Fallible::WhileChecked,
    shown: as_given,
    said: |arguments, reply| outcome::checked(arguments, reply.clone(), failure(arguments, &reply)),
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

/// How a call failed that is said to have given this.
fn failure(arguments: &Map<String, Value>, reply: &Reply) -> Option<String> {
    let Reply::Instance { fields, .. } = reply else { return None };
    let exit_code = fields.get("exit_code")?.as_i64().filter(|code| *code != 0)?;
    let words = arguments.get("command").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let said = |stream: &str| fields.get(stream).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let said = Some(said("stderr")).filter(|said| !said.is_empty()).unwrap_or_else(|| said("stdout"));
    let text = format!("`{}` ended with exit code {exit_code}: {said}", words.collect::<Vec<_>>().join(" "));
    Some(text.trim_end_matches([':', ' ']).to_owned())
}

const fn yes() -> bool {
    true
}

/// The record of a run says that nothing held what it executed.
fn say_unconfined(shown: &str, context: &HostContext<'_>) {
    let program = shown.split(' ').next().unwrap_or_default();
    tracing::warn!(program, "executed without walls, as `confinement` under [policy] says");
    let line = format!("`{program}` was executed without walls around it: `confinement` under [policy] is \"none\"\n");
    say_once(&line, context);
}

fn say_once(line: &str, context: &HostContext<'_>) {
    if !context.capture.text().contains(line) {
        context.capture.push(line);
    }
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
    let confines = bounds::of_command(command, context);
    if confines.is_none() {
        say_unconfined(shown, context);
    }
    let program = Program { command, shown, directory, stdin: arguments.stdin.as_deref(), confines };
    let output = program.run(deadline(arguments.timeout, context.budget), &context.budget.cancel).await?;
    if program.confines.is_some()
        && let Some(remark) = confinement::remark(confinement::known_means())
    {
        say_once(&format!("`{}` was executed {remark}\n", arguments.command[0]), context);
    }
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
