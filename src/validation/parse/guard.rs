//! Bounds on what the parser and the visitors are given, so that no source can overflow the stack or take long.
//!
//! The parser grows its own stack, but dropping a tree and walking over it recurse once per level. [`check`] bounds that
//! from the tokens alone, before anything is parsed; it may overcount, never undercount.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer::lex};
use ruff_text_size::{Ranged, TextRange};

/// Longest accepted source, in bytes.
pub const MAX_SOURCE_BYTES: usize = 256 * 1024;

/// Deepest nesting that the analysis walks into; the interpreter gives up just below 200.
pub const MAX_DEPTH: usize = 190;

/// Most levels that a tree can have after [`check`]: dropping so many fits a small thread stack many times over.
const MAX_ESTIMATED_DEPTH: usize = 1_500;

/// Why a source is not even parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// More than [`MAX_SOURCE_BYTES`].
    TooLong(usize),
    /// A NUL character at this offset.
    Nul(usize),
    /// Nested too deep at this range.
    TooDeep(TextRange),
}

/// Accepts a source whose syntax tree is surely shallow enough.
///
/// # Errors
/// The [`Refusal`] when it is too long, holds NUL characters or may be nested too deep.
pub fn check(code: &str) -> Result<(), Refusal> {
    if code.len() > MAX_SOURCE_BYTES {
        return Err(Refusal::TooLong(code.len()));
    }
    if let Some(offset) = code.bytes().position(|byte| byte == 0) {
        return Err(Refusal::Nul(offset));
    }
    // Every level takes at least one byte, so a short source needs no look at its tokens.
    if code.len() <= MAX_ESTIMATED_DEPTH {
        return Ok(());
    }
    deepest(code).map(|_| ()).map_err(Refusal::TooDeep)
}

/// The most levels that the tree of `code` can have, or where they become more than [`MAX_ESTIMATED_DEPTH`].
pub fn deepest(code: &str) -> Result<usize, TextRange> {
    let mut lexer = lex(code, Mode::Module);
    // Levels that each open bracket adds: itself, and what chains up in it until a comma or the end of the statement.
    let mut open: Vec<Level> = vec![Level::default()];
    let mut total = 0;
    let mut most = 0;
    loop {
        let kind = lexer.next_token();
        match kind {
            TokenKind::EndOfFile => return Ok(most),
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                // `f(…)(…)`: a bracket also adds to the chain that it stands in.
                add(&mut open, &mut total);
                open.push(Level::default());
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::FStringEnd | TokenKind::TStringEnd => {
                if open.len() > 1 {
                    total -= open.pop().map_or(0, |level| level.chain);
                }
            }
            // In `lambda a, b: …` a comma does not end the chain of nested lambdas.
            TokenKind::Comma if open.last().is_some_and(|level| level.lambdas > 0) => {}
            TokenKind::Comma | TokenKind::Newline | TokenKind::Semi => {
                if let Some(level) = open.last_mut() {
                    total -= level.chain;
                    *level = Level { blocks: level.blocks, ..Level::default() };
                    level.chain = level.blocks;
                    total += level.blocks;
                }
            }
            TokenKind::Indent => {
                if let Some(level) = open.last_mut() {
                    level.blocks += 1;
                }
                add(&mut open, &mut total);
            }
            TokenKind::Dedent => {
                if let Some(level) = open.last_mut()
                    && level.blocks > 0
                {
                    level.blocks -= 1;
                    level.chain = level.chain.saturating_sub(1);
                    total = total.saturating_sub(1);
                }
            }
            // Atoms are leaves: they can't make a tree deeper.
            TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle
            | TokenKind::True
            | TokenKind::False
            | TokenKind::None
            | TokenKind::Ellipsis
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline => {}
            kind => {
                if let Some(level) = open.last_mut() {
                    match kind {
                        TokenKind::Lambda => level.lambdas += 1,
                        TokenKind::Colon => level.lambdas = level.lambdas.saturating_sub(1),
                        _ => {}
                    }
                }
                add(&mut open, &mut total);
            }
        }
        most = most.max(total);
        if most > MAX_ESTIMATED_DEPTH {
            return Err(lexer.current_range().range());
        }
    }
}

#[derive(Default)]
struct Level {
    /// Tokens since the last comma or statement end that may each have added a level.
    chain: usize,
    /// Indented blocks, only counted on the bottom level.
    blocks: usize,
    /// `lambda` keywords whose colon has not come.
    lambdas: usize,
}

fn add(open: &mut [Level], total: &mut usize) {
    if let Some(level) = open.last_mut() {
        level.chain += 1;
        *total += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_sources_are_refused_and_wide_ones_are_not() {
        let many = 60_000;
        for deep in ["(".repeat(many), "1+".repeat(many), "not ".repeat(many), "-".repeat(many), "a.".repeat(many)] {
            assert!(matches!(check(&deep), Err(Refusal::TooDeep(_))), "{}", &deep[..10]);
        }
        assert!(matches!(check(&"lambda: ".repeat(20_000)), Err(Refusal::TooDeep(_))));
        assert!(matches!(check(&"lambda a, b: ".repeat(15_000)), Err(Refusal::TooDeep(_))));
        assert_eq!(check(&format!("x = [{}]", "1 + 2, ".repeat(20_000))), Ok(()));
        assert_eq!(check(&"f(a.b)(c)[d]\n".repeat(10_000)), Ok(()));
        assert_eq!(check(&"def f():\n    if x:\n        y()\n".repeat(5_000)), Ok(()));
    }

    #[test]
    fn length_and_nul_are_checked_first() {
        assert_eq!(check(&"#".repeat(5_000_000)), Err(Refusal::TooLong(5_000_000)));
        assert_eq!(check("x = 1\0"), Err(Refusal::Nul(5)));
    }
}
