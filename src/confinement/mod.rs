//! The one door to the walls of the operating system: programs that may reach what they were granted, and nothing else.
//!
//! [`Bounds`] say what a program may reach, [`start`] starts it within them. On Linux its launcher is another one than that
//! of `launch`: it plans the walls ([`plan`]) and starts, in namespaces of its own, a first process that builds them and then
//! executes the program. Everything that a program leaves behind ends with that first process. On macOS the system's own
//! `sandbox-exec` builds them. Who is granted what is decided
//! above: nothing here knows a policy.
//!
//! Where a system refuses namespaces, walls are made of what is left ([`Means`]).

mod bounds;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod closed;
mod confined;
mod gateway;
#[cfg(target_os = "linux")]
mod kept;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod listener;
#[cfg(not(target_os = "linux"))]
#[path = "no_listener.rs"]
mod listener;
mod means;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod plan;
#[cfg(target_os = "linux")]
mod probe;
#[cfg(any(target_os = "macos", all(target_os = "linux", test)))]
mod profile;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod readable;

use std::{ffi::OsStr, io, process::ExitCode};

use tokio::process::Command;

pub use bounds::{Bounds, Layer, Network, ProgramLimits};
pub use confined::Confined;
pub use gateway::{Gateway, serve};
pub use listener::Listener;
#[cfg(target_os = "linux")]
pub use means::Found;
pub use means::{Means, known as known_means, remark};
#[cfg(target_os = "linux")]
pub use probe::{Finding, Tried, try_to_break};

/// Does what a stage of confinement does, where `argument`, the first, says that this process is one.
#[must_use]
pub fn run(argument: &OsStr) -> Option<ExitCode> {
    #[cfg(target_os = "linux")]
    return match argument.to_str()? {
        probe::PROBE => Some(probe::run()),
        argument => linux::run(argument),
    };
    #[cfg(not(target_os = "linux"))]
    {
        let _ = argument;
        None
    }
}

/// Landlock knows ports and no addresses: what may reach a proxy would reach every machine at that port.
#[cfg(target_os = "linux")]
const HOSTS_NEED_NAMESPACES: &str = "a grant of hosts takes a network of the program's own, and this system refuses namespaces; grant \
     `network = [\"*\"]`, or no network";

/// Starts a program within bounds; `prepare` gets the command to set its environment, folder and streams. Its `TMPDIR` is a
/// private folder, which goes when the program has ended.
///
/// # Errors
/// What the system says, and [`io::ErrorKind::Unsupported`] where no walls can be had here. That the walls could not be built
/// or that there is no such program is said when it ends: see [`Confined::wait`] and [`crate::launch::not_started`].
pub async fn start<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = A>,
    bounds: &Bounds,
    prepare: impl FnOnce(&mut Command),
) -> io::Result<Confined> {
    #[cfg(target_os = "linux")]
    {
        let means = means::find_out().await?.means;
        if means == Means::Landlock && bounds.network == Network::Proxied {
            return Err(confined::unsupported(HOSTS_NEED_NAMESPACES));
        }
        confined::start(program.as_ref(), arguments, &Bounds { means, ..bounds.clone() }, prepare)
    }
    #[cfg(target_os = "macos")]
    return confined::start(program.as_ref(), arguments, bounds, prepare);
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    {
        let _ = (program.as_ref(), arguments.into_iter().count(), bounds, prepare);
        Err(confined::unsupported("this operating system has no walls that Repertoire can use"))
    }
}
