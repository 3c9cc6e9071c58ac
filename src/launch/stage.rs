//! What the two sides of a launch agree on.

#[cfg(unix)]
use std::{io, path::PathBuf};

/// The first argument of a launcher; whoever started it and the program with its arguments follow.
#[cfg(unix)]
pub const LAUNCH: &str = "launch";
/// The first argument of a launcher whose program is confined; whoever started it follows, too. What it does is known to
/// those who build walls.
#[cfg(unix)]
pub const CONFINE: &str = "launch-confined";
/// The first argument of what becomes the program; the launcher that it ends with follows, and the program with its arguments.
#[cfg(unix)]
pub const BECOME: &str = "launch-program";
/// A launcher ends with this code where it could not start the program, after saying why.
pub const NOT_STARTED: i32 = 125;
/// Begins what it says then, before the number of the system's error.
pub const NOT_STARTED_MARK: &str = "repertoire: the program was not started: os error ";

/// On Linux that name leads to the running program even after an upgrade has put another file in its place.
#[cfg(target_os = "linux")]
pub fn this_binary() -> io::Result<PathBuf> {
    Ok(PathBuf::from("/proc/self/exe"))
}

#[cfg(all(unix, not(target_os = "linux")))]
pub fn this_binary() -> io::Result<PathBuf> {
    std::env::current_exe()
}
