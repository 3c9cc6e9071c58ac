//! Prompts: texts that a user can hand to their agent.

use rmcp::{
    ErrorData,
    model::{GetPromptRequestParams, GetPromptResult, Prompt, PromptArgument, PromptMessage, Role},
};
use serde_json::Value;

use crate::{
    domain::Hinted as _,
    library::{ProcedureRef, Services},
};

const WRITE_CODE: &str = "write_procedure_code";
const PROCEDURE: &str = "procedure_id";

/// Every prompt.
pub fn list() -> Vec<Prompt> {
    let procedure =
        PromptArgument::new(PROCEDURE).with_description("Number or name of the procedure.").with_required(true);
    let description = "Everything an agent needs to write the code of a procedure itself.";
    vec![Prompt::new(WRITE_CODE, Some(description), Some(vec![procedure]))]
}

/// The text of a prompt.
pub async fn get(services: &Services, request: &GetPromptRequestParams) -> Result<GetPromptResult, ErrorData> {
    if request.name != WRITE_CODE {
        let name: String = request.name.chars().take(100).collect();
        let message = format!("there is no prompt `{name}`; prompts/list shows what there is");
        return Err(ErrorData::invalid_params(message, None));
    }
    let wanted = match request.arguments.as_ref().and_then(|arguments| arguments.get(PROCEDURE)) {
        Some(Value::String(text)) => ProcedureRef::from(text.as_str()),
        Some(Value::Number(number)) if number.is_i64() => ProcedureRef::Id(number.as_i64().unwrap_or_default()),
        _ => {
            let message = format!("`{WRITE_CODE}` needs `{PROCEDURE}`, the number or name of a procedure");
            return Err(ErrorData::invalid_params(message, None));
        }
    };
    let guide = services.blocking(move |library| library.authoring_guide(&wanted)).await;
    let guide = guide.map_err(|error| ErrorData::invalid_params(error.in_full(), None))?;
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, guide)]))
}
