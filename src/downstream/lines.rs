//! What a server writes, a line at a time, before the protocol sees it.
//!
//! A line that is too long or nested too deep to be read would be dropped, and whoever waits for that answer would wait
//! until the time is up. Here it is replaced by an error with the same id.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::domain::json;

/// The most that one answer may have. It is held in memory, several times over while it is taken apart.
pub(super) const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Deeper is refused by the JSON reader.
const MAX_LEVELS: usize = 120;
/// The code of the errors that stand for an answer which was dropped; outside what JSON-RPC reserves.
pub(super) const DROPPED: i32 = -31_900;

const PIPE_BYTES: usize = 64 * 1024;
/// A message has a little more than its result.
const ENVELOPE_BYTES: usize = 4096;

/// The same stream with long and deep lines replaced.
pub(super) fn readable(stdout: impl AsyncRead + Send + Unpin + 'static) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    tokio::spawn(copy(stdout, ours));
    theirs
}

async fn copy(mut stdout: impl AsyncRead + Unpin, mut to: DuplexStream) {
    let mut chunk = vec![0; PIPE_BYTES];
    let mut line = Line::default();
    while let Ok(count @ 1..) = stdout.read(&mut chunk).await {
        for piece in chunk.get(..count).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
            line.push(piece);
            if piece.ends_with(b"\n")
                && let Some(whole) = std::mem::take(&mut line).finish()
                && to.write_all(&whole).await.is_err()
            {
                return;
            }
        }
    }
}

/// A line that is being read.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    length: usize,
    scan: Scan,
}

impl Line {
    fn push(&mut self, piece: &[u8]) {
        self.length += piece.len();
        piece.iter().for_each(|byte| self.scan.step(*byte));
        if self.length <= MAX_ANSWER_BYTES + ENVELOPE_BYTES {
            self.bytes.extend_from_slice(piece);
        } else {
            self.bytes = Vec::new();
        }
    }

    /// What is passed on: the line, an error in its place, or nothing when nobody waits for it.
    fn finish(self) -> Option<Vec<u8>> {
        let why = if self.length > MAX_ANSWER_BYTES + ENVELOPE_BYTES {
            format!("the answer has {} bytes, at most {} MiB are read", self.length, MAX_ANSWER_BYTES / (1024 * 1024))
        } else if self.scan.deepest > MAX_LEVELS {
            format!("the answer is nested {} levels deep, at most {MAX_LEVELS} are read", self.scan.deepest)
        } else if let Err(unkept) = json::check_names(&self.bytes) {
            format!("the answer can't be kept: {unkept}")
        } else {
            return Some(self.bytes);
        };
        tracing::debug!(why, "a message of an MCP server was dropped");
        let id: i64 = self.scan.id_of_answer()?.parse().ok()?;
        let error = serde_json::json!({"jsonrpc": "2.0", "id": id, "error": {"code": DROPPED, "message": why}});
        Some(format!("{error}\n").into_bytes())
    }
}

/// Finds the depth of a message and its top-level `id`, a byte at a time.
#[derive(Default)]
struct Scan {
    depth: usize,
    deepest: usize,
    in_text: bool,
    escaped: bool,
    /// The last text at the top level, cut: a key, when a colon follows.
    text: Vec<u8>,
    /// Whether the value of `id` is being read.
    in_id: bool,
    id: Vec<u8>,
    is_request: bool,
}

impl Scan {
    const LONGEST: usize = 24;

    fn step(&mut self, byte: u8) {
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ if self.depth == 1 && self.text.len() < Self::LONGEST => self.text.push(byte),
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => {
                self.in_text = true;
                self.text.clear();
            }
            b'{' | b'[' => {
                self.depth += 1;
                self.deepest = self.deepest.max(self.depth);
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.in_id = false;
            }
            b',' => self.in_id = false,
            b':' if self.depth == 1 => {
                self.in_id = self.text == b"id";
                self.is_request |= self.text == b"method";
            }
            _ if self.in_id && byte.is_ascii_digit() && self.id.len() < Self::LONGEST => self.id.push(byte),
            _ => {}
        }
    }

    fn id_of_answer(&self) -> Option<&str> {
        std::str::from_utf8(&self.id).ok().filter(|_| !self.is_request)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    async fn pass(input: Vec<u8>) -> Vec<String> {
        let mut output = String::new();
        readable(std::io::Cursor::new(input)).read_to_string(&mut output).await.unwrap();
        output.lines().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn ordinary_lines_pass_unchanged() {
        let text = "{\"id\":1,\"result\":{}}\nnoise\n\n{\"id\":2}\n";
        assert_eq!(pass(text.into()).await, ["{\"id\":1,\"result\":{}}", "noise", "", "{\"id\":2}"]);
    }

    #[tokio::test]
    async fn long_answers_become_errors_wherever_the_id_stands() {
        let text = "x".repeat(MAX_ANSWER_BYTES + ENVELOPE_BYTES);
        for message in [
            json!({"jsonrpc": "2.0", "id": 7, "result": {"id": 9, "content": text}}).to_string(),
            format!("{{\"result\":{{\"id\":9,\"content\":\"\\\"id\\\":8,{text}\"}},\"jsonrpc\":\"2.0\",\"id\":7}}"),
        ] {
            let lines = pass(format!("{message}\n{{\"id\":8}}\n").into_bytes()).await;
            let error: Value = serde_json::from_str(&lines[0]).unwrap();
            assert_eq!((error["id"].as_i64(), error["error"]["code"].as_i64()), (Some(7), Some(DROPPED.into())));
            assert!(error["error"]["message"].as_str().unwrap().contains("at most 8 MiB"), "{error}");
            assert_eq!(lines[1], "{\"id\":8}");
        }
    }

    #[tokio::test]
    async fn long_requests_vanish_and_deep_answers_become_errors() {
        let long = "x".repeat(MAX_ANSWER_BYTES + ENVELOPE_BYTES);
        let request = json!({"jsonrpc": "2.0", "id": 7, "method": "ping", "params": {"text": long}});
        assert_eq!(pass(format!("{request}\n").into_bytes()).await, Vec::<String>::new());
        let deep = format!("{{\"id\":3,\"result\":{}{}}}\n", "[".repeat(200), "]".repeat(200));
        let lines = pass(deep.into_bytes()).await;
        assert!(lines[0].contains("201 levels deep") && lines[0].contains("\"id\":3"), "{lines:?}");
    }
}
