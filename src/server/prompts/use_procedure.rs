//! `use_procedure`

use std::fmt::Write as _;

use super::prompt::{OwnPrompt, PROCEDURE, failure};
use crate::domain::{Procedure, visible};

const TASK: &str = "task";

pub const PROMPT: OwnPrompt = OwnPrompt {
    name: "use_procedure",
    title: "Use a procedure",
    description: "Has the agent carry out a known procedure, with what it needs to call it.",
    arguments: &[(PROCEDURE, "Number or name of the procedure.", true), (TASK, "What it is to be used for.", false)],
    text: |services, arguments| {
        Box::pin(async move {
            let wanted = arguments.procedure()?;
            let row = services.blocking(move |library| library.procedure(&wanted)).await;
            Ok(text(&row.map_err(|error| failure(&error))?, arguments.text(TASK)))
        })
    },
};

fn text(row: &Procedure, task: Option<&str>) -> String {
    let definition = &row.definition;
    let name = &definition.name;
    let mut text = format!("Use the procedure `{name}`");
    match task {
        Some(task) => _ = write!(text, " for this: {task}\n\n"),
        None => text.push_str(".\n\n"),
    }
    if !definition.description.is_empty() {
        _ = write!(text, "{}\n\n", visible(&definition.description));
    }
    if !definition.parameters.is_empty() {
        text.push_str("Its parameters:\n");
        for parameter in &definition.parameters {
            let need = if parameter.is_required() { "required" } else { "optional" };
            let kind = parameter.kind.annotation();
            let about = parameter.description.as_deref().map(|about| format!(": {}", visible(about)));
            _ = writeln!(text, "- `{}` ({kind}, {need}){}", parameter.name, about.unwrap_or_default());
        }
        text.push('\n');
    }
    for (what, conditions) in
        [("Before it runs", &definition.preconditions), ("Afterwards", &definition.postconditions)]
    {
        if !conditions.is_empty() {
            _ = write!(text, "{what}: {}.\n\n", visible(&conditions.join("; ")));
        }
    }
    if row.code.is_some() {
        _ = write!(
            text,
            "Take the values from the conversation and ask for what is missing, then call execute_procedure with \
             procedure_id \"{name}\" and these parameters. If the outcome is `paused`, do what `waiting_for` says and call \
             resume_run. If it fails, say why before you try anything else."
        );
    } else {
        text.push_str("It has no code yet, so carry out its steps yourself, in this order:\n");
        for (number, step) in definition.steps.iter().enumerate() {
            _ = writeln!(text, "{}. {}", number + 1, visible(&step.words()));
        }
        _ = write!(text, "\nThen call record_outcome with procedure_id \"{name}\" and how it went.");
    }
    text
}
