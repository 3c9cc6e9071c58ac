//! The kinds of steps that are no sentence and no typed action: a command, a tool, another procedure, a wait.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{OnFailure, seconds};

/// A step that runs a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct CommandStep {
    /// The program and its arguments, one string each; variables are filled in.
    pub command: Vec<String>,
    /// What the command is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// An identifier; texts of later steps refer to what the step gave as `{{<step_id>_output}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<String>,
    /// How long it may take.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds::optional")]
    pub timeout_seconds: Option<u32>,
    /// What a failure does to the run.
    #[serde(default, skip_serializing_if = "OnFailure::is_stop")]
    pub on_failure: OnFailure,
    /// Steps that run before this one, by `step_id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
}

/// A step that calls a tool of another MCP server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct ToolStep {
    /// `server/tool`.
    pub tool: String,
    /// Its arguments; `{{variables}}` in strings are filled in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, Value>,
    /// What the call is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// An identifier; texts of later steps refer to what the step gave as `{{<step_id>_output}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<String>,
    /// How long it may take.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds::optional")]
    pub timeout_seconds: Option<u32>,
    /// What a failure does to the run.
    #[serde(default, skip_serializing_if = "OnFailure::is_stop")]
    pub on_failure: OnFailure,
    /// Steps that run before this one, by `step_id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
}

/// A step that calls another procedure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct ProcedureStep {
    /// The name of the procedure to call.
    pub procedure: String,
    /// Its arguments; `{{variables}}` in strings are filled in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, Value>,
    /// An identifier; texts of later steps refer to what the step gave as `{{<step_id>_output}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<String>,
    /// How long it may take.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds::optional")]
    pub timeout_seconds: Option<u32>,
    /// What a failure does to the run.
    #[serde(default, skip_serializing_if = "OnFailure::is_stop")]
    pub on_failure: OnFailure,
    /// Steps that run before this one, by `step_id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
}

/// A step that waits, in short: `{"action": "wait", "duration_hours": 24}`. As a typed action it has these under `config`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitStep {
    pub action: WaitWord,
    /// An identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<String>,
    /// What is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Steps that run before this one, by `step_id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// How long; see [`wait`](super::wait).
    #[serde(flatten)]
    pub config: BTreeMap<String, Value>,
}

/// The only action that has a short form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitWord {
    Wait,
}
