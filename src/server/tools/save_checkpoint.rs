//! `save_checkpoint`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    library::{CheckpointDraft, LibraryError, Services, State, checkpoint_id},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset, parse},
        verbatim,
    },
};

/// Saves the state of a workflow.
pub struct SaveCheckpoint;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    workflow_id: String,
    run_id: String,
    node_id: String,
    /// At most 1 MB.
    state: Map<String, Value>,
    branch_id: Option<String>,
    parent_checkpoint_id: Option<String>,
    metadata: Option<Map<String, Value>>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    checkpoint_id: String,
    sequence_number: i64,
    state_hash: String,
    is_new: bool,
}

impl Answer for Output {}

impl Tool for SaveCheckpoint {
    const NAME: &'static str = "save_checkpoint";
    const DESCRIPTION: &'static str = "Save a workflow's state after a node. `is_new`: it differs from the latest.";
    const TOOLSET: Toolset = Toolset::Checkpoints;
    const EFFECT: Effect = Effect::Adds;
    const LARGE_ARGUMENT: Option<&'static str> = Some("state");
    type Params = Params;
    type Output = Output;

    /// The state, which may be large, is moved and not read field by field.
    fn parse(mut arguments: Map<String, Value>) -> Result<Params, LibraryError> {
        let Some(Value::Object(given)) = arguments.get_mut("state") else { return parse(arguments) };
        let state = std::mem::take(given);
        Ok(Params { state, ..parse(arguments)? })
    }

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let Params { workflow_id, run_id, node_id, state, branch_id, parent_checkpoint_id, metadata } = params;
        let state = verbatim::of_fields(state).map_or_else(State::Fields, State::Json);
        let run = run_id.clone();
        let draft = CheckpointDraft { workflow_id, run_id, node_id, state, branch_id, parent_checkpoint_id, metadata };
        let saved = services.blocking(move |library| library.save_checkpoint(draft)).await?;
        Ok(Output {
            checkpoint_id: checkpoint_id(&run, saved.sequence),
            sequence_number: saved.sequence,
            state_hash: saved.state_hash,
            is_new: saved.is_new,
        })
    }
}
