//! A client that only writes and reads lines: what the library of a client makes of 900 KB is not the server's time.

use std::{path::Path, process::Stdio, time::Instant};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{
    answer::expect_success,
    figures::{Budget, Figure, Samples},
};
use crate::cli::{error::CliError, programs::this_program};

/// A server that is spoken to in lines.
pub struct Lines {
    server: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    line: Vec<u8>,
}

const TALK: &str = "the server can't be talked to";

impl Lines {
    pub async fn open(home: &Path) -> Result<Self, CliError> {
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

    pub async fn repeat(
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
    pub async fn close(self) -> Result<(), CliError> {
        let Self { mut server, stdin, .. } = self;
        drop(stdin);
        server.wait().await.map_err(CliError::io(TALK)).map(drop)
    }
}
