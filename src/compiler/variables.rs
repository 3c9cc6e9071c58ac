//! Where the `{{variables}}` of a text are.
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
        if plain_from < open {
            pieces.push(Piece::Text(&text[plain_from..open]));
        }
        pieces.push(variable);
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
    between("{{", "}}").or_else(|| (braces == Braces::Any).then(|| between("{", "}")).flatten())
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

    proptest! {
        #[test]
        fn no_text_is_lost(text in "[a-z{}. \\n]{0,60}") {
            for braces in [Braces::Double, Braces::Any] {
                let rebuilt: String = pieces(&text, braces).iter().map(|piece| match piece {
                    Piece::Text(text) => *text,
                    Piece::Variable { raw, .. } => *raw,
                }).collect();
                prop_assert_eq!(&rebuilt, &text);
            }
        }
    }
}
