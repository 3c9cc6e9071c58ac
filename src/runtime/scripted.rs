//! A runtime for tests that saves what it was answered instead of a snapshot, as an interpreter without snapshots must.
//!
//! Its programs are functions of the answers so far, and its saved state is the list of them.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use serde_json::Value;

use super::{Bounds, Budget, Limits, Program, Reply, Runtime, RuntimeError, Saved, Session, Suspension, Verdict};

/// What a program does next, given everything that it was answered.
pub type Script = fn(&[Value]) -> Suspension;

/// A runtime that executes one script, whatever the source says.
pub struct Scripted(pub Script);

struct ScriptedSession {
    script: Script,
    answers: Vec<Value>,
}

impl Runtime for Scripted {
    fn id(&self) -> &'static str {
        "scripted 1"
    }

    fn open<'a>(&'a self, _: Bounds<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, RuntimeError>> {
        let session: Box<dyn Session> = Box::new(ScriptedSession { script: self.0, answers: Vec::new() });
        ready(Ok(session)).boxed()
    }

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
        ready(()).boxed()
    }
}

impl Session for ScriptedSession {
    fn start<'a>(&'a mut self, _: &'a Program) -> BoxFuture<'a, Result<Suspension, RuntimeError>> {
        ready(Ok((self.script)(&self.answers))).boxed()
    }

    fn answer(&mut self, reply: Reply) -> BoxFuture<'_, Result<Suspension, RuntimeError>> {
        let suspension = match reply {
            Reply::Value(value) => {
                self.answers.push(value);
                (self.script)(&self.answers)
            }
            Reply::Instance { fields, .. } => {
                self.answers.push(Value::Object(fields));
                (self.script)(&self.answers)
            }
            Reply::Proceed => {
                self.answers.push(Value::Null);
                (self.script)(&self.answers)
            }
            Reply::Raise(error) => Suspension::Raised { error, limit: None },
        };
        ready(Ok(suspension)).boxed()
    }

    fn promise(&mut self) -> BoxFuture<'_, Result<Suspension, RuntimeError>> {
        ready(Err(RuntimeError::Crashed("scripts make no promises".to_owned()))).boxed()
    }

    fn keep_promises(&mut self, _: Vec<(u32, Reply)>) -> BoxFuture<'_, Result<Suspension, RuntimeError>> {
        self.promise()
    }

    fn save(&mut self, _: usize) -> BoxFuture<'_, Result<Saved, RuntimeError>> {
        let saved = serde_json::to_vec(&self.answers).map_err(|error| RuntimeError::Crashed(error.to_string()));
        ready(saved.map(|rest| Saved { grown: Vec::new(), rest })).boxed()
    }

    fn restore<'a>(&'a mut self, _: &'a Program, saved: Vec<u8>) -> BoxFuture<'a, Result<(), RuntimeError>> {
        let restored = serde_json::from_slice(&saved).map_err(|error| RuntimeError::Crashed(error.to_string()));
        ready(restored.map(|answers| self.answers = answers)).boxed()
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}
