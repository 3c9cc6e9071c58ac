//! How running code can go wrong: Python exceptions, limits, and the sandbox itself.

use std::fmt::Write as _;

use monty_pool::PoolError;
use monty_types::{ExcType, MontyException, StackFrame};

/// The name that tracebacks give to a procedure's code.
const SOURCE_NAME: &str = "procedure.py";
const MAX_FRAMES: usize = 12;
const MAX_MESSAGE_CHARS: usize = 4000;

/// A Python exception that left the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonError {
    /// The class, for example `ValueError`.
    pub kind: String,
    /// Its message.
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

    /// Reads an exception of the interpreter. Frames after line `code_lines` belong to the call that the engine
    /// appended, not to the procedure.
    pub(super) fn from_exception(exception: &MontyException, code_lines: u32) -> Self {
        let kind = exception.exc_type().to_string();
        let message = match (exception.message(), kind.as_str()) {
            // Python shows the key as it is written; without its quotes it says nothing.
            (Some(key), "KeyError") => cut(&format!("'{key}'")),
            (message, _) => cut(message.unwrap_or_default()),
        };
        let frames: Vec<&StackFrame> =
            exception.traceback().iter().filter(|frame| frame.start.line <= code_lines).collect();
        let mut traceback = String::new();
        if !frames.is_empty() {
            traceback.push_str("Traceback (most recent call last):\n");
        }
        let left_out = frames.len().saturating_sub(MAX_FRAMES);
        for (index, frame) in frames.iter().enumerate() {
            if left_out > 0 && index == MAX_FRAMES / 2 {
                let _ = writeln!(traceback, "  … {left_out} more frames …");
            }
            if left_out > 0 && (MAX_FRAMES / 2..MAX_FRAMES / 2 + left_out).contains(&index) {
                continue;
            }
            let _ = write!(traceback, "  File \"{SOURCE_NAME}\", line {}", frame.start.line);
            if let Some(name) = frame.frame_name.as_ref().filter(|_| !frame.hide_frame_name) {
                let _ = write!(traceback, ", in {name}");
            }
            traceback.push('\n');
            if let Some(line) = &frame.preview_line {
                let _ = writeln!(traceback, "    {}", cut(line.trim()));
            }
        }
        let _ = write!(traceback, "{kind}");
        if !message.is_empty() {
            let _ = write!(traceback, ": {message}");
        }
        Self { kind, message, traceback }
    }

    pub(super) fn into_exception(self) -> MontyException {
        let kind = self.kind.parse().unwrap_or(ExcType::RuntimeError);
        MontyException::new(kind, Some(self.message))
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_MESSAGE_CHARS) {
        Some((end, _)) => format!("{}… ({} bytes more)", &text[..end], text.len() - end),
        None => text.to_owned(),
    }
}

/// Why a session came to an end without a result or an exception of the code.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The deadline of the run passed.
    #[error("the time limit was exceeded")]
    TimeLimit,
    /// More was printed than is allowed.
    #[error("the output limit was exceeded")]
    OutputLimit,
    /// Somebody cancelled the run.
    #[error("the run was cancelled")]
    Cancelled,
    /// The result is larger, as JSON, than is allowed, or nested too deeply.
    #[error("the result can't be returned: {0}")]
    Result(String),
    /// The worker process died under the code.
    #[error("the interpreter process ended unexpectedly: {0}")]
    Crashed(String),
    /// No worker could be had.
    #[error("no interpreter process can be started: {0}")]
    Unavailable(String),
}

impl From<PoolError> for SandboxError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Timeout { .. } => Self::TimeLimit,
            PoolError::Exhausted | PoolError::Spawn(_) => Self::Unavailable(error.to_string()),
            other => Self::Crashed(other.to_string()),
        }
    }
}
