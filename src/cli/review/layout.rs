//! Texts in lines that are no longer than a terminal has columns, whatever they are written in and whoever wrote them.

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm, core::display_width, wrap};

use crate::domain::visible;

/// Wide pictures are made of narrow ones by a character that shows nothing; without it every terminal agrees on how wide they are.
const EMOJI_STYLE: char = '\u{fe0f}';
const TAB: &str = "    ";

/// The lines of a text, each with nothing in it but what can be seen.
pub fn lines(text: &str) -> Vec<String> {
    let shown = visible(text.trim_end()).replace(EMOJI_STYLE, "").replace('\t', TAB);
    shown.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// The text in lines of at most `width` columns; what goes on below begins where its line did, and `hanging` columns further in.
pub fn wrapped(text: &str, width: usize, hanging: usize) -> Vec<String> {
    let width = width.max(1);
    let mut wrapped = Vec::new();
    for line in lines(text) {
        let inner = line.chars().take_while(|letter| *letter == ' ').count() + hanging;
        let indent = " ".repeat(if inner < width / 2 { inner } else { 0 });
        let options = Options::new(width)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .wrap_algorithm(WrapAlgorithm::FirstFit)
            .subsequent_indent(&indent);
        wrapped.extend(wrap(&line, options).into_iter().map(|line| line.trim_end().to_owned()));
    }
    wrapped
}

/// The first line of a text, in at most `width` columns.
pub fn cut(text: &str, width: usize) -> String {
    let line = lines(text).into_iter().next().unwrap_or_default();
    if display_width(&line) <= width {
        return line;
    }
    let mut shown = String::new();
    for letter in line.chars() {
        let mut buffer = [0; 4];
        if display_width(&shown) + display_width(letter.encode_utf8(&mut buffer)) >= width {
            break;
        }
        shown.push(letter);
    }
    shown.push('…');
    shown
}

/// The text with spaces behind it up to this column.
pub fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(display_width(text))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_end_where_the_terminal_does() {
        assert_eq!(wrapped("one two three", 8, 2), ["one two", "  three"]);
        assert_eq!(wrapped("    indented code line", 16, 0), ["    indented", "    code line"]);
        assert_eq!(wrapped("日本語の文章です", 6, 0), ["日本語", "の文章", "です"]);
        assert_eq!(wrapped("a\n\nb", 10, 0), ["a", "", "b"]);
        assert_eq!(wrapped("averyveryverylongword", 8, 0), ["averyver", "yverylon", "gword"]);
        assert_eq!((cut("日本語の文章です", 7), cut("short", 7)), ("日本語…".to_owned(), "short".to_owned()));
        assert_eq!(padded("日本", 6), "日本  ");
    }

    #[test]
    fn nothing_reaches_the_terminal_that_would_command_it() {
        let shown = wrapped("a\u{1b}[2J\u{9b}1A\u{7}\rb\u{202e}c\td❤\u{fe0f}", 80, 0).join("\n");
        assert!(!shown.chars().any(|letter| letter.is_control() || letter == '\u{202e}'), "{shown:?}");
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_the_terminal(text in "(\\PC|[ \n\t\u{1b}]){0,80}", width in 2_usize..100, hanging in 0_usize..8) {
            for line in wrapped(&text, width, hanging) {
                prop_assert!(display_width(&line) <= width, "{line:?}");
                prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            }
            prop_assert!(display_width(&cut(&text, width)) <= width);
        }
    }
}
