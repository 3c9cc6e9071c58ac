//! `skip_step`: the step at hand is skipped, which its run's progress and output say.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    action::Action,
    context::{HostContext, parse},
    function::{Fallible, HostFunction, Perform, as_given, as_said},
};
use crate::{
    domain::{Nature, host_module::SKIP_STEP},
    runtime::{PythonError, Reply},
};

pub const FUNCTION: HostFunction = HostFunction {
    name: SKIP_STEP,
    nature: |_, _| Nature::Immediate,
    grant: None,
    fallible: Fallible::No,
    shown: as_given,
    said: as_said,
    perform: Perform::AtOnce(call),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    reason: String,
}

fn call(arguments: Map<String, Value>, context: &HostContext<'_>) -> Result<Action, PythonError> {
    let Arguments { reason } = parse(SKIP_STEP, arguments)?;
    context.capture.push(&reason);
    context.capture.push("\n");
    Ok(Action::Reply(Reply::Value(Value::Null)))
}
