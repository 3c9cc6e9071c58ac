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
    domain::{
        Decider, Outcome,
        json::{self, ReadError},
    },
    library::{ProcedureRef, Services, rfc3339_ms, runs::Execution},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name.
    procedure: String,
    /// Parameters as NAME=VALUE; a value that is valid JSON is taken as such, anything else as text.
    #[arg(value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, Value)>,
    /// What a trigger would say, as a JSON object: its fields go to parameters of their names, all of it to `trigger`. What
    /// a schedule gives is there by itself.
    #[arg(long, value_name = "JSON", value_parser = object)]
    context: Option<Fields>,
    /// Print the whole answer as JSON.
    #[arg(long)]
    json: bool,
}

fn parameter(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form NAME=VALUE"))?;
    let value = json_or_text(value).map_err(|unkept| format!("the value of `{name}`: {unkept}"))?;
    Ok((name.to_owned(), value))
}

/// A JSON object that was typed. clap would take a map for a list of values.
#[derive(Debug, Clone)]
struct Fields(Map<String, Value>);

fn object(text: &str) -> Result<Fields, String> {
    match json::read(text) {
        Ok(Value::Object(fields)) => Ok(Fields(fields)),
        Ok(_) | Err(ReadError::Syntax(_)) => Err(r#"it must be a JSON object, such as {"city": "Graz"}"#.to_owned()),
        Err(ReadError::Unkept(unkept)) => Err(unkept.to_string()),
    }
}

/// What was typed as JSON, or else as text.
pub fn json_or_text(text: &str) -> Result<Value, String> {
    match json::read(text) {
        Ok(value) => Ok(value),
        Err(ReadError::Syntax(_)) => Ok(Value::String(text.to_owned())),
        Err(ReadError::Unkept(unkept)) => Err(unkept.to_string()),
    }
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let execution = runtime.block_on(execute(arguments, context));
    // A read of the terminal may still block a thread.
    runtime.shutdown_background();
    let execution = execution?;
    let out = context.output;
    // What waits for the clock goes on without this command.
    let waits = execution.waits_until.map(rfc3339_ms);
    let succeeded = execution.outcome == Outcome::Success || waits.is_some();
    if arguments.json {
        out.line(serde_json::json!({
            "run_id": execution.run_id,
            "outcome": execution.outcome,
            "result": execution.result,
            "output": execution.output,
            "waits_until": waits,
            "error": execution.error.as_ref().map(|error| &error.message),
            "error_type": execution.error.as_ref().map(|error| &error.kind),
            "duration_seconds": execution.duration_ms / 1000.0,
        }));
    } else {
        show(&execution, out);
        if let Some(until) = waits {
            out.line(format_args!(
                "The run `{}` waits until {until}; a server goes on with it then.",
                execution.run_id
            ));
        }
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
    let given = arguments.context.clone().map(|Fields(fields)| fields);
    let mut execution = services.run_now(&wanted, parameters, given, asking::stoppable()).await?;
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
