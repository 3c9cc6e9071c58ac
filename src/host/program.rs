//! Programs outside the sandbox: no shell, a clean environment, a time limit, capped output.

use std::{io, path::PathBuf, process::Stdio, time::Duration};

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{config::clean_environment, runtime::PythonError};

/// Each of stdout and stderr keeps at most this much; the program is not stopped for printing more.
const STREAM_BYTES: usize = 1024 * 1024;
const ERROR_CHARS: usize = 2000;

/// A program to run.
pub struct Program<'a> {
    /// Its name or path, and its arguments.
    pub command: &'a [String],
    /// What errors call it: arguments may be nobody's business.
    pub shown: &'a str,
    /// Where it runs.
    pub directory: PathBuf,
    /// What it reads.
    pub stdin: Option<&'a str>,
}

/// How a program ended.
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    pub exit_code: i32,
}

impl Output {
    /// An exit code other than 0 as an error, with what the program said.
    pub fn check(&self, program: &Program<'_>) -> Result<(), PythonError> {
        if self.exit_code == 0 {
            return Ok(());
        }
        let said = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let said: String = said.trim().chars().take(ERROR_CHARS).collect();
        let message = format!("`{}` ended with exit code {}: {said}", program.shown, self.exit_code);
        Err(PythonError::new("RuntimeError", message.trim_end_matches([':', ' '])))
    }
}

impl Program<'_> {
    /// Runs it to its end, or stops it, with everything that it started, at `deadline` or when `cancel` says so.
    pub async fn run(&self, deadline: Instant, cancel: &CancellationToken) -> Result<Output, PythonError> {
        let shown = self.shown;
        let (name, arguments) = self.command.split_first().map_or(("", &[][..]), |(name, rest)| (name.as_str(), rest));
        let mut command = self.prepared(name, arguments);
        let child = command.spawn().map_err(|error| spawn_error(name, &error))?;
        match communicate(child, self.stdin, deadline, cancel).await {
            Ok(output) => Ok(output),
            Err(Stopped::Time(limit)) => {
                let message = format!("`{shown}` was stopped after {:.1} s", limit.as_secs_f64());
                Err(PythonError::new("TimeoutError", message))
            }
            Err(Stopped::Io(error)) => Err(PythonError::new("OSError", format!("`{shown}`: {error}"))),
        }
    }

    fn prepared(&self, name: &str, arguments: &[String]) -> CommandWrap {
        let mut command = CommandWrap::with_new(name, |command| {
            command.args(arguments).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
            command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
            command.envs(clean_environment());
            command.current_dir(&self.directory);
        });
        // In a group of its own, so that what the program started ends with it.
        #[cfg(unix)]
        command.wrap(process_wrap::tokio::ProcessGroup::leader());
        #[cfg(windows)]
        command.wrap(process_wrap::tokio::JobObject);
        command.wrap(process_wrap::tokio::KillOnDrop);
        command
    }
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

enum Stopped {
    Time(Duration),
    Io(io::Error),
}

async fn communicate(
    mut child: Box<dyn ChildWrapper>,
    stdin: Option<&str>,
    deadline: Instant,
    cancel: &CancellationToken,
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
        () = cancel.cancelled() => None,
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
