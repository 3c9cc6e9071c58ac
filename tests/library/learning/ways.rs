//! What worked instead of what fails: the way that most runs took, however long ago.

use serde_json::{Value, json};

use super::candidates::candidates;
use crate::common::{Home, RawClient, text};

fn run(client: &mut RawClient, id: &str, nodes: &[&str], error: Option<&str>) {
    for node in nodes {
        let state = json!({"workflow_id": "ship", "run_id": id, "node_id": node, "state": {"at": node, "run": id}});
        client.ok("save_checkpoint", state);
    }
    let failed = usize::from(error.is_some());
    let mut ended = json!({
        "workflow_id": "ship", "run_id": id, "outcome": if failed == 1 { "failure" } else { "success" }, "duration_ms": 1,
        "node_count": nodes.len(), "nodes_succeeded": nodes.len() - failed, "nodes_failed": failed,
    });
    if let Some(error) = error {
        ended["error_message"] = json!(error);
    }
    client.ok("complete_workflow", ended);
}

fn instead(client: &mut RawClient) -> String {
    let all = candidates(client);
    let found: Vec<&Value> = all.iter().filter(|one| one["evidence"]["kind"] == "anti_pattern").collect();
    assert_eq!(found.len(), 1, "{all:?}");
    text(found[0], "solution").to_owned()
}

#[test]
fn what_worked_instead_is_the_way_with_most_evidence() {
    let home = Home::new();
    let mut client = home.start();
    for number in 0..24 {
        run(&mut client, &format!("train-{number}"), &["pack", "by train"], None);
    }
    // Newer, and fewer.
    for number in 0..21 {
        run(&mut client, &format!("ship-{number}"), &["pack", "by ship"], None);
    }
    for number in 0..2 {
        run(&mut client, &format!("plane-{number}"), &["pack", "by plane"], Some("no seats"));
    }
    let said = instead(&mut client);
    assert!(said.contains("pack → by train") && !said.contains("by ship"), "{said}");
    assert!(said.contains("a state with `at` = \"by train\""), "what is told of the state is of that way: {said}");
    // Where another way has more evidence by now, that is said.
    for number in 21..40 {
        run(&mut client, &format!("ship-{number}"), &["pack", "by ship"], None);
    }
    let said = instead(&mut client);
    assert!(said.contains("pack → by ship") && !said.contains("by train"), "{said}");
}
