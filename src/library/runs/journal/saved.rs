//! What is kept of a frame: JSON that the next process reads.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{
    domain::{Permissions, RuntimeKind, VersionNumber},
    host,
    library::{
        LibraryError,
        runs::{
            call::{Caller, Hold, PendingCall, Reason},
            frame::{Frame, Origin},
            limits::Left,
            machine::{Safety, Sequence},
        },
    },
    runtime::{Budget, PythonError, Reply},
    storage::{FrameRow, PieceRow},
};

/// The error for a saved state that is not used.
pub fn refused(run_id: &str, why: impl std::fmt::Display) -> LibraryError {
    LibraryError::StateRefused { id: run_id.to_owned(), reason: why.to_string() }
}

/// What the seal of a frame is made over: with it goes the last seal of its journal, where it has one.
pub fn sealed_parts<'a>(row: &'a FrameRow, depth: &'a [u8], journal_seal: &'a [u8]) -> Vec<&'a [u8]> {
    let FrameRow { run_id, root_run_id, state, output, snapshot, .. } = row;
    let mut parts =
        vec![run_id.as_bytes(), root_run_id.as_bytes(), depth, state.as_bytes(), output.as_bytes(), snapshot];
    parts.extend((!journal_seal.is_empty()).then_some(journal_seal));
    parts
}

/// What the seal of a piece of a journal is made over: with it goes the seal before, so that none can be left out.
pub fn piece_parts<'a>(run_id: &'a str, piece: &'a PieceRow, seal_before: &'a [u8]) -> [&'a [u8]; 4] {
    [b"journal", run_id.as_bytes(), &piece.text, seal_before]
}

/// A frame, without its output and its interpreter.
#[derive(Serialize, Deserialize)]
pub struct SavedFrame {
    /// The runtime that executes it.
    pub interpreter: String,
    /// What procedures call that.
    #[serde(default)]
    pub runtime: RuntimeKind,
    pub procedure_id: i64,
    pub name: String,
    pub version: VersionNumber,
    pub steps_total: u32,
    pub source: String,
    pub code_lines: u32,
    pub parameters: Value,
    pub permissions: Option<Permissions>,
    pub caller: Option<Caller>,
    pub waiting: Vec<SavedCall>,
    pub awaited: Vec<Sequence>,
    pub is_direct: bool,
    pub deferred: Vec<SavedCall>,
    pub last_sequence: Sequence,
    /// What was granted for this run alone.
    #[serde(default, skip_serializing_if = "Permissions::is_empty")]
    pub granted: Permissions,
    pub spent_ms: u64,
    pub left: Left,
}

impl SavedFrame {
    /// A frame as it stands, executed by `runtime`, with what is left of `budget`.
    pub fn of(frame: &Frame, runtime: &str, budget: &Budget) -> Self {
        let Origin {
            run_id: _,
            procedure_id,
            name,
            version,
            steps_total,
            program,
            runtime: kind,
            lock: _,
            permissions,
        } = &frame.origin;
        let spent = frame.spent + frame.since.elapsed();
        Self {
            interpreter: runtime.to_owned(),
            runtime: *kind,
            procedure_id: *procedure_id,
            name: name.clone(),
            version: *version,
            steps_total: *steps_total,
            source: program.source.clone(),
            code_lines: program.code_lines,
            parameters: program.parameters.clone(),
            permissions: permissions.clone(),
            caller: frame.caller.clone(),
            waiting: frame.waiting.iter().map(SavedCall::from).collect(),
            awaited: frame.state.awaited.clone(),
            is_direct: frame.is_direct,
            deferred: frame.deferred.iter().map(SavedCall::from).collect(),
            last_sequence: frame.last_sequence,
            granted: frame.granted.clone(),
            spent_ms: u64::try_from(spent.as_millis()).unwrap_or(u64::MAX),
            left: Left::of(budget),
        }
    }
}

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
    /// Not there in what was saved before there were rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold: Option<SavedHold>,
}

#[derive(Serialize, Deserialize)]
struct SavedHold {
    /// Empty where it is about grants.
    rule: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grant: Option<Permissions>,
    safety: SavedSafety,
    is_permitted: bool,
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
    Proceed,
}

/// Stands in the place of an answer for: somebody agreed to the call, and it has no answer yet.
pub const PERMITTED: &str = "\"permitted\"";

impl From<&Reply> for SavedReply {
    fn from(reply: &Reply) -> Self {
        match reply {
            Reply::Value(value) => Self::Value(value.clone()),
            Reply::Instance { class, fields } => Self::Instance { class: (*class).to_owned(), fields: fields.clone() },
            Reply::Proceed => Self::Proceed,
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
            SavedReply::Proceed => Self::Proceed,
            SavedReply::Raise { kind, message } => Self::Raise(PythonError::new(&kind, message)),
        }
    }
}

impl From<Safety> for SavedSafety {
    fn from(safety: Safety) -> Self {
        match safety {
            Safety::Repeatable => Self::Repeatable,
            Safety::Unknown => Self::Unknown,
            Safety::Gate => Self::Gate,
            Safety::Nested => Self::Nested,
        }
    }
}

impl From<SavedSafety> for Safety {
    fn from(safety: SavedSafety) -> Self {
        match safety {
            SavedSafety::Repeatable => Self::Repeatable,
            SavedSafety::Unknown => Self::Unknown,
            SavedSafety::Gate => Self::Gate,
            SavedSafety::Nested => Self::Nested,
        }
    }
}

impl From<&Hold> for SavedHold {
    fn from(hold: &Hold) -> Self {
        let (rule, grant) = match &hold.reason {
            Reason::Rule(rule) => (rule.clone(), None),
            Reason::Grant(missing) => (String::new(), Some(missing.clone())),
        };
        Self { rule, grant, safety: hold.safety.into(), is_permitted: hold.is_permitted }
    }
}

impl From<SavedHold> for Hold {
    fn from(hold: SavedHold) -> Self {
        let reason = hold.grant.map_or(Reason::Rule(hold.rule), Reason::Grant);
        Self { reason, safety: hold.safety.into(), is_permitted: hold.is_permitted }
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
            safety: call.safety.into(),
            at: call.at,
            reply: call.reply.as_ref().map(SavedReply::from),
            hold: call.hold.as_ref().map(SavedHold::from),
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
            safety: call.safety.into(),
            since: Instant::now(),
            at: call.at,
            reply: call.reply.map(Reply::from),
            hold: call.hold.map(Hold::from),
        }
    }
}
