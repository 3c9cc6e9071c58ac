//! What must hold at each border.

#![allow(clippy::missing_panics_doc, clippy::expect_used, reason = "a border that does not hold panics")]

use std::path::PathBuf;

use jiff::Timestamp;
use rmcp::transport::Transport as _;
use ruff_python_parser::parse_module;
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use crate::{
    compiler,
    config::Config,
    domain::{
        Definition,
        schedule::Schedule,
        skill_file::{self as skill, SkillFile},
    },
    library,
    server::transport::LineTransport,
    versions::trailers as messages,
};

/// Lines of the protocol: each is understood, answered or, where it asks for no answer, passed over; an error has the id of
/// its request.
pub fn protocol_line(bytes: &[u8]) {
    // What is a request beyond doubt; notifications get no answer, and answers to requests of ours may be anything.
    let asks = |line: &&[u8]| {
        let Ok(Value::Object(line)) = serde_json::from_slice(line) else { return false };
        line.get("method").is_some_and(Value::is_string)
            && line.get("id").is_some_and(|id| id.is_i64() || id.is_string())
    };
    let asked = bytes.split(|byte| *byte == b'\n').filter(asks).count();
    let (understood, answers) = exchange(bytes);
    let answered = answers.lines().filter(|line| {
        // An id comes back as it was written, also with half a character in it, which is no text here.
        serde_json::from_str::<IgnoredAny>(line).expect("an answer is a line of JSON");
        line.strip_prefix(r#"{"jsonrpc":"2.0","id":"#).is_some_and(|rest| !rest.starts_with("null"))
    });
    assert!(understood + answered.count() >= asked, "{asked} requests, {understood} understood: {answers}");
}

/// How many messages the server's end of a connection reads from `bytes`, and what it answers on its own.
fn exchange(bytes: &[u8]) -> (usize, String) {
    const BUFFER_BYTES: usize = 1024 * 1024;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be had");
    runtime.block_on(async {
        let (ours, mut theirs) = tokio::io::duplex(BUFFER_BYTES);
        // A line end, so that the last line is one.
        let reader = bytes.chain(&b"\n"[..]);
        let mut transport = LineTransport::new(reader, ours, Vec::new(), CancellationToken::new());
        let mut understood = 0;
        while transport.receive().await.is_some() {
            understood += 1;
        }
        drop(transport);
        let mut answers = String::new();
        theirs.read_to_string(&mut answers).await.expect("answers are text");
        (understood, answers)
    })
}

/// A `procedure.json` as it may be pushed: what is read is written and read alike, and compiles to Python when it may be
/// remembered.
pub fn definition(bytes: &[u8]) {
    let Ok(definition) = serde_json::from_slice::<Definition>(bytes) else { return };
    let written = serde_json::to_string(&definition).expect("a definition can be written");
    let again: Definition = serde_json::from_str(&written).expect("what was written can be read");
    assert_eq!(definition, again);
    compile(&definition);
}

/// The message of a commit: what its trailers say can be said again.
pub fn trailers(bytes: &[u8]) {
    let message = String::from_utf8_lossy(bytes);
    let (subject, annotation) = messages::parse_message(&message);
    let (again, same) = messages::parse_message(&messages::format_message(&subject, &annotation));
    assert_eq!(subject.split_whitespace().collect::<Vec<_>>().join(" "), again);
    // The confidence is written with two digits.
    assert_eq!((annotation.version, annotation.kind), (same.version, same.kind));
}

/// A cron expression, and after a line end the name of a time zone: what is accepted comes again and again, and always later.
pub fn cron(bytes: &[u8]) {
    const TICKS: usize = 5;
    let text = String::from_utf8_lossy(bytes);
    let (expression, zone) = text.split_once('\n').unwrap_or((&text, "Europe/Berlin"));
    let Ok(schedule) = Schedule::parse(expression, zone) else { return };
    let mut at = Timestamp::UNIX_EPOCH;
    for _ in 0..TICKS {
        let Some(next) = schedule.next_after(at) else { return };
        assert!(next > at, "{expression} in {zone} comes at {next} after {at}");
        at = next;
    }
}

/// The text of a template and of a step, with variables: what it compiles to is Python.
pub fn template(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let described = serde_json::json!({
        "name": "render",
        "category": "general",
        "template": text,
        "parameters": [{"name": "who"}, {"name": "what", "required": false}],
        "steps": [text, {"step_id": "mail", "action_type": "draft_email",
                         "config": {"recipient": text, "subject": text, "body": text}}],
    });
    if let Ok(definition) = serde_json::from_value(described) {
        compile(&definition);
    }
}

/// A `config.toml`: it is read, or refused with a text.
pub fn policy(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = Config::parse(PathBuf::from("/nonexistent/home"), None, &text) {
        assert!(!error.to_string().is_empty());
    }
}

fn compile(definition: &Definition) {
    if library::check_definition(definition).is_ok() {
        let code = compiler::compile(definition);
        if let Err(error) = parse_module(&code) {
            unreachable!("compiled code is no Python: {error}\n{code}");
        }
    }
}

/// A `SKILL.md`: it is read, or refused with a line of it; what stands behind the front matter is a part of it.
pub fn skill_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match SkillFile::read(&text) {
        Ok(read) => {
            assert!(text.ends_with(read.body));
            for key in read.front.keys() {
                if let Err(fault) = read.front.text(key) {
                    assert!(fault.line <= text.lines().count(), "{fault}");
                }
            }
            for step in skill::steps(read.body) {
                assert!(!step.contains(['`', '{', '}']), "{step}");
            }
            let name = skill::skill_names(&[&text]).remove(0);
            assert!(!name.is_empty() && name.chars().count() <= skill::MOST_NAME_CHARS, "{name}");
        }
        Err(fault) => assert!((1..=text.lines().count() + 1).contains(&fault.line), "{fault}"),
    }
}
