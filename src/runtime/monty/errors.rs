//! Monty's exceptions and failures as those of any runtime, and back.

use std::fmt::Write as _;

use monty_pool::PoolError;
use monty_types::{ExcType, MontyException, StackFrame};

use crate::runtime::{Limit, Program, PythonError, RuntimeError, dialect::Edits};

/// The name that tracebacks give to a procedure's code.
const SOURCE_NAME: &str = "procedure.py";
/// What the interpreter says when code waited for the host too often, and what it is told when the run may do no more with
/// files.
const TOO_OFTEN: &str = "suspension limit";
/// The same for a whole run.
pub const NO_FILE_CALLS: &str = "suspension limit reached";
const MAX_FRAMES: usize = 12;
const MAX_MESSAGE_CHARS: usize = 4000;

/// Where the source that the interpreter executes comes from.
#[derive(Debug)]
pub struct Origin {
    /// The source as it was written, and what the engine added.
    written: String,
    /// Lines of the procedure's own code at its beginning.
    code_lines: u32,
    /// The source that is executed, where that is another.
    executed: String,
    edits: Edits,
}

impl Default for Origin {
    /// Everything is shown, as it was executed.
    fn default() -> Self {
        Self { written: String::new(), code_lines: u32::MAX, executed: String::new(), edits: Edits::default() }
    }
}

impl Origin {
    /// The origin of `executed`, which `edits` made of the program.
    pub fn of(program: &Program, executed: &str, edits: Edits) -> Self {
        let (written, executed) =
            if edits.is_empty() { <_>::default() } else { (program.source.clone(), executed.to_owned()) };
        Self { written, code_lines: program.code_lines, executed, edits }
    }

    /// Where a byte of what is executed was written.
    pub fn offset(&self, executed: usize) -> usize {
        self.edits.offset(executed)
    }

    /// Where a line of what is executed was written, counted from 1.
    fn line(&self, executed: u32) -> u32 {
        self.edits.line(&self.executed, &self.written, executed)
    }

    /// The text of a line as it was written, where it may be another than what is executed.
    fn text(&self, line: u32) -> Option<&str> {
        let before = usize::try_from(line.checked_sub(1)?).ok()?;
        if self.edits.is_empty() { None } else { self.written.lines().nth(before) }
    }
}

/// Exceptions that stand for classes which can't be made: their class and message, and the name of the class that is meant.
const STAND_INS: [(&str, &str, &str); 2] =
    [("FrozenInstanceError", "queue.Empty", "queue.Empty"), ("re.PatternError", "queue.Full", "queue.Full")];

/// An exception of the interpreter as ours. Frames after the lines of the code belong to the call that the engine
/// appended, not to the procedure.
pub fn python_error(exception: &MontyException, origin: &Origin) -> PythonError {
    let kind = exception.exc_type().to_string();
    let stands_for =
        STAND_INS.iter().find(|(class, message, _)| *class == kind && exception.message() == Some(message));
    let kind = stands_for.map_or(kind, |(_, _, meant)| (*meant).to_owned());
    let message = match (exception.message(), kind.as_str()) {
        // Python shows the key as it is written; without its quotes it says nothing.
        (Some(key), "KeyError") => cut(&format!("'{key}'")),
        (message, _) => cut(message.unwrap_or_default()),
    };
    // The outermost is of the program; those of another file are of the prelude.
    let file = exception.traceback().first().map(|frame| &frame.filename);
    let is_shown =
        |frame: &&StackFrame| origin.line(frame.start.line) <= origin.code_lines && Some(&frame.filename) == file;
    let frames: Vec<&StackFrame> = exception.traceback().iter().filter(is_shown).collect();
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
        let line = origin.line(frame.start.line);
        let _ = write!(traceback, "  File \"{SOURCE_NAME}\", line {line}");
        if let Some(name) = frame.frame_name.as_ref().filter(|_| !frame.hide_frame_name) {
            let _ = write!(traceback, ", in {name}");
        }
        traceback.push('\n');
        if let Some(text) = origin.text(line).or(frame.preview_line.as_deref()) {
            let _ = writeln!(traceback, "    {}", cut(text.trim()));
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
        "RuntimeError" if error.message.starts_with(TOO_OFTEN) => Some(Limit::FileCalls),
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
