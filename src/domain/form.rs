//! One form for texts that look alike.
//!
//! The same word can be written in several ways: `é` as one character or as two, full-width on a keyboard for Japanese,
//! with a ligature. What is stored has one form (NFC); what is looked up is compared without all that.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark, is_nfc};

const COMBINING_DOT: char = '\u{307}';

/// The text with each letter as one character, where there is one for it.
#[must_use]
pub fn nfc(text: &str) -> String {
    if is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
}

/// The text without what makes no difference to people who look for it: case, width, ligatures, how letters are composed.
/// For comparing, not for showing.
#[must_use]
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkc().flat_map(char::to_lowercase) {
        match letter {
            // The capital İ in small letters is an i with another dot.
            COMBINING_DOT if folded.ends_with('i') => {}
            'ß' => folded.push_str("ss"),
            'ς' => folded.push('σ'),
            _ => folded.push(letter),
        }
    }
    // Lower case may come apart again.
    folded.nfkc().collect()
}

/// The same without accents and other marks, as people type what they look for.
#[must_use]
pub fn unaccented(text: &str) -> String {
    let folded = folded(text);
    if folded.is_ascii() { folded } else { folded.nfd().filter(|letter| !is_combining_mark(*letter)).collect() }
}

/// The forms in which a text may have been stored: as it is, as it is stored today, and as others write it.
#[must_use]
pub fn forms(text: &str) -> Vec<String> {
    if text.is_ascii() {
        return vec![text.to_owned()];
    }
    let mut forms = vec![text.to_owned(), nfc(text), text.nfd().collect(), text.nfkc().collect()];
    forms.sort();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_looks_alike_is_compared_alike() {
        for [one, other] in [
            ["cafe\u{301}", "CAFÉ"],
            ["ｄｅｐｌｏｙ", "Deploy"],
            ["ﬁle", "FILE"],
            ["İstanbul", "istanbul"],
            ["Straße", "STRASSE"],
            ["ẞ", "ss"],
            ["ΟΔΟΣ", "οδος"],
            ["\u{1112}\u{1161}\u{11ab}", "한"],
            ["ｶﾞ", "ガ"],
            ["Å", "a\u{30a}"],
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        for [one, other] in [["café", "cafe"], ["ı", "i"], ["schön", "schon"]] {
            assert_ne!(folded(one), folded(other), "{one} {other}");
        }
        assert_eq!(nfc("cafe\u{301} ｗ²"), "café ｗ²");
    }

    proptest! {
        #[test]
        fn a_form_is_its_own_form(text in "\\PC{0,40}") {
            prop_assert_eq!(nfc(&nfc(&text)), nfc(&text));
            prop_assert_eq!(folded(&nfc(&text)), folded(&text));
            prop_assert_eq!(folded(&folded(&text)), folded(&text));
        }
    }
}
