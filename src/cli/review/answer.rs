//! What somebody types below a panel.

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is put into use, perhaps under this name.
    Approve(Option<String>),
    /// It is put away, perhaps with this reason.
    Reject(Option<String>),
    Edit,
    Merge,
    Skip,
    /// All of it is shown.
    View,
    Quit,
}

impl Answer {
    /// What a line says: a letter or a word, and what belongs to it. Nothing where it says nothing that is known.
    pub fn read(line: &str) -> Option<Self> {
        let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let rest = Some(rest.trim().to_owned()).filter(|rest| !rest.is_empty());
        let answer = match (word.to_lowercase().as_str(), &rest) {
            ("a" | "approve" | "y" | "yes", _) => Self::Approve(rest),
            ("r" | "reject" | "n" | "no", _) => Self::Reject(rest),
            ("e" | "edit", None) => Self::Edit,
            ("m" | "merge", None) => Self::Merge,
            ("s" | "skip" | "later", None) => Self::Skip,
            ("v" | "view", None) => Self::View,
            ("q" | "quit" | "exit", None) => Self::Quit,
            _ => return None,
        };
        Some(answer)
    }
}

/// What can be answered, with what it does.
pub fn choices(merges_with: Option<&str>, can_edit: bool, can_view: bool) -> Vec<(char, String)> {
    let mut choices = vec![('a', "approve".to_owned()), ('r', "reject [why]".to_owned())];
    if can_edit {
        choices.push(('e', "edit".to_owned()));
    }
    if let Some(name) = merges_with {
        choices.push(('m', format!("merge with {name}")));
    }
    choices.push(('s', "skip".to_owned()));
    if can_view {
        choices.push(('v', "view all".to_owned()));
    }
    choices.push(('q', "quit".to_owned()));
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_words_are_read_and_nothing_else_decides() {
        for (line, answer) in [
            ("a", Answer::Approve(None)),
            (" Approve my_name \n", Answer::Approve(Some("my_name".to_owned()))),
            ("r it is too slow", Answer::Reject(Some("it is too slow".to_owned()))),
            ("REJECT", Answer::Reject(None)),
            ("e", Answer::Edit),
            ("merge", Answer::Merge),
            ("s", Answer::Skip),
            ("v", Answer::View),
            ("q", Answer::Quit),
        ] {
            assert_eq!(Answer::read(line), Some(answer), "{line:?}");
        }
        for line in ["", "  ", "ar", "approv", "s now", "m x", "1", "\u{1b}[A"] {
            assert_eq!(Answer::read(line), None, "{line:?}");
        }
    }
}
