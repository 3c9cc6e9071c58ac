//! The words of a question, as the index knows them.

use super::words::indexed;
use crate::domain::nfc;

/// How many words of a text a procedure must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Every one.
    All,
    /// At least one.
    Any,
}

/// A word of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// As it was given.
    pub word: String,
    /// Whether words that begin with it count as well.
    pub is_beginning: bool,
    /// The same for FTS5.
    pub(in crate::storage) expression: String,
}

/// Words that nearly every text has: they would match everything and say nothing.
const STOP_WORDS: [&str; 40] = [
    "a", "all", "an", "and", "any", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "get", "how",
    "i", "if", "in", "into", "is", "it", "its", "me", "my", "of", "on", "one", "or", "that", "the", "this", "to", "up",
    "use", "what", "when", "which", "with",
];

/// Shorter words are matched whole: as beginnings they match too much.
const SHORTEST_PREFIX: usize = 4;
/// More words of a question say nothing new.
const MAX_WORDS: usize = 32;

/// The telling words of free text, each once; the longer ones also as the beginning of a word. All words where none is
/// telling.
pub(in crate::storage) fn terms(text: &str) -> Vec<Term> {
    let text = nfc(text);
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_telling = |word: &&str| !STOP_WORDS.contains(&word.to_lowercase().as_str());
    let has_telling = words.iter().any(is_telling);
    let mut terms: Vec<Term> = Vec::new();
    for word in words.into_iter().filter(|word| !has_telling || is_telling(word)) {
        let term = Term::new(word);
        if terms.len() < MAX_WORDS && !terms.contains(&term) {
            terms.push(term);
        }
    }
    terms
}

impl Term {
    pub(crate) fn new(word: &str) -> Self {
        let is_beginning = word.chars().count() >= SHORTEST_PREFIX;
        let star = if is_beginning { "*" } else { "" };
        // In the form of the index, and in that of texts which were indexed before there was one.
        let form = indexed(word);
        let expression =
            if form == word { format!("\"{word}\"{star}") } else { format!("(\"{form}\"{star} OR \"{word}\"{star})") };
        Self { word: word.to_owned(), is_beginning, expression }
    }
}

/// An FTS5 query for texts that have so many of these.
pub(in crate::storage) fn join<'t>(terms: impl IntoIterator<Item = &'t Term>, words: Words) -> String {
    let expressions: Vec<&str> = terms.into_iter().map(|term| term.expression.as_str()).collect();
    expressions.join(match words {
        Words::All => " AND ",
        Words::Any => " OR ",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_syntax_in_free_text_is_only_text() {
        assert_eq!(join(&terms("git \"NOT\" NEAR(x)"), Words::All), r#""git" AND "NOT" AND "NEAR"* AND "x""#);
        assert!(terms(" -- \" ' () * ").is_empty());
    }

    #[test]
    fn words_that_say_nothing_are_left_out_unless_there_are_no_others() {
        let expressions = |text: &str| terms(text).into_iter().map(|term| term.expression).collect::<Vec<_>>();
        assert_eq!(expressions("what is in the changelog"), [r#""changelog"*"#]);
        assert_eq!(expressions("how to"), [r#""how""#, r#""to""#]);
        assert_eq!(expressions("deploy and deploy"), [r#""deploy"*"#]);
    }
}
