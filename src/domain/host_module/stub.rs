//! Reading a stub: which functions and classes it declares, and what they take and give.
//!
//! It reads the part of Python that stubs of functions are written in, not all of it; a test of `host` compares what it
//! reads in ours with what a parser of Python does.

/// What marks a docstring; other quotes do not appear outside of signatures.
const DOCSTRING: &str = "\"\"\"";

/// A function or a class that a stub declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Definition {
    /// `def name(…) -> …:`
    Function(Signature),
    /// `class Name:`
    Class(Class),
}

/// How a function is called, and what it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// What it is called.
    pub name: &'static str,
    /// Its parameters that may be given by position, in their order.
    pub positional: Vec<&'static str>,
    /// Its parameters that are given by name only.
    pub keyword_only: Vec<&'static str>,
    /// The types of all its parameters, as they are written, in their order.
    pub types: Vec<&'static str>,
    /// The type of what it gives; empty where it is not said.
    pub result: &'static str,
    /// All of it as it is written, from the name to the end of the result.
    pub text: &'static str,
    /// Its docstring as it is written, without the quotes.
    pub documentation: &'static str,
}

/// A class of values that functions give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// What it is called.
    pub name: &'static str,
    /// Its fields as they are written: `name: type`.
    pub fields: Vec<&'static str>,
}

impl Signature {
    /// Its parameters with their types.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.positional.iter().chain(&self.keyword_only).copied().zip(self.types.iter().copied())
    }
}

impl Definition {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Function(signature) => signature.name,
            Self::Class(class) => class.name,
        }
    }
}

/// The definitions of a stub, in their order.
pub(super) fn read(stub: &'static str) -> Vec<Definition> {
    let mut definitions = Vec::new();
    let mut parts = stub.split(DOCSTRING);
    // Every second part is a docstring, which may have lines that look like code.
    while let Some(code) = parts.next() {
        let mut rest = code;
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            if let Some(text) = line.strip_prefix("class ") {
                let name = identifier(text);
                definitions.push(Definition::Class(Class { name, fields: Vec::new() }));
            } else if line.starts_with("def ") || line.starts_with("async def ") {
                definitions.extend(signature(rest).map(Definition::Function));
            } else if let Some(Definition::Class(class)) = definitions.last_mut() {
                class.fields.extend(field(line));
            }
            rest = after;
        }
        let docstring = parts.next();
        if let (Some(Definition::Function(signature)), Some(docstring)) = (definitions.last_mut(), docstring) {
            signature.documentation = docstring;
        }
    }
    definitions
}

/// A line of a class that declares a field.
fn field(line: &'static str) -> Option<&'static str> {
    let text = line.strip_prefix("    ")?;
    let name = identifier(text);
    let is_field = !name.is_empty() && text[name.len()..].trim_start().starts_with(':');
    is_field.then(|| text.trim_end())
}

/// The signature at the beginning of `text`, which may go on over several lines.
fn signature(text: &'static str) -> Option<Signature> {
    let text = text.strip_prefix("async ").unwrap_or(text).strip_prefix("def ")?;
    let name = identifier(text);
    let (before, rest) = text.split_once('(')?;
    let (parameters, rest) = split_at_first(rest, b')')?;
    let (result, _) = split_at_first(rest, b':')?;
    let end = before.len() + parameters.len() + result.len() + "()".len();
    let mut signature = Signature {
        name,
        positional: Vec::new(),
        keyword_only: Vec::new(),
        types: Vec::new(),
        result: result.trim().strip_prefix("->").unwrap_or_default().trim(),
        text: text[..end].trim_end(),
        documentation: "",
    };
    let (mut by_name_only, mut rest) = (false, Some(parameters));
    while let Some(parameters) = rest {
        let (parameter, after) =
            split_at_first(parameters, b',').map_or((parameters, None), |(one, rest)| (one, Some(rest)));
        let parameter = parameter.trim();
        match identifier(parameter) {
            // A star, or a name for what is left over, which is none that a call could give.
            "" => by_name_only |= parameter.starts_with('*'),
            name => {
                let names = if by_name_only { &mut signature.keyword_only } else { &mut signature.positional };
                names.push(name);
                signature.types.push(annotation(&parameter[name.len()..]));
            }
        }
        rest = after;
    }
    Some(signature)
}

/// The type in what follows the name of a parameter; empty if there is none.
fn annotation(text: &'static str) -> &'static str {
    let text = text.trim_start().strip_prefix(':').unwrap_or_default();
    split_at_first(text, b'=').map_or(text, |(annotation, _)| annotation).trim()
}

/// The name at the beginning of `text`; empty if there is none.
fn identifier(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
    &text[..end]
}

/// What is before and after the first `byte` that stands in no brackets and no quotes.
fn split_at_first(text: &'static str, byte: u8) -> Option<(&'static str, &'static str)> {
    let (mut depth, mut quote, mut is_escaped) = (0_usize, None, false);
    for (at, found) in text.bytes().enumerate() {
        match (quote, found) {
            _ if is_escaped => is_escaped = false,
            (Some(_), b'\\') => is_escaped = true,
            (Some(open), _) if open == found => quote = None,
            (None, _) if depth == 0 && found == byte => return Some((&text[..at], &text[at + 1..])),
            (None, b'"' | b'\'') => quote = Some(found),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(stub: &'static str) -> Signature {
        let Ok([Definition::Function(signature)]) = <[Definition; 1]>::try_from(read(stub)) else {
            panic!("{stub} is one function: {:?}", read(stub))
        };
        signature
    }

    #[test]
    fn parameters_are_told_apart_by_the_star() {
        let signature = one("def f(a, b: int = 1, *, c: str | None = None, d=2) -> int: ...\n");
        assert_eq!((signature.name, signature.result), ("f", "int"));
        assert_eq!(signature.positional, ["a", "b"]);
        assert_eq!(signature.keyword_only, ["c", "d"]);
        assert_eq!(signature.types, ["", "int", "str | None", ""]);
        assert_eq!(signature.text, "f(a, b: int = 1, *, c: str | None = None, d=2) -> int");
    }

    #[test]
    fn nothing_need_be_taken_or_given() {
        let signature = one("def f(): ...");
        assert_eq!((signature.positional.len(), signature.result, signature.text), (0, "", "f()"));
        assert_eq!(one("async def f(a, /) -> None:\n").positional, ["a"]);
        assert_eq!(one("def f(*rest, a, **more) -> None:\n").keyword_only, ["a"]);
    }

    #[test]
    fn lines_brackets_and_quotes_do_not_end_a_parameter() {
        let signature = one(
            "def f(\n    a: dict[str, list[int]],\n    b: tuple[int, ...] = (1, 2),\n    *,\n    c: str = \"x, y) -> \\\" : z\",\n    \
             d: str = '(',\n) -> dict[str, Callable[[int], str]]:\n    \"\"\"What it does.\"\"\"\n",
        );
        assert_eq!(signature.positional, ["a", "b"]);
        assert_eq!(signature.keyword_only, ["c", "d"]);
        assert_eq!(signature.types, ["dict[str, list[int]]", "tuple[int, ...]", "str", "str"]);
        assert_eq!(signature.result, "dict[str, Callable[[int], str]]");
        assert_eq!(signature.documentation, "What it does.");
    }

    #[test]
    fn classes_have_fields_and_docstrings_have_nothing() {
        let read = read(
            "\"\"\"About it.\n\ndef not_this(a): ...\n\"\"\"\nfrom typing import Any\n\nclass Answer(Base):\n    \"\"\"Text.\n\n    \
             neither: str\n    \"\"\"\n    text: str\n    fields: dict[str, Any] = {}\n    def method(\n        self,\n        \
             a: int,\n    ) -> str: ...\n\ndef g(a: int) -> Answer:\n    b: int\n",
        );
        assert_eq!(read.iter().map(Definition::name).collect::<Vec<_>>(), ["Answer", "g"]);
        let fields = vec!["text: str", "fields: dict[str, Any] = {}"];
        assert_eq!(read[0], Definition::Class(Class { name: "Answer", fields }));
    }

    #[test]
    fn what_is_cut_off_is_no_signature() {
        for stub in ["def f(a", "def f(a]", "def f(a) -> int", "def f"] {
            assert_eq!(read(stub), [], "{stub}");
        }
    }
}
