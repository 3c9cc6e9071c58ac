//! How well a text answers a question: BM25 over what was found, as FTS5 has it.
//!
//! S. Robertson, H. Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond, 2009. The lengths are compared with those of
//! the texts that were found, not of all that there are.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use crate::{
    domain::folded,
    storage::{Answering, FoundText},
};

/// Of the columns name, description, category and tags, steps, notes: a word of the name says most.
const WEIGHTS: [f64; 5] = [8.0, 4.0, 4.0, 1.5, 1.0];
/// How soon more of the same word stops to say more.
const K1: f64 = 1.2;
/// How much a long text is held against it.
const B: f64 = 0.75;
/// Longer texts are ranked by their beginnings.
const RANKED_BYTES: usize = 4000;
/// Endings that differ, as those of `deploying` and `deployed`, have no more letters.
const LONGEST_ENDING: usize = 3;
/// What words with different endings have at least in common.
const SHORTEST_STEM: usize = 4;

/// A word of a question, in the form in which words are compared, and how much it says.
struct Weighed {
    word: String,
    is_beginning: bool,
    weight: f64,
}

/// What was found, the most relevant first; of those that are equally so, the oldest.
pub(in crate::library) fn ranked(answering: Answering) -> Vec<(FoundText, f64)> {
    let Answering { terms, texts, found } = answering;
    let terms: Vec<Weighed> = terms
        .into_iter()
        .map(|(term, having)| {
            let weight = (1.0 + (texts - having + 0.5).max(0.0) / (having + 0.5)).ln();
            Weighed { word: comparable(&term.word), is_beginning: term.is_beginning, weight }
        })
        .collect();
    let counted: Vec<(Vec<f64>, f64)> = found.iter().map(|text| count(text, &terms)).collect();
    let average = counted.iter().map(|(_, length)| length).sum::<f64>() / as_float(counted.len().max(1));
    let score = |(frequencies, length): &(Vec<f64>, f64)| {
        let slowness = K1 * (1.0 - B + B * length / average.max(1.0));
        let of_term =
            |(term, frequency): (&Weighed, &f64)| term.weight * frequency * (K1 + 1.0) / (frequency + slowness);
        terms.iter().zip(frequencies).map(of_term).sum::<f64>()
    };
    let mut ranked: Vec<(FoundText, f64)> =
        found.into_iter().zip(&counted).map(|(text, counted)| (text, score(counted))).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.id.cmp(&b.0.id)));
    ranked
}

/// How often a text has each term, by the weight of the column, and how many words it has.
fn count(text: &FoundText, terms: &[Weighed]) -> (Vec<f64>, f64) {
    let (mut frequencies, mut length) = (vec![0.0; terms.len()], 0_usize);
    for (column, weight) in text.columns.iter().zip(WEIGHTS) {
        let column = comparable(beginning(column));
        for word in column.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
            length += 1;
            for (frequency, _) in frequencies.iter_mut().zip(terms).filter(|(_, term)| term.is_meant_by(word)) {
                *frequency += weight;
            }
        }
    }
    (frequencies, as_float(length))
}

impl Weighed {
    /// Whether a word of a text is this one, in another form or with more behind it. The index knows better, but tells
    /// only that a text has the word, not how often.
    fn is_meant_by(&self, word: &str) -> bool {
        let Some(more) = word.strip_prefix(self.word.as_str()) else {
            return self.is_beginning && self.shares_stem(word);
        };
        if self.is_beginning { true } else { matches!(more, "" | "s") }
    }

    fn shares_stem(&self, word: &str) -> bool {
        let common = word.bytes().zip(self.word.bytes()).take_while(|(a, b)| a == b).count();
        common >= SHORTEST_STEM && word.len().max(self.word.len()) - common <= LONGEST_ENDING
    }
}

/// A text without case and accents.
fn comparable(text: &str) -> String {
    let folded = folded(text);
    if folded.is_ascii() { folded } else { folded.nfd().filter(|letter| !is_combining_mark(*letter)).collect() }
}

fn beginning(text: &str) -> &str {
    let mut end = text.len().min(RANKED_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "counts of words")]
fn as_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Term;

    fn text(id: i64, name: &str, steps: &str) -> FoundText {
        let columns = [name.to_owned(), String::new(), String::new(), steps.to_owned(), String::new()];
        FoundText { id, is_active: true, successes: 0, failures: 0, columns }
    }

    /// The order in which these texts answer words that so many of a thousand have.
    fn order(words: &[(&str, f64)], found: Vec<FoundText>) -> Vec<i64> {
        let terms = words.iter().map(|(word, having)| (Term::new(word), *having)).collect();
        ranked(Answering { terms, texts: 1000.0, found }).into_iter().map(|(text, _)| text.id).collect()
    }

    #[test]
    fn a_word_of_the_name_says_more_than_one_of_the_steps() {
        let found = vec![text(1, "tidy up", "Deploy it"), text(2, "deploy it", "Tidy up"), text(3, "other", "Things")];
        assert_eq!(order(&[("deploy", 20.0)], found), [2, 1, 3]);
    }

    #[test]
    fn a_rare_word_says_more_than_a_common_one_and_two_say_more_than_one() {
        let found =
            || vec![text(1, "update invoice", ""), text(2, "update zeppelin", ""), text(3, "update update", "")];
        assert_eq!(order(&[("update", 900.0), ("zeppelin", 1.0)], found()), [2, 3, 1]);
        assert_eq!(order(&[("update", 300.0), ("invoice", 300.0)], found()), [1, 3, 2]);
        assert!(ranked(Answering::default()).is_empty());
    }

    #[test]
    fn a_short_text_says_more_than_a_long_one_and_equals_stand_in_their_order() {
        let long = "and much more that has to do with other things ".repeat(9);
        let found = vec![text(2, "deploy", &long), text(5, "deploy", ""), text(4, "deploy", "")];
        assert_eq!(order(&[("deploy", 3.0)], found), [4, 5, 2]);
    }

    #[test]
    fn forms_of_a_word_are_that_word() {
        let is_meant = |word: &str, by: &str| {
            let term = Weighed { word: comparable(word), is_beginning: word.chars().count() >= 4, weight: 1.0 };
            term.is_meant_by(&comparable(by))
        };
        for (word, by) in [
            ("deploying", "deployed"),
            ("deploy", "deployment"),
            ("invoice", "Invoices"),
            ("café", "CAFE"),
            ("git", "git"),
            ("branches", "branch"),
            ("check", "checkpoint"),
            ("Straße", "STRASSE"),
            ("updating", "update"),
            ("tag", "tags"),
        ] {
            assert!(is_meant(word, by), "{word} {by}");
        }
        for (word, by) in
            [("git", "gitlab"), ("database", "data"), ("report", "repair"), ("1", "10"), ("12", "123"), ("a", "b")]
        {
            assert!(!is_meant(word, by), "{word} {by}");
        }
    }
}
