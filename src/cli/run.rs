//! `repertoire run`

use std::{
    io::{BufRead as _, IsTerminal as _},
    process::ExitCode,
};

use serde_json::{Map, Value};

use super::{
    CliError, Context,
    output::{BOLD, DIM, YELLOW},
    worker_program,
};
use crate::{
    domain::Outcome,
    library::{
        ProcedureRef, Services,
        runs::{Active, Decision, Execution},
    },
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name.
    procedure: String,
    /// Parameters as NAME=VALUE; a value that is valid JSON is taken as such, anything else as text.
    #[arg(value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, Value)>,
    /// Print the whole answer as JSON.
    #[arg(long)]
    json: bool,
}

fn parameter(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form NAME=VALUE"))?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let execution = runtime.block_on(execute(arguments, context))?;
    let out = context.output;
    let succeeded = execution.outcome == Outcome::Success;
    if arguments.json {
        out.line(serde_json::json!({
            "run_id": execution.run_id,
            "outcome": execution.outcome,
            "result": execution.result,
            "output": execution.output,
            "error": execution.error.as_ref().map(|error| &error.message),
            "error_type": execution.error.as_ref().map(|error| &error.kind),
            "duration_seconds": execution.duration_ms / 1000.0,
        }));
    } else {
        if !execution.output.is_empty() {
            out.line(execution.output.trim_end());
        }
        match &execution.result {
            Some(Value::String(text)) => out.line(text),
            Some(value) => out.line(serde_json::to_string_pretty(value).unwrap_or_default()),
            None => {}
        }
        if let Some(error) = &execution.error {
            out.error(&error.traceback);
        }
    }
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn execute(arguments: &Arguments, context: &Context) -> Result<Execution, CliError> {
    let services = Services::open(context.config()?, context.starters, worker_program()?).await?;
    let parameters: Map<String, Value> = arguments.parameters.iter().cloned().collect();
    let active = Active::default();
    let cancel = active.cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            cancel.cancel();
        }
    });
    let wanted = ProcedureRef::from(arguments.procedure.as_str());
    let mut execution = services.engine().execute(&wanted, parameters, active).await?;
    while let (Outcome::Paused, Some(instruction)) = (execution.outcome, &execution.waiting_for) {
        let decision = ask(context, instruction)?;
        execution = services.engine().resume(&execution.run_id, decision, Active::default()).await?;
    }
    services.engine().shut_down().await;
    Ok(execution)
}

/// Hands a manual step to the person at the terminal.
fn ask(context: &Context, instruction: &str) -> Result<Decision, CliError> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(CliError::Other(format!(
            "the run waits for a person: \"{instruction}\"; run it in a terminal, or through an agent"
        )));
    }
    context.output.line(format_args!("{YELLOW}►{YELLOW:#} {BOLD}{instruction}{BOLD:#}"));
    context
        .output
        .line(format_args!("{DIM}  Enter when done (what you type is the result), `reject` to refuse{DIM:#}"));
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(CliError::io("the terminal can't be read"))?;
    Ok(match line.trim() {
        "reject" => Decision::Reject(None),
        "" => Decision::Approve(Value::Null),
        text => Decision::Approve(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))),
    })
}
