//! From text to syntax tree, with every refusal as a syntax issue.

pub mod annotation;
pub mod command_line;
pub mod deferred;
pub mod entry;
pub mod guard;
pub mod lines;
mod literal;
pub mod outline;

use ruff_python_ast::{ModModule, PythonVersion};
use ruff_python_parser::{Mode, ParseOptions, Parsed, parse_unchecked};
use ruff_text_size::TextSize;

use crate::validation::{issue::Issue, rules};
use guard::{MAX_DEPTH, MAX_SOURCE_BYTES, Refusal};
use lines::Lines;

/// Most syntax errors that are reported: the parser recovers, and what follows the first few is noise.
const MAX_ERRORS: usize = 5;

/// Parses a source.
///
/// # Errors
/// Syntax issues, at least one.
pub(super) fn module(code: &str, lines: &Lines) -> Result<Parsed<ModModule>, Vec<Issue>> {
    guard::check(code).map_err(|refusal| vec![refused(refusal, lines)])?;
    let parsed = parse_unchecked(code, ParseOptions::from(Mode::Module).with_target_version(PythonVersion::latest()));
    let issues: Vec<Issue> = parsed
        .errors()
        .iter()
        .take(MAX_ERRORS)
        .map(|error| {
            let message =
                format!("This is not valid Python: {}; correct this line.", lower_first(&error.error.to_string()));
            lines.issue(&rules::SYNTAX, Some(error.location.start()), message)
        })
        .collect();
    match parsed.try_into_module() {
        Some(module) if issues.is_empty() => Ok(module),
        _ if issues.is_empty() => {
            Err(vec![lines.issue(&rules::SYNTAX, None, "This is not a Python module; write statements.".to_owned())])
        }
        _ => Err(issues),
    }
}

/// The issue for a tree that is deeper than [`MAX_DEPTH`].
pub(super) fn too_deep(offset: TextSize, lines: &Lines) -> Issue {
    let message = format!(
        "The code nests more than {MAX_DEPTH} levels deep here; use lists, a dictionary or helper functions instead."
    );
    lines.issue(&rules::TOO_DEEP, Some(offset), message)
}

fn refused(refusal: Refusal, lines: &Lines) -> Issue {
    match refusal {
        Refusal::TooLong(bytes) => {
            let message = format!(
                "The source has {bytes} bytes and at most {MAX_SOURCE_BYTES} are accepted; keep data in files and split the procedure."
            );
            lines.issue(&rules::TOO_LONG, None, message)
        }
        Refusal::Nul(offset) => {
            let offset = TextSize::try_from(offset).unwrap_or_default();
            let message = "The source holds a NUL character; remove it, or write `\\0` in a string.".to_owned();
            lines.issue(&rules::NUL, Some(offset), message)
        }
        Refusal::TooDeep(range) => too_deep(range.start(), lines),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
