//! Text that people decide by, with everything in it to be seen.
//!
//! Agents and procedures write what people are asked to agree to. A character that shows nothing can turn what stands
//! around it back to front, hide words from people that programs read, or make two texts look alike. Such characters are
//! shown as `⟨U+202E⟩`; what writing needs stays: joiners within words of scripts that have them, and within emoji.

use std::{borrow::Cow, fmt::Write as _, ops::RangeInclusive};

type Ranges = &'static [RangeInclusive<char>];

/// Characters that show nothing by themselves: controls, format characters, and letters that are blank.
const INVISIBLE: Ranges = &[
    '\u{0}'..='\u{8}',
    '\u{b}'..='\u{1f}',
    '\u{7f}'..='\u{9f}',
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{13430}'..='\u{13440}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d159}'..='\u{1d159}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// What emoji are made of.
const PICTURES: Ranges = &[
    '\u{a9}'..='\u{a9}',
    '\u{ae}'..='\u{ae}',
    '\u{203c}'..='\u{203c}',
    '\u{2049}'..='\u{2049}',
    '\u{2122}'..='\u{2122}',
    '\u{2139}'..='\u{2139}',
    '\u{2194}'..='\u{21aa}',
    '\u{231a}'..='\u{23ff}',
    '\u{24c2}'..='\u{24c2}',
    '\u{25aa}'..='\u{27bf}',
    '\u{2934}'..='\u{2935}',
    '\u{2b05}'..='\u{2b55}',
    '\u{3030}'..='\u{303d}',
    '\u{3297}'..='\u{3299}',
    '\u{1f000}'..='\u{1faff}',
];

/// Letters and signs of scripts in which joiners make a difference to be seen: Arabic and its relatives, those of India,
/// Myanmar, Khmer.
const JOINING: Ranges = &[
    '\u{620}'..='\u{65f}',
    '\u{66e}'..='\u{6d3}',
    '\u{6d5}'..='\u{6dc}',
    '\u{710}'..='\u{7bf}',
    '\u{840}'..='\u{86a}',
    '\u{8a0}'..='\u{8c7}',
    '\u{900}'..='\u{963}',
    '\u{971}'..='\u{dff}',
    '\u{1000}'..='\u{109f}',
    '\u{1780}'..='\u{17b3}',
    '\u{17b6}'..='\u{17d3}',
];

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
const TEXT_STYLE: char = '\u{fe0e}';
const EMOJI_STYLE: char = '\u{fe0f}';

/// The text with what can't be seen written out. Newlines and tabs stay.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|letter| is_in(INVISIBLE, letter)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let (before, after) = (shown.chars().next_back(), letters.peek().copied());
        match letter {
            // The end of a line on some systems.
            '\r' if after == Some('\n') => {}
            _ if is_in(INVISIBLE, letter) && !belongs(before, letter, after) => {
                // Writing to a `String` does not fail.
                let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(letter));
            }
            _ => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

/// The same on one line, where control characters are spaces.
#[must_use]
pub fn visible_line(text: &str) -> String {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    visible(&line).into_owned()
}

/// Whether an invisible character does what it is there for.
fn belongs(before: Option<char>, letter: char, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    match letter {
        TEXT_STYLE | EMOJI_STYLE => is_in(PICTURES, before) || matches!(before, '0'..='9' | '#' | '*'),
        ZERO_WIDTH_JOINER if is_in(PICTURES, before) || before == EMOJI_STYLE => {
            after.is_some_and(|after| is_in(PICTURES, after))
        }
        ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER => {
            is_in(JOINING, before) && after.is_some_and(|after| is_in(JOINING, after))
        }
        _ => false,
    }
}

fn is_in(ranges: Ranges, letter: char) -> bool {
    ranges.iter().any(|range| range.contains(&letter))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_hides_or_turns_is_written_out() {
        for (text, shown) in [
            ("pay \u{202e}001$ to bob", "pay ⟨U+202E⟩001$ to bob"),
            ("\u{2066}a\u{2069}\u{200f}", "⟨U+2066⟩a⟨U+2069⟩⟨U+200F⟩"),
            ("de\u{200b}lete", "de⟨U+200B⟩lete"),
            ("\u{feff}x\u{2060}y\u{ad}z", "⟨U+FEFF⟩x⟨U+2060⟩y⟨U+00AD⟩z"),
            ("\u{1b}[2Kyes\u{7}\u{9b}1A", "⟨U+001B⟩[2Kyes⟨U+0007⟩⟨U+009B⟩1A"),
            ("over\rwritten", "over⟨U+000D⟩written"),
            ("tag\u{e0041}\u{e007f}", "tag⟨U+E0041⟩⟨U+E007F⟩"),
            ("\u{3164}\u{115f}\u{2800}", "⟨U+3164⟩⟨U+115F⟩⟨U+2800⟩"),
            ("a\u{200d}b\u{200c}c", "a⟨U+200D⟩b⟨U+200C⟩c"),
            ("x\u{fe0f}", "x⟨U+FE0F⟩"),
            ("a\u{2028}b", "a⟨U+2028⟩b"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "two\nlines\tand a tab",
            "Grüße, 日本語, Ελληνικά, עברית, العربية",
            "family 👨\u{200d}👩\u{200d}👧, heart ❤\u{fe0f}\u{200d}🔥, key 1\u{fe0f}⃣, skin 👍🏽",
            "Persian می\u{200c}خواهم, Hindi क्\u{200d}ष, Sinhala ශ්\u{200d}රී",
            "non-breaking\u{a0}space, ideographic\u{3000}space",
            "⟨angle⟩ brackets",
        ] {
            assert_eq!(visible(text), text);
        }
        assert_eq!(visible("ends\r\nof lines\r\n"), "ends\nof lines\n");
        assert_eq!(visible_line("a\nb\tc\u{1b}\u{202e}"), "a b c ⟨U+202E⟩");
    }

    proptest! {
        #[test]
        fn nothing_that_is_shown_is_invisible_by_itself(text in any::<String>(), at in 0_usize..40, index in 0_usize..1000) {
            // Arbitrary text seldom has such characters.
            let all: Vec<char> = INVISIBLE.iter().cloned().flatten().collect();
            let mut letters: Vec<char> = text.chars().collect();
            letters.insert(at.min(letters.len()), all[index % all.len()]);
            let text: String = letters.iter().collect();
            let shown = visible(&text);
            let left: Vec<char> = shown.chars().filter(|letter| is_in(INVISIBLE, *letter)).collect();
            let may_stay = [ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER, TEXT_STYLE, EMOJI_STYLE];
            prop_assert!(left.iter().all(|letter| may_stay.contains(letter)), "{shown:?}");
            // What was made visible stays as it is, and nothing else is lost.
            prop_assert_eq!(visible(&shown), shown.clone());
            let seen = |text: &str| -> String { text.chars().filter(|letter| !is_in(INVISIBLE, *letter)).collect() };
            let mut kept = seen(&shown).chars().collect::<Vec<_>>().into_iter();
            prop_assert!(seen(&text).chars().all(|letter| kept.any(|shown| shown == letter)));
        }
    }
}
