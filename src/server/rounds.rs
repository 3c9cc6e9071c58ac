//! Questions to the user on protocol 2026-07-28: the answer of a call is the question, and the client repeats the call
//! with the answer.
//!
//! What the client gives back says only which question it means. What is open is what the run's saved state says, so an
//! answer that comes twice, late or from nowhere decides nothing and executes nothing.

use std::collections::BTreeMap;

use rmcp::model::{CallToolRequestParams, ElicitRequest, ElicitResult, InputRequest, InputRequiredResult};

use super::{
    answer::Answer as _,
    elicit,
    progress::CallContext,
    reply::{self, Reply},
    tools::views::ExecutionView,
};
use crate::{
    domain::{Decider, RunStatus},
    library::{
        Library, LibraryError, Services,
        runs::{Decision, Gate, Handle},
    },
};

/// The name of the one question that a call asks at a time.
pub(super) const KEY: &str = "decision";

/// The question that `gate` asks of whoever called `tool`, where the client can be asked that way.
pub async fn question(
    services: &Services,
    context: &CallContext,
    tool: &str,
    asked: Option<(&str, &Gate)>,
) -> Option<InputRequiredResult> {
    let (run_id, gate) = asked.filter(|_| context.asks_by_rounds())?;
    let config = services.blocking(Library::config).await.ok()?;
    if gate.is_late() || config.runs.ask_seconds == 0 {
        return None;
    }
    let request = InputRequest::Elicitation(ElicitRequest::new(elicit::form(gate)?));
    let handle = Handle { run_id: run_id.to_owned(), question: gate.id() };
    let state = services.library().seal_question(tool, &handle);
    Some(InputRequiredResult::new(Some(BTreeMap::from([(KEY.to_owned(), request)])), Some(state)))
}

/// Goes on where a call had asked something, when this one brings the answer. `None` when it is a call like any other.
pub async fn go_on(services: &Services, request: &mut CallToolRequestParams, context: &CallContext) -> Option<Reply> {
    let (state, answers) = (request.request_state.take(), request.input_responses.take());
    if state.is_none() && answers.is_none() {
        return None;
    }
    let answer = answers.and_then(|mut answers| answers.remove(KEY));
    let handle = state.and_then(|state| services.library().open_question(&request.name, &state));
    let executed = match handle {
        Some(handle) => Box::pin(decide(services, &handle, answer, context)).await,
        None => Err(LibraryError::NotAsked { tool: request.name.chars().take(100).collect() }),
    };
    Some(match executed {
        Ok(view) => {
            let question = question(services, context, &request.name, view.asked()).await;
            reply::answer(view).asking(question)
        }
        Err(error) => reply::refusal(&error),
    })
}

async fn decide(
    services: &Services,
    handle: &Handle,
    answer: Option<serde_json::Value>,
    context: &CallContext,
) -> Result<ExecutionView, LibraryError> {
    let engine = services.engine();
    let active = context.active(services).await?;
    let Handle { run_id, question } = handle;
    let waiting = match engine.waiting(run_id, &active).await {
        // Its server ended while it went on: it is taken up, and asks again.
        Err(LibraryError::RunNotPaused { status: RunStatus::Interrupted, .. }) => {
            let run = engine.resume(run_id, Decision::Expire, Decider::Nobody, active.clone());
            return Ok(context.watch_run(&active, run).await?.into());
        }
        waiting => waiting?,
    };
    if waiting.gate.id() != *question {
        return Err(LibraryError::AlreadyDecided(run_id.clone()));
    }
    // A client that brings no answer is asked again.
    let Some(answer) = answer else { return Ok(waiting.into_execution().into()) };
    let decision = elicit::decision(&waiting.gate, serde_json::from_value::<ElicitResult>(answer).ok());
    let run = engine.answer(run_id, question, decision, context.user(), active.clone());
    Ok(context.watch_run(&active, run).await?.into())
}
