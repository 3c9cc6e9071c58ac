//! The calls, settings and commands of `docs/workflow-context.md`, as they stand there.

use std::fs;

use serde_json::{Value, json};

use crate::common::Home;

const PAGE: &str = include_str!("../docs/workflow-context.md");
/// The directory that the page grants.
const REPORTS: &str = "/srv/reports";

/// The code blocks in this language, in order.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    PAGE.split(&fence).skip(1).map(|block| block.split_once("```").expect("the block ends").0.to_owned()).collect()
}

/// Whether `wanted` is in `found`: objects may have more fields there, everything else is equal.
fn is_within(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().all(|(name, value)| found.get(name).is_some_and(|found| is_within(value, found)))
        }
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(wanted, found)| is_within(wanted, found))
        }
        _ => wanted == found,
    }
}

#[test]
fn every_call_on_the_page_answers_as_it_says() {
    let home = Home::new();
    let reports = home.beside("reports");
    fs::write(reports.join("report-7.txt"), "two pages").unwrap();
    let here = |text: &str| text.replace(REPORTS, &reports.display().to_string().replace('\\', "/"));
    home.configure(&here(&blocks("toml").join("\n")));
    let mut client = home.start();
    let calls = blocks("json");
    assert!(calls.len() >= 20, "{} calls were found", calls.len());
    for call in calls {
        let call: Value = serde_json::from_str(&here(&call)).unwrap_or_else(|error| panic!("{error}: {call}"));
        let answer = client.call(call["tool"].as_str().unwrap(), call["arguments"].clone());
        let wanted = call.get("answer").cloned().unwrap_or_else(|| json!({}));
        assert_eq!(answer["success"], json!(wanted.get("error_code").is_none()), "{call}\n{answer}");
        assert!(is_within(&wanted, &answer), "{call}\nis answered with\n{answer}");
        if let Some(prompt) = answer["prompt"].as_str() {
            assert_eq!(blocks("markdown"), [prompt], "the prompt is on the page");
        }
    }
}

#[test]
fn every_command_on_the_page_works() {
    let home = Home::new();
    home.start().close();
    let commands: Vec<String> = blocks("sh").concat().lines().map(str::to_owned).collect();
    let ours: Vec<&str> = commands.iter().filter_map(|line| line.strip_prefix("repertoire ")).collect();
    assert!(ours.len() > 3, "{commands:?}");
    for command in ours {
        let output = home.run(&command.split_whitespace().collect::<Vec<_>>());
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn every_reducer_is_on_the_page() {
    let home = Home::new();
    let mut client = home.start();
    let tools = client.tools();
    let merge = tools.iter().find(|tool| tool["name"] == "merge_states").unwrap();
    let described = merge["inputSchema"]["properties"]["field_reducers"]["description"].as_str().unwrap();
    let (reducers, _) = described.split_once(", or a").unwrap();
    for reducer in reducers.split(", ") {
        assert!(PAGE.contains(&format!("| {reducer} | ")), "{reducer} has no line in the table");
    }
}
