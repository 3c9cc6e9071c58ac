//! A client that speaks JSON-RPC to the real program, a line at a time, and believes nothing.

use std::{
    collections::{HashMap, VecDeque},
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::PATIENCE;

/// How the conversation is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `initialize` first.
    V2025,
    /// `server/discover` first, and every request says its version.
    V2026,
}

impl Protocol {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V2025, Self::V2026];

    const fn version(self) -> &'static str {
        match self {
            Self::V2025 => "2025-11-25",
            Self::V2026 => "2026-07-28",
        }
    }
}

/// A server process and the client's end of its pipes. Kills the process when dropped.
pub struct RawClient {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
    stderr: Arc<Mutex<String>>,
    protocol: Protocol,
    next_id: i64,
    answers: HashMap<i64, Value>,
    notifications: Vec<Value>,
    requests: VecDeque<Value>,
    capabilities: Value,
}

impl RawClient {
    /// Starts `command` and says nothing to it.
    pub fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout, log) = (child.stdin.take(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = Vec::new();
            while stdout.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        let stderr = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&stderr);
        thread::spawn(move || {
            let mut log = BufReader::new(log);
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = log.read(&mut chunk) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..count]));
            }
        });
        Self {
            child,
            stdin,
            lines,
            stderr,
            protocol: Protocol::V2025,
            next_id: 0,
            answers: HashMap::new(),
            notifications: Vec::new(),
            requests: VecDeque::new(),
            capabilities: json!({}),
        }
    }

    /// What the client says that it can do. Before [`RawClient::open`].
    pub fn declare(&mut self, capabilities: Value) {
        self.capabilities = capabilities;
    }

    /// Shakes hands; returns what the server says of itself.
    #[track_caller]
    pub fn open(&mut self, protocol: Protocol) -> Value {
        self.protocol = protocol;
        let client = json!({"name": "test", "version": "1.0.0"});
        let answer = match protocol {
            Protocol::V2025 => {
                let capabilities = self.capabilities.clone();
                let params =
                    json!({"protocolVersion": protocol.version(), "capabilities": capabilities, "clientInfo": client});
                let answer = self.request("initialize", params);
                assert_eq!(answer["result"]["protocolVersion"], json!(protocol.version()), "{answer}");
                self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
                answer
            }
            Protocol::V2026 => {
                let answer = self.request("server/discover", json!({}));
                let versions = answer["result"]["supportedVersions"].as_array().cloned().unwrap_or_default();
                assert!(versions.contains(&json!(protocol.version())), "{answer}");
                answer
            }
        };
        answer["result"].clone()
    }

    /// The server's process id.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// What the server wrote to its log so far.
    pub fn log(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Writes bytes as they are.
    #[track_caller]
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("the server reads its stdin");
    }

    /// Writes a message.
    #[track_caller]
    pub fn send(&mut self, message: &Value) {
        let mut line = message.to_string();
        line.push('\n');
        self.send_bytes(line.as_bytes());
    }

    /// Sends a request, and returns its id without waiting.
    #[track_caller]
    pub fn send_request(&mut self, method: &str, mut params: Value) -> i64 {
        self.next_id += 1;
        if self.protocol == Protocol::V2026
            && let Some(params) = params.as_object_mut()
        {
            let meta = params.entry("_meta").or_insert_with(|| json!({}));
            let prefix = "io.modelcontextprotocol";
            meta[format!("{prefix}/protocolVersion")] = json!(self.protocol.version());
            meta[format!("{prefix}/clientInfo")] = json!({"name": "test", "version": "1.0.0"});
            meta[format!("{prefix}/clientCapabilities")] = self.capabilities.clone();
        }
        self.send(&json!({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}));
        self.next_id
    }

    /// Sends a tool call, and returns its id without waiting.
    #[track_caller]
    pub fn send_call(&mut self, tool: &str, arguments: Value) -> i64 {
        self.send_request("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// The next message of the server, whatever it is. Every line must be a JSON-RPC object.
    #[track_caller]
    pub fn next_message(&mut self) -> Value {
        check_message(&self.next_line())
    }

    /// The same, as it is written.
    #[track_caller]
    pub fn next_line(&mut self) -> Vec<u8> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("no message within {PATIENCE:?}; log: {}", self.log()),
            Err(RecvTimeoutError::Disconnected) => panic!("the server closed its stdout; log: {}", self.log()),
        }
    }

    /// The answer to a request, as a whole message.
    #[track_caller]
    pub fn answer(&mut self, id: i64) -> Value {
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return answer;
            }
            self.sort_next_message();
        }
    }

    #[track_caller]
    fn sort_next_message(&mut self) {
        let message = self.next_message();
        match (message["id"].as_i64(), message.get("method")) {
            (Some(_), Some(_)) => self.requests.push_back(message),
            (Some(id), None) => drop(self.answers.insert(id, message)),
            (None, _) => self.notifications.push(message),
        }
    }

    /// The next request of the server.
    #[track_caller]
    pub fn server_request(&mut self) -> Value {
        loop {
            match self.requests.pop_front() {
                Some(request) => return request,
                None => self.sort_next_message(),
            }
        }
    }

    /// The next notification of the server that has this method.
    #[track_caller]
    pub fn notification(&mut self, method: &str) -> Value {
        loop {
            match self.notifications.iter().position(|message| message["method"] == json!(method)) {
                Some(at) => return self.notifications.remove(at),
                None => self.sort_next_message(),
            }
        }
    }

    /// Answers a request of the server.
    #[track_caller]
    pub fn respond(&mut self, request: &Value, result: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": request["id"], "result": result}));
    }

    /// Messages without an id that came while something else was waited for.
    pub fn take_notifications(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.notifications)
    }

    /// A request and its answer, as a whole message.
    #[track_caller]
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send_request(method, params);
        self.answer(id)
    }

    /// The tools, as listed.
    #[track_caller]
    pub fn tools(&mut self) -> Vec<Value> {
        let answer = self.request("tools/list", json!({}));
        answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("no tools in {answer}")).clone()
    }

    /// Calls a tool; returns its structured content, whether it tells of success or of failure.
    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let id = self.send_call(tool, arguments);
        self.call_answer(id)
    }

    /// The structured content of the answer to a tool call.
    #[track_caller]
    pub fn call_answer(&mut self, id: i64) -> Value {
        check_result(self.answer(id))
    }

    /// Calls a tool that must succeed.
    #[track_caller]
    pub fn ok(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.call(tool, arguments);
        assert_eq!(answer["success"], json!(true), "{tool}: {answer}");
        answer
    }

    /// Calls a tool that must refuse with this code; returns what it says.
    #[track_caller]
    pub fn refused(&mut self, tool: &str, arguments: Value, code: &str) -> String {
        let answer = self.call(tool, arguments);
        assert_eq!(answer["error_code"], json!(code), "{tool}: {answer}");
        answer["error"].as_str().unwrap().to_owned()
    }

    /// What a process that has ended wrote to stdout and nobody has read.
    pub fn rest_of_stdout(&self) -> String {
        self.lines.iter().map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
    }

    /// Closes stdin and waits for the process to end.
    #[track_caller]
    pub fn close(mut self) -> ExitStatus {
        self.stdin = None;
        self.wait_for_exit(PATIENCE)
    }

    /// Closes stdin without waiting.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits for the process to end by itself.
    #[track_caller]
    pub fn wait_for_exit(&mut self, patience: Duration) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < patience, "the server is still there after {patience:?}; log: {}", self.log());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends the process as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for RawClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("log of the server:\n{}", self.log());
        }
    }
}

/// A line of stdout must be a JSON-RPC message and nothing else.
#[track_caller]
fn check_message(line: &[u8]) -> Value {
    let shown = String::from_utf8_lossy(&line[..line.len().min(400)]);
    let message: Value = serde_json::from_slice(line).unwrap_or_else(|error| panic!("not JSON ({error}): {shown}"));
    assert_eq!(message["jsonrpc"], json!("2.0"), "not JSON-RPC: {shown}");
    assert_eq!(line.last(), Some(&b'\n'), "a line without an end: {shown}");
    message
}

/// What every answer of a tool must have, whatever it says.
#[track_caller]
fn check_result(answer: Value) -> Value {
    let result = &answer["result"];
    let content: &Map<String, Value> =
        result["structuredContent"].as_object().unwrap_or_else(|| panic!("no structured content: {answer}"));
    let success = content["success"].as_bool().expect("`success` is true or false");
    assert_eq!(result["isError"].as_bool().unwrap_or(false), !success, "{answer}");
    let timestamp = content["timestamp"].as_str().expect("`timestamp` is text");
    timestamp.parse::<Timestamp>().unwrap_or_else(|error| panic!("`{timestamp}` is not RFC 3339: {error}"));
    if !success {
        assert!(content["error"].as_str().is_some_and(|error| !error.is_empty()), "no `error`: {answer}");
        let code = content["error_code"].as_str().expect("`error_code` is text");
        assert!(code.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "`{code}` is not snake_case");
    }
    let text = result["content"][0]["text"].as_str().expect("a text for clients without structured content");
    assert!(serde_json::from_str::<Value>(text).is_ok(), "the text is not JSON: {text}");
    Value::Object(content.clone())
}
