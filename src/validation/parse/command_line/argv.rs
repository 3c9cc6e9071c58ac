//! Places of `sys.argv`: which are looked at, and what they are called.

use ruff_python_ast::{CmpOp, Expr};

use super::argument::{CommandArgument, Form};
use crate::{domain::ParameterType, validation::parse::literal::literal};

/// The last part of a dotted name.
pub fn last_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

/// The number in `sys.argv[n]`.
pub fn place_in(expr: &Expr) -> Option<usize> {
    let subscript = expr.as_subscript_expr()?;
    is_argv(&subscript.value).then_some(())?;
    usize::try_from(literal(&subscript.slice)?.as_u64()?).ok()
}

fn is_argv(expr: &Expr) -> bool {
    last_name(expr) == Some("argv")
}

/// The place that a value is made of: `Path(sys.argv[1])`, `sys.argv[2] if … else …`.
pub fn place_within(expr: &Expr) -> Option<(usize, bool)> {
    match expr {
        Expr::If(choice) => place_within(&choice.body).map(|(index, _)| (index, true)),
        Expr::Call(call) => {
            let inner = call.arguments.args.iter().find_map(place_within);
            inner.or_else(|| call.func.as_attribute_expr().and_then(|attribute| place_within(&attribute.value)))
        }
        _ => place_in(expr).map(|index| (index, false)),
    }
}

/// Whether a condition asks for more words than there have to be: `len(sys.argv) > 2`.
pub fn asks_for_length(test: &Expr) -> bool {
    let Expr::Compare(compare) = test else { return false };
    let left = compare.operands.first().and_then(Expr::as_call_expr);
    let is_length = left
        .is_some_and(|call| last_name(&call.func) == Some("len") && call.arguments.args.first().is_some_and(is_argv));
    is_length && matches!(&*compare.ops, [CmpOp::Gt | CmpOp::GtE | CmpOp::Eq])
}

pub fn by_place(places: &[(usize, Option<String>)], optional: Option<usize>) -> Vec<CommandArgument> {
    let most = places.iter().map(|(index, _)| *index).max().unwrap_or_default();
    let argument = |index: usize| {
        let name = places.iter().find(|(there, _)| *there == index).and_then(|(_, name)| name.clone());
        CommandArgument {
            name: name.unwrap_or_else(|| format!("argument_{index}")),
            form: Form::Place,
            flag: None,
            kind: ParameterType::String,
            is_many: false,
            is_repeated: false,
            is_required: optional.is_none_or(|first| index < first),
            default: None,
            choices: Vec::new(),
            help: None,
        }
    };
    (1..=most).map(argument).collect()
}
