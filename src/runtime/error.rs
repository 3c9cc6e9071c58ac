//! How executing a program can go wrong: Python exceptions, limits, and the runtime itself.

/// A Python exception that left the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonError {
    /// The class, for example `ValueError`.
    pub kind: String,
    pub message: String,
    /// As Python prints it, with the lines of the procedure's code.
    pub traceback: String,
}

impl PythonError {
    /// An error that the host raises in the code's name, with no frames of its own.
    #[must_use]
    pub fn new(kind: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind: kind.to_owned(), traceback: format!("{kind}: {message}"), message }
    }
}

/// Why a program ended otherwise than by itself, or did not begin.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The deadline of the run passed.
    #[error("the time limit was exceeded")]
    TimeLimit,
    /// More was printed than is allowed.
    #[error("the output limit was exceeded")]
    OutputLimit,
    /// More was written to files than is allowed.
    #[error("the limit of what is written to files was exceeded")]
    WriteLimit,
    /// Somebody cancelled the run.
    #[error("the run was cancelled")]
    Cancelled,
    /// The result is larger, as JSON, than is allowed.
    #[error("the result can't be returned: {0}")]
    Result(String),
    /// The result is nested deeper than JSON readers accept.
    #[error("the result can't be returned: {0}")]
    Nesting(String),
    /// The worker process died under the code.
    #[error("the interpreter process ended unexpectedly: {0}")]
    Crashed(String),
    /// Executed again, the code did not call what it had called before.
    #[error("{0}")]
    Nondeterministic(String),
    /// What the run would go on from is more than can be kept.
    #[error("{0}")]
    Journal(String),
    /// There is no wall around the process, and there must be one.
    #[error("there can be no wall around it here: {0}")]
    NoWall(String),
    /// The process used more than it may.
    #[error("the code was stopped: {0}")]
    Exceeded(String),
    /// No worker could be had.
    #[error("no interpreter process can be started: {0}")]
    Unavailable(String),
}
