//! A process with the driver in it: started, spoken with, ended.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use serde::Serialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{ChildStderr, ChildStdin, ChildStdout, Command},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    command::{self, Output},
    driver,
    protocol::Said,
};
use crate::{
    confinement::{self, Confined},
    domain::json,
    launch::{self, WriteMeter},
    runtime::{Interpreter, RuntimeError},
};

/// The longest frame that is read: results and arguments are limited below that, and may be written with escapes.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// The oldest version that the driver works in: it finds calls in the code by what newer ones know of it.
const OLDEST: (u32, u32) = (3, 11);
/// Says where the interpreter is and what it is.
const FIND: &str = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)";
/// How much of what it says on stderr is read when it ends.
const MOST_SAID: u64 = 4096;
const MOST_SAID_CHARS: usize = 600;

/// Hash seeds are chosen below this.
const HASH_SEEDS: u32 = u32::MAX;

/// A started process, which has executed nothing or executes one program.
pub struct Process {
    launched: Confined,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: Option<ChildStderr>,
    /// Ends what serves its way to the network.
    #[expect(dead_code, reason = "it ends that when it is dropped")]
    serving: DropGuard,
    /// What makes its hashes.
    pub hash_seed: u32,
    has_ended: bool,
}

/// Starts a process; with `hash_seed`, one with the same hashes as another.
///
/// # Errors
/// [`RuntimeError::Unavailable`].
pub async fn start(program: &Path, interpreter: &Interpreter, hash_seed: Option<u32>) -> Result<Process, RuntimeError> {
    let hash_seed = match hash_seed {
        Some(seed) => seed,
        None => getrandom::u32().map_err(|error| unavailable(program, error))? % HASH_SEEDS,
    };
    // Nothing of the user's own, no folder of where it was started; packages only where there is an environment.
    let mut arguments = vec!["-s", "-P", "-B"];
    if interpreter.environment.is_none() {
        arguments.push("-S");
    }
    arguments.extend(["-c", driver::SOURCE]);
    let ready = |command: &mut Command| {
        prepare(command, interpreter);
        command.env("PYTHONHASHSEED", hash_seed.to_string()).env("PYTHONUTF8", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    };
    let launched = match &interpreter.bounds {
        Some(bounds) => confinement::start(program, arguments, bounds, ready).await,
        None => launch::launch(program, arguments, ready).map(Confined::from),
    };
    let mut launched = launched.map_err(|error| not_started(program, &error))?;
    let serving = CancellationToken::new();
    if let (Some((_, gateway)), Some(listener)) = (&interpreter.gateway, launched.listener()) {
        let served = confinement::serve(listener, Arc::clone(gateway), serving.clone());
        let ended = serving.clone();
        tokio::spawn(async move { ended.run_until_cancelled(served).await });
    }
    let (Some(stdin), Some(stdout), stderr) = (launched.stdin(), launched.stdout(), launched.stderr()) else {
        return Err(unavailable(program, "it has no pipes"));
    };
    let serving = serving.drop_guard();
    let mut process = Process { launched, stdin, stdout, stderr, serving, hash_seed, has_ended: false };
    match process.hear().await {
        Ok(Said::Ready { version }) if (version.0, version.1) >= OLDEST => Ok(process),
        Ok(Said::Ready { version }) => Err(too_old(program, &format!("{}.{}", version.0, version.1))),
        Ok(_) => Err(unavailable(program, "it said something else than that it is ready")),
        Err(RuntimeError::Crashed(why)) => Err(unavailable(program, why)),
        Err(RuntimeError::NoWall(why)) => Err(unavailable(program, no_wall(&why))),
        Err(error) => Err(error),
    }
}

/// Where the interpreter is that `program` leads to.
///
/// # Errors
/// [`RuntimeError::Unavailable`] where there is none, or it is too old.
pub async fn find(interpreter: &Interpreter) -> Result<PathBuf, RuntimeError> {
    let program = &interpreter.program;
    let run =
        command::output(program.as_os_str(), ["-I", "-S", "-c", FIND], "", |command| prepare(command, interpreter));
    let Output { stdout: said, stderr: complaint, .. } = run.await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => unavailable(
            program,
            "it is not installed or not in PATH; install Python 3.11 or newer, or name it as `program` under [python] in \
             config.toml",
        ),
        _ => unavailable(program, error),
    })?;
    let Some((version, path)) = said.trim().split_once(' ') else {
        return Err(unavailable(program, shortened(complaint.trim())));
    };
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    match parts[..] {
        [major, minor] if (major, minor) >= OLDEST => Ok(PathBuf::from(path)),
        _ => Err(too_old(program, version)),
    }
}

fn prepare(command: &mut Command, interpreter: &Interpreter) {
    command.env_clear().envs(interpreter.variables.iter().map(|(name, value)| (name, value)));
    command.current_dir(std::env::temp_dir());
}

fn unavailable(program: &Path, why: impl std::fmt::Display) -> RuntimeError {
    RuntimeError::Unavailable(format!("`{}`: {why}", program.display()))
}

fn not_started(program: &Path, error: &io::Error) -> RuntimeError {
    match error.kind() {
        io::ErrorKind::Unsupported => unavailable(program, no_wall(&error.to_string())),
        _ => unavailable(program, error),
    }
}

fn no_wall(why: &str) -> String {
    format!(
        "there can be no wall around it here: {why}. `repertoire doctor` shows which walls hold and what is missing; the user can \
         do without them by `confinement = \"none\"` under [policy] in config.toml"
    )
}

fn too_old(program: &Path, version: &str) -> RuntimeError {
    unavailable(
        program,
        format!(
            "it is Python {version}, and {}.{} or newer is needed; name one as `program` under [python] in config.toml",
            OLDEST.0, OLDEST.1
        ),
    )
}

fn shortened(text: &str) -> String {
    text.chars().take(MOST_SAID_CHARS).collect()
}

impl Process {
    /// Whether it has not ended, as far as that is known without waiting.
    pub fn is_alive(&mut self) -> bool {
        !self.has_ended && !self.launched.has_ended()
    }

    /// What tells how much it wrote to files, where the system tells.
    pub fn write_meter(&self, interpreter: &Interpreter) -> Option<WriteMeter> {
        let write = interpreter.bounds.as_ref().map(|bounds| bounds.write.as_slice()).unwrap_or_default();
        self.launched.write_meter(write)
    }

    /// Says something to the driver.
    ///
    /// # Errors
    /// [`RuntimeError::Crashed`] when it is not there any more.
    pub async fn say(&mut self, what: &impl Serialize) -> Result<(), RuntimeError> {
        let text = serde_json::to_vec(what).map_err(|error| RuntimeError::Crashed(error.to_string()))?;
        let length = u32::try_from(text.len())
            .map_err(|_| RuntimeError::Crashed(format!("{} bytes are more than can be told to it", text.len())))?;
        let written = async {
            self.stdin.write_all(&length.to_be_bytes()).await?;
            self.stdin.write_all(&text).await?;
            self.stdin.flush().await
        };
        match written.await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.ended().await),
        }
    }

    /// What the driver says next.
    ///
    /// # Errors
    /// [`RuntimeError::Crashed`] when it is not there any more, or says what can't be read.
    pub async fn hear(&mut self) -> Result<Said, RuntimeError> {
        let mut length = [0; 4];
        if self.stdout.read_exact(&mut length).await.is_err() {
            return Err(self.ended().await);
        }
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MOST_BYTES {
            return Err(RuntimeError::Result(format!("it is {length} bytes of JSON, at most {MOST_BYTES} are read")));
        }
        let mut text = vec![0; length];
        if self.stdout.read_exact(&mut text).await.is_err() {
            return Err(self.ended().await);
        }
        json::check_names(&text).map_err(|error| RuntimeError::Crashed(error.to_string()))?;
        serde_json::from_slice(&text)
            .map_err(|error| RuntimeError::Crashed(format!("it said what can't be read: {error}")))
    }

    /// Ends it. Returns what it left that would make other programs run code, and that was set aside.
    pub async fn clear_up(mut self) -> Vec<PathBuf> {
        self.launched.end();
        // Whatever is said of its end: it is over.
        let _ = self.launched.wait().await;
        self.launched.clear_up().await
    }

    /// That it has ended, with what it said last. Before the code is executed that is on its stderr, afterwards output.
    async fn ended(&mut self) -> RuntimeError {
        self.has_ended = true;
        self.launched.end();
        let mut said = Vec::new();
        if let Some(stderr) = self.stderr.take() {
            // What can't be read is not said.
            let _ = stderr.take(MOST_SAID).read_to_end(&mut said).await;
        }
        let said = String::from_utf8_lossy(&said);
        let status = self.launched.wait().await;
        let how = match status {
            Ok(status) => match launch::not_started(status, &said) {
                Some(error) => error.to_string(),
                None => format!("{status}{}{}", if said.trim().is_empty() { "" } else { ": " }, shortened(said.trim())),
            },
            Err(error) if error.kind() == io::ErrorKind::Unsupported => return RuntimeError::NoWall(error.to_string()),
            Err(error) if error.kind() == io::ErrorKind::QuotaExceeded => {
                return RuntimeError::Exceeded(error.to_string());
            }
            Err(error) => error.to_string(),
        };
        RuntimeError::Crashed(how)
    }
}
