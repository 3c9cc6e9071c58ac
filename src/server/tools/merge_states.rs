//! `merge_states`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    domain::{Reducer, reducers},
    library::{LibraryError, Services},
    server::{
        progress::CallContext,
        tool::{Answer, Effect, Tool, Toolset},
    },
};

/// Makes one state of those of parallel branches.
pub struct MergeStates;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// In the order of the branches.
    states: Vec<Map<String, Value>>,
    /// `append`, `merge_dict`, `last_value`, `first_value`, `sum`, `max`, `min`, `union`, `concat_text` or `deep_merge`.
    #[serde(default)]
    field_reducers: BTreeMap<String, String>,
    /// Of the other fields; `last_value` by default.
    default_reducer: Option<String>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    state: Map<String, Value>,
}

impl Answer for Output {
    const WHOLE: bool = true;

    fn into_content(self) -> serde_json::Result<Value> {
        Ok(Value::Object(Map::from_iter([("state".to_owned(), Value::Object(self.state))])))
    }
}

impl Tool for MergeStates {
    const NAME: &'static str = "merge_states";
    const DESCRIPTION: &'static str = "Merge the states of parallel branches.";
    const TOOLSET: Toolset = Toolset::Checkpoints;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(_: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let named = |name: &str, place: &str| {
            Reducer::parse(name).ok_or_else(|| {
                let known: Vec<&str> = Reducer::ALL.iter().map(|reducer| reducer.as_str()).collect();
                LibraryError::Invalid(format!("`{place}`: there is no reducer `{name}`; use `{}`", known.join("`, `")))
            })
        };
        let own = params.field_reducers.into_iter().map(|(field, name)| {
            let reducer = named(&name, &format!("field_reducers.{field}"))?;
            Ok((field, reducer))
        });
        let own = own.collect::<Result<_, LibraryError>>()?;
        let default = params.default_reducer.map_or(Ok(Reducer::LastValue), |name| named(&name, "default_reducer"))?;
        Ok(Output { state: reducers::merge(&params.states, &own, default)? })
    }
}
