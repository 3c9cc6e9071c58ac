//! Workflows of others: what saving, reading and merging states takes, and storing and recalling outcomes.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    figures::{Budget, Figure},
    lines::Lines,
    population,
};
use crate::cli::error::CliError;

const WORDS: [&str; 12] = [
    "alpha", "deploy", "build", "größe", "invoice", "customer", "report", "stage", "result", "context", "error", "node",
];
/// How many branches are merged.
const BRANCHES: usize = 5;
/// How many outcomes there are to recall from.
const OUTCOMES: usize = 10_000;

/// The figures, from a server of their own on this home.
pub async fn measure(home: &Path, rounds: usize) -> Result<Vec<Figure>, CliError> {
    population::add_outcomes(home, OUTCOMES)?;
    let mut lines = Lines::open(home).await?;
    let mut figures = Vec::new();
    for (what, bytes, budget) in [
        ("save a checkpoint, 1 KB", 1_000, 0.5),
        ("save a checkpoint, 100 KB", 100_000, 1.5),
        ("save a checkpoint, 900 KB", 900_000, 6.0),
    ] {
        let run = format!("bench-{bytes}");
        let arguments =
            |round| json!({"workflow_id": "bench", "run_id": run, "node_id": "node", "state": state(bytes, round)});
        figures.push(lines.repeat(what, rounds, "save_checkpoint", Budget::P95(budget), arguments).await?);
    }
    let latest = |_| json!({"run_id": "bench-100000"});
    let what = "read the latest, 100 KB";
    figures.push(lines.repeat(what, rounds, "get_resume_point", Budget::P95(0.5), latest).await?);
    let merged = |round| {
        let states: Vec<Value> = (0..BRANCHES).map(|branch| state(1_000, round + branch)).collect();
        json!({"states": states, "field_reducers": {"messages": "append", "step": "max"}})
    };
    let what = format!("merge {BRANCHES} states");
    figures.push(lines.repeat(&what, rounds, "merge_states", Budget::P95(0.2), merged).await?);
    let recalled = |round| {
        let (workflow_id, query) = (population::workflow(round), population::question(round));
        json!({"workflow_id": workflow_id, "query": query, "limit": 10})
    };
    let what = format!("recall of {OUTCOMES} outcomes");
    figures.push(lines.repeat(&what, rounds, "recall_outcomes", Budget::P95(20.0), recalled).await?);
    let ended = |round| {
        json!({
            "workflow_id": population::workflow(round), "run_id": format!("bench-ended-{round}"), "outcome": "success",
            "duration_ms": 1200, "node_count": 4, "nodes_succeeded": 4, "nodes_failed": 0,
        })
    };
    figures.push(lines.repeat("store an outcome", rounds, "complete_workflow", Budget::P95(10.0), ended).await?);
    lines.close().await?;
    Ok(figures)
}

/// A state of about this size, as agents have them: messages with texts, identifiers and numbers.
fn state(bytes: usize, round: usize) -> Value {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64 ^ (round as u64);
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut messages = Vec::new();
    let mut length = 60;
    while length < bytes {
        let words = (0..30).map(|_| WORDS[usize::try_from(next() % 12).unwrap_or_default()]);
        let content = words.collect::<Vec<_>>().join(" ");
        let message = json!({
            "role": if next() % 2 == 0 { "assistant" } else { "tool" }, "id": format!("{:032x}", next()),
            "tokens": next() % 4000, "content": content,
        });
        length += message.to_string().len() + 1;
        messages.push(message);
    }
    json!({"step": round, "done": false, "messages": messages})
}
