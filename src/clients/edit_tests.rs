//! What edits leave as it is, and that they can be taken back to the byte.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Refused,
    edit::{Change, Format},
};

fn server(format: Format) -> Vec<Change> {
    let servers = if format == Format::Toml { "mcp_servers" } else { "mcpServers" };
    let value = json!({"command": "/opt/my tools/repertoire", "args": ["--home", "/h/a \"b\"", "serve"]});
    vec![Change::Value { keys: vec![servers.to_owned(), "repertoire".to_owned()], value }]
}

fn hooks() -> Vec<Change> {
    let value = json!({"hooks": [{"type": "command", "command": "repertoire hook claude-code"}]});
    let change =
        |event: &str| Change::Element { keys: vec!["hooks".to_owned(), event.to_owned()], value: value.clone() };
    ["UserPromptSubmit", "PostToolUse", "SessionEnd"].map(change).to_vec()
}

/// Edits a text, edits it again, which changes nothing, and takes it back; returns what it was in between.
#[track_caller]
fn there_and_back(format: Format, text: &str, changes: &[Change]) -> String {
    let (after, done) = format.apply(text, changes).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    assert!(format.has(&after, changes).unwrap(), "{after}");
    let (again, nothing) = format.apply(&after, changes).unwrap();
    assert_eq!((again.as_str(), nothing.len()), (after.as_str(), 0), "a second time changes something");
    assert_eq!(format.take_back(&after, &done).unwrap(), text, "by way of {after}");
    after
}

const ODD_JSON: &[&str] = &[
    "",
    "\n",
    "{}",
    "{ }",
    "{\n}",
    "{}\n",
    "// nothing yet\n",
    "{\"a\":1}",
    "{\"a\":1,}",
    "{\n  \"a\": 1\n}",
    "{\n  \"a\": 1,\n}\n",
    "{\n  \"a\": 1 // why\n}\n",
    "{\n  \"a\": 1, // why\n  // and this\n}\n",
    "{\n  \"a\": 1 /* why */\n  , /* odd */\n}\n",
    "{\n\t\"a\": 1,\n\t\"mcpServers\": {\n\t\t\"x\": {\"command\": \"x\"}\n\t}\n}\n",
    "{\r\n    \"mcpServers\": {}\r\n}\r\n",
    "\u{feff}{\r\n  \"mcpServers\": {\r\n    \"x\": { \"command\": \"x\" } // mine\r\n  }\r\n}",
    "{\"mcpServers\":{\"x\":{\"command\":\"x\"}}}",
    "{\"mcpServers\": {}, \"a\": [1, 2, {\"b\": null}]}",
    "{\"mcpServers\": { /* none */ }}",
    "{\n  \"mcpServers\": { // none\n  }\n}",
    "{\n  \"mcpServers\": {\n    // none yet\n  },\n  \"z\": \"}\"\n}",
    "{ \"mcpServers\": {\n    \"a\": {\"url\": \"http://x//y\"},\n    \"b\": {\"command\": \"/* no */ , \\\"\"},\n  } }",
    "{\n  \"mcpServers\": {\n    \"repertoire\": {\"command\": \"old\", \"env\": {\"A\": \"1\"} /* keep */}\n  }\n}\n",
    "{\"mcpServers\": {\"repertoire\": {\"url\": \"https://example.org\"}}}",
    "{\"mcpServers\": {\"repertoire\": null}}",
    "{\"mcpServers\": {\"a\": {}}, \"mcpServers\": {\"b\": {}}}",
    "{\n  \"mcpServers\": {\n    \"a\": 1 /*/ , } */ /**/\n  }\n}",
    "// \"repertoire\": {}\n{ \"hooks\": {\"PostToolUse\": [{\"matcher\": \"Bash\", \"hooks\": []}]} }",
    "{\n  \"hooks\": {\n    \"PostToolUse\": [\n      {\"matcher\": \"Bash\"}, // mine\n    ],\n    \"SessionEnd\": []\n  }\n}\n",
];

#[test]
fn odd_json_is_edited_and_restored() {
    for text in ODD_JSON {
        there_and_back(Format::Json, text, &server(Format::Json));
        there_and_back(Format::Json, text, &hooks());
    }
}

const ODD_TOML: &[&str] = &[
    "",
    "\n\n",
    "# nothing",
    "model = \"x\"\n",
    "model = \"x\"",
    "model = \"x\"\r\n\r\n[tui]\r\ntheme = \"dark\" # mine\r\n",
    "\u{feff}model = \"x\"\n",
    "[mcp_servers]\n",
    "[mcp_servers.a]\ncommand = \"a\"\n\n[mcp_servers.a.env]\nX = '1'\n",
    "mcp_servers = {}\n[z]\n",
    "mcp_servers = { a = { command = \"a\" } } # mine\n[z]\n",
    "mcp_servers.a.command = \"a\"\n",
    "[mcp_servers]\na.command = \"a\"\n[z]\nb = '''\n[mcp_servers.repertoire]\n'''\n",
    "[mcp_servers.repertoire]\ncommand = \"old\" # mine\nenv = { A = \"1\" }\n\n[z]\n",
    "[mcp_servers.repertoire]\ncommand = \"old\"\nargs = [\n  \"a\", # why\n]\nstartup_timeout_sec = 20",
    "[mcp_servers]\nrepertoire = { command = \"old\", args = [] }\n",
];

#[test]
fn odd_toml_is_edited_and_restored() {
    for text in ODD_TOML {
        there_and_back(Format::Toml, text, &server(Format::Toml));
    }
}

#[test]
fn what_stands_in_the_way_is_refused_with_its_line() {
    let refuse = |format: Format, text: &str| format.apply(text, &server(format)).unwrap_err().to_string();
    assert_eq!(refuse(Format::Json, "[]"), "`the whole` in it is no object");
    assert_eq!(refuse(Format::Json, "{\"mcpServers\": []}"), "`mcpServers` in it is no object");
    assert!(
        refuse(Format::Json, "{\n  \"a\": 1\n  \"b\": 2\n}").ends_with("in line 2")
            || refuse(Format::Json, "{\n  \"a\": 1\n  \"b\": 2\n}").ends_with("in line 3")
    );
    assert!(refuse(Format::Json, "{'a': 1}").starts_with("it is no valid JSON: "));
    assert!(refuse(Format::Toml, "a = 1\nb =\n").ends_with("in line 2"));
    assert!(refuse(Format::Toml, "mcp_servers = 1\n").starts_with('`'));
    assert!(refuse(Format::Toml, "[mcp_servers.repertoire]\nurl = 'https://example.org'\n").starts_with('`'));
    let list = Format::Json.apply("{\"hooks\": {\"PostToolUse\": {}}}", &hooks()).unwrap_err();
    assert_eq!(list.to_string(), "`hooks.PostToolUse` in it is no list");
}

#[test]
fn layout_comments_and_order_are_those_of_the_file() {
    let text = "{\n\t\"mcpServers\": {\n\t\t\"x\": {} // mine\n\t},\n\t\"theme\": \"dark\",\n}\n";
    let change = Change::Value {
        keys: vec!["mcpServers".to_owned(), "repertoire".to_owned()],
        value: json!({"command": "/r", "args": ["serve"]}),
    };
    let after = there_and_back(Format::Json, text, &[change]);
    let entry = "\t\t\"repertoire\": {\n\t\t\t\"command\": \"/r\",\n\t\t\t\"args\": [\"serve\"]\n\t\t}\n";
    assert_eq!(after, text.replace("{} // mine\n", &format!("{{}}, // mine\n{entry}")));
}

#[test]
fn an_entry_of_that_name_keeps_what_is_its_own() {
    let text = "[mcp_servers.repertoire]\ncommand = \"old\" # mine\nenv = { A = \"1\" }\n";
    let after = there_and_back(Format::Toml, text, &server(Format::Toml));
    assert!(after.contains("# mine\nenv = { A = \"1\" }"), "{after}");
    let text = "{\"mcpServers\": {\"repertoire\": {\"command\": \"old\", \"env\": {\"A\": \"1\"}}}}";
    let after = there_and_back(Format::Json, text, &server(Format::Json));
    assert!(after.contains("\"env\": {\"A\": \"1\"}"), "{after}");
}

#[test]
fn what_somebody_wrote_anew_is_taken_out_by_its_meaning() {
    let (after, done) = Format::Json.apply("{\n  \"a\": 1\n}\n", &server(Format::Json)).unwrap();
    let parsed: Value = serde_json::from_str(&after).unwrap();
    let back = Format::Json.take_back(&parsed.to_string(), &done).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&back).unwrap(), json!({"a": 1, "mcpServers": {}}));

    let (after, done) = Format::Toml.apply("a = 1\n", &server(Format::Toml)).unwrap();
    let more = after.replace("command", "startup_timeout_sec = 20\ncommand") + "\n[z]\nb = 1\n";
    assert_eq!(Format::Toml.take_back(&more, &done).unwrap(), "a = 1\n\n[z]\nb = 1\n");
}

#[test]
fn what_others_change_in_between_stays() {
    let text = "{\n  \"mcpServers\": {\n    \"x\": {}\n  }\n}\n";
    let (after, done) = Format::Json.apply(text, &server(Format::Json)).unwrap();
    let edited =
        after.replace("\"x\": {}", "\"x\": {\"command\": \"new\"}").replace("\n}\n", ",\n  \"more\": [1]\n}\n");
    let expected =
        text.replace("\"x\": {}", "\"x\": {\"command\": \"new\"}").replace("\n}\n", ",\n  \"more\": [1]\n}\n");
    assert_eq!(Format::Json.take_back(&edited, &done).unwrap(), expected);
}

fn space() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => Just(" "), 4 => Just(""), 3 => Just("\n"), 2 => Just("\n\t"), 1 => Just("\r\n  "),
        1 => Just("/* , } */"), 1 => Just("/*/ { */"), 1 => Just("// \"x\": {\n"), 1 => Just("\n  // é\n  "),
    ];
    prop::collection::vec(part, 0..3).prop_map(|parts| parts.concat())
}

fn key() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("mcpServers"),
        Just("repertoire"),
        Just("hooks"),
        Just("PostToolUse"),
        Just("command"),
        Just("args"),
        Just("a"),
        Just("é , }"),
    ]
}

fn jsonc() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("1".to_owned()),
        Just("null".to_owned()),
        Just("-1.5e3".to_owned()),
        Just("\"// no\"".to_owned()),
        Just("\"old\"".to_owned()),
        Just("{}".to_owned()),
        Just("[]".to_owned()),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        let field = (space(), key(), space(), inner.clone(), space());
        let fields = prop::collection::vec(field, 0..4);
        let object = (fields, any::<bool>(), space()).prop_map(|(fields, comma, end)| {
            let field = |(a, key, b, value, c): &(String, &str, String, String, String)| {
                format!("{a}{}:{b}{value}{c}", Value::from(*key))
            };
            let comma = if comma && !fields.is_empty() { "," } else { "" };
            format!("{{{}{comma}{end}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
        });
        let elements = prop::collection::vec((space(), inner, space()), 0..3);
        let list = elements.prop_map(|elements| {
            format!("[{}]", elements.iter().map(|(a, value, b)| format!("{a}{value}{b}")).collect::<Vec<_>>().join(","))
        });
        prop_oneof![3 => object, 1 => list]
    });
    let fields = prop::collection::vec((space(), key(), value, space()), 0..4);
    (space(), fields, space(), space()).prop_map(|(begin, fields, inside, end)| {
        let field =
            |(a, key, value, b): &(String, &str, String, String)| format!("{a}{}: {value}{b}", Value::from(*key));
        format!("{begin}{{{}{inside}}}{end}", fields.iter().map(field).collect::<Vec<_>>().join(","))
    })
}

fn toml_text() -> impl Strategy<Value = String> {
    let first = vec![
        "# [mcp_servers.repertoire]",
        "a = 1 # one",
        "",
        "t = '''\n[mcp_servers]\nrepertoire = 1\n'''",
        "args = [\n  \"a\", # b\n]",
    ];
    let inline = prop_oneof![
        Just("mcp_servers = {}"),
        Just("mcp_servers = { x = { command = \"x\" } } # c"),
        Just("mcp_servers = { repertoire = { command = \"x\", env = { A = 'b' } }, y = {} }"),
        Just("mcp_servers.x.command = 'x'"),
    ];
    let entry = prop_oneof![
        Just("[mcp_servers.repertoire]\ncommand = \"old\" # z\nenv = { A = '1' }"),
        Just(
            "[mcp_servers.repertoire]\nargs = [\n  \"[x]\", # b\n]\ncommand = 'old'\n\n[mcp_servers.repertoire.env]\nA = 'b'"
        ),
        Just("[mcp_servers.\"repertoire\"]\nstartup_timeout_sec = 5\ncommand = \"old\""),
        Just("# none"),
    ];
    let tables = entry.prop_flat_map(|entry| {
        let tables =
            ["[mcp_servers]", "[mcp_servers.x]\ncommand = \"x\" # y", "[z]\nb = 1", "[[list]]\nc = 1", "[[list]]"];
        let tables: Vec<&str> = tables.into_iter().chain([entry]).collect();
        prop::sample::subsequence(tables, 0..=6).prop_shuffle().prop_map(|tables| tables.join("\n"))
    });
    let servers = prop_oneof![1 => inline.prop_map(str::to_owned), 2 => tables];
    let first = prop::sample::subsequence(first, 0..=5).prop_shuffle();
    (first, servers, any::<bool>(), any::<bool>()).prop_map(|(first, servers, has_end, is_windows)| {
        let text = first.join("\n") + "\n" + &servers + if has_end { "\n" } else { "" };
        if is_windows { text.replace('\n', "\r\n") } else { text }
    })
}

/// All of it is done, and can be taken back; it is refused only where something else stands in the way.
fn check(format: Format, text: &str, changes: &[Change]) -> Result<(), TestCaseError> {
    let (after, done) = match format.apply(text, changes) {
        Ok(applied) => applied,
        Err(Refused::Shape(..)) if format == Format::Json => return Ok(()),
        Err(error) => return Err(TestCaseError::fail(format!("{error}: {text:?}"))),
    };
    prop_assert!(format.has(&after, changes).unwrap(), "{text:?} became {after:?}");
    let back = format.take_back(&after, &done);
    prop_assert_eq!(back.as_deref(), Ok(text), "by way of {:?}", after);
    if format == Format::Json {
        let removed = format.remove(&after, changes);
        prop_assert!(removed.is_ok_and(|text| !format.has(&text, changes).unwrap()), "{after:?}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_json_with_comments_comes_back(text in jsonc()) {
        check(Format::Json, &text, &server(Format::Json))?;
        check(Format::Json, &text, &hooks())?;
    }

    #[test]
    fn any_toml_comes_back(text in toml_text()) {
        check(Format::Toml, &text, &server(Format::Toml))?;
    }

    #[test]
    fn nothing_panics(text in ".{0,40}|[{}\\[\\],:\"/*\n a1=#]{0,24}") {
        let _ = Format::Json.apply(&text, &server(Format::Json));
        let _ = Format::Json.remove(&text, &hooks());
        let _ = Format::Toml.apply(&text, &server(Format::Toml));
        let _ = Format::Toml.remove(&text, &server(Format::Toml));
    }
}
