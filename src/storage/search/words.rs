//! What counts as a word: the form of texts in the index, and of what is compared with them.
//!
//! Languages that are written without spaces have no words that a tokenizer could find. Of a run of their letters, each two that
//! follow each other are a word, and so is the last one alone, so that a single letter is found as the beginning of a word.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// Blocks of letters of languages that put no spaces between words, or, as Korean, put what belongs to a word behind it without one.
const WITHOUT_SPACES: [(char, char); 12] = [
    ('\u{0e00}', '\u{0eff}'),   // Thai, Lao
    ('\u{1000}', '\u{109f}'),   // Burmese
    ('\u{1100}', '\u{11ff}'),   // Korean, by the sound
    ('\u{1780}', '\u{17ff}'),   // Khmer
    ('\u{3005}', '\u{3007}'),   // repeated Chinese letters
    ('\u{3040}', '\u{30ff}'),   // Japanese
    ('\u{31f0}', '\u{31ff}'),   // Japanese, for Ainu
    ('\u{3400}', '\u{4dbf}'),   // Chinese, rare
    ('\u{4e00}', '\u{9fff}'),   // Chinese
    ('\u{ac00}', '\u{d7af}'),   // Korean
    ('\u{f900}', '\u{faff}'),   // Chinese, for compatibility
    ('\u{20000}', '\u{3ffff}'), // Chinese, rarer still
];

/// A text as it is indexed: without width and ligatures, runs of letters without spaces as pairs. Case and accents are left to
/// the index.
pub(in crate::storage) fn indexed(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let text: String = text.nfkc().collect();
    if !text.chars().any(is_without_spaces) {
        return text;
    }
    let mut form = String::with_capacity(text.len() * 2);
    // Letters, each with the marks that belong to it.
    let mut run: Vec<String> = Vec::new();
    for letter in text.chars() {
        match run.last_mut() {
            Some(last) if is_combining_mark(letter) => last.push(letter),
            _ if is_without_spaces(letter) => run.push(letter.to_string()),
            _ => {
                add_pairs(&mut form, &mut run);
                form.push(letter);
            }
        }
    }
    add_pairs(&mut form, &mut run);
    form
}

fn add_pairs(form: &mut String, run: &mut Vec<String>) {
    if !run.is_empty() && form.ends_with(is_word_letter) {
        form.push(' ');
    }
    for (index, letter) in run.iter().enumerate() {
        form.push_str(letter);
        form.push_str(run.get(index + 1).map_or("", String::as_str));
        form.push(' ');
    }
    run.clear();
}

/// Whether this is a letter of a language without spaces.
pub(super) fn is_without_spaces(letter: char) -> bool {
    letter >= '\u{0e00}'
        && letter.is_alphanumeric()
        && !is_combining_mark(letter)
        && WITHOUT_SPACES.iter().any(|(first, last)| (*first..=*last).contains(&letter))
}

/// Whether this stands in a word, and not between two.
pub fn is_word_letter(letter: char) -> bool {
    letter.is_alphanumeric() || is_combining_mark(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_without_spaces_are_paired_and_others_stay() {
        for (text, form) in [
            ("deploy it", "deploy it"),
            ("ﬁlter ＣＯＦＦＥＥ", "filter COFFEE"),
            ("備份資料庫", "備份 份資 資料 料庫 庫 "),
            ("猫", "猫 "),
            ("CSVを読む", "CSV を読 読む む "),
            ("2024年に", "2024 年に に "),
            ("파일을 압축", "파일 일을 을  압축 축 "),
            ("読む。書く\n次", "読む む 。書く く \n次 "),
            ("ที่นี่", "ที่นี่ นี่ "),
        ] {
            assert_eq!(indexed(text), form, "{text}");
        }
    }
}
