//! The one door through which programs are started that are not this one: commands of procedures, channels, servers.
//!
//! Nothing that comes through it outlives this process, also where that is killed. On Unix a program is started by a
//! launcher, which is this binary with another first argument: it takes in whatever the program leaves behind, watches
//! whoever started it, and ends everything when either is gone. What is in the program's group ends with the launcher, too. On
//! Windows a job object does all that.

#[cfg(unix)]
mod launcher;
mod stage;
#[cfg(unix)]
mod tree;
mod written;

use std::{
    ffi::OsStr,
    io,
    process::{ExitCode, ExitStatus, Stdio},
    sync::OnceLock,
};

#[cfg(unix)]
pub use launcher::{Ending, leave_streams, not_started as say_not_started, oversee, wait_for, wait_until_gone};
use process_wrap::tokio::{ChildWrapper, CommandWrap};
#[cfg(unix)]
pub use stage::{CONFINE, this_binary};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
#[cfg(target_os = "linux")]
pub use tree::{below, end_below};
pub use written::WriteMeter;

#[cfg(unix)]
const SIGTERM: i32 = 15;

/// Whether this binary can be its own launcher: not where it is a test or another program with this library in it.
static IS_LAUNCHER: OnceLock<()> = OnceLock::new();

/// Does what a launcher does, where `argument`, the first, says that this process is one.
#[must_use]
pub fn run(argument: &OsStr) -> Option<ExitCode> {
    #[cfg(unix)]
    return launcher::run(argument.to_str()?);
    #[cfg(not(unix))]
    {
        let _ = argument;
        None
    }
}

/// Says that this binary starts as a launcher where its first argument says so.
pub fn this_binary_launches() {
    let _ = IS_LAUNCHER.set(());
}

/// A program that was started. Dropping it ends it with all that it started.
pub struct Launched {
    child: Box<dyn ChildWrapper>,
}

/// Starts a program; `prepare` gets the command to set everything but the program and its arguments.
///
/// # Errors
/// What the system says. That there is no such program is said when it ends: see [`not_started`].
pub fn launch<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = A>,
    prepare: impl FnOnce(&mut Command),
) -> io::Result<Launched> {
    let mut command = match IS_LAUNCHER.get() {
        #[cfg(unix)]
        Some(()) => {
            let mut command = Command::new(stage::this_binary()?);
            command.arg(stage::LAUNCH).arg(owner()).arg(program);
            command
        }
        _ => Command::new(program),
    };
    command.args(arguments);
    spawn(command, prepare)
}

/// Starts a program that the user works with, in the terminal that this process has, and waits until they leave it. It is
/// theirs: nothing is taken from its environment, and it lives as long as they like.
///
/// # Errors
/// What the system says.
pub fn converse<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = A>,
) -> io::Result<ExitStatus> {
    std::process::Command::new(program).args(arguments).status()
}

/// Starts a launcher of another kind, which this binary is where its first argument is `stage`; its `arguments` follow the
/// name of this process. `None` where this binary is no launcher.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
pub fn launch_as<A: AsRef<OsStr>>(
    stage: &str,
    arguments: impl IntoIterator<Item = A>,
    prepare: impl FnOnce(&mut Command),
) -> io::Result<Option<Launched>> {
    if IS_LAUNCHER.get().is_none() {
        return Ok(None);
    }
    let mut command = Command::new(this_binary()?);
    command.arg(stage).arg(owner()).args(arguments);
    spawn(command, prepare).map(Some)
}

fn spawn(mut command: Command, prepare: impl FnOnce(&mut Command)) -> io::Result<Launched> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    prepare(&mut command);
    let mut command = CommandWrap::from(command);
    // In a group of its own, so that signals for this process are none for it.
    #[cfg(unix)]
    command.wrap(process_wrap::tokio::ProcessGroup::leader());
    #[cfg(windows)]
    command.wrap(process_wrap::tokio::JobObject);
    command.wrap(process_wrap::tokio::KillOnDrop);
    Ok(Launched { child: command.spawn()? })
}

/// What the system said to starting a program, where that is what `status` and its stderr tell.
#[must_use]
pub fn not_started(status: ExitStatus, stderr: &str) -> Option<io::Error> {
    let said = stderr.strip_prefix(stage::NOT_STARTED_MARK).filter(|_| status.code() == Some(stage::NOT_STARTED))?;
    Some(io::Error::from_raw_os_error(said.trim().parse().ok()?))
}

impl Launched {
    /// Its stdin, once, where it was given a pipe.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin().take()
    }

    /// Its stdout, once.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout().take()
    }

    /// Its stderr, once.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr().take()
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// What the system says.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// How it ended, where it has.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// What tells how much it and all that it started wrote to files: in `places`, and wherever else it may. `None` where the
    /// system does not tell that.
    #[must_use]
    pub fn write_meter(&self, places: Vec<std::path::PathBuf>) -> Option<WriteMeter> {
        WriteMeter::of(self.child.id()?, places)
    }

    /// Asks it to end; `false` where that can't be asked.
    #[cfg(unix)]
    pub fn terminate(&self) -> bool {
        self.child.signal(SIGTERM).is_ok()
    }

    /// Ends it with everything that it started, in groups and sessions of their own too.
    pub fn end(&mut self) {
        #[cfg(unix)]
        if let Some(process) = self.child.id() {
            tree::end_below(process);
        }
        if let Err(error) = self.child.start_kill() {
            tracing::debug!(%error, "a program had ended before it was stopped");
        }
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        self.end();
    }
}

/// Names this process to its launchers, and to whoever looks for them when it is gone: a number alone is given out again.
#[must_use]
pub fn owner() -> String {
    let process = std::process::id();
    #[cfg(unix)]
    return format!("{process}.{}", tree::started_at(process).unwrap_or_default());
    #[cfg(not(unix))]
    process.to_string()
}

/// Whether something lives yet that the process with this name started. It ends within a moment of that process; where
/// nobody can tell, it has.
#[must_use]
pub fn has_left(owner: &str) -> bool {
    #[cfg(unix)]
    return launcher::is_there(owner);
    #[cfg(not(unix))]
    {
        let _ = owner;
        false
    }
}

/// What is known of a program whose starter ended while it ran, once [`has_left`] says that nothing lives any more.
#[must_use]
pub const fn fate() -> &'static str {
    if cfg!(any(target_os = "linux", windows)) {
        "What it had started ended with the server."
    } else {
        "What it had started may still be running."
    }
}
