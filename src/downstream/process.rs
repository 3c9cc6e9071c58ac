//! A server that is a program: started in a group of its own, with a clean environment, behind walls where its user wants
//! them, and ended with all that it started.

use std::{
    collections::VecDeque,
    io,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{ChildStdin, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::walls::{MakeWalls, Walls};
use crate::{
    config::CommandSettings,
    confinement::{self, Confined, Gateway},
    launch,
};

/// How long a program may take to end by itself once its stdin is closed, and again once it was asked by a signal.
const GRACE: Duration = Duration::from_millis(500);
/// How long to wait for the rest of what it wrote.
const LAST_WORDS: Duration = Duration::from_millis(200);

const KEPT_LINES: usize = 8;
const MAX_LINE_BYTES: usize = 400;

/// A program that was started. Dropping it kills its whole group.
pub(super) struct Process {
    /// `None` when it has ended.
    child: Option<Confined>,
    server: String,
    settings: CommandSettings,
    words: Arc<Mutex<VecDeque<String>>>,
    listener: Option<JoinHandle<()>>,
    /// Its way to the hosts that it reaches lasts as long as this.
    _way_out: Option<DropGuard>,
}

impl Process {
    /// Starts the program of `server`, which gets nothing of our own stdin and stdout.
    pub(super) async fn spawn(
        server: &str,
        settings: &CommandSettings,
        walls: MakeWalls,
    ) -> Result<(Self, ChildStdout, ChildStdin), String> {
        let environment = settings.environment()?;
        let prepare = |command: &mut Command| {
            command.env_clear().envs(environment);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.current_dir(settings.cwd.clone().unwrap_or_else(std::env::temp_dir));
        };
        let mut gateway = None;
        let launched = match &settings.bounds {
            Some(wanted) => {
                let walls: Walls = walls(server, wanted);
                gateway = walls.gateway;
                confinement::start(&settings.command, &settings.args, &walls.bounds, prepare).await
            }
            None => launch::launch(&settings.command, &settings.args, prepare).map(Confined::from),
        };
        let mut child = launched.map_err(|error| spawn_error(settings, &error))?;
        let way_out = gateway.and_then(|gateway| serve(&mut child, gateway));
        let (stdin, stdout, stderr) = (child.stdin(), child.stdout(), child.stderr());
        let words = Arc::default();
        let listener = stderr.map(|stderr| tokio::spawn(listen(stderr, server.to_owned(), Arc::clone(&words))));
        let process = Self {
            child: Some(child),
            server: server.to_owned(),
            settings: settings.clone(),
            words,
            listener,
            _way_out: way_out,
        };
        match (stdout, stdin) {
            (Some(stdout), Some(stdin)) => Ok((process, stdout, stdin)),
            _ => Err("its stdin and stdout can't be had".to_owned()),
        }
    }

    /// Returns when the program itself has ended.
    pub(super) async fn exited(&mut self) {
        match &mut self.child {
            Some(child) => {
                let _ = child.wait().await;
                // Where it was its launcher that was killed, what is left of it does not answer on.
                child.end();
            }
            None => std::future::pending().await,
        }
    }

    /// Ends the program, whose stdin is closed by now, and what it has started. Says how it ended and what it wrote
    /// last.
    pub(super) async fn end(mut self) -> String {
        let Some(mut child) = self.child.take() else { return "it has ended".to_owned() };
        let ended = wait_or_kill(&mut child).await;
        // What it started may have survived it.
        child.end();
        let left = child.clear_up().await;
        if !left.is_empty() {
            tracing::warn!(
                server = self.server,
                ?left,
                "it left what makes other programs run code; that was set aside"
            );
        }
        if let Some(listener) = self.listener.take() {
            let _ = timeout(LAST_WORDS, listener).await;
        }
        let status = match ended {
            Ok(status) => status,
            Err(error) => return spawn_error(&self.settings, &error),
        };
        let how = status.map_or_else(|| "it was stopped".to_owned(), how_it_ended);
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let last = words.back().map_or("", String::as_str);
        if let Some(error) = status.and_then(|status| launch::not_started(status, last)) {
            return spawn_error(&self.settings, &error);
        }
        if words.is_empty() {
            return format!("{how} and wrote nothing to stderr");
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        format!("{how}; the last that it wrote: {}", words.join(" ⏎ "))
    }
}

/// Lets `gateway` serve a program until the guard is dropped.
fn serve(child: &mut Confined, gateway: Arc<dyn Gateway>) -> Option<DropGuard> {
    let listener = child.listener()?;
    let cancel = CancellationToken::new();
    let guard = cancel.clone().drop_guard();
    // Where the walls can't be built, the listener never comes.
    tokio::spawn(async move {
        cancel.run_until_cancelled(confinement::serve(listener, gateway, cancel.clone())).await;
    });
    Some(guard)
}

/// How it ended; `None` when that had to be done by us.
async fn wait_or_kill(child: &mut Confined) -> io::Result<Option<ExitStatus>> {
    if let Ok(status) = timeout(GRACE, child.wait()).await {
        return status.map(Some);
    }
    #[cfg(unix)]
    if child.terminate() && timeout(GRACE, child.wait()).await.is_ok() {
        return Ok(None);
    }
    child.end();
    let _ = child.wait().await;
    Ok(None)
}

fn how_it_ended(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("it was ended by signal {signal}");
    }
    status.code().map_or_else(|| "it ended".to_owned(), |code| format!("it ended with exit code {code}"))
}

fn spawn_error(settings: &CommandSettings, error: &io::Error) -> String {
    let program = settings.command.display();
    if let Some(cwd) = settings.cwd.as_ref().filter(|cwd| !cwd.is_dir()) {
        return format!("its `cwd` `{}` is not a directory", cwd.display());
    }
    match error.kind() {
        io::ErrorKind::NotFound => format!("the program `{program}` is not installed or not in PATH"),
        io::ErrorKind::PermissionDenied => format!("the system does not let `{program}` be executed"),
        io::ErrorKind::Unsupported => format!(
            "the program `{program}` was not started, because there can be no wall around it here: {error}. `repertoire doctor` \
             shows which walls hold; without `confined` and bounds in its section there are none"
        ),
        io::ErrorKind::QuotaExceeded => format!("the program `{program}` was stopped: {error}"),
        _ => format!("the program `{program}` can't be started: {error}"),
    }
}

/// Passes what the program writes to stderr on to our log, and keeps the end of it.
async fn listen(mut stderr: impl AsyncRead + Unpin, server: String, words: Arc<Mutex<VecDeque<String>>>) {
    let mut chunk = vec![0; 4096];
    let mut line: Vec<u8> = Vec::new();
    loop {
        let count = stderr.read(&mut chunk).await.unwrap_or(0);
        for byte in chunk.get(..count).unwrap_or_default() {
            if *byte == b'\n' {
                note(&mut line, &server, &words);
            } else if line.len() < MAX_LINE_BYTES {
                line.push(*byte);
            }
        }
        if count == 0 {
            return note(&mut line, &server, &words);
        }
    }
}

fn note(line: &mut Vec<u8>, server: &str, words: &Mutex<VecDeque<String>>) {
    let text = String::from_utf8_lossy(line).trim().to_owned();
    line.clear();
    if text.is_empty() {
        return;
    }
    tracing::debug!(server, "{text}");
    let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
    if words.len() == KEPT_LINES {
        words.pop_front();
    }
    words.push_back(text);
}
