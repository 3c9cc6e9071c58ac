//! `checkpoint`: save a state of the run, where `get_resume_point` and `list_checkpoints` find those of workflows too.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    action::{Action, NewState},
    context::parse,
    function::{Fallible, HostFunction, Perform, as_given, as_said},
};
use crate::{domain::Nature, runtime::PythonError};

const NAME: &str = "checkpoint";
/// The field of a state that has only one value.
const VALUE: &str = "value";

pub const FUNCTION: HostFunction = HostFunction {
    name: NAME,
    // It is stored together with the answer.
    nature: |_, _| Nature::Repeatable,
    grant: None,
    fallible: Fallible::No,
    shown: as_given,
    said: as_said,
    perform: Perform::AtOnce(|arguments, _| call(arguments)),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    state: Value,
    name: Option<String>,
}

fn call(arguments: Map<String, Value>) -> Result<Action, PythonError> {
    let Arguments { state, name } = parse(NAME, arguments)?;
    let state = match state {
        Value::Object(state) => state,
        other => Map::from_iter([(VALUE.to_owned(), other)]),
    };
    Ok(Action::Checkpoint(NewState { state, name }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_dictionary_becomes_one() {
        for (given, wanted) in [(json!({"n": 1}), json!({"n": 1})), (json!([1]), json!({"value": [1]}))] {
            let called = call(Map::from_iter([("state".to_owned(), given)]));
            let Ok(Action::Checkpoint(NewState { state, name: None })) = called else { panic!("{called:?}") };
            assert_eq!(Value::Object(state), wanted);
        }
    }
}
