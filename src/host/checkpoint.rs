//! `checkpoint`: note a state in the journal. The run can go on from here, and `get_run` shows the state.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, parse};
use crate::sandbox::{PythonError, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[expect(dead_code, reason = "it is in the journal as an argument")]
    state: Value,
    #[expect(dead_code, reason = "it is in the journal as an argument")]
    name: Option<String>,
}

pub fn call(arguments: Map<String, Value>) -> Result<Action, PythonError> {
    let _: Arguments = parse("checkpoint", arguments)?;
    Ok(Action::Reply(Reply::Value(Value::Null)))
}
