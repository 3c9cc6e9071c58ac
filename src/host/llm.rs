//! `llm`: ask the language model of the configuration.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    action::Action,
    context::{HostContext, parse},
    function::{Fallible, GrantKind, HostFunction, Perform, as_given, as_said},
};
use crate::{
    domain::{Hinted as _, Nature},
    models::{Completion, Message, Model, ModelError, Role},
    runtime::{PythonError, Reply},
};

const NAME: &str = "llm";

pub const FUNCTION: HostFunction = HostFunction {
    name: NAME,
    nature: |_, _| Nature::Repeatable,
    grant: Some(GrantKind::Model),
    fallible: Fallible::Yes,
    shown: as_given,
    said: as_said,
    perform: Perform::Waiting(|arguments, context| Box::pin(call(arguments, context))),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    prompt: String,
    system: Option<String>,
    max_tokens: Option<u32>,
}

async fn call(arguments: Map<String, Value>, context: &HostContext<'_>) -> Result<Action, PythonError> {
    let Arguments { prompt, system, max_tokens } = parse(NAME, arguments)?;
    // Providers refuse empty messages, each in words of its own.
    if prompt.trim().is_empty() {
        return Err(PythonError::new("ValueError", "llm(): `prompt` is empty; say what the model is to do"));
    }
    context.grants.check_model()?;
    let Some(mut settings) = context.config.model.clone() else {
        let message = "no language model is configured; the user can name one under [model] in config.toml";
        return Err(PythonError::new("RuntimeError", message));
    };
    if let Some(most) = max_tokens {
        settings.max_output_tokens = settings.max_output_tokens.min(most);
    }
    let most = settings.max_output_tokens;
    let system = system.filter(|text| !text.trim().is_empty()).map(|text| Message { role: Role::System, text });
    let messages: Vec<Message> = system.into_iter().chain([Message { role: Role::User, text: prompt }]).collect();
    let asking = async {
        // Making a client reads the certificates of the system, which takes its time.
        let model = tokio::task::spawn_blocking(move || Model::new(&settings)).await;
        let model = model.map_err(|error| {
            tracing::error!(%error, "the client of the model was not made");
            PythonError::new("RuntimeError", "the model can't be asked; the log of the server says why")
        })?;
        let note = |note: &str| context.capture.push(&format!("llm(): {note}\n"));
        match model {
            Ok(model) => {
                let model = match context.meter {
                    Some(meter) => model.metered(Arc::clone(meter)),
                    None => model,
                };
                model.complete(&messages, &context.budget.cancel, note).await
            }
            Err(error) => Err(error),
        }
        .map_err(|error| raised(&error))
    };
    let Completion { text, truncated, .. } = tokio::select! {
        completion = asking => completion?,
        () = tokio::time::sleep_until(context.budget.deadline) => {
            return Err(PythonError::new("TimeoutError", "the run's time was over before the model answered"));
        }
    };
    if truncated {
        context.capture.push(&format!("llm(): the answer was cut at {most} tokens\n"));
    }
    Ok(Action::Reply(Reply::Value(Value::String(text))))
}

fn raised(error: &ModelError) -> PythonError {
    let kind = match error {
        ModelError::TimedOut { .. } | ModelError::Cancelled => "TimeoutError",
        _ => "RuntimeError",
    };
    PythonError::new(kind, error.in_full())
}
