//! What the tests share: a data folder of their own, a client, and a look at processes.

pub mod client;
pub mod downstream;
pub mod fake_clock;
pub mod loopback;
pub mod model_server;
pub mod processes;
#[cfg(unix)]
pub mod terminal;
#[cfg(target_os = "linux")]
pub mod walls;
pub mod web_server;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

pub use client::{Protocol, RawClient};

/// The program under test: the one that is built with the tests, or the one that the environment named at that time.
pub const PROGRAM: &str = match option_env!("REPERTOIRE_PROGRAM") {
    Some(program) => program,
    None => env!("CARGO_BIN_EXE_repertoire"),
};

/// Longest that anything may take, on a slow and busy machine too.
pub const PATIENCE: Duration = Duration::from_mins(1);

#[cfg(target_os = "linux")]
use walls::has_walls;

#[cfg(not(target_os = "linux"))]
const fn has_walls() -> bool {
    false
}

/// A data folder of a test's own, and room beside it for files. Removed at the end.
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// An empty one.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("repertoire test ü ").tempdir().unwrap();
        Self { folder }
    }

    /// One with this `config.toml`.
    pub fn with_config(text: &str) -> Self {
        let home = Self::new();
        home.configure(text);
        home
    }

    /// Writes `config.toml`. Where no walls can be had, granted programs are executed without: what is about walls is skipped
    /// there, and all else is not about them.
    pub fn configure(&self, text: &str) {
        let is_left_open = !text.contains("confinement") && !has_walls();
        let text =
            if is_left_open { text.replacen("[policy]", "[policy]\nconfinement = 'none'", 1) } else { text.into() };
        fs::create_dir_all(self.path()).unwrap();
        fs::write(self.path().join("config.toml"), text).unwrap();
    }

    /// The data folder; not there before a program made it.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The history's repository.
    pub fn repository(&self) -> PathBuf {
        self.path().join("procedures.git")
    }

    /// A folder beside the data folder, made when it is not there.
    pub fn beside(&self, name: &str) -> PathBuf {
        let path = fs::canonicalize(self.folder.path()).unwrap().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// A server without starters, and its client on protocol 2025-11-25.
    pub fn start(&self) -> RawClient {
        self.start_with(&[], Protocol::V2025)
    }

    /// A server with these arguments, and its client.
    pub fn start_with(&self, arguments: &[&str], protocol: Protocol) -> RawClient {
        let mut client = self.spawn(arguments);
        client.open(protocol);
        client
    }

    /// A server without starters that nobody has spoken to. It shows all tools, unless it is told which.
    pub fn spawn(&self, arguments: &[&str]) -> RawClient {
        let mut command = self.command(&["--no-starters", "serve"]);
        if !arguments.contains(&"--toolsets") {
            command.args(["--toolsets", "all"]);
        }
        command.args(arguments);
        RawClient::spawn(command)
    }

    /// A daemon that keeps the clock of this home, once it does.
    pub fn daemon(&self, arguments: &[&str]) -> RawClient {
        let mut command = self.command(&["--no-starters"]);
        command.args(arguments).arg("daemon");
        let daemon = RawClient::spawn(command);
        eventually("the daemon keeps the home", || daemon.log().contains("keeping"));
        daemon
    }

    /// The program on this home, in a clean environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = clean(Command::new(PROGRAM));
        command.env("HOME", self.folder.path()).arg("--home").arg(self.path()).args(arguments);
        command
    }

    /// Runs the program on this home to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

/// Takes the environment away, except for what programs need to start at all.
pub fn clean(mut command: Command) -> Command {
    command.env_clear();
    for name in ["PATH", "SystemRoot", "TMPDIR", "TEMP", "TMP", "LLVM_PROFILE_FILE", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// Waits until `condition` holds.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Remembers a procedure with its code; returns its number.
#[track_caller]
pub fn remember(client: &mut RawClient, name: &str, code: &str) -> i64 {
    let answer = client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"], "code": code}));
    answer["procedure_id"].as_i64().unwrap()
}

/// Remembers a procedure and executes it once.
#[track_caller]
pub fn execute_code(client: &mut RawClient, name: &str, code: &str) -> Value {
    remember(client, name, code);
    client.call("execute_procedure", json!({"procedure_id": name}))
}

/// A text of an answer.
#[track_caller]
pub fn text<'v>(answer: &'v Value, field: &str) -> &'v str {
    answer[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {answer}"))
}

/// A path as a TOML string.
pub fn toml_path(path: &Path) -> String {
    format!("'{}'", path.display())
}

/// Whether a program can be started here.
pub fn has_program(name: &str) -> bool {
    let found = Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("skipped: `{name}` is not installed");
    }
    found
}
