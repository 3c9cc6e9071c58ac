//! Failures that say nothing of the code: of the environment, of a limit, of a grant that is missing. They pass, or somebody
//! else can end them, so they never count against a version.

use crate::domain::learning::telling::phrases::PASSING;

/// Classes of exceptions that are never about the code: nobody had the time, was asked or allowed it; a limit was reached; the
/// interpreter went.
const CLASSES: [&str; 13] = [
    "TimeoutError",
    "PermissionError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "ConnectionAbortedError",
    "BrokenPipeError",
    "OutputLimit",
    "ResultLimit",
    "ResourceLimit",
    "JournalLimit",
    "MemoryError",
    "SandboxError",
];
/// What else such failures say, beside what people say of them.
const SAID: [&str; 8] = [
    "is not granted",
    "not granted",
    "under [limits]",
    "[errno 28]",
    "cancelled",
    "was rejected",
    "nobody decided",
    "the server ended",
];

/// Whether a failure of this class and message says nothing of the code.
#[must_use]
pub fn is_passing(class: Option<&str>, message: &str) -> bool {
    if class.is_some_and(|class| CLASSES.contains(&class)) {
        return true;
    }
    let text = format!(" {} ", message.to_lowercase());
    PASSING.iter().chain(&SAID).any(|said| text.contains(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_the_environment_pass() {
        for (class, message) in [
            ("TimeoutError", "the run was stopped after 60 s"),
            ("PermissionError", "command `git push` is not granted"),
            ("RuntimeError", "GET https://a.b answered 429: Too Many Requests"),
            ("RuntimeError", "Could not resolve host: a.b"),
            ("OSError", "[Errno 28] the run may write 5 MiB to files"),
            ("ResultLimit", "the result is too large"),
            ("RuntimeError", "the step \"Look\" was rejected"),
            ("ConnectionRefusedError", "[Errno 111]"),
        ] {
            assert!(is_passing(Some(class), message), "{class}: {message}");
        }
    }

    #[test]
    fn failures_of_code_stay() {
        for (class, message) in [
            ("KeyError", "'total'"),
            ("ZeroDivisionError", "division by zero"),
            ("ValueError", "invalid literal for int() with base 10: 'x'"),
            ("TypeError", "unsupported operand type(s) for +: 'int' and 'str'"),
            ("FileNotFoundError", "[Errno 2] No such file or directory: 'a.csv'"),
        ] {
            assert!(!is_passing(Some(class), message), "{class}: {message}");
        }
        assert!(!is_passing(None, ""));
    }
}
