//! Errors that know the next step, kept apart from what happened.
//!
//! An error's `Display` says what happened, and with which value. What to do about it is its hint: the command line gives
//! it a line of its own, an answer of a tool has both in one text.

use std::{borrow::Cow, fmt::Display};

/// An error that may know what to do about it.
pub trait Hinted: Display {
    /// The next step, without a full stop.
    fn hint(&self) -> Option<Cow<'_, str>>;

    /// What happened and what to do about it, in one text.
    fn in_full(&self) -> String {
        match self.hint() {
            None => self.to_string(),
            // A hint that is written as a sentence stays one.
            Some(hint) if hint.starts_with(char::is_uppercase) => format!("{self}. {hint}"),
            Some(hint) => format!("{self}; {hint}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    struct Failed(Option<&'static str>);

    impl Display for Failed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("`x` failed")
        }
    }

    impl Hinted for Failed {
        fn hint(&self) -> Option<Cow<'_, str>> {
            self.0.map(Cow::from)
        }
    }

    #[test]
    fn what_happened_and_what_to_do_make_one_text() {
        for (hint, text) in [
            (None, "`x` failed"),
            (Some("try again"), "`x` failed; try again"),
            (Some("`y` does it"), "`x` failed; `y` does it"),
            (Some("Restart it"), "`x` failed. Restart it"),
        ] {
            assert_eq!(Failed(hint).in_full(), text);
        }
    }
}
