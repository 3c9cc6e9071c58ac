//! The launcher's side: what this binary does when its first argument says that it is one.

use std::{
    env::{self, ArgsOs},
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _, parent_id},
    process::{Child, Command, ExitCode, ExitStatus},
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process};

use super::{
    stage::{BECOME, CONFINE, LAUNCH, NOT_STARTED, NOT_STARTED_MARK, this_binary},
    tree,
};

/// The first argument of what the launcher becomes to end as its program did: by the signal that follows.
const END: &str = "launch-end";

/// How often it is looked whether a process is there, where the system does not tell.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const USAGE: u8 = 64;

/// Does what the first argument says; `None` where it says nothing of launching.
pub fn run(argument: &str) -> Option<ExitCode> {
    match argument {
        LAUNCH => Some(launch()),
        BECOME => Some(become_program()),
        END => Some(end()),
        _ => None,
    }
}

/// Starts the program, waits for its end, and ends as it did. Ends everything when whoever started it is gone.
fn launch() -> ExitCode {
    let mut arguments = arguments();
    let Some(owner) = arguments.next() else { return ExitCode::from(USAGE) };
    let itself = std::process::id().to_string();
    let start =
        || this_binary().and_then(|binary| Command::new(binary).arg(BECOME).arg(itself).args(arguments).spawn());
    oversee(&owner, start, Ending { settle: |status| status, owner_gone: || {} })
}

/// What is done when a program that is overseen has ended with all that it started.
pub struct Ending<S, G> {
    /// How the program really ended, where what was started only stood for it.
    pub settle: S,
    /// What is left to do when whoever wanted the program is gone.
    pub owner_gone: G,
}

/// Starts something for `owner` (see [`super::owner`]) and ends as it did. Ends everything that it started with it, or when
/// the owner is gone.
pub fn oversee(
    owner: &OsStr,
    start: impl FnOnce() -> io::Result<Child>,
    ending: Ending<impl FnOnce(ExitStatus) -> ExitStatus, impl FnOnce() + Send + 'static>,
) -> ExitCode {
    let Some(owner) = owner.to_str().and_then(|owner| owner.split('.').next()?.parse().ok()) else {
        return ExitCode::from(USAGE);
    };
    // What the program leaves behind becomes a child of this process, not of the system's first.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(getpid()));
    // Signals for the group are for the program. Without this, its end would be the launcher's first, and that ends it hard.
    let deaf = Deaf::new();
    let watch = watch(owner, ending.owner_gone);
    let program = match start() {
        Ok(program) => program.id(),
        Err(error) => return not_started(&error),
    };
    leave_streams();
    let status = wait_for(program);
    // What it left behind ends with it.
    tree::end_below(std::process::id());
    // What is left to do then is under way, and this process ends with it.
    if let Some(watch) = watch.filter(|_| parent_id() != owner) {
        let _ = watch.join();
    }
    let status = (ending.settle)(status);
    drop(deaf);
    end_as(status)
}

/// Becomes the program, after asking the system to end it with its launcher: that one may be killed, alone or together with
/// whoever started it, and can end nothing then.
fn become_program() -> ExitCode {
    let mut arguments = arguments();
    let launcher = arguments.next().and_then(|launcher| launcher.to_str()?.parse::<u32>().ok());
    let (Some(launcher), Some(program)) = (launcher, arguments.next()) else { return ExitCode::from(USAGE) };
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    // It may have ended before the system was asked.
    if parent_id() != launcher {
        return ExitCode::from(USAGE);
    }
    not_started(&Command::new(program).args(arguments).exec())
}

/// The arguments after the first.
fn arguments() -> std::iter::Skip<ArgsOs> {
    env::args_os().skip(2)
}

/// Says, to whoever reads the program's stderr, that the system did not start it.
pub fn not_started(error: &io::Error) -> ExitCode {
    let number = error.raw_os_error().unwrap_or_default();
    let _ = writeln!(std::io::stderr(), "{NOT_STARTED_MARK}{number}");
    ExitCode::from(u8::try_from(NOT_STARTED).unwrap_or(USAGE))
}

/// Takes the signals that a group is asked to end with, and does nothing about them.
struct Deaf(#[expect(dead_code, reason = "what is taken is taken for as long as this is there")] Option<Streams>);

type Streams = (tokio::runtime::Runtime, Vec<tokio::signal::unix::Signal>);

impl Deaf {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().ok();
        Self(runtime.map(|runtime| {
            let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
            let streams = runtime.block_on(async { kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() });
            (runtime, streams)
        }))
    }
}

/// Ends everything as soon as the process `owner` is gone, and does what is left to do then.
#[expect(clippy::exit, reason = "nobody is left to tell")]
fn watch(owner: u32, gone: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    let watching = move || {
        wait_until_gone(owner);
        tree::end_below(std::process::id());
        // Where the system shows no processes, its group is all that is known.
        #[cfg(not(target_os = "linux"))]
        let _ = rustix::process::kill_process_group(getpid(), Signal::KILL);
        gone();
        std::process::exit(0);
    };
    // Without the watch the program still ends at its time limit, where it has one.
    thread::Builder::new().name("watch".to_owned()).spawn(watching).ok()
}

/// Waits until this process is no child of `owner` any more, because that is gone.
pub fn wait_until_gone(owner: u32) {
    #[cfg(target_os = "linux")]
    if let Some(owner) = Pid::from_raw(i32::try_from(owner).unwrap_or_default())
        && let Ok(handle) = rustix::process::pidfd_open(owner, rustix::process::PidfdFlags::empty())
    {
        use rustix::event::{PollFd, PollFlags, poll};
        // Whom the handle means, if not somebody who got the same number since.
        while parent_id() == owner.as_raw_nonzero().get().unsigned_abs() {
            let mut events = [PollFd::new(&handle, PollFlags::IN)];
            match poll(&mut events, None) {
                Ok(_) if !events[0].revents().is_empty() => return,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => thread::sleep(LOOK_AGAIN),
            }
        }
        return;
    }
    while parent_id() == owner {
        thread::sleep(LOOK_AGAIN);
    }
}

/// Lets go of stdin, stdout and stderr: whoever is at their other ends speaks with the program, and sees it close them.
pub fn leave_streams() {
    let Ok(nothing) = fs::OpenOptions::new().read(true).write(true).open("/dev/null") else { return };
    let _ = rustix::stdio::dup2_stdin(&nothing);
    let _ = rustix::stdio::dup2_stdout(&nothing);
    let _ = rustix::stdio::dup2_stderr(&nothing);
}

/// Waits for the end of the program, and takes leave of what it left behind and has ended.
pub fn wait_for(program: u32) -> ExitStatus {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((process, status))) if process.as_raw_nonzero().get().unsigned_abs() == program => {
                return ExitStatus::from_raw(status.as_raw());
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            // There is none to wait for.
            Err(_) => return ExitStatus::from_raw(0),
        }
    }
}

fn end_as(status: ExitStatus) -> ExitCode {
    if let Some(signal) = status.signal() {
        // Signals that were taken have their usual effect again in what this becomes.
        if let Ok(binary) = this_binary() {
            let _ = Command::new(binary).arg(END).arg(signal.to_string()).exec();
        }
        return by_signal(signal);
    }
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(USAGE))
}

fn end() -> ExitCode {
    let signal = arguments().next().and_then(|signal| signal.to_str()?.parse().ok()).unwrap_or_default();
    if let Some(known) = Signal::from_named_raw(signal) {
        // Rust's runtime takes the first of those that stand for a broken memory, and leaves the next alone.
        let _ = kill_process(getpid(), known);
        let _ = kill_process(getpid(), known);
    }
    by_signal(signal)
}

/// What a shell ends with where its command was ended by a signal.
fn by_signal(signal: i32) -> ExitCode {
    ExitCode::from(u8::try_from(128 + signal).unwrap_or(USAGE))
}

/// Whether a launcher of this owner is there.
pub fn is_there(owner: &str) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok()).any(|line| {
        let mut words = line.split(|byte| *byte == 0).skip(1);
        words.next().is_some_and(|word| word == LAUNCH.as_bytes() || word == CONFINE.as_bytes())
            && words.next() == Some(owner.as_bytes())
    })
}
