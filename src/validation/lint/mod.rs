//! The linter of Ruff, in process: a curated set of its rules, each under a code of our own table.
//!
//! Left out is what other checks here say already, what the interpreter has no means for (`contextlib.suppress`, `next()` on
//! a generator, `any()` that stops early) and what is a matter of taste. Comments such as `# noqa` hide nothing.

use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::LazyLock,
    thread,
};

use ruff_linter::{
    linter::{ParseSource, lint_only},
    registry::Rule as Ruff,
    settings::{LinterSettings, flags::Noqa},
    source_kind::SourceKind,
};
use ruff_python_ast::{
    ModModule, PySourceType,
    token::{Token, TokenKind, Tokens},
};
use ruff_python_parser::{Mode, Parsed, lexer::lex};
use ruff_text_size::{Ranged, TextRange};

use crate::validation::{
    issue::Severity,
    parse::guard::{self, MAX_DEPTH},
    report::Report,
    rules::{self, Rule},
};

/// Longest source that is linted, in bytes. Some of Ruff's rules look at all pairs of what they find.
const MAX_BYTES: usize = 64 * 1024;

/// Most levels that the linter walks on the stack of its caller.
const SHALLOW: usize = 64;

/// The stack that it gets otherwise, enough for [`MAX_DEPTH`] levels many times over.
const STACK_BYTES: usize = 16 << 20;

/// Longest part of a message that comes from Ruff, in characters: it quotes the source.
const MAX_MESSAGE: usize = 160;

/// Every rule of the linter that is asked for, by the rule here that it falls under.
const BY_LINTER: &[(&Rule, &[Ruff])] = &[
    (&rules::UNUSED_IMPORT, &[Ruff::UnusedImport]),
    (&rules::UNUSED_VARIABLE, &[Ruff::UnusedVariable, Ruff::UnusedAnnotation]),
    (
        &rules::REPLACED_DEFINITION,
        &[Ruff::RedefinedWhileUnused, Ruff::ImportShadowedByLoopVar, Ruff::DuplicateClassFieldDefinition],
    ),
    (
        &rules::PERCENT_FORMAT,
        &[
            Ruff::PercentFormatInvalidFormat,
            Ruff::PercentFormatExpectedMapping,
            Ruff::PercentFormatExpectedSequence,
            Ruff::PercentFormatExtraNamedArguments,
            Ruff::PercentFormatMissingArgument,
            Ruff::PercentFormatMixedPositionalAndNamed,
            Ruff::PercentFormatPositionalCountMismatch,
            Ruff::PercentFormatStarRequiresSequence,
            Ruff::PercentFormatUnsupportedFormatCharacter,
            Ruff::BadStringFormatType,
        ],
    ),
    (
        &rules::STR_FORMAT,
        &[
            Ruff::StringDotFormatInvalidFormat,
            Ruff::StringDotFormatExtraNamedArguments,
            Ruff::StringDotFormatExtraPositionalArguments,
            Ruff::StringDotFormatMissingArguments,
            Ruff::StringDotFormatMixingAutomatic,
        ],
    ),
    (
        &rules::REPEATED_KEY,
        &[
            Ruff::MultiValueRepeatedKeyLiteral,
            Ruff::MultiValueRepeatedKeyVariable,
            Ruff::DuplicateValue,
            Ruff::StaticKeyDictComprehension,
        ],
    ),
    (&rules::ALWAYS_TRUE, &[Ruff::AssertTuple, Ruff::IfTuple, Ruff::AssertOnStringLiteral]),
    (&rules::IDENTITY_OF_LITERAL, &[Ruff::IsLiteral]),
    (&rules::DOUBLE_SIGN, &[Ruff::UnaryPrefixIncrementDecrement]),
    (&rules::STRIPPED_CHARACTERS, &[Ruff::StripWithMultiCharacters]),
    (&rules::JUMP_IN_FINALLY, &[Ruff::JumpStatementInFinally]),
    (&rules::LOOP_OVERRIDES, &[Ruff::LoopVariableOverridesIterator]),
    (&rules::LATE_BINDING, &[Ruff::FunctionUsesLoopVariable]),
    (&rules::REPEATED_EXCEPTION, &[Ruff::DuplicateTryBlockException, Ruff::DuplicateHandlerException]),
    (&rules::CATCHES_LESS, &[Ruff::BinaryOpException, Ruff::ExceptWithEmptyTuple]),
    (&rules::ELSE_ON_LOOP, &[Ruff::UselessElseOnLoop]),
    (&rules::SELF_ASSIGNMENT, &[Ruff::SelfAssigningVariable, Ruff::RedeclaredAssignedName]),
    (&rules::SINGLETON_COMPARISON, &[Ruff::NoneComparison, Ruff::TrueFalseComparison]),
    (&rules::TYPE_COMPARISON, &[Ruff::TypeComparison]),
    (&rules::NOTHING_TO_RAISE, &[Ruff::MisplacedBareRaise]),
    (&rules::POSITIONAL_FLAGS, &[Ruff::ReSubPositionalArgs]),
    (&rules::UNKNOWN_ESCAPE, &[Ruff::InvalidEscapeSequence]),
    (&rules::JOINED_TEXTS, &[Ruff::SingleLineImplicitStringConcatenation]),
    (&rules::SHARED_VALUE, &[Ruff::MutableFromkeysValue, Ruff::MutableDataclassDefault]),
    (&rules::UNINTENDED_ANNOTATION, &[Ruff::UnintentionalTypeAnnotation]),
    (
        &rules::CONSTANT_RESULT,
        &[
            Ruff::ExprAndNotExpr,
            Ruff::ExprOrNotExpr,
            Ruff::ExprOrTrue,
            Ruff::ExprAndFalse,
            Ruff::UselessIfElse,
            Ruff::InEmptyCollection,
        ],
    ),
    (&rules::RAISED_AGAIN, &[Ruff::UselessTryExcept]),
    (&rules::DECIMAL_OF_FLOAT, &[Ruff::DecimalFromFloatLiteral]),
    (
        &rules::WRITTEN_SECRET,
        &[Ruff::HardcodedPasswordString, Ruff::HardcodedPasswordFuncArg, Ruff::HardcodedPasswordDefault],
    ),
    (&rules::WEAK_HASH, &[Ruff::HashlibInsecureHashFunction]),
    (
        &rules::HIDDEN_CHARACTERS,
        &[
            Ruff::BidirectionalUnicode,
            Ruff::InvalidCharacterBackspace,
            Ruff::InvalidCharacterSub,
            Ruff::InvalidCharacterEsc,
            Ruff::InvalidCharacterZeroWidthSpace,
        ],
    ),
    (&rules::COLLAPSIBLE_IF, &[Ruff::CollapsibleIf, Ruff::CollapsibleElseIf]),
    (&rules::NEEDLESS_BOOL, &[Ruff::NeedlessBool, Ruff::IfExprWithTrueFalse, Ruff::IfExprWithFalseTrue]),
    (&rules::REPEATED_COMPARISON, &[Ruff::RepeatedEqualityComparison, Ruff::DuplicateIsinstanceCall]),
    (&rules::IN_KEYS, &[Ruff::InDictKeys]),
    (
        &rules::NEGATED_COMPARISON,
        &[Ruff::NegateEqualOp, Ruff::NegateNotEqualOp, Ruff::DoubleNegation, Ruff::NotInTest, Ruff::NotIsTest],
    ),
    (&rules::TWISTED_CONDITION, &[Ruff::IfExprWithTwistedArms]),
    (&rules::DICTIONARY_GET, &[Ruff::IfElseBlockInsteadOfDictGet, Ruff::DictGetWithNoneDefault]),
    (
        &rules::CALL_OF_COMPREHENSION,
        &[
            Ruff::UnnecessaryGeneratorList,
            Ruff::UnnecessaryGeneratorSet,
            Ruff::UnnecessaryGeneratorDict,
            Ruff::UnnecessaryListComprehensionSet,
            Ruff::UnnecessaryListComprehensionDict,
        ],
    ),
    (
        &rules::CALL_OF_LITERAL,
        &[
            Ruff::UnnecessaryLiteralSet,
            Ruff::UnnecessaryLiteralDict,
            Ruff::UnnecessaryLiteralWithinTupleCall,
            Ruff::UnnecessaryLiteralWithinListCall,
            Ruff::UnnecessaryLiteralWithinDictCall,
        ],
    ),
    (
        &rules::DOUBLE_CALL,
        &[
            Ruff::UnnecessaryListCall,
            Ruff::UnnecessaryCallAroundSorted,
            Ruff::UnnecessaryDoubleCastOrProcess,
            Ruff::UnnecessarySubscriptReversal,
        ],
    ),
    (&rules::COPY_BY_LOOP, &[Ruff::UnnecessaryComprehension, Ruff::ManualListCopy]),
    (&rules::MAP_OF_LAMBDA, &[Ruff::UnnecessaryMap]),
    // Last, because a line with another finding needs no second one of this kind.
    (&rules::WITHOUT_EFFECT, &[Ruff::UselessComparison, Ruff::UselessExpression, Ruff::UselessExceptionStatement]),
];

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

/// Lints a source and adds what is not said yet. Its tree has `deepest` levels, and `result` is where the result of a
/// script stands.
pub(super) fn check(
    code: &str,
    parsed: Parsed<ModModule>,
    deepest: usize,
    result: Option<TextRange>,
    report: &mut Report<'_>,
) {
    let levels = levels_of_texts(code, parsed.tokens()).max(deepest);
    if code.len() > MAX_BYTES || levels > MAX_DEPTH {
        return;
    }
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
            let is_harmless = (*rule == &rules::WRITTEN_SECRET && !is_secret(code, finding))
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

/// How many levels the texts in a source may have as expressions: the linter reads them as annotations where they may be
/// some, and would run out of stack in them.
fn levels_of_texts(code: &str, tokens: &Tokens) -> usize {
    let text = |token: &Token| code.get(token.start().to_usize()..token.end().to_usize()).unwrap_or_default();
    // Texts beside each other are one.
    let runs = tokens.chunk_by(|a, b| is_text_part(a.kind()) && is_text_part(b.kind()));
    let levels = runs.map(|run| {
        let texts: Vec<&str> = run.iter().filter(|token| token.kind() == TokenKind::String).map(text).collect();
        levels_of(&texts)
    });
    levels.max().unwrap_or_default()
}

fn is_text_part(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::String | TokenKind::NonLogicalNewline | TokenKind::Comment)
}

/// How many levels the expression may have that these texts may be.
fn levels_of(texts: &[&str]) -> usize {
    let length = texts.iter().map(|text| text.len()).sum();
    // Every level takes a character.
    if length <= SHALLOW {
        return length;
    }
    // A text in the text is read as well, and an escape may stand for anything.
    let bare = |text: &&str| text.replace(['"', '\''], " ").replace('\\', "-");
    let joined: String = texts.iter().map(bare).collect();
    match guard::deepest(&format!("({joined})")) {
        // It can be read, and is then found to be no expression.
        Ok(levels) if levels > SHALLOW && matches!(texts, [text] if is_prose(text)) => 0,
        Ok(levels) => levels,
        Err(_) => usize::MAX,
    }
}

/// Whether words follow each other in a text, as in no expression.
fn is_prose(text: &str) -> bool {
    let content = text.trim_start_matches(char::is_alphabetic);
    let is_raw = text.get(..text.len() - content.len()).is_some_and(|prefix| prefix.contains(['r', 'R']));
    let content = content.trim_matches(['"', '\'']);
    let Some(content) = (if is_raw { Some(content.to_owned()) } else { unescaped(content) }) else { return false };
    let mut lexer = lex(&content, Mode::ParenthesizedExpression);
    let mut before = TokenKind::EndOfFile;
    loop {
        let kind = lexer.next_token();
        if kind == TokenKind::EndOfFile || (kind == TokenKind::Name && before == TokenKind::Name) {
            return kind == TokenKind::Name;
        }
        before = kind;
    }
}

/// The text without the escapes that people write; none if there are others.
fn unescaped(content: &str) -> Option<String> {
    let mut plain = String::with_capacity(content.len());
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next()? {
                'n' | 't' | 'r' => ' ',
                quoted @ ('"' | '\'' | '\\') => quoted,
                _ => return None,
            },
            c => c,
        });
    }
    Some(plain)
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

/// Whether what the linter takes for a password may be one. It goes by a word anywhere in the name, and a parser compares
/// its `token` with many a text.
fn is_secret(code: &str, finding: &Finding) -> bool {
    let name = finding.message.rsplit('"').nth(1).unwrap_or_default().to_lowercase();
    let last_word = name.rsplit('_').next().unwrap_or_default();
    let is_named_so = ["password", "passwd", "passphrase", "pass", "pwd", "token", "secret"].contains(&last_word);
    let before = code.get(..finding.range.start().to_usize()).unwrap_or_default().trim_end();
    let value = source(code, finding);
    let text = value.split_once('=').map_or(value, |(_, text)| text).trim().trim_matches(['"', '\'']);
    let is_compared = ["==", "!=", "in"].iter().any(|operator| before.ends_with(operator));
    let is_text =
        text.chars().filter(|c| c.is_alphanumeric()).count() >= 4 && !text.contains([' ', '/', '{', '<', '$', '\\']);
    is_named_so && is_text && !is_compared
}
