//! What runs teach, in the words of a model: the real program asks a loopback server in the provider's own protocol.

use serde_json::json;

use crate::{
    common::{
        Home, RawClient,
        client::Protocol as Mcp,
        eventually,
        model_server::{KEY, ModelServer, Protocol, Reply},
        text,
    },
    library::learning::candidates::{candidates, fail, review},
};

fn with_model(server: &ModelServer) -> (Home, RawClient) {
    let home = Home::with_config(&format!(
        "[model]\nprovider = 'anthropic'\nname = 'the-model'\nbase_url = '{}'\nkey_env = 'MODEL_KEY'\nretries = 0\n",
        server.url()
    ));
    let mut command = home.command(&["--no-starters", "serve"]);
    command.env("MODEL_KEY", KEY);
    let mut client = RawClient::spawn(command);
    client.open(Mcp::V2025);
    (home, client)
}

#[test]
fn a_model_words_what_was_learned() {
    let worded = json!({
        "problem": "The test node can't reach its host.", "solution": "Check the host first.",
        "reasoning": "Both runs stopped there.", "anti_patterns": ["Repeating it blindly."],
    });
    let replies = [
        Reply::Text(format!("```json\n{worded}\n```")),
        Reply::Text("Sorry, no.".to_owned()),
        Reply::Status(400, "bad".to_owned(), None),
    ];
    let server = ModelServer::start(Protocol::Anthropic, replies);
    let (_home, mut client) = with_model(&server);
    for run in ["1", "2"] {
        fail(&mut client, &format!("a{run}"), "test", "no answer", json!({"password": "hunter2", "region": "us"}));
    }
    eventually("the model's words are there", || {
        text(&candidates(&mut client)[0], "problem") == "The test node can't reach its host."
    });
    let candidate = candidates(&mut client).remove(0);
    for field in ["solution", "reasoning", "anti_patterns"] {
        assert_eq!(candidate[field], worded[field], "{field}");
    }
    let request = server.requests()[0].body.to_string();
    assert!(request.contains("no answer") && !request.contains("hunter2"), "{request}");
    // More evidence for the same is no reason to ask again, nor to go back to plain words.
    fail(&mut client, "a3", "test", "no answer", json!({"region": "us"}));
    assert_eq!(text(&candidates(&mut client)[0], "solution"), "Check the host first.");
    // Where the model fails, what was learned stays in plain words.
    for (node, asked) in [("ship", 2), ("sell", 3)] {
        for run in ["1", "2"] {
            fail(&mut client, &format!("{node}{run}"), node, "no answer", json!({}));
        }
        eventually("the model was asked", || server.requests().len() == asked);
        let plain = format!("Runs of `deploy` fail at `{node}` with “no answer”.");
        assert_eq!(text(&candidates(&mut client)[asked - 1], "problem"), plain);
    }
    eventually("both failures were noted", || client.log().matches("keeps its plain words").count() == 2);
    assert_eq!(server.requests().len(), 3, "each lesson is asked about once");
    let name = review(&mut client, 1, "approve")["name"].clone();
    let procedure = client.ok("get_procedure", json!({"procedure_id": name}));
    let definition = procedure.get("definition").unwrap_or(&procedure);
    assert_eq!(definition["steps"], json!(["Check the host first."]));
}

#[test]
fn a_model_that_hangs_keeps_nobody_waiting() {
    let server = ModelServer::start(Protocol::Anthropic, [Reply::Hang]);
    let (_home, mut client) = with_model(&server);
    for run in ["r1", "r2"] {
        fail(&mut client, run, "test", "broken", json!({}));
    }
    eventually("the model was asked", || !server.requests().is_empty());
    assert_eq!(candidates(&mut client).len(), 1);
    assert_eq!(review(&mut client, 1, "reject")["status"], json!("rejected"));
    assert!(client.close().success());
}
