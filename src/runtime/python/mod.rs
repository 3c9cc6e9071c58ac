//! `CPython` in a process of its own per run. The only module that knows how that is driven.
//!
//! An interpreter has no snapshots. What is saved of a session is its journal: the seed, what was read of the clock, and what
//! each call was answered. It is restored by executing the program again with these answers up to the same place; code that
//! calls something else then is refused. In the process works a driver of ours ([`driver`]), which speaks over a pipe
//! that the code does not get.

mod command;
mod driver;
mod journal;
pub mod packages;
mod pool;
mod process;
mod protocol;
mod session;
mod writes;

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _, ready};

use super::{Bounds, Budget, Limits, Runtime, RuntimeError, Session, Verdict};
use pool::Processes;
use session::PythonSession;

/// The form of the journal.
const ID: &str = "python 1";

/// Executes procedures in processes of their own.
pub struct Python(Processes);

impl Python {
    /// At most `workers` processes compute at a time. Starts nothing yet.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self(Processes::new(workers))
    }
}

impl Runtime for Python {
    fn id(&self) -> &'static str {
        ID
    }

    fn open<'a>(&'a self, bounds: Bounds<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, RuntimeError>> {
        let opened = match bounds.interpreter {
            Some(interpreter) => {
                let session = PythonSession::new(self.0.clone(), interpreter.clone(), bounds);
                Ok(Box::new(session) as Box<dyn Session>)
            }
            None => Err(RuntimeError::Unavailable("no Python is named".to_owned())),
        };
        ready(opened).boxed()
    }

    /// Nothing: what this interpreter takes is what the syntax tree shows, and types are checked by the other one.
    fn check<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: Limits,
        _: Arc<Budget>,
    ) -> BoxFuture<'a, Result<Verdict, RuntimeError>> {
        ready(Ok(Verdict::default())).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.0.close();
        ready(()).boxed()
    }
}
