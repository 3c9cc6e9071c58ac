//! What texts of host functions may be.

use crate::runtime::PythonError;

/// All texts of one call together.
const MAX_BYTES: usize = 64 * 1024;
/// One address, one name, one path.
const MAX_ENTRY_CHARS: usize = 1000;
const MAX_ENTRIES: usize = 200;

/// A `ValueError` of `function`.
pub(super) fn value_error(function: &str, message: impl std::fmt::Display) -> PythonError {
    PythonError::new("ValueError", format!("{function}(): {message}"))
}

/// Refuses a text that says nothing.
pub(super) fn check_not_empty(function: &str, name: &str, text: &str) -> Result<(), PythonError> {
    if text.trim().is_empty() {
        return Err(value_error(function, format_args!("`{name}` is empty")));
    }
    Ok(())
}

/// Refuses texts that are too long together.
pub(super) fn check_size<'t>(function: &str, texts: impl IntoIterator<Item = &'t str>) -> Result<(), PythonError> {
    let size: usize = texts.into_iter().map(str::len).sum();
    if size <= MAX_BYTES {
        return Ok(());
    }
    let most = MAX_BYTES / 1024;
    let message = format!("its texts are {size} bytes, at most {most} KiB are possible; put the rest into a file");
    Err(value_error(function, message))
}

/// Refuses a text that is not one of `words`.
pub(super) fn check_word(function: &str, name: &str, text: &str, words: &[&str]) -> Result<(), PythonError> {
    if words.contains(&text) {
        return Ok(());
    }
    let shown: String = text.chars().take(60).collect();
    Err(value_error(function, format_args!("`{name}` is `{shown}`; it is one of `{}`", words.join("`, `"))))
}

/// Refuses lists that are too long, and entries that are empty or have more than one line: in an e-mail, a second line
/// would be a header of its own.
pub(super) fn check_entries(function: &str, name: &str, entries: &[String]) -> Result<(), PythonError> {
    if entries.len() > MAX_ENTRIES {
        let message = format!("`{name}` has {} entries, at most {MAX_ENTRIES} are possible", entries.len());
        return Err(value_error(function, message));
    }
    entries.iter().try_for_each(|entry| {
        check_not_empty(function, name, entry)?;
        let shown: String = entry.chars().take(60).collect();
        if entry.chars().any(char::is_control) {
            let shown = shown.escape_debug();
            return Err(value_error(function, format_args!("`{name}` has `{shown}`, which is more than one line")));
        }
        if entry.chars().count() > MAX_ENTRY_CHARS {
            let message = format!("`{name}` has an entry of more than {MAX_ENTRY_CHARS} characters: `{shown}…`");
            return Err(value_error(function, message));
        }
        Ok(())
    })
}
