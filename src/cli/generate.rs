//! `repertoire generate`

use std::process::ExitCode;

use super::{
    asking,
    context::Context,
    error::CliError,
    output::{DIM, Output, YELLOW, printable},
    programs::worker_program,
};
use crate::library::{Activity, CodeSource, GenerateRequest, Generated, ProcedureRef, Services};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name.
    procedure: String,
    /// Compile the steps, also where a model is configured.
    #[arg(long)]
    no_model: bool,
    /// Take the first code that the model writes.
    #[arg(long)]
    no_refine: bool,
    /// Store the code although it contradicts examples; the history says so.
    #[arg(long)]
    accept_failing_examples: bool,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let (made, warning) = make(
        &arguments.procedure,
        None,
        (!arguments.no_model, !arguments.no_refine),
        arguments.accept_failing_examples,
        context,
    )?;
    let out = context.output;
    let name = &made.procedure.definition.name;
    let by = match made.source {
        CodeSource::Model => "the model",
        CodeSource::Agent | CodeSource::Heuristic => "compiling the steps",
    };
    match made.version {
        Some(version) => out
            .line(format_args!("`{name}` has code by {by} in version {version} (confidence {:.2}).", made.confidence)),
        None => out.line(format_args!("`{name}` keeps the code that it has.")),
    }
    for issue in &made.validated.issues {
        let line = issue.line.map_or_else(String::new, |line| format!(" line {line}"));
        out.line(format_args!("{DIM}{}{line}:{DIM:#} {}", issue.code, printable(&issue.message)));
    }
    warn(out, warning.as_deref());
    Ok(ending(&made))
}

/// Why code was not stored.
pub fn refused(made: &Generated, out: Output) {
    made.failing
        .iter()
        .for_each(|failing| out.line(format_args!("It contradicts {}.", printable(&failing.to_string()))));
}

/// Code that examples speak against is no success.
pub fn ending(made: &Generated) -> ExitCode {
    if made.failing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says why the trigger of what was made could not start it.
pub fn warn(out: Output, warning: Option<&str>) {
    if let Some(warning) = warning {
        out.line(format_args!("{YELLOW}But{YELLOW:#} {warning}."));
    }
}

/// Makes code for a procedure: that which is given, or else by the model (if it may, and again if that may be refined) or
/// from the steps. With it comes why its trigger could not start it, where that is so.
pub fn make(
    procedure: &str,
    code: Option<&str>,
    (use_model, refine): (bool, bool),
    accepts_failing: bool,
    context: &Context,
) -> Result<(Generated, Option<String>), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let services = runtime.block_on(Services::open(context.config()?, context.starters, worker_program()?))?;
    let wanted = ProcedureRef::from(procedure);
    let generated = asking::confirmed(services.library().user(), context.output, |by| {
        let code = code.map(str::to_owned);
        let wanted = wanted.clone();
        let by = by.accepting_failing(accepts_failing);
        let request = GenerateRequest { wanted, code, dependencies: None, runtime: None, use_model, refine, by };
        runtime.block_on(services.generate(request, &Activity::default()))
    });
    runtime.block_on(services.engine().shut_down());
    let generated = generated?;
    let warning = services.library().trigger_warning(&generated.procedure);
    Ok((generated, warning))
}
