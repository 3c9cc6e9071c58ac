//! Procedures with a template, each as a prompt of its own, where the user wants that.

use rmcp::{
    ErrorData,
    model::{Prompt, PromptArgument},
};

use super::prompt::{Arguments, failure};
use crate::{
    domain::{Procedure, visible},
    library::{LibraryError, ProcedureRef, Services, TemplateVariable},
    server::reply::window,
};

/// Begins the names of all of them, so that none is taken for one of ours.
const PREFIX: &str = "procedure_";
/// More than a menu has room for.
const MOST: u32 = 100;
const MAX_DESCRIPTION_CHARS: usize = 200;

/// Whether a prompt of this name is one of these.
#[must_use]
pub fn is_named(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// All of them.
pub async fn list(services: &Services) -> Result<Vec<Prompt>, LibraryError> {
    let templates = services.blocking(|library| library.templates(MOST)).await?;
    Ok(templates.into_iter().map(listed).collect())
}

fn listed((row, variables): (Procedure, Vec<TemplateVariable>)) -> Prompt {
    let argument = |variable: TemplateVariable| {
        let argument = PromptArgument::new(variable.name).with_required(variable.is_required);
        match variable.description {
            Some(about) => argument.with_description(visible(&about)),
            None => argument,
        }
    };
    let arguments: Vec<PromptArgument> = variables.into_iter().map(argument).collect();
    let (description, _) = window(&row.definition.description, 0, MAX_DESCRIPTION_CHARS);
    let description = (!description.is_empty()).then(|| visible(&description));
    let name = row.definition.name.to_string();
    Prompt::new(format!("{PREFIX}{name}"), description, (!arguments.is_empty()).then_some(arguments)).with_title(name)
}

/// The template of one, filled in with what is given.
pub async fn text(services: &Services, arguments: Arguments) -> Result<String, ErrorData> {
    let wanted = ProcedureRef::Name(arguments.prompt[PREFIX.len()..].to_owned());
    let given = arguments.given;
    let text = services.blocking(move |library| library.fill_template(&wanted, &given)).await;
    text.map_err(|error| failure(&error))
}
