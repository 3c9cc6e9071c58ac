//! What somebody says that a call gave, where a crash left its outcome unknown: what an answer has to be, and reading it.
//!
//! What it has to be is what the stub says that the function gives. Texts are taken where people would write one.

use serde_json::{Map, Value, json};

use super::function;
use crate::{
    domain::{
        host_module::{self, Class},
        json,
    },
    runtime::{PythonError, Reply},
};

/// What an answer has to be, in words.
#[must_use]
pub fn needed(function: &str) -> String {
    match (host_module::class_of(function), result_of(function)) {
        (Some(class), _) => {
            let fields: Vec<String> =
                fields_of(class).map(|(name, kind)| format!("\"{name}\": {}", word(kind))).collect();
            let text = main_field(class).map(|field| format!("its `{field}` as a text, or ")).unwrap_or_default();
            format!("{text}an object with any of {{{}}}", fields.join(", "))
        }
        (None, kind) => word(kind).to_owned(),
    }
}

/// What the code gets when somebody says that the call gave `value`.
///
/// # Errors
/// Says why it can't have given that.
pub fn reply(name: &str, arguments: &Map<String, Value>, value: Value) -> Result<Reply, String> {
    let reply = match host_module::class_of(name) {
        Some(class) => Reply::Instance { class: class.name, fields: instance(class, arguments, value)? },
        None => Reply::Value(fitting(result_of(name), value)?),
    };
    let said = function(name).map(|function| function.said);
    Ok(match said {
        Some(said) => said(arguments, reply),
        None => reply,
    })
}

/// What a function with `check` raises instead of giving what failed: the reply, where nothing did.
pub(super) fn checked(arguments: &Map<String, Value>, reply: Reply, failure: Option<String>) -> Reply {
    match failure {
        Some(why) if arguments.get("check") != Some(&json!(false)) => {
            Reply::Raise(PythonError::new("RuntimeError", why))
        }
        _ => reply,
    }
}

fn result_of(function: &str) -> &'static str {
    host_module::signature(function).map_or("Any", |signature| signature.result)
}

fn fields_of(class: &Class) -> impl Iterator<Item = (&'static str, &'static str)> {
    class.fields.iter().filter_map(|field| field.split_once(':')).map(|(name, kind)| (name.trim(), kind.trim()))
}

/// The field that is meant where only a text is given.
fn main_field(class: &Class) -> Option<&'static str> {
    ["stdout", "text"].into_iter().find(|main| fields_of(class).any(|(name, _)| name == *main))
}

/// A kind of values in the words of JSON.
fn word(kind: &str) -> &'static str {
    match kind {
        "str" => "a text",
        "int" => "a whole number",
        "None" => "null",
        kind if kind.starts_with("dict") => "an object",
        _ => "any JSON value",
    }
}

fn fitting(kind: &str, value: Value) -> Result<Value, String> {
    let fits = match kind {
        "str" => value.is_string(),
        "int" => value.is_i64() || value.is_u64(),
        "None" => value.is_null(),
        kind if kind.starts_with("dict") => value.is_object(),
        _ => true,
    };
    if fits {
        return Ok(value);
    }
    let shown: String = value.to_string().chars().take(60).collect();
    Err(format!("it is {shown}, not {}", word(kind)))
}

fn instance(class: &Class, arguments: &Map<String, Value>, value: Value) -> Result<Map<String, Value>, String> {
    let mut given = match (value, main_field(class)) {
        (Value::Object(fields), _) => fields,
        (Value::String(text), Some(main)) => Map::from_iter([(main.to_owned(), Value::String(text))]),
        (other, _) => return Err(fitting("dict", other).map(drop).err().unwrap_or_default()),
    };
    if let Some(unknown) = given.keys().find(|name| !fields_of(class).any(|(known, _)| known == name.as_str())) {
        return Err(format!("it has `{unknown}`, which is no field of what the call gives"));
    }
    if given.is_empty() {
        return Err("it is empty".to_owned());
    }
    let body = given.get("text").and_then(Value::as_str).map(str::to_owned);
    for (name, kind) in fields_of(class) {
        let value = match given.remove(name) {
            Some(value) => fitting(kind, value).map_err(|why| format!("`{name}`: {why}"))?,
            // What is not said went as such calls go.
            None => match (name, kind) {
                ("status", _) => json!(200),
                ("url", _) => arguments.get("url").cloned().unwrap_or_default(),
                ("json", _) => body.as_deref().and_then(|text| json::read(text).ok()).unwrap_or_default(),
                (_, "int") => json!(0),
                (_, "str") => json!(""),
                (_, kind) if kind.starts_with("dict") => json!({}),
                _ => Value::Null,
            },
        };
        given.insert(name.to_owned(), value);
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(function: &str, arguments: Value, value: Value) -> Result<Value, String> {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        reply(function, &arguments, value).map(|reply| match reply {
            Reply::Value(value) => value,
            Reply::Instance { class, fields } => json!({class: fields}),
            Reply::Raise(error) => json!(format!("{}: {}", error.kind, error.message)),
            Reply::Proceed => panic!("nobody says that"),
        })
    }

    #[test]
    fn a_text_is_the_output_of_a_command() {
        let expected = json!({"CommandResult": {"stdout": "did 2", "stderr": "", "exit_code": 0}});
        assert_eq!(given("run_command", json!({}), json!("did 2")), Ok(expected.clone()));
        assert_eq!(given("run_command", json!({}), json!({"stdout": "did 2"})), Ok(expected));
    }

    #[test]
    fn a_text_is_the_body_of_an_answer() {
        let got = given("http_request", json!({"url": "https://a.example"}), json!("{\"n\": 1}")).unwrap();
        let expected =
            json!({"status": 200, "headers": {}, "text": "{\"n\": 1}", "json": {"n": 1}, "url": "https://a.example"});
        assert_eq!(got, json!({"HttpResponse": expected}));
    }

    #[test]
    fn what_failed_is_an_error_unless_it_is_not_checked() {
        let failed = json!({"exit_code": 3, "stderr": "no disk"});
        let raised = given("run_command", json!({"command": ["backup", "now"]}), failed.clone()).unwrap();
        assert_eq!(raised, json!("RuntimeError: `backup now` ended with exit code 3: no disk"));
        let kept = given("run_command", json!({"command": ["backup"], "check": false}), failed).unwrap();
        assert_eq!(kept["CommandResult"]["exit_code"], json!(3));
        let raised = given("http_request", json!({"url": "https://a.example"}), json!({"status": 503})).unwrap();
        assert_eq!(raised, json!("RuntimeError: `https://a.example` was answered with status 503"));
    }

    #[test]
    fn what_a_call_can_not_have_given_is_refused() {
        for (function, value, why) in [
            ("run_command", json!(2), "it is 2, not an object"),
            ("run_command", json!({}), "it is empty"),
            ("run_command", json!({"output": "x"}), "it has `output`, which is no field"),
            ("run_command", json!({"exit_code": "0"}), "`exit_code`: it is \"0\", not a whole number"),
            ("http_request", json!({"headers": []}), "`headers`: it is [], not an object"),
            ("llm", json!({"text": "x"}), "not a text"),
            ("notify", json!("sent"), "it is \"sent\", not an object"),
        ] {
            let refusal = given(function, json!({}), value).unwrap_err();
            assert!(refusal.contains(why), "{refusal}");
        }
        assert_eq!(given("llm", json!({}), json!("Hello")), Ok(json!("Hello")));
        assert_eq!(given("call_tool", json!({}), json!([1])), Ok(json!([1])));
    }

    #[test]
    fn every_function_says_what_it_needs() {
        for signature in host_module::signatures() {
            assert!(!needed(signature.name).is_empty(), "{}", signature.name);
        }
        assert_eq!(
            needed("run_command"),
            "its `stdout` as a text, or an object with any of {\"stdout\": a text, \"stderr\": a text, \"exit_code\": a \
             whole number}"
        );
        assert_eq!((needed("llm"), needed("call_tool")), ("a text".to_owned(), "any JSON value".to_owned()));
    }
}
