//! The linter of Ruff, in process: a curated set of its rules, each under a code of our own table.
//!
//! Left out is what other checks here say already, what the interpreter has no means for (`contextlib.suppress`, `next()` on
//! a generator, `any()` that stops early) and what is a matter of taste. Comments such as `# noqa` hide nothing.

mod depth;
mod selection;

use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::LazyLock,
    thread,
};

use ruff_linter::{
    linter::{ParseSource, lint_only},
    settings::{LinterSettings, flags::Noqa},
    source_kind::SourceKind,
};
use ruff_python_ast::{
    ModModule, PySourceType,
    token::{TokenKind, Tokens},
};
use ruff_python_parser::Parsed;
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::validation::{issue::Severity, parse::guard::MAX_DEPTH, report::Report, rules};
use depth::{SHALLOW, levels_of_texts};
use selection::BY_LINTER;

/// Longest source that is linted, in bytes. Some of Ruff's rules look at all pairs of what they find.
const MAX_BYTES: usize = 64 * 1024;

/// The stack that it gets otherwise, enough for [`MAX_DEPTH`] levels many times over.
const STACK_BYTES: usize = 16 << 20;

/// Longest part of a message that comes from Ruff, in characters: it quotes the source.
const MAX_MESSAGE: usize = 160;

static SETTINGS: LazyLock<LinterSettings> =
    LazyLock::new(|| LinterSettings::for_rules(BY_LINTER.iter().flat_map(|(_, found_by)| found_by.iter().copied())));

/// What the linter found.
struct Finding {
    /// The linter's name of its rule; none for a mistake that makes the code invalid.
    name: Option<&'static str>,
    /// What people call the rule, such as `F401`.
    code: String,
    message: String,
    range: TextRange,
}

/// Lints a source and adds what is not said yet. Its tree has `deepest` levels; the last statement of a script is its
/// result.
pub(super) fn check(code: &str, parsed: Parsed<ModModule>, deepest: usize, is_script: bool, report: &mut Report<'_>) {
    let result = parsed.syntax().body.last().map(Ranged::range).filter(|_| is_script);
    let levels = levels_of_texts(code, parsed.tokens()).max(deepest);
    if code.len() > MAX_BYTES || levels > MAX_DEPTH {
        return;
    }
    // A parser compares its `token` with many a text, and none of them is a secret.
    let compared = compared_texts(parsed.tokens());
    // Advice is not worth a server that ends: should the linter panic, there is none.
    let lint = || catch_unwind(AssertUnwindSafe(|| findings(code, parsed))).ok();
    // It walks with larger steps than the checks here, so a deep tree needs a stack of its own.
    let linted = if levels <= SHALLOW {
        lint()
    } else {
        thread::scope(|scope| {
            thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, lint).ok()?.join().ok()?
        })
    };
    let Some(findings) = linted else { return };
    for finding in findings.iter().filter(|finding| finding.name.is_none()) {
        // Which statements may stand outside a function or a loop is judged elsewhere, by what the interpreter takes.
        if !finding.message.contains("outside") {
            let message = format!("This is not valid Python: {}; correct this line.", shortened(&finding.message));
            report.add(&rules::SYNTAX, finding.range.start(), message);
        }
    }
    // One mistake should not count twice.
    let mut told: HashSet<u32> = report
        .issues()
        .iter()
        .filter(|issue| issue.severity == Severity::Error || issue.code == rules::UNREACHABLE.code)
        .filter_map(|issue| issue.line)
        .collect();
    let mut linted = HashSet::new();
    for (rule, found_by) in BY_LINTER {
        let names: Vec<&str> = found_by.iter().map(|rule| rule.name().as_str()).collect();
        if *rule == &rules::WITHOUT_EFFECT {
            told.extend(&linted);
        }
        for finding in findings.iter().filter(|finding| finding.name.is_some_and(|name| names.contains(&name))) {
            let at = finding.range.start();
            let line = report.lines().number(at);
            let is_result = *rule == &rules::WITHOUT_EFFECT && result.is_some_and(|result| result.contains(at));
            let is_harmless = (*rule == &rules::WRITTEN_SECRET
                && (compared.contains(&at) || !is_secret(code, finding)))
                || (*rule == &rules::JOINED_TEXTS && is_sentence(code, finding));
            if told.contains(&line) || is_result || is_harmless {
                continue;
            }
            linted.insert(line);
            let message = format!("{} ({}). {}", shortened(&finding.message), finding.code, rule.instead);
            report.add(rule, at, message);
        }
    }
}

fn findings(code: &str, parsed: Parsed<ModModule>) -> Vec<Finding> {
    let source = SourceKind::Python { code: code.to_owned(), is_stub: false };
    let path = Path::new("procedure.py");
    let parsed = ParseSource::Precomputed(parsed);
    let linted = lint_only(path, None, &SETTINGS, Noqa::Disabled, &source, PySourceType::Python, parsed);
    let diagnostics = linted.diagnostics.iter();
    diagnostics
        .filter_map(|diagnostic| {
            Some(Finding {
                name: (!diagnostic.is_invalid_syntax()).then(|| diagnostic.name()),
                code: diagnostic.secondary_code_or_id().to_owned(),
                message: diagnostic.headline_message().to_owned(),
                range: diagnostic.range()?,
            })
        })
        .collect()
}

/// On one line, without the advice that ours replaces.
fn shortened(message: &str) -> String {
    let advice = ["; consider using", ". Did you mean", ". Either"];
    let end = advice.iter().filter_map(|advice| message.find(advice)).min().unwrap_or(message.len());
    let message = message.get(..end).unwrap_or(message).trim_end_matches('.');
    let mut shown: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE).collect();
    if message.chars().nth(MAX_MESSAGE).is_some() {
        shown.push('…');
    }
    shown
}

/// What stands in the source where something was found.
fn source<'a>(code: &'a str, finding: &Finding) -> &'a str {
    code.get(finding.range.start().to_usize()..finding.range.end().to_usize()).unwrap_or_default()
}

/// Whether texts beside each other have a space where they meet: somebody means them to be one.
fn is_sentence(code: &str, finding: &Finding) -> bool {
    [" \" \"", "\" \" ", " ' '", "' ' "].iter().any(|seam| source(code, finding).contains(seam))
}

/// Where the texts stand that something is compared with.
fn compared_texts(tokens: &Tokens) -> HashSet<TextSize> {
    let mut before = TokenKind::EndOfFile;
    let mut compared = HashSet::new();
    for token in tokens.iter().filter(|token| !token.kind().is_trivia()) {
        if token.kind() == TokenKind::String
            && matches!(before, TokenKind::EqEqual | TokenKind::NotEqual | TokenKind::In)
        {
            compared.insert(token.start());
        }
        before = token.kind();
    }
    compared
}

/// Whether what the linter takes for a password may be one. It goes by a word anywhere in the name.
fn is_secret(code: &str, finding: &Finding) -> bool {
    let name = finding.message.rsplit('"').nth(1).unwrap_or_default().to_lowercase();
    let last_word = name.rsplit('_').next().unwrap_or_default();
    let is_named_so = ["password", "passwd", "passphrase", "pass", "pwd", "token", "secret"].contains(&last_word);
    let value = source(code, finding);
    let text = value.split_once('=').map_or(value, |(_, text)| text).trim().trim_matches(['"', '\'']);
    let is_text =
        text.chars().filter(|c| c.is_alphanumeric()).count() >= 4 && !text.contains([' ', '/', '{', '<', '$', '\\']);
    is_named_so && is_text
}
