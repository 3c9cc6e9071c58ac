//! Checkpoints: what saving, reading and merging states takes.
//!
//! With a client that only writes and reads lines: what the library of a client makes of 900 KB is not the server's time.

use std::{path::Path, process::Stdio, time::Instant};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{
    expect_success,
    figures::{Budget, Figure, Samples},
};
use crate::cli::{CliError, this_program};

const WORDS: [&str; 12] = [
    "alpha", "deploy", "build", "größe", "invoice", "customer", "report", "stage", "result", "context", "error", "node",
];
/// How many branches are merged.
const BRANCHES: usize = 5;

/// The figures, from a server of their own on this home.
pub async fn measure(home: &Path, rounds: usize) -> Result<Vec<Figure>, CliError> {
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

/// A server that is spoken to in lines.
struct Lines {
    server: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    line: Vec<u8>,
}

const TALK: &str = "the server can't be talked to";

impl Lines {
    async fn open(home: &Path) -> Result<Self, CliError> {
        let mut command = Command::new(this_program()?);
        command.arg("--home").arg(home).args(["serve", "--no-starters"]).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().map_err(CliError::io("the server can't be started"))?;
        let (Some(stdin), Some(stdout)) = (server.stdin.take(), server.stdout.take()) else {
            return Err(CliError::Other("the server has no stdin or stdout".to_owned()));
        };
        let mut lines = Self { server, stdin, stdout: BufReader::with_capacity(1 << 16, stdout), line: Vec::new() };
        let opening = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"},
        });
        lines.ask(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": opening})).await?;
        lines.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string()).await?;
        Ok(lines)
    }

    async fn send(&mut self, message: &str) -> Result<(), CliError> {
        self.stdin.write_all(message.as_bytes()).await.map_err(CliError::io(TALK))?;
        self.stdin.write_all(b"\n").await.map_err(CliError::io(TALK))?;
        self.stdin.flush().await.map_err(CliError::io(TALK))
    }

    /// Sends a request and reads the next line, which is its answer: nothing else is under way.
    async fn ask(&mut self, message: &Value) -> Result<Instant, CliError> {
        let message = message.to_string();
        let began = Instant::now();
        self.send(&message).await?;
        self.line.clear();
        self.stdout.read_until(b'\n', &mut self.line).await.map_err(CliError::io(TALK))?;
        Ok(began)
    }

    async fn repeat(
        &mut self,
        what: &str,
        rounds: usize,
        tool: &str,
        budget: Budget,
        arguments: impl Fn(usize) -> Value,
    ) -> Result<Figure, CliError> {
        let mut samples = Samples::default();
        let first = rounds.min(20);
        for round in 0..first + rounds {
            let params = json!({"name": tool, "arguments": arguments(round)});
            let message = json!({"jsonrpc": "2.0", "id": round, "method": "tools/call", "params": params});
            let began = self.ask(&message).await?;
            // The first calls open the home and fill caches.
            if round >= first {
                samples.add(began.elapsed());
            }
            let answer: Value = serde_json::from_slice(&self.line).unwrap_or_default();
            expect_success(what, &answer["result"]["structuredContent"])?;
        }
        Ok(samples.figure(what, budget))
    }

    /// Ends the server.
    async fn close(self) -> Result<(), CliError> {
        let Self { mut server, stdin, .. } = self;
        drop(stdin);
        server.wait().await.map_err(CliError::io(TALK)).map(drop)
    }
}
