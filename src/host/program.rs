//! Programs outside the sandbox: no shell, a clean environment, a time limit, capped output.

use std::{
    convert::Infallible,
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{bounds::Confines, proxy::Proxy};
use crate::{
    config::clean_environment,
    confinement::{self, Confined, Listener},
    launch,
    runtime::PythonError,
};

/// Each of stdout and stderr keeps at most this much; the program is not stopped for printing more.
const STREAM_BYTES: usize = 1024 * 1024;
const ERROR_CHARS: usize = 2000;
/// Begins what is said beside a program's own words.
const REFUSED: &str = "repertoire refused it the network:";

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
    /// What it may reach; `None` is all that the user may.
    pub confines: Option<Confines>,
}

/// How a program ended.
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    pub exit_code: i32,
    /// What was refused to it of the network.
    refused: Vec<String>,
}

impl Output {
    /// An exit code other than 0 as an error, with what the program said.
    pub fn check(&self, program: &Program<'_>) -> Result<(), PythonError> {
        if self.exit_code == 0 {
            return Ok(());
        }
        let said = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let said: String = said.trim().chars().take(ERROR_CHARS).collect();
        let mut message = format!("`{}` ended with exit code {}: {said}", program.shown, self.exit_code);
        for why in self.refused.iter().filter(|why| !said.contains(*why)) {
            message.push_str(&format!("; {REFUSED} {why}"));
        }
        Err(PythonError::new("RuntimeError", message.trim_end_matches([':', ' '])))
    }
}

impl Program<'_> {
    /// Runs it to its end, or stops it, with everything that it started, at `deadline` or when `cancel` says so.
    pub async fn run(&self, deadline: Instant, cancel: &CancellationToken) -> Result<Output, PythonError> {
        let shown = self.shown;
        let (name, arguments) = self.command.split_first().map_or(("", &[][..]), |(name, rest)| (name.as_str(), rest));
        let mut child = self.launch(name, arguments).await.map_err(|error| self.spawn_error(name, &error))?;
        let reach = self.confines.as_ref().and_then(|confines| confines.reach.clone());
        let proxy = reach.map(|reach| Arc::new(Proxy::new(name.to_owned(), reach)));
        let serving = serve(proxy.clone(), child.listener(), cancel);
        let ended = tokio::select! {
            ended = communicate(&mut child, self.stdin, deadline, cancel) => ended,
            never = serving => match never {},
        };
        let refused = proxy.map(|proxy| proxy.refused()).unwrap_or_default();
        let left = child.clear_up().await;
        match ended {
            Ok((status, stdout, stderr)) => match launch::not_started(status, &stderr) {
                Some(error) => Err(self.spawn_error(name, &error)),
                None if !left.is_empty() => Err(left_behind(shown, &left)),
                None => {
                    let exit_code = status.code().unwrap_or_else(|| signal(status));
                    Ok(Output { stdout, stderr: with_refusals(stderr, &refused), exit_code, refused })
                }
            },
            Err(Stopped::Time(limit)) => {
                let told: String = refused.iter().map(|why| format!("; {REFUSED} {why}")).collect();
                let message = format!("`{shown}` was stopped after {:.1} s{told}", limit.as_secs_f64());
                Err(PythonError::new("TimeoutError", message))
            }
            Err(Stopped::Io(error)) => Err(self.ended_badly(&error)),
        }
    }

    async fn launch(&self, name: &str, arguments: &[String]) -> io::Result<Confined> {
        let prepare = |command: &mut Command| {
            command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
            command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
            command.envs(clean_environment());
            command.current_dir(&self.directory);
        };
        match &self.confines {
            Some(Confines { bounds, .. }) => confinement::start(name, arguments, bounds, prepare).await,
            None => launch::launch(name, arguments, prepare).map(Confined::from),
        }
    }

    fn spawn_error(&self, program: &str, error: &io::Error) -> PythonError {
        match error.kind() {
            io::ErrorKind::NotFound => PythonError::new(
                "FileNotFoundError",
                format!("the program `{program}` is not installed or not in PATH"),
            ),
            io::ErrorKind::PermissionDenied => {
                PythonError::new("PermissionError", format!("the system does not let `{program}` be executed"))
            }
            io::ErrorKind::Unsupported => self.no_wall(program, error),
            _ => PythonError::new("OSError", format!("`{program}` can't be started: {error}")),
        }
    }

    /// What it can't be executed for although it was started, or why it had to be stopped.
    fn ended_badly(&self, error: &io::Error) -> PythonError {
        let shown = self.shown;
        match error.kind() {
            io::ErrorKind::Unsupported => self.no_wall(shown, error),
            io::ErrorKind::QuotaExceeded => PythonError::new("OSError", format!("`{shown}` was stopped: {error}")),
            _ => PythonError::new("OSError", format!("`{shown}`: {error}")),
        }
    }

    fn no_wall(&self, shown: &str, error: &io::Error) -> PythonError {
        let released_by = self.confines.as_ref().map_or("", |confines| confines.released_by);
        let message = format!(
            "`{shown}` was not executed, because there can be no wall around it here: {error}. `repertoire doctor` shows which \
             walls hold and what is missing; the user can do without them by {released_by}"
        );
        PythonError::new("PermissionError", message)
    }
}

/// Serves the proxy of a program for as long as anybody waits for it.
async fn serve(proxy: Option<Arc<Proxy>>, listener: Option<Listener>, cancel: &CancellationToken) -> Infallible {
    if let Some((proxy, listener)) = proxy.zip(listener) {
        confinement::serve(listener, proxy, cancel.clone()).await;
    }
    std::future::pending().await
}

/// What a program said, and below it what it was refused: few programs repeat what a proxy says.
fn with_refusals(mut stderr: String, refused: &[String]) -> String {
    for why in refused {
        if !stderr.is_empty() && !stderr.ends_with('\n') {
            stderr.push('\n');
        }
        stderr.push_str(&format!("{REFUSED} {why}\n"));
    }
    stderr
}

/// What was found after a program that other programs would have executed.
fn left_behind(shown: &str, left: &[PathBuf]) -> PythonError {
    let left: Vec<String> = left.iter().map(|path| format!("`{}`", path.display())).collect();
    let message = format!(
        "`{shown}` ended, and left what makes other programs run code: {}. It was set aside beside its place, under a name that ends \
         in `.set-aside`. If it is wanted, the user can grant the command with `startup_files = true`",
        left.join(", ")
    );
    PythonError::new("PermissionError", message)
}

enum Stopped {
    Time(Duration),
    Io(io::Error),
}

async fn communicate(
    child: &mut Confined,
    stdin: Option<&str>,
    deadline: Instant,
    cancel: &CancellationToken,
) -> Result<(ExitStatus, String, String), Stopped> {
    let started = Instant::now();
    let (input, stdout, stderr) = (child.stdin(), child.stdout(), child.stderr());
    let feed = async {
        if let (Some(mut pipe), Some(text)) = (input, stdin) {
            // A program may end without reading all of its input.
            let _ = pipe.write_all(text.as_bytes()).await;
        }
    };
    let work = async {
        let ended = async {
            let status = child.wait().await;
            // What it left behind may hold its output open.
            child.end();
            status
        };
        let ((), stdout, stderr, status) = tokio::join!(feed, read_capped(stdout), read_capped(stderr), ended);
        let status = status?;
        Ok::<_, io::Error>((status, stdout?, stderr?))
    };
    let done = tokio::select! {
        done = work => Some(done),
        () = tokio::time::sleep_until(deadline) => None,
        () = cancel.cancelled() => None,
    };
    match done {
        Some(Ok(ended)) => Ok(ended),
        Some(Err(error)) => Err(Stopped::Io(error)),
        None => {
            child.end();
            let _ = child.wait().await;
            Err(Stopped::Time(started.elapsed()))
        }
    }
}

/// A program ended by a signal, in the words of Python: the negative number of the signal.
#[cfg(unix)]
fn signal(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    -status.signal().unwrap_or(1)
}

#[cfg(not(unix))]
const fn signal(_: ExitStatus) -> i32 {
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
