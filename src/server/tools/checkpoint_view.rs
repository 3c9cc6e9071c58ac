//! A checkpoint in answers.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::artifact_view::ArtifactView;
use crate::{
    domain::workflow::Checkpoint,
    library::{Artifact, checkpoint_id, rfc3339_ms},
    server::verbatim,
};

// A checkpoint, without its state in a list. No doc comment: the schema would have it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckpointView {
    checkpoint_id: String,
    workflow_id: String,
    run_id: String,
    node_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_checkpoint_id: Option<String>,
    sequence_number: i64,
    state_hash: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    artifacts: Vec<ArtifactView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    state: Option<String>,
}

impl CheckpointView {
    /// That of a row, with what was linked to it; `artifacts` are those of the whole run.
    pub fn new(row: Checkpoint, workflow_id: &str, run_id: &str, artifacts: &[Artifact]) -> Self {
        let own_id = checkpoint_id(run_id, row.sequence);
        let own = artifacts.iter().filter(|artifact| artifact.row.memory_id == own_id);
        Self {
            artifacts: own.cloned().map(ArtifactView::from).collect(),
            checkpoint_id: own_id,
            workflow_id: workflow_id.to_owned(),
            run_id: run_id.to_owned(),
            node_id: row.node_id,
            branch_id: row.branch_id,
            parent_checkpoint_id: row.parent_sequence.map(|sequence| checkpoint_id(run_id, sequence)),
            sequence_number: row.sequence,
            state_hash: row.state_hash,
            created_at: rfc3339_ms(row.created_at),
            metadata: row.metadata,
            state: row.state,
        }
    }

    /// Its JSON, with the state as it is kept.
    pub fn into_content(mut self) -> serde_json::Result<Value> {
        let state = self.state.take();
        let mut content = serde_json::to_value(self)?;
        if let (Value::Object(content), Some(state)) = (&mut content, state) {
            content.insert("state".to_owned(), verbatim::value(&state)?);
        }
        Ok(content)
    }
}
