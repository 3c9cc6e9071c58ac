//! Collecting what is found: no repetitions, and a bound on how many issues are reported.

use std::collections::HashSet;

use ruff_text_size::TextSize;

use super::issue::{Category, Issue, Severity};
use super::parse::lines::Lines;
use super::rules::{self, Rule};
use crate::domain::RuntimeKind;

/// Most issues of one rule: a hostile source must not make an answer of megabytes.
const MAX_PER_RULE: usize = 20;

/// Longest piece of the source that a message quotes, in characters.
const MAX_QUOTE: usize = 60;

/// Collects the issues of one source.
pub(super) struct Report<'a> {
    lines: Lines<'a>,
    issues: Vec<Issue>,
    seen: HashSet<(&'static str, Option<u32>, String)>,
    runtime: RuntimeKind,
    has_dependencies: bool,
    leaves_alone: bool,
}

impl<'a> Report<'a> {
    /// Of a source that `runtime` would execute: what only holds for another is not reported.
    pub(super) fn new(lines: Lines<'a>, runtime: RuntimeKind, has_dependencies: bool) -> Self {
        Self { lines, issues: Vec::new(), seen: HashSet::new(), runtime, has_dependencies, leaves_alone: false }
    }

    /// Whether what follows is never executed, so that it matters neither what it reaches nor what it would find missing.
    pub(super) const fn leave_alone(&mut self, never_runs: bool) {
        self.leaves_alone = never_runs;
    }

    /// Whether the code names packages that it needs, which may have any modules.
    pub(super) const fn has_dependencies(&self) -> bool {
        self.has_dependencies
    }

    pub(super) const fn runtime(&self) -> RuntimeKind {
        self.runtime
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
        let is_about_runs = matches!(issue.category, Category::Security | Category::Runtime);
        if self.leaves_alone && is_about_runs && issue.code != rules::UNSUPPORTED_IMPORT.code {
            return;
        }
        if rules::holds_for(issue.code, self.runtime)
            && self.issues.iter().filter(|other| other.code == issue.code).count() < MAX_PER_RULE
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
