//! `asyncio.sleep`: wait, while other calls that were gathered go on. (`time.sleep` holds up the code and never gets here.)

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    action::Action,
    context::{HostContext, parse},
};
use crate::runtime::monty::{PythonError, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    delay: f64,
}

pub async fn call(arguments: Map<String, Value>, context: &HostContext<'_>) -> Result<Action, PythonError> {
    let Arguments { delay } = parse("asyncio.sleep", arguments)?;
    // The run is over at its deadline, and says so then.
    let end = Duration::try_from_secs_f64(delay).ok().and_then(|delay| Instant::now().checked_add(delay));
    tokio::select! {
        () = tokio::time::sleep_until(end.unwrap_or(context.budget.deadline)) => {}
        () = tokio::time::sleep_until(context.budget.deadline) => {}
        () = context.budget.cancel.cancelled() => return Err(PythonError::new("Cancelled", "the run was cancelled")),
    }
    Ok(Action::Reply(Reply::Value(Value::Null)))
}
