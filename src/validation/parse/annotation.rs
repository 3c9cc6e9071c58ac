//! Parameter annotations, as far as a JSON value can be read as what they say.
//!
//! Annotations are read from the syntax tree only; what is not understood accepts everything, because refusing a value
//! that the code could have taken is worse than letting the code refuse it.

use std::fmt;

use ruff_python_ast::{Expr, Operator};
use ruff_python_parser::parse_expression;
use ruff_text_size::Ranged;
use serde_json::Value;

use super::{guard, literal::literal};
use crate::domain::reading::{self, Misfit, Shape};

/// Levels of `list[list[…]]` that are looked into.
const MAX_LEVELS: usize = 12;

/// An annotation: its Python text and what values it admits.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    text: String,
    shape: Shape,
}

impl Annotation {
    /// Reads an annotation; `source` is the text that `expr` was parsed from.
    #[must_use]
    pub fn read(expr: &Expr, source: &str) -> Self {
        let text = source.get(expr.start().to_usize()..expr.end().to_usize()).unwrap_or_default();
        // A quoted annotation reads like the code inside the quotes.
        let text = expr.as_string_literal_expr().map_or(text, |literal| literal.value.to_str());
        Self { text: text.split_whitespace().collect::<Vec<_>>().join(" "), shape: shape(expr, 0) }
    }

    /// The same annotation that also admits `None`, as a default of `None` implies.
    #[must_use]
    pub(super) fn or_none(self) -> Self {
        Self { shape: Shape::OneOf(vec![self.shape, Shape::Null]), ..self }
    }

    /// Whether a JSON value may be passed for it.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        reading::accepts(&self.shape, value)
    }

    /// A JSON value as what the annotation says, where it can mean that.
    ///
    /// # Errors
    /// [`Misfit`] where it can't.
    pub fn fit(&self, value: Value) -> Result<Value, Misfit> {
        reading::fit(value, &self.shape)
    }

    /// What it says, in JSON's terms.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn shape(expr: &Expr, level: usize) -> Shape {
    if level > MAX_LEVELS {
        return Shape::Anything;
    }
    match expr {
        Expr::NoneLiteral(_) => Shape::Null,
        Expr::Name(_) | Expr::Attribute(_) => named(last_name(expr)),
        Expr::Subscript(subscript) => generic(last_name(&subscript.value), &subscript.slice, level + 1),
        Expr::BinOp(operation) if operation.op == Operator::BitOr => {
            Shape::OneOf(vec![shape(&operation.left, level + 1), shape(&operation.right, level + 1)])
        }
        Expr::StringLiteral(literal) => {
            let text = literal.value.to_str();
            match guard::check(text).ok().and_then(|()| parse_expression(text).ok()) {
                Some(parsed) => shape(&parsed.syntax().body, level + 1),
                None => Shape::Anything,
            }
        }
        _ => Shape::Anything,
    }
}

fn named(name: &str) -> Shape {
    match name {
        "str" => Shape::Text,
        "int" => Shape::WHOLE,
        "float" => Shape::Number,
        "bool" => Shape::Truth,
        "list" | "List" | "tuple" | "Tuple" | "set" | "Set" | "frozenset" | "FrozenSet" | "Sequence" => {
            Shape::list(Shape::Anything)
        }
        "dict" | "Dict" | "Mapping" => Shape::Map(Box::new(Shape::Anything)),
        _ => Shape::Anything,
    }
}

fn generic(name: &str, slice: &Expr, level: usize) -> Shape {
    let arguments: Vec<&Expr> = match slice {
        Expr::Tuple(tuple) => tuple.elts.iter().collect(),
        other => vec![other],
    };
    let argument = |index: usize| arguments.get(index).map_or(Shape::Anything, |expr| shape(expr, level));
    match name {
        "list" | "List" | "set" | "Set" | "frozenset" | "FrozenSet" | "Sequence" | "Iterable" => {
            Shape::list(argument(0))
        }
        "tuple" | "Tuple" => match arguments.as_slice() {
            [_, Expr::EllipsisLiteral(_)] => Shape::list(argument(0)),
            _ => Shape::Tuple(arguments.iter().map(|expr| shape(expr, level)).collect()),
        },
        "dict" | "Dict" | "Mapping" => Shape::Map(Box::new(argument(1))),
        "Optional" => Shape::OneOf(vec![argument(0), Shape::Null]),
        "Union" => Shape::OneOf(arguments.iter().map(|expr| shape(expr, level)).collect()),
        "Annotated" | "Final" => argument(0),
        "Literal" => {
            let values: Option<Vec<Value>> = arguments.iter().map(|expr| literal(expr)).collect();
            values.map_or(Shape::Anything, Shape::Literal)
        }
        _ => Shape::Anything,
    }
}

/// `x` of `x` and of `a.b.x`.
fn last_name(expr: &Expr) -> &str {
    match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn annotation(text: &str) -> Annotation {
        Annotation::read(&parse_expression(text).unwrap().syntax().body, text)
    }

    #[test]
    fn values_are_checked_the_way_python_means_them() {
        let accepted = [
            ("str", json!("a")),
            ("int", json!(3)),
            ("float", json!(3)),
            ("float", json!(0.5)),
            ("None", json!(null)),
            ("Any", json!([1])),
            ("object", json!({})),
            ("list", json!([1, "a"])),
            ("list[str]", json!(["a"])),
            ("set[int]", json!([1])),
            ("tuple[int, ...]", json!([1, 2, 3])),
            ("tuple[int, str]", json!([1, "a"])),
            ("dict[str, list[int]]", json!({"a": [1]})),
            ("Optional[str]", json!(null)),
            ("typing.Optional[str]", json!("a")),
            ("int | None", json!(null)),
            ("Literal['a', -2, None]", json!(-2)),
            ("'list[str]'", json!(["a"])),
            ("SomeClass", json!({"x": 1})),
        ];
        for (text, value) in accepted {
            assert!(annotation(text).accepts(&value), "{text} {value}");
        }
        let refused = [
            ("str", json!(1)),
            ("int", json!(true)),
            ("int", json!(1.5)),
            ("float", json!(false)),
            ("bool", json!(1)),
            ("list[str]", json!([1])),
            ("tuple[int, str]", json!([1])),
            ("dict[str, int]", json!({"a": "b"})),
            ("int | str", json!(null)),
            ("Literal['a']", json!("b")),
            ("'int'", json!("1")),
        ];
        for (text, value) in refused {
            assert!(!annotation(text).accepts(&value), "{text} {value}");
        }
    }

    #[test]
    fn an_annotation_shows_its_python_text() {
        assert_eq!(annotation("dict[str,\n  int]").to_string(), "dict[str, int]");
        assert_eq!(annotation("'list[str]'").to_string(), "list[str]");
    }
}
