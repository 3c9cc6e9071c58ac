//! The table and the stub say the same, and the functions do what they say.

use std::{path::Path, sync::Arc, time::Duration};

use ruff_python_ast::{Expr, ParameterWithDefault, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::Ranged;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    config::Start,
    domain::{
        Permissions,
        host_module::{Class, Definition, Signature},
    },
    downstream::Downstream,
    runtime::{Budget, Capture, SLEEP, TIME_SLEEP, WRITE},
};

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(fields) = value else { panic!("{value} is no object") };
    fields
}

/// The settings of a home that says nothing.
fn config() -> Config {
    let home = tempfile::tempdir().unwrap();
    let (home, user) = (Some(home.path().to_owned()), Some("ada".to_owned()));
    Config::load(&Start { home, user, tenant: None }).unwrap()
}

/// What a call raises where nothing is granted.
async fn raised(function: &str, arguments: Value) -> PythonError {
    let budget = Arc::new(Budget::new(Instant::now() + Duration::from_mins(1), CancellationToken::new(), 10, 1000));
    let context = HostContext {
        grants: &Grants::new(&Permissions::default(), None, Path::new("config.toml")),
        capture: &Capture::new(Arc::clone(&budget)),
        budget: &budget,
        downstream: &Downstream::new(walls_of_server),
        config: &config(),
        meter: None,
    };
    if gate_kind(function).is_some() {
        return gate(function, object(arguments)).unwrap_err();
    }
    if let Some(due) = due(function, object(arguments.clone()), 0) {
        return due.unwrap_err();
    }
    match call(function, object(arguments), &context).await {
        Action::Reply(Reply::Raise(error)) => error,
        other => panic!("{function}(): {other:?}"),
    }
}

#[test]
fn the_table_has_the_functions_of_the_stub() {
    let of_the_stub = host_module::signatures().map(|signature| signature.name);
    let of_the_table: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
    assert_eq!(of_the_table, of_the_stub.chain([SLEEP, TIME_SLEEP, WRITE]).collect::<Vec<_>>());
}

#[tokio::test]
async fn functions_take_the_parameters_of_their_signatures() {
    // What the interpreter alone calls has no signature.
    for function in FUNCTIONS.iter().filter(|function| function.name != WRITE) {
        let mut wanted = match host_module::signature(function.name) {
            Some(signature) => [&signature.positional[..], &signature.keyword_only].concat(),
            None => sleep::POSITIONAL.to_vec(),
        };
        let refusal = raised(function.name, json!({"no such": null})).await;
        assert_eq!(refusal.kind, "TypeError", "{}", refusal.message);
        // Which there are follows, or that there are none.
        let expected = refusal.message.split_once("unknown field `no such`").expect(&refusal.message).1;
        let mut taken: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        wanted.sort_unstable();
        taken.sort_unstable();
        assert_eq!(taken, wanted, "{}", function.name);
    }
}

#[tokio::test]
async fn a_call_without_the_grant_of_the_table_is_refused() {
    for function in FUNCTIONS {
        let (parameter, value) = match function.grant {
            Some(GrantKind::Command) => ("command", json!(["git"])),
            Some(GrantKind::Tool) => ("tool", json!("server/tool")),
            Some(GrantKind::Host) => ("url", json!("https://example.org")),
            Some(GrantKind::Model) => ("prompt", json!("Hello")),
            None => continue,
        };
        let signature = host_module::signature(function.name).unwrap();
        assert_eq!(signature.positional.first(), Some(&parameter), "{}", function.name);
        let refusal = raised(function.name, json!({parameter: value})).await;
        assert_eq!(refusal.kind, "PermissionError", "{}: {}", function.name, refusal.message);
    }
}

#[test]
fn what_the_table_says_of_arguments_is_in_the_signatures() {
    let (config, declared) = (config(), object(json!({"idempotent": true})));
    for signature in host_module::signatures() {
        let function = function(signature.name).unwrap();
        let has = |name: &str| signature.keyword_only.contains(&name);
        let is_asked = (function.nature)(&declared, &config) != (function.nature)(&Map::new(), &config);
        assert!(!is_asked || has("idempotent"), "{}", signature.name);
        assert!(!has("idempotent") || nature(signature.name, &declared, &config) == Nature::Repeatable);
        assert!(function.fallible != Fallible::WhileChecked || has("check"), "{}", signature.name);
        assert!(function.grant != Some(GrantKind::Command) || has("cwd"), "{}", signature.name);
    }
}

#[test]
fn secrets_are_not_shown() {
    let arguments =
        object(json!({"url": "http://a", "headers": {"Authorization": "Bearer x", "Accept": "text/plain"}}));
    let shown = shown_arguments("http_request", &arguments);
    assert_eq!(shown["headers"], json!({"Authorization": "…", "Accept": "text/plain"}));
    assert_eq!(shown_arguments("log", &arguments), arguments);
    assert_eq!(shown_arguments("no such", &arguments), arguments);
}

#[tokio::test]
async fn what_is_no_function_is_said_to_be_none() {
    assert_eq!(raised("CommandResult", json!({})).await.kind, "NameError");
    assert_eq!(gate("log", Map::new()).unwrap_err().kind, "NameError");
    assert_eq!(gate_kind("log"), None);
    assert_eq!(gate_kind("ask"), Some(GateKind::Question));
}

#[test]
fn arguments_get_the_names_of_their_places() {
    let named = |function, args: Value, kwargs| {
        let Value::Array(args) = args else { panic!("{args} is no list") };
        named_arguments(function, args, object(kwargs)).map(Value::Object).map_err(|error| error.message)
    };
    let asked = json!({"question": "Which?", "choices": ["a"], "timeout": 5});
    assert_eq!(named("ask", json!(["Which?", ["a"]]), json!({"timeout": 5})), Ok(asked));
    assert_eq!(named(SLEEP, json!([1.5]), json!({})), Ok(json!({"delay": 1.5})));
    let many = named("log", json!(["a", "b"]), json!({}));
    assert_eq!(many, Err("log() takes 1 positional arguments, 2 were given".to_owned()));
    let twice = named("log", json!(["a"]), json!({"message": "b"}));
    assert_eq!(twice, Err("log() got multiple values for `message`".to_owned()));
}

#[test]
fn a_gate_that_has_nothing_to_ask_is_refused_when_it_is_called() {
    for (function, kwargs, wanted) in [
        ("approve", json!({"message": " "}), "ValueError: approve(): the text is empty"),
        ("approve", json!({"mesage": "x"}), "TypeError: approve(): unknown field `mesage`"),
        ("ask", json!({"question": "Which?", "timeout": 0}), "ValueError: ask(): `timeout` is 0; "),
        ("manual_step", json!({}), "TypeError: manual_step(): missing field `instruction`"),
    ] {
        let error = named_arguments(function, Vec::new(), object(kwargs)).unwrap_err();
        let error = format!("{}: {}", error.kind, error.message);
        assert!(error.starts_with(wanted), "{error}");
    }
}

/// The stub as a parser of Python sees it.
fn parsed() -> Vec<Definition> {
    let module = ruff_python_parser::parse_module(STUB).unwrap().into_syntax();
    let definition = |statement| match statement {
        Stmt::FunctionDef(function) => Some(Definition::Function(signature_of(&function))),
        Stmt::ClassDef(class) => Some(Definition::Class(class_of_tree(&class))),
        _ => None,
    };
    module.body.into_iter().filter_map(definition).collect()
}

fn text(node: &impl Ranged) -> &'static str {
    &STUB[node.range()]
}

fn signature_of(function: &StmtFunctionDef) -> Signature {
    let parameters = &*function.parameters;
    assert!(parameters.vararg.is_none() && parameters.kwarg.is_none(), "{}: parameters need names", function.name);
    let names = |parameters: &[ParameterWithDefault]| -> Vec<&'static str> {
        parameters.iter().map(|parameter| text(&parameter.parameter.name)).collect()
    };
    let result = function.returns.as_deref().expect("a result has a type");
    Signature {
        name: text(&function.name),
        positional: [names(&parameters.posonlyargs), names(&parameters.args)].concat(),
        keyword_only: names(&parameters.kwonlyargs),
        types: parameters
            .iter_non_variadic_params()
            .map(|parameter| parameter.parameter.annotation.as_deref().map_or("", |annotation| text(annotation)))
            .collect(),
        result: text(result),
        text: &STUB[usize::from(function.name.start())..usize::from(result.end())],
        documentation: docstring(&function.body),
    }
}

fn docstring(body: &[Stmt]) -> &'static str {
    let [Stmt::Expr(docstring)] = body else { panic!("a docstring is all that the body of a function has") };
    let text = text(docstring).strip_prefix("\"\"\"").and_then(|text| text.strip_suffix("\"\"\""));
    text.expect("a docstring has three quotes on both sides")
}

fn class_of_tree(class: &StmtClassDef) -> Class {
    let field = |statement: &Stmt| match statement {
        Stmt::AnnAssign(field) if matches!(&*field.target, Expr::Name(_)) => Some(text(field)),
        _ => None,
    };
    Class { name: text(&class.name), fields: class.body.iter().filter_map(field).collect() }
}

#[test]
fn the_stub_is_read_as_python_is() {
    assert_eq!(host_module::definitions(), parsed());
}
