//! `repertoire clone`

use std::process::ExitCode;

use super::{context::Context, error::CliError, output::YELLOW};
use crate::{
    domain::Trigger,
    library::{Actor, CloneRequest, DefinitionPatch, ProcedureRef},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name.
    procedure: String,
    /// Name of the copy. [default: the same with a number]
    name: Option<String>,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let request = CloneRequest {
        source: ProcedureRef::from(arguments.procedure.as_str()),
        name: arguments.name.clone(),
        fields: DefinitionPatch::default(),
        code: None,
        lock: None,
    };
    let copy = library.clone_procedure(&request, &Actor::program())?.procedure;
    let out = context.output;
    out.line(format_args!("Cloned as `{}` (id {}). It is yours.", copy.definition.name, copy.id));
    if let Some(trigger) = &copy.definition.trigger {
        out.line(starts(trigger));
    }
    if let Some(warning) = library.trigger_warning(&copy) {
        out.line(format_args!("{YELLOW}But{YELLOW:#} {warning}."));
    }
    Ok(ExitCode::SUCCESS)
}

/// What starts a procedure with this trigger.
fn starts(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Time(time) => {
            format!("A daemon or a running server starts it by the clock: `{}` ({}).", time.cron, time.timezone)
        }
        Trigger::Event(event) => format!("An event `{}` starts it (`emit_event`).", event.event_type),
        Trigger::Condition(condition) => format!(
            "An event starts it whose payload has `{}` {} {} (`emit_event`).",
            condition.field,
            condition.operator.as_str(),
            condition.value
        ),
        Trigger::Conditions(_) => "`match_procedures` finds it in its situation.".to_owned(),
    }
}
