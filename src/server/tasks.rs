//! The Tasks extension (`io.modelcontextprotocol/tasks`): a run is a task.
//!
//! A client that knows tasks gets one for a run that does not end at once, and polls it. What it is told comes from the
//! store and from nothing that this process remembers, so the next server tells it as well.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rmcp::{
    ErrorData,
    model::{
        CreateTaskResult, DetailedTask, ElicitRequest, ElicitResult, InputRequest, JsonObject, Task, TaskPayload,
        TaskStatus, UpdateTaskParams,
    },
};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    elicit,
    progress::CallContext,
    reply::{self, Reply},
    tools::views::ExecutionView,
};
use crate::{
    domain::{Hinted as _, RunStatus, visible},
    library::{
        ErrorKind, LibraryError, Services, rfc3339_ms,
        runs::{Active, Execution, Gate, QuestionId, RunView},
    },
};

/// A run that ends within this needs no polling.
const AT_ONCE: Duration = Duration::from_millis(100);
/// How soon a client should ask again, in milliseconds.
const POLL_INTERVAL: u64 = 500;

/// What a call came to that may be a task.
pub enum Done {
    Replied(Reply),
    Task(CreateTaskResult),
}

/// Waits for a call that executes the run that `active` is a handle of, as long as it takes if that is not long. Otherwise it
/// goes on by itself, and the run is the task.
pub async fn done_or_task(
    services: &Services,
    mut work: JoinHandle<Reply>,
    active: &Active,
    (request_ended, cancelled): (&CancellationToken, &CancellationToken),
) -> Result<Done, ErrorData> {
    let lost = |error: &tokio::task::JoinError| ErrorData::internal_error(format!("the call was lost: {error}"), None);
    let begun = async {
        tokio::time::sleep(AT_ONCE).await;
        active.begun().await
    };
    let given_up = async {
        request_ended.cancelled().await;
        cancelled.cancel();
        std::future::pending::<()>().await;
    };
    let id = tokio::select! {
        () = given_up => return Err(ErrorData::internal_error("the call was given up", None)),
        reply = &mut work => {
            let reply = reply.map_err(|error| lost(&error))?;
            // A question takes people long, so that waiting for them is a task too.
            match reply.asked_run() {
                Some(id) => id.to_owned(),
                None => return Ok(Done::Replied(reply)),
            }
        }
        id = begun => id,
    };
    let view = services.engine().view(&id).await.map_err(|error| failure(&error))?;
    let asks = view.run.status == RunStatus::Paused && view.run.waits_until().is_none();
    let status = if asks { TaskStatus::InputRequired } else { TaskStatus::Working };
    Ok(Done::Task(CreateTaskResult::new(described(&view, status))))
}

/// How a task stands.
///
/// # Errors
/// When there is none of that id.
pub async fn get(services: &Services, id: &str, can_ask: bool) -> Result<DetailedTask, ErrorData> {
    let view = services.engine().view(id).await.map_err(|error| failure(&error))?;
    let mut task = described(&view, TaskStatus::Working);
    let payload = match view.run.status {
        RunStatus::Cancelled => TaskPayload::Cancelled,
        RunStatus::Running | RunStatus::Interrupted => TaskPayload::Working,
        RunStatus::Paused => {
            // Where it went on meanwhile, it asks nothing.
            let gates = services.engine().questions(id).await.unwrap_or_default();
            let ask = |gate: &Gate| {
                let form = elicit::form(gate).filter(|_| can_ask && !gate.is_late())?;
                Some((key(&gate.id()), InputRequest::Elicitation(ElicitRequest::new(form))))
            };
            let input_requests: BTreeMap<_, _> = gates.iter().filter_map(ask).collect();
            if input_requests.is_empty() {
                let waits = gates.first().map(|gate| format!("waits: {}", visible(&gate.question)));
                task.status_message = waits.or(task.status_message);
                TaskPayload::Working
            } else {
                TaskPayload::InputRequired { input_requests }
            }
        }
        RunStatus::Succeeded | RunStatus::Failed | RunStatus::Skipped => {
            TaskPayload::Completed { result: Execution::ended(view.run.clone()).map(result_of).unwrap_or_default() }
        }
    };
    Ok(DetailedTask::new(task, payload))
}

/// The result of the call that began the task, as it would have been answered.
fn result_of(execution: Execution) -> JsonObject {
    let result = reply::answer(ExecutionView::from(execution)).into_result();
    match serde_json::to_value(result) {
        Ok(Value::Object(fields)) => fields,
        _ => JsonObject::new(),
    }
}

fn described(view: &RunView, status: TaskStatus) -> Task {
    let run = &view.run;
    let updated = run.finished_at.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond());
    let task = Task::new(&run.id, status, rfc3339_ms(run.started_at), rfc3339_ms(updated));
    let task = task.with_poll_interval_ms(POLL_INTERVAL);
    match view.current_step {
        Some(step) if run.status == RunStatus::Running => {
            task.with_status_message(format!("step {step} of {} of `{}`", view.steps_total, run.procedure_name))
        }
        _ => task,
    }
}

/// What tells a question of a task from all others that it ever asks.
fn key(question: &QuestionId) -> String {
    format!("{}-{}", question.run_id, question.sequence)
}

/// Takes the answers of the client's user to what a task asked, and goes on with it.
///
/// # Errors
/// When there is no such task. Answers to what is not asked any more are ignored, as the protocol wants it.
pub async fn update(
    services: &Arc<Services>,
    request: UpdateTaskParams,
    context: &CallContext,
) -> Result<(), ErrorData> {
    let id = request.task_id;
    let gates = match services.engine().questions(&id).await {
        Ok(gates) => gates,
        Err(LibraryError::RunNotPaused { .. }) => return Ok(()),
        Err(error) => return Err(failure(&error)),
    };
    let mut answers = request.input_responses;
    let decided: Vec<_> = gates
        .into_iter()
        .filter_map(|gate| {
            let answer = serde_json::from_value::<ElicitResult>(answers.remove(&key(&gate.id()))?).ok();
            Some((gate.id(), elicit::decision(&gate, answer)))
        })
        .collect();
    if decided.is_empty() {
        return Ok(());
    }
    let (services, decider, active) = (Arc::clone(services), context.user(), context.run());
    let begun = active.clone();
    let going_on = tokio::spawn(async move {
        for (question, decision) in decided {
            services.engine().answer(&id, &question, decision, decider.clone(), active.clone()).await?;
        }
        Ok::<_, LibraryError>(())
    });
    // It is acknowledged once the run has it, not once the run ends; where it soon asks the next thing, a client that looks at
    // once should see that.
    let has_it = async {
        tokio::time::sleep(AT_ONCE).await;
        begun.begun().await
    };
    tokio::select! {
        ended = going_on => match ended {
            Ok(Err(error)) if error.kind() != ErrorKind::Conflict => Err(failure(&error)),
            _ => Ok(()),
        },
        _ = has_it => Ok(()),
    }
}

/// Ends a task. One that has ended stays as it is.
///
/// # Errors
/// When there is no such task, or the process that executes it does not heed that.
pub async fn cancel(services: &Services, id: &str) -> Result<(), ErrorData> {
    match services.engine().cancel(id).await {
        Ok(()) | Err(LibraryError::RunEnded { .. }) => Ok(()),
        Err(error) => Err(failure(&error)),
    }
}

fn failure(error: &LibraryError) -> ErrorData {
    match error.kind() {
        ErrorKind::Setup | ErrorKind::Environment | ErrorKind::Internal => {
            ErrorData::internal_error(error.in_full(), None)
        }
        ErrorKind::Caller | ErrorKind::Conflict | ErrorKind::Denied => ErrorData::invalid_params(error.in_full(), None),
    }
}
