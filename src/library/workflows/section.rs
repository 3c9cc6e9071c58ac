//! Memories as a section of a prompt that is no longer than asked for.

/// Bytes that are taken for a token. An estimate: English text has about four characters per token in the vocabularies of
/// today's models, other languages and code have fewer.
const BYTES_PER_TOKEN: usize = 4;

/// Memories of one kind, the best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub heading: &'static str,
    /// Each as one piece of Markdown.
    pub items: Vec<String>,
}

/// Text for a prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// Markdown; empty when nothing fits.
    pub text: String,
    /// How many items are in it.
    pub count: usize,
    /// How many did not fit.
    pub left_out: usize,
}

/// How many tokens a text of so many bytes is taken for: a quarter of them, rounded up.
const fn tokens(bytes: usize) -> usize {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

impl Section {
    /// As many items as fit into `max_tokens`, best first, each whole or not at all. What is smaller may still fit after
    /// something that did not.
    #[must_use]
    pub fn of(groups: &[Group], max_tokens: usize) -> Self {
        let mut section = Self::default();
        for group in groups {
            let mut is_headed = false;
            for item in &group.items {
                let mut more = String::new();
                if !is_headed {
                    more.push_str(if section.text.is_empty() { "" } else { "\n" });
                    more.push_str(&format!("## {}\n", group.heading));
                }
                more.push_str(&format!("- {}\n", one_item(item)));
                if tokens(section.text.len() + more.len()) <= max_tokens {
                    section.text.push_str(&more);
                    section.count += 1;
                    is_headed = true;
                } else {
                    section.left_out += 1;
                }
            }
        }
        section
    }
}

/// Lines of an item that begin none of their own, whatever ends them: what was noted of a run may be anybody's text.
fn one_item(item: &str) -> String {
    const ENDS: [char; 7] = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    item.split(ENDS).map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n  ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_section_has_its_groups_in_turn() {
        let groups = [
            Group { heading: "Procedures", items: vec!["one".to_owned(), "two\n\nlines".to_owned()] },
            Group { heading: "Nothing", items: Vec::new() },
            Group { heading: "Outcomes", items: vec!["three".to_owned()] },
            Group { heading: "Others", items: vec!["a\r## b\r\nc\u{2028}d".to_owned()] },
        ];
        let section = Section::of(&groups, 100);
        assert_eq!(
            section.text,
            "## Procedures\n- one\n- two\n  lines\n\n## Outcomes\n- three\n\n## Others\n- a\n  ## b\n  c\n  d\n"
        );
        assert_eq!((section.count, section.left_out), (4, 0));
        let short = Section::of(&groups, 5);
        assert_eq!((short.text.as_str(), short.count, short.left_out), ("## Procedures\n- one\n", 1, 3));
        assert_eq!(Section::of(&groups, 1), Section { left_out: 4, ..Section::default() });
    }

    proptest! {
        #[test]
        fn no_section_is_too_long_and_no_item_is_cut(
            items in prop::collection::vec("[a-zé日]{1,40}", 0..10), most in 0usize..60,
        ) {
            let groups = [Group { heading: "All", items: items.clone() }];
            let section = Section::of(&groups, most);
            prop_assert!(tokens(section.text.len()) <= most);
            prop_assert_eq!(section.count + section.left_out, items.len());
            let shown: Vec<&str> = section.text.lines().filter_map(|line| line.strip_prefix("- ")).collect();
            prop_assert_eq!(shown.len(), section.count);
            let mut all = items.iter();
            prop_assert!(shown.iter().all(|item| all.any(|given| given == item)), "{}", section.text);
        }
    }
}
