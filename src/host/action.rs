//! What a call of a host function comes to, where the engine has to do something about it.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{
    domain::{GateKind, NewItem},
    runtime::Reply,
};

/// What the engine has to do for a host call.
#[derive(Debug)]
pub enum Action {
    /// Go on with this answer.
    Reply(Reply),
    /// Execute another procedure and go on with its result.
    CallProcedure {
        name: String,
        /// Its parameters.
        arguments: Map<String, Value>,
    },
    /// Store this in the inbox and go on with its number.
    File(NewItem),
    /// Save this as a checkpoint of the run and go on.
    Checkpoint(NewState),
}

/// A state that the code wants to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct NewState {
    /// It; what is no dictionary is its field `value`.
    pub state: Map<String, Value>,
    /// What the code calls this place.
    pub name: Option<String>,
}

/// What a run waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct GateRequest {
    /// Who may decide, and what the decision means.
    pub kind: GateKind,
    /// What they read.
    pub question: String,
    /// The answers that there are, where not every answer will do.
    pub choices: Vec<String>,
    /// How long it waits at most.
    pub timeout: Option<Duration>,
    /// Whether the code goes on with nothing when that time is up.
    pub optional: bool,
}
