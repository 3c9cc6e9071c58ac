//! The interpreters of a process, by what procedures call them.

use std::sync::Arc;

use super::Runtime;
use crate::domain::RuntimeKind;

/// One of each.
#[derive(Clone)]
pub struct Runtimes {
    pub sandbox: Arc<dyn Runtime>,
    pub python: Arc<dyn Runtime>,
}

impl Runtimes {
    /// The one that executes such procedures.
    #[must_use]
    pub const fn of(&self, kind: RuntimeKind) -> &Arc<dyn Runtime> {
        match kind {
            RuntimeKind::Sandbox => &self.sandbox,
            RuntimeKind::Python => &self.python,
        }
    }
}
