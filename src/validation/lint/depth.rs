//! How deep the texts in a source may be as expressions: the linter reads those that it takes for annotations.

use ruff_python_ast::token::{Token, TokenKind, Tokens};
use ruff_python_parser::{Mode, lexer::lex};
use ruff_text_size::Ranged;

use crate::validation::parse::guard;

/// Most levels that the linter walks on the stack of its caller.
pub const SHALLOW: usize = 64;

/// How many levels the texts in a source may have as expressions: the linter reads them as annotations where they may be
/// some, and would run out of stack in them.
pub fn levels_of_texts(code: &str, tokens: &Tokens) -> usize {
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
