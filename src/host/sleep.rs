//! `asyncio.sleep`: wait, while other calls that were gathered go on. (`time.sleep` holds up the code and never gets here.)

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    action::Action,
    context::{HostContext, parse},
    function::{Fallible, HostFunction, Perform, as_given},
};
use crate::{
    domain::Nature,
    runtime::{PythonError, Reply, SLEEP},
};

/// What may be given by position; `asyncio` is not in our stub.
pub const POSITIONAL: [&str; 1] = ["delay"];

pub const FUNCTION: HostFunction = HostFunction {
    name: SLEEP,
    nature: |_, _| Nature::Repeatable,
    grant: None,
    fallible: Fallible::No,
    shown: as_given,
    perform: Perform::Waiting(|arguments, context| Box::pin(call(arguments, context))),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    delay: f64,
}

async fn call(arguments: Map<String, Value>, context: &HostContext<'_>) -> Result<Action, PythonError> {
    let Arguments { delay } = parse(SLEEP, arguments)?;
    // The run is over at its deadline, and says so then.
    let end = Duration::try_from_secs_f64(delay).ok().and_then(|delay| Instant::now().checked_add(delay));
    tokio::select! {
        () = tokio::time::sleep_until(end.unwrap_or(context.budget.deadline)) => {}
        () = tokio::time::sleep_until(context.budget.deadline) => {}
        () = context.budget.cancel.cancelled() => return Err(PythonError::new("Cancelled", "the run was cancelled")),
    }
    Ok(Action::Reply(Reply::Value(Value::Null)))
}
