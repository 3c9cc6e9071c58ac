//! Prompts: texts that a user can hand to their agent. One file per prompt, registered in [`OWN`].

mod prompt;
mod reflect;
mod review;
mod template;
mod use_procedure;
mod write_code;

use rmcp::{
    ErrorData,
    model::{GetPromptRequestParams, GetPromptResult, Prompt, PromptArgument, PromptMessage, Role},
};

use crate::library::Services;
use prompt::{Arguments, OwnPrompt, failure};

const OWN: [OwnPrompt; 4] = [use_procedure::PROMPT, reflect::PROMPT, review::PROMPT, write_code::PROMPT];

/// The prompts that are always there.
#[must_use]
pub fn own() -> Vec<Prompt> {
    OWN.iter().map(listed).collect()
}

/// Those of procedures with a template.
///
/// # Errors
/// When the procedures can't be read.
pub async fn of_templates(services: &Services) -> Result<Vec<Prompt>, ErrorData> {
    template::list(services).await.map_err(|error| failure(&error))
}

fn listed(prompt: &OwnPrompt) -> Prompt {
    let arguments = prompt.arguments.iter().map(|(name, description, required)| {
        PromptArgument::new(*name).with_description(*description).with_required(*required)
    });
    let arguments: Vec<PromptArgument> = arguments.collect();
    let arguments = (!arguments.is_empty()).then_some(arguments);
    Prompt::new(prompt.name, Some(prompt.description), arguments).with_title(prompt.title)
}

/// The text of a prompt.
///
/// # Errors
/// When there is none of that name, or its arguments make no sense.
pub async fn get(
    services: &Services,
    request: GetPromptRequestParams,
    with_templates: bool,
) -> Result<GetPromptResult, ErrorData> {
    let arguments = Arguments { prompt: request.name, given: request.arguments.unwrap_or_default() };
    let text = match OWN.iter().find(|prompt| prompt.name == arguments.prompt) {
        Some(prompt) => (prompt.text)(services, arguments).await?,
        None if with_templates && template::is_named(&arguments.prompt) => template::text(services, arguments).await?,
        None => {
            let name: String = arguments.prompt.chars().take(100).collect();
            let message = format!("there is no prompt `{name}`; prompts/list shows what there is");
            return Err(ErrorData::invalid_params(message, None));
        }
    };
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]))
}
