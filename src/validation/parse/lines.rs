//! Where in a source something stands: lines and columns, for people.

use ruff_source_file::{LineIndex, OneIndexed};
use ruff_text_size::TextSize;

use super::guard::MAX_SOURCE_BYTES;
use crate::validation::{issue::Issue, rules::Rule};

/// Lines and columns of one source.
pub struct Lines<'a> {
    index: LineIndex,
    code: &'a str,
}

impl<'a> Lines<'a> {
    /// The lines of a source; one that is too long to be read has none, and its issue names no line.
    pub fn of(code: &'a str) -> Self {
        let code = if code.len() > MAX_SOURCE_BYTES { "" } else { code };
        Self { index: LineIndex::from_source_text(code), code }
    }

    /// The line of an offset, counted from 1.
    pub fn number(&self, offset: TextSize) -> u32 {
        one_based(self.index.line_index(offset))
    }

    /// The column of an offset in characters, counted from 1.
    fn column(&self, offset: TextSize) -> u32 {
        one_based(self.index.line_column(offset, self.code).column)
    }

    /// An issue of a rule.
    pub fn issue(&self, rule: &Rule, offset: Option<TextSize>, message: String) -> Issue {
        Issue {
            line: offset.map(|offset| self.number(offset)),
            column: offset.map(|offset| self.column(offset)),
            ..rule.issue(message)
        }
    }
}

fn one_based(number: OneIndexed) -> u32 {
    u32::try_from(number.get()).unwrap_or(u32::MAX)
}
