//! Texts of a form that people have a word for.

use jiff::civil::Date;
use url::Url;

/// Longest path that systems take.
const MAX_PATH_BYTES: usize = 4096;

/// What a text has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The path of a file or directory. Whether there is one is for whoever opens it, within what it was granted.
    Path,
    /// An address with its scheme.
    Url,
    /// A day as ISO 8601 has it.
    Date,
}

impl Format {
    /// Whether `text` is of this form.
    #[must_use]
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Path => !text.trim().is_empty() && text.len() <= MAX_PATH_BYTES && !text.contains('\0'),
            // Windows' `C:\temp` has something that looks like a scheme.
            Self::Url => Url::parse(text).is_ok_and(|url| url.scheme().len() > 1),
            Self::Date => text.len() == 10 && text.parse::<Date>().is_ok(),
        }
    }

    /// What it is called in a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Path => "a path",
            Self::Url => "a URL such as `https://example.org/page`",
            Self::Date => "a date such as `2026-03-31`",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_takes_what_its_word_says() {
        for (format, good, bad) in [
            (Format::Path, &["notes.md", "../a b/c", "C:\\temp", "größe"][..], &["", "  ", "a\0b"][..]),
            (
                Format::Url,
                &["https://example.org", "file:///tmp/a", "mailto:a@example.org"],
                &["example.org", "", "C:\\temp"],
            ),
            (
                Format::Date,
                &["2026-03-31", "2024-02-29"],
                &["2026-02-29", "31.03.2026", "2026-3-1", "2026-03-31T00:00", ""],
            ),
        ] {
            for text in good {
                assert!(format.accepts(text), "{text:?} is {}", format.name());
            }
            for text in bad {
                assert!(!format.accepts(text), "{text:?} is not {}", format.name());
            }
        }
    }
}
