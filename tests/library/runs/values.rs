//! Values on their way: kept as they are through every border, or refused with the place.

use serde_json::{Value, json};

use crate::common::{Home, RawClient, downstream::Setup, execute_code, remember, text};

/// Beyond 64 bits, and beyond 128.
const LARGE: &str = "123456789012345678901";
const HUGE: &str = "-1234567890123456789012345678901234567890123456789";

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Values of every kind, as JSON writes them and as nothing may change them.
fn samples() -> Vec<Value> {
    let whole =
        [LARGE, HUGE, "9007199254740993", "18446744073709551615", "-9223372036854775809", "0"].map(str::to_owned);
    let floats = ["1.0", "-0.0", "0.1", "1e+22", "5e-324", "1.7976931348623157e+308", "100.0"].map(str::to_owned);
    let long = ["9".repeat(4300)];
    let others =
        ["\"$serde_json::private::Number\"", "null", "true", "[]", "{}", "[1,[2,{\"a\":[]}]]"].map(str::to_owned);
    whole.iter().chain(&floats).chain(&long).chain(&others).map(|text| read(text)).collect()
}

const KEEPS: &str = r#"
from typing import Any


def keeps(value: Any) -> Any:
    """Give it back."""
    return value
"#;

fn execute(client: &mut RawClient, name: &str, parameters: Value) -> Value {
    client.call("execute_procedure", json!({"procedure_id": name, "parameters": parameters}))
}

#[test]
fn values_pass_through_code_unchanged() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "keeps", KEEPS);
    let all = Value::Array(samples());
    let answer = execute(&mut client, "keeps", json!({"value": all}));
    assert_eq!(answer["result"].to_string(), all.to_string());
}

#[test]
fn values_pass_through_nested_calls_with_their_types() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "keeps", KEEPS);
    let code = r#"
from repertoire import call_procedure


def nested() -> list:
    """Call it with numbers of every size."""
    numbers = [2**70, -(2**200), 2**63, 2**53 + 1, 1.0, 1e22, -0.0]
    back = call_procedure("keeps", {"value": numbers})
    return [[type(a).__name__, a == b, str(a) == str(b)] for a, b in zip(back, numbers)] + [back[0] + 1]
"#;
    let answer = execute_code(&mut client, "nested", code);
    let result = answer["result"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
    for (index, kind) in ["int", "int", "int", "int", "float", "float", "float"].into_iter().enumerate() {
        assert_eq!(result[index], json!([kind, true, true]), "{answer}");
    }
    assert_eq!(result[7].to_string(), "1180591620717411303425");
}

#[test]
fn large_numbers_fit_parameters_that_are_whole_numbers() {
    let home = Home::new();
    let mut client = home.start();
    let code = "def adds(number: int, rate: float = 1.5) -> int:\n    \"\"\"Add one.\"\"\"\n    return number + 1\n";
    remember(&mut client, "adds", code);
    let answer = execute(&mut client, "adds", json!({"number": read(LARGE)}));
    assert_eq!(answer["result"].to_string(), "123456789012345678902", "{answer}");
    let defaulted = json!({
        "name": "defaulted", "steps": ["Do it"], "code": code.replace("adds", "defaulted"),
        "parameters": [{"name": "number", "type": "integer", "default": read(LARGE)}],
        "examples": [{"parameters": {"number": read(HUGE)}}],
    });
    let remembered = client.call("remember_procedure", defaulted);
    assert_eq!(remembered["success"], json!(true), "{remembered}");
    let answer = execute(&mut client, "defaulted", json!({}));
    assert_eq!(answer["result"].to_string(), "123456789012345678902", "{answer}");
    let kept = client.ok("get_procedure", json!({"procedure_id": "defaulted"}));
    assert_eq!(kept["definition"]["parameters"][0]["default"].to_string(), LARGE, "{kept}");
    // A step of a workflow, in the repository as well.
    let step = json!({"procedure": "adds", "arguments": {"number": read(LARGE)}});
    client.ok("remember_procedure", json!({"name": "calls-it", "steps": [step]}));
    client.ok("generate_procedure_code", json!({"procedure_id": "calls-it", "use_llm": false}));
    let answer = execute(&mut client, "calls-it", json!({}));
    assert_eq!(answer["result"]["step_1"].to_string(), "123456789012345678902", "{answer}");
}

#[test]
fn answers_of_people_come_back_as_they_are() {
    let home = Home::new();
    let mut client = home.start();
    let code = "from repertoire import manual_step\n\n\ndef asks() -> dict:\n    \"\"\"Ask.\"\"\"\n    answer = manual_step(\"How many?\")\n    return {\"answer\": answer, \"kind\": type(answer[0]).__name__}\n";
    let paused = execute_code(&mut client, "asks", code);
    assert_eq!(text(&paused, "outcome"), "paused", "{paused}");
    let run = paused["run_id"].clone();
    // Another process goes on, so the value is written down in between.
    drop(client);
    let mut client = home.start();
    let answer = client.call("resume_run", json!({"run_id": run, "decision": "approve", "value": samples()}));
    assert_eq!(answer["result"]["answer"].to_string(), Value::Array(samples()).to_string(), "{answer}");
    assert_eq!(answer["result"]["kind"], json!("int"));
}

#[test]
fn states_of_workflows_keep_every_number() {
    let home = Home::new();
    let mut client = home.start();
    let state = json!({"count": read(LARGE), "all": samples(), "text": "x".repeat(100)});
    let large = json!({"count": read(HUGE), "all": samples(), "text": "x".repeat(100_000)});
    for (run, state) in [("small", &state), ("large", &large)] {
        let saving = json!({"workflow_id": "w", "run_id": run, "node_id": "n", "state": state});
        let saved = client.ok("save_checkpoint", saving.clone());
        assert_eq!(client.ok("save_checkpoint", saving)["is_new"], json!(false), "{run}");
        let found = client.ok("get_resume_point", json!({"run_id": run}));
        assert_eq!(found["checkpoint"]["state"].to_string(), state.to_string(), "{run}");
        assert_eq!(found["checkpoint"]["state_hash"], saved["state_hash"]);
    }
    // One more is another state.
    let mut next = state.clone();
    next["count"] = read("123456789012345678902");
    let saved =
        client.ok("save_checkpoint", json!({"workflow_id": "w", "run_id": "small", "node_id": "n", "state": next}));
    assert_eq!(saved["is_new"], json!(true), "{saved}");
}

#[test]
fn states_keep_the_hashes_that_they_had() {
    let home = Home::new();
    let mut client = home.start();
    let state = read(r#"{"b":[1,2.50,1e2,-0.0,18446744073709551615],"a":{"x":0.1,"y":"é"}}"#);
    let saved =
        client.ok("save_checkpoint", json!({"workflow_id": "w", "run_id": "r", "node_id": "n", "state": state}));
    // BLAKE3 of {"a":{"x":0.1,"y":"é"},"b":[1,2.5,100.0,-0.0,18446744073709551615]}
    assert_eq!(
        text(&saved, "state_hash"),
        "5be1dcf98a7819627856a6814c887de8ef5543d4e2fc4ec03cf4621d9509e784",
        "{saved}"
    );
}

#[test]
fn merging_counts_exactly() {
    let home = Home::new();
    let mut client = home.start();
    let states = json!([{"n": read(LARGE), "most": read(LARGE)}, {"n": 1, "most": read("123456789012345678902")}]);
    let merging = json!({"states": states, "field_reducers": {"n": "sum", "most": "max"}});
    let answer = client.ok("merge_states", merging);
    assert_eq!(answer["state"].to_string(), r#"{"n":123456789012345678902,"most":123456789012345678902}"#, "{answer}");
}

#[test]
fn a_checkpoint_of_code_and_an_event_keep_numbers() {
    let home = Home::new();
    let mut client = home.start();
    let code = "from repertoire import checkpoint\n\n\ndef saves(amount: int = 0) -> int:\n    \"\"\"Save.\"\"\"\n    checkpoint({\"amount\": amount, \"power\": 2**70})\n    return amount\n";
    let trigger = json!({"type": "event", "event_type": "paid"});
    client.ok("remember_procedure", json!({"name": "saves", "steps": ["Save"], "code": code, "trigger": trigger}));
    let answer = client.call("emit_event", json!({"event_type": "paid", "payload": {"amount": read(LARGE)}}));
    assert_eq!(answer["success"], json!(true), "{answer}");
    let run = client.ok("list_runs", json!({"limit": 1}))["runs"][0]["run_id"].clone();
    let point = client.ok("get_resume_point", json!({"run_id": run}));
    let wanted = format!(r#"{{"amount":{LARGE},"power":1180591620717411303424}}"#);
    assert_eq!(point["checkpoint"]["state"].to_string(), wanted, "{point}");
}

#[test]
fn tools_of_other_servers_get_and_give_every_number() {
    let Some(setup) = Setup::new(&[], "") else { return };
    let mut client = setup.home.start();
    let code = "from repertoire import call_tool\n\n\ndef adds() -> list:\n    \"\"\"Add.\"\"\"\n    total = call_tool(\"test/add\", {\"a\": 2**70, \"b\": 1})[\"sum\"]\n    parsed = call_tool(\"test/echo\", {\"text\": '{\"n\": 123456789012345678901, \"f\": 1.50}'})\n    return [total, type(total).__name__, parsed]\n";
    let answer = execute_code(&mut client, "adds", code);
    let wanted = r#"[1180591620717411303425,"int",{"n":123456789012345678901,"f":1.5}]"#;
    assert_eq!(answer["result"].to_string(), wanted, "{answer}");
}

#[test]
fn what_json_has_no_form_for_is_refused_with_its_place() {
    let home = Home::new();
    let mut client = home.start();
    for (name, value, kind, said) in [
        (
            "twice",
            "{'rows': [0, {1: 'a', '1': 'b'}]}",
            "ValueError",
            "`result[\"rows\"][1]` has two keys that are `\"1\"` in JSON",
        ),
        ("true", "{True: 1, 'true': 2}", "ValueError", "two keys that are `\"true\"`"),
        ("none-key", "{None: 1}", "TypeError", "`result` has the key `None`"),
        ("tuple-key", "{'a': {(1, 2): 3}}", "TypeError", "`result[\"a\"]` has the key `(1, 2)`"),
        (
            "range",
            "[range(0, 5)]",
            "TypeError",
            "`result[0]` is `range(0, 5)`, which has no form in JSON; make a list of it",
        ),
        ("keys", "{'a': {'b': 1}.keys()}", "TypeError", "`result[\"a\"]` is `dict_keys(['b'])`"),
        ("set", "{1}", "TypeError", "make a list of it: `sorted(…)`"),
        ("bytes", "{'raw': b'ab'}", "TypeError", "`result[\"raw\"]` is `b'ab'`"),
        ("nan", "{'x': [float('nan')]}", "ValueError", "`result[\"x\"][0]` is nan"),
        ("inf", "float('-inf')", "ValueError", "`result` is -inf"),
        ("function", "{'f': len}", "TypeError", "`result[\"f\"]` is"),
        ("class", "int", "TypeError", "`result` is `<class 'int'>`"),
        ("long", "10**4300", "ValueError", "at most 4300"),
        ("reserved", "{'$serde_json::private::Number': '5'}", "ValueError", "can't be kept"),
        ("complex", "1j", "TypeError", "which has no form in JSON"),
    ] {
        let answer =
            execute_code(&mut client, &format!("gives-{name}"), &format!("def gives():\n    return {value}\n"));
        assert_eq!((text(&answer, "outcome"), text(&answer, "error_type")), ("failure", kind), "{value}: {answer}");
        assert!(text(&answer, "error").contains(said), "{value}: {answer}");
    }
    let circle = "def circle():\n    value = {}\n    value['own'] = [value]\n    return value\n";
    let answer = execute_code(&mut client, "circle", circle);
    assert!(text(&answer, "error").contains("`result[\"own\"][0]` contains itself"), "{answer}");
}

#[test]
fn arguments_of_calls_are_refused_where_code_can_catch_it() {
    let home = Home::new();
    let mut client = home.start();
    let code = r#"
from repertoire import call_procedure, checkpoint, log


def tries() -> list:
    """Say what is refused."""
    said = []
    for state in [{"rows": [float("inf")]}, {1: "a", "1": "b"}, {"s": {1, 2}}, {"big": 10**4300}]:
        try:
            checkpoint(state)
        except (TypeError, ValueError) as error:
            said.append(str(error))
    try:
        call_procedure("x", arguments={"a": {"b": range(3)}})
    except TypeError as error:
        said.append(str(error))
    return said
"#;
    let answer = execute_code(&mut client, "tries", code);
    let said: Vec<&str> =
        answer["result"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().filter_map(Value::as_str).collect();
    for (said, wanted) in said.iter().zip([
        "checkpoint(): `argument 1[\"rows\"][0]` is inf",
        "checkpoint(): `argument 1` has two keys",
        "checkpoint(): `argument 1[\"s\"]` is `{1, 2}`",
        "checkpoint(): `argument 1[\"big\"]` has about 4301 digits",
        "call_procedure(): `arguments[\"a\"][\"b\"]` is `range(0, 3)`",
    ]) {
        assert!(said.starts_with(wanted), "{said}");
    }
    assert_eq!(said.len(), 5, "{answer}");
}

#[test]
fn what_comes_in_and_can_not_be_kept_is_refused_with_its_place() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "keeps", KEEPS);
    let long = read(&"7".repeat(4301));
    let answer = execute(&mut client, "keeps", json!({"value": {"rows": [1, long]}}));
    assert_eq!(answer["success"], json!(false), "{answer}");
    let error = text(&answer, "error");
    assert!(error.contains("`parameters.value.rows[1]` is a whole number of 4301 digits"), "{error}");
    let filler = "x".repeat(100_000);
    for state in [json!({"a": {"n": long}}), json!({"a": {"n": long}, "filler": filler})] {
        let answer =
            client.call("save_checkpoint", json!({"workflow_id": "w", "run_id": "r", "node_id": "n", "state": state}));
        assert_eq!(answer["success"], json!(false), "{answer}");
        assert!(text(&answer, "error").contains("4301 digits"), "{answer}");
    }
    // An object is never taken for a number.
    for name in
        ["$serde_json::private::Number", "\\u0024serde_json::private::Number", "$serde_json::private::\\u004eumber"]
    {
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":900,"method":"tools/call","params":{{"name":"execute_procedure","arguments":{{"procedure_id":"keeps","parameters":{{"value":{{"{name}":"5"}}}}}}}}}}"#
        );
        client.send_bytes(format!("{line}\n").as_bytes());
        let answer = client.next_message().to_string();
        assert!(answer.contains("can't be kept") && answer.contains("error"), "{answer}");
    }
    client.ok("list_procedures", json!({}));
}
