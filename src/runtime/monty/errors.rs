//! Monty's exceptions and failures as those of any runtime, and back.

use std::fmt::Write as _;

use monty_pool::PoolError;
use monty_types::{ExcType, MontyException, StackFrame};

use crate::runtime::{Limit, PythonError, RuntimeError};

/// The name that tracebacks give to a procedure's code.
const SOURCE_NAME: &str = "procedure.py";
const MAX_FRAMES: usize = 12;
const MAX_MESSAGE_CHARS: usize = 4000;

/// An exception of the interpreter as ours. Frames after line `code_lines` belong to the call that the engine
/// appended, not to the procedure.
pub fn python_error(exception: &MontyException, code_lines: u32) -> PythonError {
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
    PythonError { kind, message, traceback }
}

/// The limit that made the interpreter raise, which only its words tell.
pub fn limit_of(error: &PythonError) -> Option<Limit> {
    match error.kind.as_str() {
        "MemoryError" => Some(Limit::Memory),
        "TimeoutError" if error.message.contains("time limit") => Some(Limit::Time),
        // Host calls are counted by the engine, so it can only be files.
        "RuntimeError" if error.message.starts_with("suspension limit") => Some(Limit::FileCalls),
        _ => None,
    }
}

/// The same exception for the interpreter to raise.
pub fn exception(error: PythonError) -> MontyException {
    let kind = error.kind.parse().unwrap_or(ExcType::RuntimeError);
    MontyException::new(kind, Some(error.message))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_MESSAGE_CHARS) {
        Some((end, _)) => format!("{}… ({} bytes more)", &text[..end], text.len() - end),
        None => text.to_owned(),
    }
}

impl From<PoolError> for RuntimeError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Timeout { .. } => Self::TimeLimit,
            PoolError::Exhausted | PoolError::Spawn(_) => Self::Unavailable(error.to_string()),
            other => Self::Crashed(other.to_string()),
        }
    }
}
