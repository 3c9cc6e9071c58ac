//! What is said over the private pipe: JSON behind its length. What comes from the process is believed nothing but its form.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::runtime::{PythonError, Reply};

/// A moment of the clock in milliseconds since 1970, and how often it was read.
pub type Reading = (i64, u64);

/// What the driver says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// It has started.
    Ready { version: (u32, u32, u32) },
    /// The code printed this.
    Out { text: String },
    /// The code calls a host function, and waits.
    Call {
        id: u32,
        function: String,
        args: Vec<Value>,
        kwargs: Map<String, Value>,
        offset: i64,
        awaited: bool,
        reads: Vec<Reading>,
    },
    /// Everything that could go on waits for promises.
    Wait { calls: Vec<u32>, reads: Vec<Reading> },
    /// The code ended with this value.
    End { value: Value },
    /// The code raised.
    Raise { kind: String, message: String, traceback: String, memory: bool },
    /// The result can't be returned.
    Refused { why: Excess, message: String },
}

/// What a result has too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excess {
    Size,
    Depth,
}

/// What the driver is told to execute.
#[derive(Debug, Serialize)]
pub struct Order<'a> {
    pub source: &'a str,
    pub code_lines: u32,
    pub parameters: &'a Value,
    /// Whether nothing was added below the code.
    pub is_script: bool,
    /// Of what looks random, in hexadecimal digits.
    pub seed: &'a str,
    /// What the clock said before.
    pub clock: &'a [Reading],
    /// How many questions are answered from the journal.
    pub replayed: usize,
    pub limits: OrderLimits,
    pub module: Value,
}

/// Limits that the driver watches or sets.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the driver reads them, and their unit is said")]
pub struct OrderLimits {
    pub argument_bytes: usize,
    pub result_bytes: usize,
    pub memory_bytes: usize,
    pub file_bytes: usize,
}

/// What a question is answered with; also in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A value.
    Value(Value),
    /// An instance of a class of the module.
    Instance { class: String, fields: Map<String, Value> },
    /// An exception.
    Raise { kind: String, message: String },
    /// The answer comes later.
    Promise,
    /// Promises that are kept, by the numbers of their calls.
    Kept(Vec<(u32, Answer)>),
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Value(value) => Self::Value(value),
            Reply::Instance { class, fields } => Self::Instance { class: class.to_owned(), fields },
            // Only the sandbox asks before it writes: what this one writes is for the walls.
            Reply::Proceed => Self::Value(Value::Null),
            Reply::Raise(PythonError { kind, message, .. }) => Self::Raise { kind, message },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let value = Answer::Value(json!({"raise": {"kind": "x", "message": "y"}, "kept": [1.5, 10_u64.pow(19)]}));
        let fields = Map::from_iter([("stdout".to_owned(), json!("x"))]);
        for answer in [
            value.clone(),
            Answer::Value(Value::Null),
            Answer::Promise,
            Answer::Raise { kind: "ValueError".into(), message: "no".into() },
            Answer::Instance { class: "CommandResult".into(), fields },
            Answer::Kept(vec![(3, value), (4, Answer::Value(json!(1)))]),
        ] {
            let text = serde_json::to_string(&answer).unwrap();
            assert_eq!(serde_json::from_str::<Answer>(&text).unwrap(), answer, "{text}");
        }
    }
}
