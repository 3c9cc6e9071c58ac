//! The one interface that the engine knows of an interpreter.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{
    budget::Budget,
    error::RuntimeError,
    program::{Bounds, Limits, Program},
    suspension::{Reply, Suspension},
    verdict::Verdict,
};

/// What a state that is saved has more than the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// What its journal has more: what is in there once stays as it is. Runtimes that take snapshots have none.
    pub grown: Vec<u8>,
    /// All the rest.
    pub rest: Vec<u8>,
}

/// An interpreter, with what it needs to start sessions.
pub trait Runtime: Send + Sync {
    /// Its name and version. Saved states are of one runtime, and no other understands them.
    fn id(&self) -> &'static str;

    /// Prepares a session, waiting for a free worker where there is none.
    ///
    /// # Errors
    /// [`RuntimeError`] when none can be had before the deadline.
    fn open<'a>(&'a self, bounds: Bounds<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, RuntimeError>>;

    /// What the interpreter says of `code` without executing any of it: whether it compiles, and whether its types agree
    /// with each other and with `stub`, which describes the host module.
    ///
    /// # Errors
    /// [`RuntimeError`] when no worker can be had, or looking takes too long.
    fn check<'a>(
        &'a self,
        code: &'a str,
        stub: &'a str,
        limits: Limits,
        budget: Arc<Budget>,
    ) -> BoxFuture<'a, Result<Verdict, RuntimeError>>;

    /// Lets everything end that is kept ready for sessions.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// One program being executed. Dropping it ends the program, even in the middle of a computation.
///
/// Every method that lets the program go on fails with a [`RuntimeError`] when it ends otherwise than by itself: at a
/// limit, cancelled, or because its worker is lost.
pub trait Session: Send {
    /// Executes the program from its beginning.
    ///
    /// # Errors
    /// [`RuntimeError`].
    fn start<'a>(&'a mut self, program: &'a Program) -> BoxFuture<'a, Result<Suspension, RuntimeError>>;

    /// Answers the call that the program waits at.
    ///
    /// # Errors
    /// [`RuntimeError`].
    fn answer(&mut self, reply: Reply) -> BoxFuture<'_, Result<Suspension, RuntimeError>>;

    /// Answers the call that the program waits at with a promise, so that it can make others meanwhile.
    ///
    /// # Errors
    /// [`RuntimeError`].
    fn promise(&mut self) -> BoxFuture<'_, Result<Suspension, RuntimeError>>;

    /// Keeps promises: answers calls by the numbers that the runtime gave them.
    ///
    /// # Errors
    /// [`RuntimeError`].
    fn keep_promises(&mut self, replies: Vec<(u32, Reply)>) -> BoxFuture<'_, Result<Suspension, RuntimeError>>;

    /// What [`Session::restore`] needs to go on from where the program waits now, for somebody who has the first `known` bytes
    /// of the journal that earlier states came with.
    ///
    /// # Errors
    /// [`RuntimeError`].
    fn save(&mut self, known: usize) -> BoxFuture<'_, Result<Saved, RuntimeError>>;

    /// Brings the same program, in this fresh session, to where it waited when it was saved: `saved` is the journal as it has
    /// grown, and behind it the rest.
    ///
    /// # Errors
    /// [`RuntimeError`], also when `saved` is not of this program.
    fn restore<'a>(&'a mut self, program: &'a Program, saved: Vec<u8>) -> BoxFuture<'a, Result<(), RuntimeError>>;

    /// Whether going on elsewhere executes the program from its beginning, so that the session is kept while it waits.
    fn is_dear(&self) -> bool {
        false
    }

    /// Gives back what the session used, whatever the program was doing.
    fn finish(self: Box<Self>) -> BoxFuture<'static, ()>;
}
