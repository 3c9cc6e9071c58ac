//! Calls and their answers as they are kept: JSON that the next process reads.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::library::runs::{
    frame::PendingCall,
    machine::{Safety, Sequence},
};
use crate::{
    host,
    runtime::monty::{PythonError, Reply},
};

/// A call that has not got its answer, or whose answer the code may have to get again.
#[derive(Serialize, Deserialize)]
pub struct SavedCall {
    sequence: Sequence,
    call_id: u32,
    function: String,
    arguments: Map<String, Value>,
    pub line: u32,
    safety: SavedSafety,
    at: i64,
    reply: Option<SavedReply>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedSafety {
    Repeatable,
    Unknown,
    Gate,
    Nested,
}

/// An answer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedReply {
    Value(Value),
    Instance { class: String, fields: Map<String, Value> },
    Raise { kind: String, message: String },
}

impl From<&Reply> for SavedReply {
    fn from(reply: &Reply) -> Self {
        match reply {
            Reply::Value(value) => Self::Value(value.clone()),
            Reply::Instance { class, fields } => Self::Instance { class: (*class).to_owned(), fields: fields.clone() },
            Reply::Raise(error) => Self::Raise { kind: error.kind.clone(), message: error.message.clone() },
        }
    }
}

impl From<SavedReply> for Reply {
    fn from(reply: SavedReply) -> Self {
        match reply {
            SavedReply::Value(value) => Self::Value(value),
            SavedReply::Instance { class, fields } => match host::MODULE.names.iter().find(|name| **name == class) {
                Some(class) => Self::Instance { class, fields },
                None => Self::Value(Value::Object(fields)),
            },
            SavedReply::Raise { kind, message } => Self::Raise(PythonError::new(&kind, message)),
        }
    }
}

impl From<&PendingCall> for SavedCall {
    fn from(call: &PendingCall) -> Self {
        Self {
            sequence: call.sequence,
            call_id: call.call_id,
            function: call.function.clone(),
            arguments: call.arguments.clone(),
            line: call.line,
            safety: match call.safety {
                Safety::Repeatable => SavedSafety::Repeatable,
                Safety::Unknown => SavedSafety::Unknown,
                Safety::Gate => SavedSafety::Gate,
                Safety::Nested => SavedSafety::Nested,
            },
            at: call.at,
            reply: call.reply.as_ref().map(SavedReply::from),
        }
    }
}

impl From<SavedCall> for PendingCall {
    fn from(call: SavedCall) -> Self {
        Self {
            sequence: call.sequence,
            call_id: call.call_id,
            function: call.function,
            arguments: call.arguments,
            line: call.line,
            safety: match call.safety {
                SavedSafety::Repeatable => Safety::Repeatable,
                SavedSafety::Unknown => Safety::Unknown,
                SavedSafety::Gate => Safety::Gate,
                SavedSafety::Nested => Safety::Nested,
            },
            since: Instant::now(),
            at: call.at,
            reply: call.reply.map(Reply::from),
        }
    }
}
