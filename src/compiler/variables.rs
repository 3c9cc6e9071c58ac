//! Where the `{{variables}}` of a text are.
//!
//! A backslash in front of one makes it plain text: `\{name}` is `{name}`, `$\{HOME}` is `${HOME}`. Two of them are a
//! backslash, and the variable. Anywhere else a backslash is itself.
//!
//! Whether one means something is decided by the [`Scope`](super::scope::Scope) in which the text stands.

use super::python::is_identifier;

/// Longest text between braces that is looked at, in bytes.
const MAX_BYTES: usize = 400;

/// A text cut at its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Plain text.
    Text(&'t str),
    /// Backslashes in front of a variable, and the variable where they make it plain.
    Escaped {
        /// As it is written.
        raw: &'t str,
        /// What is meant.
        text: &'t str,
    },
    /// What may be a variable.
    Variable {
        /// As it is written, braces included.
        raw: &'t str,
        name: &'t str,
        /// `b` and `c` of `{{a.b.c}}`.
        fields: Vec<&'t str>,
    },
}

/// Which braces make a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Braces {
    /// `{{name}}`.
    Double,
    /// `{{name}}` and `{name}`, as in the configurations of typed actions.
    Any,
    /// The same, in what may be for other programs: not `${name}`, `%{name}`, `@{name}` and `#{name}`.
    Marked,
}

/// Cuts `text` at its variables. Braces around anything but a name, keys and numbers with dots between are plain text.
pub fn pieces(text: &str, braces: Braces) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain_from = 0;
    let mut search_from = 0;
    while let Some(open) = text[search_from..].find('{').map(|at| at + search_from) {
        let Some((end, variable)) = variable_at(text, open, braces) else {
            search_from = open + 1;
            continue;
        };
        let backslashes = text[plain_from..open].bytes().rev().take_while(|byte| *byte == b'\\').count();
        let (from, kept) = (open - backslashes, open - backslashes / 2);
        if plain_from < from {
            pieces.push(Piece::Text(&text[plain_from..from]));
        }
        let is_plain = backslashes % 2 == 1;
        let to = if is_plain { end } else { open };
        if backslashes > 0 {
            pieces.push(Piece::Escaped { raw: &text[from..to], text: &text[kept..to] });
        }
        if !is_plain {
            pieces.push(variable);
        }
        plain_from = end;
        search_from = end;
    }
    if plain_from < text.len() {
        pieces.push(Piece::Text(&text[plain_from..]));
    }
    pieces
}

/// The variable whose braces open at `open`, and where it ends.
fn variable_at(text: &str, open: usize, braces: Braces) -> Option<(usize, Piece<'_>)> {
    let between = |opening: &str, closing: &str| {
        let inner = text[open..].strip_prefix(opening)?;
        let length = inner.bytes().take(MAX_BYTES).position(|byte| byte == b'}')?;
        let mut path = inner[..length].trim().split('.');
        let (name, fields) = (path.next()?, path.collect::<Vec<_>>());
        let end = open + opening.len() + length + closing.len();
        let is_path = is_identifier(name) && fields.iter().all(|field| is_field(field));
        let is_closed = inner[length..].starts_with(closing);
        (is_path && is_closed).then(|| (end, Piece::Variable { raw: &text[open..end], name, fields }))
    };
    let is_foreign = || text[..open].ends_with(['$', '%', '@', '#']);
    let has_single = match braces {
        Braces::Double => false,
        Braces::Any => true,
        Braces::Marked => !is_foreign(),
    };
    between("{{", "}}").or_else(|| has_single.then(|| between("{", "}")).flatten())
}

/// A key of an object, or the place of an item in a list.
fn is_field(text: &str) -> bool {
    is_identifier(text) || (!text.is_empty() && text.len() < 9 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `a|<name>|b`
    fn shown(text: &str, braces: Braces) -> String {
        let pieces = pieces(text, braces).into_iter().map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Escaped { text, .. } => format!("\"{text}\""),
            Piece::Variable { name, fields, .. } => format!("<{}>", [&[name], &fields[..]].concat().join("/")),
        });
        pieces.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn variables_are_found_among_other_braces() {
        assert_eq!(shown("a {{ b }} {{not this}} {c} {{d}}", Braces::Double), "a |<b>| {{not this}} {c} |<d>");
        assert_eq!(shown("{{{{x}}", Braces::Double), "{{|<x>");
        assert_eq!(shown("{{{x}}}", Braces::Double), "{|<x>|}");
        assert_eq!(shown("{{open", Braces::Double), "{{open");
        assert_eq!(shown("{{trigger.date}} {{.Values}} {{a.}}", Braces::Double), "<trigger/date>| {{.Values}} {{a.}}");
        assert_eq!(shown("{{a.0.b}} {{0.a}} {{a.0x}}", Braces::Double), "<a/0/b>| {{0.a}} {{a.0x}}");
    }

    #[test]
    fn single_braces_count_in_typed_actions() {
        assert_eq!(shown("{a}: {{b}} {c:.2f} {} {d.e}", Braces::Any), "<a>|: |<b>| {c:.2f} {} |<d/e>");
        assert_eq!(shown("{{{x}}}", Braces::Any), "{|<x>|}");
    }

    #[test]
    fn what_other_programs_mark_is_theirs() {
        assert_eq!(
            shown("{a} ${b} %{c} @{d} #{e} {{f}} ${{g}} {h i}", Braces::Marked),
            "<a>| ${b} %{c} @{d} #{e} |<f>| $|<g>| {h i}"
        );
    }

    #[test]
    fn a_backslash_makes_a_variable_plain_text() {
        for (text, wanted) in [
            (r"\{name} {name}", r#""{name}"| |<name>"#),
            (r"$\{HOME}/bin", r#"$|"{HOME}"|/bin"#),
            (r"\{{name}}", r#""{{name}}""#),
            (r"C:\\{name}", r#"C:|"\"|<name>"#),
            (r"\\\{name}", r#""\{name}""#),
            (r"\{not one} \d \{} \", r"\{not one} \d \{} \"),
        ] {
            assert_eq!(shown(text, Braces::Any), wanted, "{text}");
        }
        assert_eq!(shown(r"\{name} \{{name}}", Braces::Double), r#"\{name} |"{{name}}""#);
    }

    proptest! {
        #[test]
        fn no_text_is_lost(text in "[a-z{}. \\n\\\\]{0,60}") {
            for braces in [Braces::Double, Braces::Any, Braces::Marked] {
                let rebuilt: String = pieces(&text, braces).iter().map(|piece| match piece {
                    Piece::Text(text) => *text,
                    Piece::Escaped { raw, .. } | Piece::Variable { raw, .. } => *raw,
                }).collect();
                prop_assert_eq!(&rebuilt, &text);
            }
        }
    }
}
