//! What executes the code of procedures, behind one interface: the engine does not know which interpreter it drives.
//!
//! A [`Runtime`] gives a [`Session`] to whoever has a program. The session executes it to its next [`Suspension`], is
//! answered, and goes on. What a host function does is not decided here. Between two answers a session can be saved, and
//! another process can go on from there: with a snapshot of the interpreter where it can make one, else with the answers
//! that it got, by executing the program again up to the same place. Only the runtime knows which of the two the bytes are.

mod budget;
pub mod dialect;
mod error;
mod interface;
pub mod monty;
mod program;
mod python;
mod runtimes;
#[cfg(test)]
pub mod scripted;
mod suspension;
mod verdict;

use std::{path::PathBuf, sync::Arc};

use monty::Monty;
use python::{Python, packages};

pub use budget::{Budget, Capture, guarded};
pub use error::{PythonError, RuntimeError};
pub use interface::{Runtime, Saved, Session};
pub use packages::{Environments, Packages, PackagesError, environments, remove_environments};
pub use program::{Bounds, HostModule, Interpreter, Limits, MODULE, Mount, PARAMETERS, Program};
pub use runtimes::Runtimes;
pub use suspension::{Limit, Reply, SLEEP, Suspension, TIME_SLEEP, WRITE};
pub use verdict::{TypeFinding, Verdict};

/// The Monty interpreter: starts in no time, reaches nothing but the host. Workers are processes of the program `binary`,
/// at most `workers` at a time, in which `from repertoire import …` finds `module`. Starts nothing yet.
#[must_use]
pub fn sandbox(binary: PathBuf, workers: usize, module: HostModule) -> Arc<dyn Runtime> {
    Arc::new(Monty::new(binary, workers, module))
}

/// `CPython`: all of the language, in a process of its own for each run, of which at most `workers` compute at a time. Starts
/// nothing yet.
#[must_use]
pub fn python(workers: usize) -> Arc<dyn Runtime> {
    Arc::new(Python::new(workers))
}
