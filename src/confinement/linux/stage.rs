//! What the stages agree on, and how each begins and tells how it ended.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::{self, Write as _},
    os::fd::AsRawFd as _,
    path::PathBuf,
    process::ExitCode,
};

use rustix::process::{Signal, set_parent_process_death_signal};

use crate::confinement::confined::Ended;

/// The first argument of the first process of the namespaces; its overseer's number, the private folder, and the program with
/// its arguments follow.
pub const FIRST: &str = "launch-within";
/// The first argument of what becomes the program where there are no namespaces; the same follows.
pub const ALONE: &str = "launch-alone";
/// What a stage ends with after saying in the private folder why.
pub const TOLD: u8 = 125;
/// What it ends with where it was not called as it should be.
pub const USAGE: u8 = 64;
/// The variables that name the folder for temporary files.
pub const TEMPORARY_VARIABLES: [&str; 3] = ["TMPDIR", "TEMP", "TMP"];

/// What a stage was called with.
pub struct Called {
    /// The private folder.
    pub folder: PathBuf,
    pub program: OsString,
    pub arguments: Vec<OsString>,
}

impl Called {
    /// Reads that, has this process end with its overseer, and closes what it should not have got; `None` where it was not
    /// called as it should be, or its overseer has ended.
    pub fn by_overseer() -> Option<Self> {
        let mut arguments = env::args_os().skip(2);
        let (overseer, folder, program) = (arguments.next()?, arguments.next()?, arguments.next()?);
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
        // It may have ended before the system was asked.
        if parent() != overseer.to_str().map(str::to_owned) {
            return None;
        }
        leave_open_files();
        Some(Self { folder: PathBuf::from(folder), program, arguments: arguments.collect() })
    }
}

/// The number of the parent, as the processes outside count.
fn parent() -> Option<String> {
    let status = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = status.rsplit_once(')')?;
    fields.split_whitespace().nth(1).map(str::to_owned)
}

/// Closes whatever was open in those who started this and should not have come down to here.
fn leave_open_files() {
    let open = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let open: Vec<i32> = open.filter_map(|file| file.file_name().to_str()?.parse().ok()).collect();
    let streams = io::stderr().as_raw_fd();
    for file in open.into_iter().filter(|file| *file > streams) {
        let _ = nix::unistd::close(file);
    }
}

/// Writes down how it ended.
pub fn tell(told: &mut File, ended: &Ended) -> ExitCode {
    if let Ok(text) = serde_json::to_vec(ended) {
        let _ = told.write_all(&text);
    }
    ExitCode::from(TOLD)
}
