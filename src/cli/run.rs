//! `repertoire run`

use std::process::ExitCode;

use serde_json::{Map, Value};

use super::{
    asking,
    context::Context,
    error::CliError,
    output::{Output, printable},
    programs::worker_program,
};
use crate::{
    domain::Outcome,
    library::{
        ProcedureRef, Services,
        runs::{Decider, Execution},
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
    let execution = runtime.block_on(execute(arguments, context));
    // A read of the terminal may still block a thread.
    runtime.shutdown_background();
    let execution = execution?;
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
        show(&execution, out);
    }
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Shows how an execution ended.
pub fn show(execution: &Execution, out: Output) {
    if !execution.output.is_empty() {
        out.line(execution.output.trim_end());
    }
    match &execution.result {
        Some(Value::String(text)) => out.line(text),
        Some(value) => out.line(serde_json::to_string_pretty(value).unwrap_or_default()),
        None => {}
    }
    if let Some(error) = &execution.error {
        out.error(&error.traceback, None);
    }
}

async fn execute(arguments: &Arguments, context: &Context) -> Result<Execution, CliError> {
    let services = Services::open(context.config()?, context.starters, worker_program()?).await?;
    let parameters: Map<String, Value> = arguments.parameters.iter().cloned().collect();
    let wanted = ProcedureRef::from(arguments.procedure.as_str());
    let mut execution = services.engine().execute(&wanted, parameters, asking::stoppable()).await?;
    while let (Outcome::Paused, Some(gate)) = (execution.outcome, &execution.gate) {
        if !asking::is_terminal() {
            return Err(CliError::Wrong {
                what: format!("the run waits for a person: \"{}\"", printable(&gate.question)),
                hint: format!("`repertoire approve {}` in a terminal goes on with it, or an agent", execution.run_id),
            });
        }
        asking::show(gate, &execution.run_id, context.output);
        let decision = asking::ask(gate, context.output).await?;
        let decider = Decider::Person(services.library().user().to_owned());
        let (run_id, question) = (&execution.run_id, gate.id());
        execution = services.engine().answer(run_id, &question, decision, decider, asking::stoppable()).await?;
    }
    services.engine().shut_down().await;
    Ok(execution)
}
