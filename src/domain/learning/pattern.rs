//! Which outcomes are alike.
//!
//! Two successes are alike when they are of the same workflow and took the same nodes in the same order on every branch;
//! two failures, when they are of the same workflow, came to the same node last, and have the same error after what
//! differs from run to run was masked. Masking variable parts before texts are compared is the preprocessing of the log
//! parser Drain (He, Zhu, Zheng, Lyu: An Online Log Parsing Approach with Fixed Depth Tree, ICWS 2017); the tree that it
//! builds afterwards is not needed here. There is no measure of likeness: two texts are the same or they are not.

use serde_json::json;

use super::{Ended, Trace};

/// Of a message; what comes later is detail.
const MAX_SIGNATURE_CHARS: usize = 200;
/// Letters and digits that are this many, digits among them, are an id.
const SHORTEST_ID: usize = 8;
const QUOTES: [char; 3] = ['"', '\'', '`'];

/// The same text for outcomes that are alike. `None` where a run left nothing to compare.
#[must_use]
pub fn of(workflow_id: &str, ended: Ended, trace: &Trace, error: Option<&str>) -> Option<String> {
    match ended {
        Ended::Success => {
            let is_telling = !trace.path.is_empty();
            is_telling.then(|| json!([workflow_id, "success", trace.path]).to_string())
        }
        Ended::Failure => {
            let signature = error.map(signature).unwrap_or_default();
            let is_telling = trace.last_node.is_some() || !signature.is_empty();
            is_telling.then(|| json!([workflow_id, "failure", trace.last_node, signature]).to_string())
        }
    }
}

/// An error message without what differs from run to run: quoted values, addresses, paths, ids and numbers.
#[must_use]
pub fn signature(message: &str) -> String {
    let unquoted = mask_quoted(message);
    let words: Vec<String> = unquoted.split_whitespace().map(mask_word).collect();
    words.join(" ").chars().take(MAX_SIGNATURE_CHARS).collect()
}

/// Replaces what stands in quotes. An apostrophe within a word opens nothing, nor does a quote that is never closed.
fn mask_quoted(message: &str) -> String {
    let mut masked = String::with_capacity(message.len());
    let mut rest = message;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let inner = &rest[first.len_utf8()..];
        let closed = if QUOTES.contains(&first) && !before.is_alphanumeric() { inner.find(first) } else { None };
        if let Some(end) = closed {
            masked.push_str("<value>");
            rest = &inner[end + first.len_utf8()..];
        } else {
            masked.push(first);
            rest = inner;
        }
        before = first;
    }
    masked
}

/// Replaces a word that is an address, a path or an id, and the numbers of any other.
fn mask_word(word: &str) -> String {
    const AROUND: [char; 11] = [',', '.', ';', ':', '!', '?', '(', ')', '[', ']', '='];
    let core = word.trim_matches(AROUND);
    let masked = if core.contains("://") {
        Some("<url>")
    } else if is_path(core) {
        Some("<path>")
    } else if is_id(core) {
        Some("<id>")
    } else {
        None
    };
    match masked {
        Some(masked) => {
            let start = word.len() - word.trim_start_matches(AROUND).len();
            format!("{}{masked}{}", &word[..start], &word[start + core.len()..])
        }
        None => mask_numbers(word),
    }
}

fn is_path(word: &str) -> bool {
    let separators = word.chars().filter(|c| matches!(c, '/' | '\\')).count();
    separators > 1 || (separators == 1 && (word.starts_with(['/', '.', '~', '\\']) || word.contains('.')))
}

/// A UUID, a hash, a hexadecimal address, or another name that a machine gave.
fn is_id(word: &str) -> bool {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let has_digit = digits.chars().any(|c| c.is_ascii_digit());
    let is_hexadecimal = digits.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let has_letter = digits.chars().any(|c| c.is_ascii_alphabetic());
    has_digit && is_hexadecimal && (digits.len() < word.len() || (has_letter && digits.len() >= SHORTEST_ID))
}

fn mask_numbers(word: &str) -> String {
    let mut masked = String::with_capacity(word.len());
    let mut characters = word.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_ascii_digit() {
            masked.push(character);
            continue;
        }
        masked.push_str("<n>");
        let mut ahead = characters.clone();
        // `1.5` and `1,000` are one number; the dot that ends a sentence is not part of it.
        while let Some(next) = ahead.next() {
            let goes_on = next.is_ascii_digit()
                || (matches!(next, '.' | ',' | '_') && ahead.peek().is_some_and(char::is_ascii_digit));
            if !goes_on {
                break;
            }
            characters = ahead.clone();
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_masked() {
        for (message, wanted) in [
            ("connect to 10.0.0.7:5432 failed after 1,500 ms.", "connect to <n>:<n> failed after <n> ms."),
            ("no such file: /var/lib/x-7/a.txt", "no such file: <path>"),
            ("can't open 'C:\\x y' (code 5)", "can't open <value> (code <n>)"),
            ("job 0192f5e0-7a1b-7c3d-9e4f-001122334455 died", "job <id> died"),
            ("at 0xdeadbeef01: bad", "at <id>: bad"),
            ("GET https://a.b/c?d=1 gave 503", "GET <url> gave <n>"),
            ("KeyError: \"user 7\"", "KeyError: <value>"),
            ("  a\n\tb  ", "a b"),
            ("it's what they don't say", "it's what they don't say"),
            ("and/or either", "and/or either"),
            ("deadline exceeded", "deadline exceeded"),
        ] {
            assert_eq!(signature(message), wanted);
        }
    }

    fn trace(nodes: &[&str]) -> Trace {
        let mut trace = Trace { last_node: nodes.last().map(ToString::to_string), ..Trace::default() };
        nodes.iter().for_each(|node| trace.path.push(None, node));
        trace
    }

    #[test]
    fn alike_means_the_same_workflow_and_the_same_way_or_error() {
        let success = |workflow, nodes| of(workflow, Ended::Success, &trace(nodes), None);
        assert_eq!(success("w", &["a", "b"]), success("w", &["a", "b"]));
        assert_ne!(success("w", &["a", "b"]), success("w", &["b", "a"]));
        assert_ne!(success("w", &["a", "b"]), success("v", &["a", "b"]));
        assert_eq!(success("w", &[]), None, "a success without a node says nothing");
        let failure = |nodes, error| of("w", Ended::Failure, &trace(nodes), error);
        assert_eq!(failure(&["a", "b"], Some("took 7 s")), failure(&["x", "b"], Some("took 12 s")));
        assert_ne!(failure(&["a"], Some("took 7 s")), failure(&["b"], Some("took 7 s")));
        assert_ne!(failure(&["a"], Some("took 7 s")), failure(&["a"], Some("gave up")));
        assert!(failure(&["a"], None).is_some() && failure(&[], Some("x")).is_some());
        assert_eq!(failure(&[], None), None);
        assert_eq!(failure(&[], Some(" ")), None);
    }

    proptest! {
        #[test]
        fn any_message_has_one_signature(message in "[a-z0-9'\"`/\\\\.,:= é日\n-]{0,80}") {
            let once = signature(&message);
            prop_assert!(once.chars().count() <= MAX_SIGNATURE_CHARS);
            prop_assert!(!once.chars().any(|c| c.is_ascii_digit()), "{once}");
        }

        #[test]
        fn numbers_never_tell_errors_apart(text in "[a-z ]{0,30}", a in 0u32.., b in 0u32..) {
            prop_assert_eq!(signature(&format!("{text} {a} of")), signature(&format!("{text} {b} of")));
        }
    }
}
