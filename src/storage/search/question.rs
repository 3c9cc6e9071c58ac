//! A question, read: the words that are looked for, and those that only hold them together.

use unicode_normalization::char::is_combining_mark;

use super::words::{indexed, is_without_spaces, is_word_letter};
use crate::domain::{nfc, unaccented};

/// What a word of a question is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It says what is looked for.
    Telling,
    /// It stands between those that do: nothing is found by it, but where it stands it tells one text from another.
    Glue,
}

/// A word that is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Sought {
    /// Without case and accents.
    pub word: String,
    pub role: Role,
    /// Whether it is two letters of a language without spaces.
    pub is_pair: bool,
    /// How many texts have it, or about how many; nobody looked where it is glue.
    pub having: f64,
    /// Where no text has it: the words that become it by one slip.
    pub slips: Vec<String>,
    /// Where no text has it: whether some have words that begin with it.
    pub is_beginning: bool,
    /// The same for FTS5.
    pub(super) expression: String,
}

/// A question, read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Question {
    /// Each word once.
    pub words: Vec<Sought>,
    /// All of them in their order, by their places above.
    pub order: Vec<usize>,
    /// Whether it asks for a fact of the world, as `who wrote …` and `how tall is …`, and not for how to do something.
    pub is_fact: bool,
}

const GLUE: [&str; 33] = [
    "a", "all", "an", "and", "any", "are", "as", "at", "be", "by", "for", "from", "get", "if", "in", "into", "is",
    "it", "its", "of", "on", "one", "or", "that", "the", "this", "to", "up", "use", "used", "using", "with", "within",
];
const LONGEST_GLUE: usize = 6;
/// Words of talking, which no text of a procedure has for what it does.
const TALK: [&str; 70] = [
    "about", "am", "been", "but", "can", "could", "did", "do", "does", "doing", "give", "going", "had", "has", "have",
    "he", "help", "her", "him", "his", "how", "i", "just", "know", "let", "like", "may", "me", "might", "my", "need",
    "our", "please", "she", "should", "so", "some", "tell", "than", "thank", "thanks", "their", "them", "then",
    "there", "these", "they", "those", "too", "us", "want", "was", "way", "we", "were", "what", "when", "where",
    "which", "who", "whom", "whose", "why", "will", "would", "you", "your", "don", "doesn", "im",
];
/// What questions for facts begin with.
const FACT: [&str; 6] = ["who", "whom", "whose", "when", "where", "why"];
/// The same, of two words.
const FACT_AFTER: [(&str, &[&str]); 2] = [
    ("what", &["is", "are", "was", "were", "did", "does", "do"]),
    ("how", &["many", "much", "old", "far", "tall", "long", "fast", "big", "deep"]),
];
/// More words of a question say nothing new.
const MAX_WORDS: usize = 32;
/// The beginning of a word that is not one itself says something from this length on.
const SHORTEST_BEGINNING: usize = 4;

impl Question {
    /// Words of talking are left out, unless there are no others; where there is nothing but glue, that is what is meant.
    pub(super) fn read(text: &str) -> Self {
        let text = indexed(&nfc(text));
        let words = text.split(|letter: char| !is_word_letter(letter)).filter(|word| !word.is_empty());
        let mut words: Vec<(&str, String)> = words.map(|word| (word, unaccented(word))).collect();
        // The last letter of a run stands in the last pair already.
        words.dedup_by(|(letter, _), (pair, _)| {
            is_single(letter) && pair.len() > letter.len() && pair.ends_with(*letter)
        });
        let opening: Vec<&str> = words.iter().take(2).map(|(_, word)| word.as_str()).collect();
        let is_fact = match *opening.as_slice() {
            [first, second] => {
                FACT.contains(&first)
                    || FACT_AFTER.iter().any(|(word, after)| *word == first && after.contains(&second))
            }
            _ => false,
        };
        let is = |list: &[&str], word: &str| list.contains(&word);
        let has_others = words.iter().any(|(_, word)| !is(&TALK, word));
        let has_telling = words.iter().any(|(_, word)| !is(&TALK, word) && !is(&GLUE, word));
        let mut question = Self { is_fact, ..Self::default() };
        for (written, word) in words.into_iter().filter(|(_, word)| !has_others || !is(&TALK, word)) {
            let known = question.words.iter().position(|known| known.word == word);
            if known.is_none() && question.words.len() == MAX_WORDS {
                continue;
            }
            let place = known.unwrap_or(question.words.len());
            if known.is_none() {
                let role = if has_telling && is(&GLUE, &word) { Role::Glue } else { Role::Telling };
                question.words.push(Sought::new(written, word, role));
            }
            question.order.push(place);
        }
        question
    }
}

/// Whether a word only holds others together, of a word without case and accents.
#[must_use]
pub fn is_glue(word: &str) -> bool {
    word.len() <= LONGEST_GLUE && GLUE.contains(&word)
}

impl Sought {
    /// A word that so many texts have.
    #[cfg(test)]
    pub(crate) fn known(word: &str, having: f64) -> Self {
        let role = if is_glue(word) { Role::Glue } else { Role::Telling };
        Self { having, ..Self::new(word, unaccented(word), role) }
    }

    /// Whether it is looked for only as what stands between others.
    #[must_use]
    pub fn is_glue(&self) -> bool {
        self.role == Role::Glue
    }

    /// Whether it is one letter of a language without spaces, which is found as the beginning of pairs.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.expression.ends_with('*')
    }

    fn new(written: &str, word: String, role: Role) -> Self {
        let is_pair = written.chars().next().is_some_and(is_without_spaces);
        let star = if is_single(written) { "*" } else { "" };
        let expression = format!("\"{written}\"{star}");
        Self { word, role, is_pair, having: 0.0, slips: Vec::new(), is_beginning: false, expression }
    }

    /// As the beginning of words, for FTS5; `None` where that says nothing.
    pub(super) fn beginning(&self) -> Option<String> {
        let is_long = self.word.chars().count() >= SHORTEST_BEGINNING;
        (is_long && !self.is_pair).then(|| format!("{}*", self.expression))
    }
}

/// Whether this is one letter of a language without spaces.
fn is_single(written: &str) -> bool {
    let mut letters = written.chars().filter(|letter| !is_combining_mark(*letter));
    letters.next().is_some_and(is_without_spaces) && letters.next().is_none()
}

/// A word that the index has, for FTS5.
pub(super) fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Vec<usize>) {
        let question = Question::read(text);
        let shown = |word: Sought| if word.role == Role::Glue { format!("({})", word.word) } else { word.expression };
        (question.words.into_iter().map(shown).collect(), question.order)
    }

    #[test]
    fn words_of_talking_are_left_out_and_glue_is_kept_in_its_place() {
        for (text, words, order) in [
            (
                "How do I deploy to the staging?",
                &[r#""deploy""#, "(to)", "(the)", r#""staging""#][..],
                &[0, 1, 2, 3][..],
            ),
            ("deploy and Deploy", &[r#""deploy""#, "(and)"], &[0, 1, 0]),
            ("what is it", &[r#""is""#, r#""it""#], &[0, 1]),
            ("who are you", &[r#""are""#], &[0]),
            ("how", &[r#""how""#], &[0]),
            (" -- \" ' () * ", &[], &[]),
            ("git \"NOT\" NEAR(x)", &[r#""git""#, r#""NOT""#, r#""NEAR""#, r#""x""#], &[0, 1, 2, 3]),
            ("備份資料", &[r#""備份""#, r#""份資""#, r#""資料""#], &[0, 1, 2]),
            ("猫", &[r#""猫"*"#], &[0]),
        ] {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            assert_eq!(read(text), (words, order.to_vec()), "{text}");
        }
        for (text, is_fact) in
            [("Who wrote it", true), ("how tall is it", true), ("how do i deploy", false), ("what", false), ("", false)]
        {
            assert_eq!(Question::read(text).is_fact, is_fact, "{text}");
        }
        assert_eq!(Question::read(&"word ".repeat(900)).words.len(), 1);
        assert_eq!(Question::read(&(0..99).map(|n| format!("w{n} ")).collect::<String>()).words.len(), MAX_WORDS);
    }
}
