//! `run_command`: a program without a shell, with a clean environment, a time limit and capped output.

use std::{io, process::Stdio, time::Duration};

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    time::Instant,
};

use super::{Action, HostContext, parse};
use crate::sandbox::{PythonError, Reply};

/// Each of stdout and stderr keeps at most this much; the program is not stopped for printing more.
const STREAM_BYTES: usize = 1024 * 1024;
const ERROR_CHARS: usize = 2000;

/// What programs get of the server's environment: where to find things, and the language; nothing that could be a
/// secret.
const PASSED_ON: [&str; 17] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SystemRoot",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "GOPATH",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    command: Vec<String>,
    cwd: Option<String>,
    stdin: Option<String>,
    #[serde(default = "yes")]
    check: bool,
    timeout: Option<f64>,
}

const fn yes() -> bool {
    true
}

pub async fn call(arguments: Map<String, Value>, context: &HostContext<'_>) -> Result<Action, PythonError> {
    let arguments: Arguments = parse("run_command", arguments)?;
    let Some(program) = arguments.command.first().filter(|program| !program.is_empty()) else {
        return Err(PythonError::new("ValueError", "run_command(): `command` is empty; its first item is the program"));
    };
    if arguments.command.iter().any(|argument| argument.contains('\0')) {
        return Err(PythonError::new("ValueError", "run_command(): an argument contains a NUL character"));
    }
    context.grants.check_command(&arguments.command)?;
    let mut command = command(&arguments, context)?;
    let shown = arguments.command.join(" ");
    let child = command.spawn().map_err(|error| spawn_error(program, &error))?;
    let finished = communicate(child, arguments.stdin.as_deref(), deadline(&arguments, context), context).await;
    let output = match finished {
        Ok(output) => output,
        Err(Stopped::Time(limit)) => {
            let message = format!("`{shown}` was stopped after {:.1} s", limit.as_secs_f64());
            return Err(PythonError::new("TimeoutError", message));
        }
        Err(Stopped::Io(error)) => return Err(PythonError::new("OSError", format!("`{shown}`: {error}"))),
    };
    if arguments.check && output.exit_code != 0 {
        let said = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
        let said: String = said.trim().chars().take(ERROR_CHARS).collect();
        let message = format!("`{shown}` ended with exit code {}: {said}", output.exit_code);
        return Err(PythonError::new("RuntimeError", message.trim_end_matches([':', ' '])));
    }
    let fields = json!({"stdout": output.stdout, "stderr": output.stderr, "exit_code": output.exit_code});
    let Value::Object(fields) = fields else { return Ok(Action::Reply(Reply::Value(fields))) };
    Ok(Action::Reply(Reply::Instance { class: "CommandResult", fields }))
}

fn command(arguments: &Arguments, context: &HostContext<'_>) -> Result<CommandWrap, PythonError> {
    let directory = match &arguments.cwd {
        Some(directory) => Some(context.grants.check_directory(directory)?),
        None => context.grants.default_directory().map(std::path::Path::to_owned),
    };
    let (program, rest) = arguments.command.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
    let mut command = CommandWrap::with_new(program, |command| {
        command.args(rest).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if arguments.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        for name in PASSED_ON {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.current_dir(directory.unwrap_or_else(std::env::temp_dir));
    });
    // In a group of its own, so that what the program started ends with it.
    #[cfg(unix)]
    command.wrap(process_wrap::tokio::ProcessGroup::leader());
    #[cfg(windows)]
    command.wrap(process_wrap::tokio::JobObject);
    command.wrap(process_wrap::tokio::KillOnDrop);
    Ok(command)
}

fn spawn_error(program: &str, error: &io::Error) -> PythonError {
    match error.kind() {
        io::ErrorKind::NotFound => {
            PythonError::new("FileNotFoundError", format!("the program `{program}` is not installed or not in PATH"))
        }
        io::ErrorKind::PermissionDenied => {
            PythonError::new("PermissionError", format!("the system does not let `{program}` be executed"))
        }
        _ => PythonError::new("OSError", format!("`{program}` can't be started: {error}")),
    }
}

fn deadline(arguments: &Arguments, context: &HostContext<'_>) -> Instant {
    let own = arguments
        .timeout
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .and_then(|limit| Instant::now().checked_add(limit));
    own.map_or(context.budget.deadline, |own| own.min(context.budget.deadline))
}

struct Output {
    stdout: String,
    stderr: String,
    exit_code: i32,
}

enum Stopped {
    Time(Duration),
    Io(io::Error),
}

async fn communicate(
    mut child: Box<dyn ChildWrapper>,
    stdin: Option<&str>,
    deadline: Instant,
    context: &HostContext<'_>,
) -> Result<Output, Stopped> {
    let started = Instant::now();
    let (input, stdout, stderr) = (child.stdin().take(), child.stdout().take(), child.stderr().take());
    let feed = async {
        if let (Some(mut pipe), Some(text)) = (input, stdin) {
            // A program may end without reading all of its input.
            let _ = pipe.write_all(text.as_bytes()).await;
        }
    };
    let work = async {
        let ((), stdout, stderr) = tokio::join!(feed, read_capped(stdout), read_capped(stderr));
        let status = child.wait().await?;
        Ok::<_, io::Error>((stdout?, stderr?, status))
    };
    let done = tokio::select! {
        done = work => Some(done),
        () = tokio::time::sleep_until(deadline) => None,
        () = context.budget.cancel.cancelled() => None,
    };
    match done {
        Some(Ok((stdout, stderr, status))) => {
            Ok(Output { stdout, stderr, exit_code: status.code().unwrap_or_else(|| signal(status)) })
        }
        Some(Err(error)) => Err(Stopped::Io(error)),
        None => {
            if let Err(error) = child.start_kill() {
                tracing::debug!(%error, "a command had ended before it was stopped");
            }
            let _ = child.wait().await;
            Err(Stopped::Time(started.elapsed()))
        }
    }
}

/// A program ended by a signal, in the words of Python: the negative number of the signal.
#[cfg(unix)]
fn signal(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    -status.signal().unwrap_or(1)
}

#[cfg(not(unix))]
const fn signal(_: std::process::ExitStatus) -> i32 {
    -1
}

/// Reads to the end, so that the program never blocks, and keeps the beginning.
async fn read_capped(stream: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let Some(mut stream) = stream else { return Ok(String::new()) };
    let mut kept = Vec::new();
    let mut dropped = 0;
    let mut chunk = vec![0; 16 * 1024];
    loop {
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            break;
        }
        let room = (STREAM_BYTES - kept.len()).min(count);
        kept.extend_from_slice(&chunk[..room]);
        dropped += count - room;
    }
    let mut text = String::from_utf8_lossy(&kept).into_owned();
    if dropped > 0 {
        text.push_str(&format!("\n… {dropped} bytes more were left out"));
    }
    Ok(text)
}
