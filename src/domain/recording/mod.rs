//! Recordings: what an agent did for a task, and the procedure that does it again. Pure, without a model.
//!
//! [`formats`] read session files of clients, [`deed`] says what a call does, [`distill`] leaves out what need not be done
//! again, [`values`] finds which values come from where, [`procedure`] puts the definition together.

pub mod deed;
pub mod distill;
pub mod formats;
mod names;
pub mod procedure;
pub mod shell;
pub mod values;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::secrets;

/// What an agent did for a task, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// What it was asked to do.
    pub prompt: String,
    pub calls: Vec<RecordedCall>,
}

/// One call of a tool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordedCall {
    pub tool: String,
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// What it gave, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    #[serde(default)]
    pub is_error: bool,
}

impl Recording {
    /// The same without secrets.
    #[must_use]
    pub fn scrubbed(self) -> Self {
        let calls = self.calls.into_iter().map(RecordedCall::scrubbed).collect();
        Self { prompt: secrets::scrubbed(&self.prompt), calls }
    }
}

impl RecordedCall {
    /// The call in a line, for people.
    #[must_use]
    pub fn line(&self) -> String {
        let arguments = match self.arguments.values().collect::<Vec<_>>()[..] {
            [Value::String(text)] => text.clone(),
            _ => self
                .arguments
                .get("command")
                .and_then(Value::as_str)
                .map_or_else(|| Value::Object(self.arguments.clone()).to_string(), str::to_owned),
        };
        let arguments: String = arguments.chars().take(200).collect();
        let failed = if self.is_error { " (failed)" } else { "" };
        format!("{} {}{failed}", self.tool, arguments.replace('\n', " "))
    }

    /// The same without secrets.
    #[must_use]
    pub fn scrubbed(self) -> Self {
        Self {
            arguments: secrets::scrubbed_fields(self.arguments),
            result: self.result.map(secrets::scrubbed_value),
            ..self
        }
    }
}
