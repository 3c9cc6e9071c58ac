//! Where this program lies, for the processes of it that commands start.

use std::path::PathBuf;

use super::error::CliError;

/// The path of this program.
pub fn this_program() -> Result<PathBuf, CliError> {
    std::env::current_exe().map_err(CliError::io("the path of this program is not known"))
}

/// The program whose processes execute code: this very one. On Linux that name leads to the running program even after
/// an upgrade has put another file in its place, which would speak another protocol.
#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub fn worker_program() -> Result<PathBuf, CliError> {
    Ok(PathBuf::from("/proc/self/exe"))
}

#[cfg(not(target_os = "linux"))]
pub fn worker_program() -> Result<PathBuf, CliError> {
    this_program()
}
