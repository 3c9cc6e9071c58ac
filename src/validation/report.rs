//! Turning findings into issues: positions, repetition, and a bound on how many are reported.

use std::collections::HashSet;

use ruff_source_file::{LineIndex, OneIndexed};
use ruff_text_size::TextSize;

use super::issue::{Issue, Severity};
use super::parse::guard::MAX_SOURCE_BYTES;
use super::rules::Rule;

/// Most issues of one rule: a hostile source must not make an answer of megabytes.
const MAX_PER_RULE: usize = 20;

/// Longest piece of the source that a message quotes, in characters.
const MAX_QUOTE: usize = 60;

/// Lines and columns of one source.
pub(super) struct Lines<'a> {
    index: LineIndex,
    code: &'a str,
}

impl<'a> Lines<'a> {
    /// The lines of a source; one that is too long to be read has none, and its issue names no line.
    pub(super) fn of(code: &'a str) -> Self {
        let code = if code.len() > MAX_SOURCE_BYTES { "" } else { code };
        Self { index: LineIndex::from_source_text(code), code }
    }

    /// The line of an offset, counted from 1.
    pub(super) fn number(&self, offset: TextSize) -> u32 {
        one_based(self.index.line_index(offset))
    }

    /// The column of an offset in characters, counted from 1.
    fn column(&self, offset: TextSize) -> u32 {
        one_based(self.index.line_column(offset, self.code).column)
    }

    /// An issue of a rule.
    pub(super) fn issue(&self, rule: &Rule, offset: Option<TextSize>, message: String) -> Issue {
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

/// Collects the issues of one source.
pub(super) struct Report<'a> {
    lines: Lines<'a>,
    issues: Vec<Issue>,
    seen: HashSet<(&'static str, Option<u32>, String)>,
}

impl<'a> Report<'a> {
    pub(super) fn new(lines: Lines<'a>) -> Self {
        Self { lines, issues: Vec::new(), seen: HashSet::new() }
    }

    pub(super) fn lines(&self) -> &Lines<'a> {
        &self.lines
    }

    /// What was found so far.
    pub(super) fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// Adds an issue with the rule's own severity.
    pub(super) fn add(&mut self, rule: &Rule, offset: TextSize, message: String) {
        self.add_as(rule, rule.severity, Some(offset), message);
    }

    /// Adds an issue with another severity.
    pub(super) fn add_as(&mut self, rule: &Rule, severity: Severity, offset: Option<TextSize>, message: String) {
        self.push(Issue { severity, ..self.lines.issue(rule, offset, message) });
    }

    /// Adds a finished issue, unless it is a repetition.
    pub(super) fn push(&mut self, issue: Issue) {
        if self.issues.iter().filter(|other| other.code == issue.code).count() < MAX_PER_RULE
            && self.seen.insert((issue.code, issue.line, issue.message.clone()))
        {
            self.issues.push(issue);
        }
    }

    /// The issues, errors first, then by line.
    pub(super) fn finish(mut self) -> Vec<Issue> {
        self.issues.sort_by(|a, b| (a.severity, a.line, a.code).cmp(&(b.severity, b.line, b.code)));
        self.issues
    }
}

/// A piece of the source in back-ticks, shortened and on one line.
pub(super) fn quote(text: &str) -> String {
    let mut shown: String =
        text.chars().map(|c| if c.is_control() || c == '`' { ' ' } else { c }).take(MAX_QUOTE).collect();
    if text.chars().nth(MAX_QUOTE).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
