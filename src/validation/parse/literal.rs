//! Literals as JSON values.

use ruff_python_ast::{Expr, Number, UnaryOp};
use serde_json::{Map, Value};

/// Levels of lists that are looked into.
const MAX_LEVELS: usize = 12;

/// The value of a literal, where JSON has a form for it.
pub fn literal(expr: &Expr) -> Option<Value> {
    nested(expr, 0)
}

fn nested(expr: &Expr, level: usize) -> Option<Value> {
    if level > MAX_LEVELS {
        return None;
    }
    match expr {
        Expr::NoneLiteral(_) => Some(Value::Null),
        Expr::BooleanLiteral(literal) => Some(Value::Bool(literal.value)),
        Expr::StringLiteral(literal) => Some(Value::String(literal.value.to_str().to_owned())),
        Expr::NumberLiteral(literal) => number(&literal.value, ""),
        Expr::UnaryOp(operation) if operation.op == UnaryOp::USub => match &*operation.operand {
            Expr::NumberLiteral(literal) => number(&literal.value, "-"),
            _ => None,
        },
        Expr::List(list) => {
            list.elts.iter().map(|item| nested(item, level + 1)).collect::<Option<_>>().map(Value::Array)
        }
        Expr::Dict(dictionary) => {
            let entries = dictionary.items.iter().map(|item| {
                let key = item.key.as_ref()?.as_string_literal_expr()?.value.to_str().to_owned();
                Some((key, nested(&item.value, level + 1)?))
            });
            entries.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        _ => None,
    }
}

fn number(number: &Number, sign: &str) -> Option<Value> {
    let text = match number {
        Number::Int(whole) => whole.to_string(),
        Number::Float(float) => serde_json::Number::from_f64(*float)?.to_string(),
        Number::Complex { .. } => return None,
    };
    // Whole numbers in other notations are not JSON.
    serde_json::from_str(&format!("{sign}{text}")).ok()
}
