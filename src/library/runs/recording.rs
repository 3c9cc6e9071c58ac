//! What was recorded of host calls, answering them in the place of the world.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use crate::{
    config::Config,
    domain::{
        Nature,
        example::RecordedCall,
        secrets::{scrubbed_fields, scrubbed_value},
    },
    host,
    runtime::{PythonError, Reply},
};

/// How much of the arguments of a call is told.
const SHOWN_CHARS: usize = 120;

/// The calls of one example. Each is given once, in their order among those that are alike.
#[derive(Clone)]
pub struct Recording(Arc<Mutex<Calls>>);

struct Calls {
    left: Vec<RecordedCall>,
    missing: Option<String>,
}

impl Recording {
    pub fn of(calls: &[RecordedCall]) -> Self {
        Self(Arc::new(Mutex::new(Calls { left: calls.to_vec(), missing: None })))
    }

    /// The first call that was made and not recorded, in words.
    pub fn missing(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).missing.clone()
    }

    /// What the code gets for a call; `None` for what reaches nothing but the run, which is done as always.
    pub fn answer(&self, function: &str, arguments: &Map<String, Value>, config: &Config) -> Option<Reply> {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = recorded_arguments(function, arguments);
        let is_it = |call: &RecordedCall| call.function == function && call.arguments == shown;
        if let Some(at) = calls.left.iter().position(is_it) {
            let call = calls.left.remove(at);
            return Some(reply(call, arguments).unwrap_or_else(|why| {
                let why = format!("what is recorded of {} can't be its answer: {why}", told(function, &shown));
                raise(&mut calls, why)
            }));
        }
        if host::is_within_run(function) {
            // Nobody waits for the clock, and states go nowhere.
            let is_done = host::nature(function, arguments, config) == Nature::Immediate;
            return (!is_done).then_some(Reply::Value(Value::Null));
        }
        let why = format!("the code calls {}, and no answer to that is recorded", told(function, &shown));
        Some(raise(&mut calls, why))
    }
}

fn raise(calls: &mut Calls, why: String) -> Reply {
    calls.missing.get_or_insert_with(|| why.clone());
    Reply::Raise(PythonError::new("RuntimeError", why))
}

/// The arguments of a call as an example keeps them: without secrets, so that the same call is found again.
pub fn recorded_arguments(function: &str, arguments: &Map<String, Value>) -> Map<String, Value> {
    scrubbed_fields(host::shown_arguments(function, arguments))
}

fn reply(call: RecordedCall, arguments: &Map<String, Value>) -> Result<Reply, String> {
    match (call.error, call.result) {
        (Some(error), _) => {
            let (kind, message) = error.split_once(": ").unwrap_or(("RuntimeError", &error));
            Ok(Reply::Raise(PythonError::new(kind, message)))
        }
        (None, result) => host::outcome(&call.function, arguments, scrubbed_value(result.unwrap_or_default())),
    }
}

fn told(function: &str, arguments: &Map<String, Value>) -> String {
    let text = Value::Object(arguments.clone()).to_string();
    let shown: String = text.chars().take(SHOWN_CHARS).collect();
    let rest = if shown.len() < text.len() { "…" } else { "" };
    format!("{function} with {shown}{rest}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Start;

    fn call(function: &str, arguments: &Value, result: &Value) -> RecordedCall {
        serde_json::from_value(json!({"function": function, "arguments": arguments, "result": result})).unwrap()
    }

    fn asked(recording: &Recording, function: &str, arguments: &Value) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::load(&Start { home: Some(folder.path().to_owned()), ..Start::default() }).unwrap();
        recording.answer(function, arguments.as_object().unwrap(), &config).map(|reply| match reply {
            Reply::Value(value) => value.to_string(),
            Reply::Raise(error) => error.message,
            Reply::Instance { fields, .. } => Value::Object(fields).to_string(),
            Reply::Proceed => "proceed".to_owned(),
        })
    }

    #[test]
    fn each_recorded_call_is_given_once_and_in_order() {
        let prompt = json!({"prompt": "one"});
        let recording = Recording::of(&[call("llm", &prompt, &json!("first")), call("llm", &prompt, &json!("second"))]);
        assert_eq!(asked(&recording, "llm", &prompt).as_deref(), Some("\"first\""));
        assert_eq!(asked(&recording, "llm", &prompt).as_deref(), Some("\"second\""));
        assert_eq!(recording.missing(), None);
        let said = asked(&recording, "llm", &prompt).unwrap();
        assert!(said.contains("no answer to that is recorded"), "{said}");
        assert_eq!(recording.missing(), Some(said));
    }

    #[test]
    fn what_reaches_nothing_outside_needs_no_recording() {
        let recording = Recording::of(&[]);
        assert_eq!(asked(&recording, "log", &json!({"message": "x"})), None);
        assert_eq!(asked(&recording, "checkpoint", &json!({"state": 1})).as_deref(), Some("null"));
        assert_eq!(asked(&recording, "sleep", &json!({"seconds": 3600})).as_deref(), Some("null"));
        assert_eq!(recording.missing(), None);
    }

    #[test]
    fn a_call_with_a_secret_finds_its_recording_without_it() {
        let command = |token: &str| json!({"command": ["deploy", "--token", token]});
        let recording = Recording::of(&[call("run_command", &command("<secret>"), &json!("done"))]);
        let answer = asked(&recording, "run_command", &command("hunter2")).unwrap();
        assert!(answer.contains("\"stdout\":\"done\""), "{answer}");
    }
}
