//! `merge_states`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    library::{LibraryError, MergeRequest, Services, runs::Active},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
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
    /// `append`, `merge_dict`, `last_value`, `first_value`, `sum`, `max`, `min`, `union`, `concat_text`, `deep_merge`, or a
    /// procedure that takes `values`.
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
    const EFFECT: Effect = Effect::Executes;
    const READS_WITHOUT_EXECUTING: bool = true;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, context: &CallContext) -> Result<Output, LibraryError> {
        let Params { states, field_reducers, default_reducer } = params;
        let request = MergeRequest { states, field_reducers, default_reducer };
        if !context.may_execute() {
            return Ok(Output { state: services.merge_states(request, None).await? });
        }
        // Nobody is asked: a reducer has to end by itself.
        let active = Active::default();
        let merging = services.merge_states(request, Some(&active));
        Ok(Output { state: context.watch_run(&active, merging).await? })
    }
}
