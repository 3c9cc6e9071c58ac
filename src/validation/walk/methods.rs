//! Calls of methods that no object of the interpreter has.

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::Ranged;

use super::place::Place;
use crate::validation::{catalogue, report::Report, rules, scopes::scope::Kind};

/// A call of a method that no object of the interpreter has, unless a class of the code's own does.
pub fn in_call(call: &ExprCall, place: &Place<'_, '_>, report: &mut Report) {
    let Expr::Attribute(attribute) = &*call.func else { return };
    let name = attribute.attr.as_str();
    let Some(instead) = catalogue::missing_method(name) else { return };
    let is_own = place.scopes().all.iter().any(|scope| scope.kind == Kind::Class && scope.names.contains_key(name));
    if !is_own {
        let message = format!("`{name}` is missing in the interpreter and raises `AttributeError`; {instead}.");
        report.add(&rules::MISSING_METHOD, attribute.attr.start(), message);
    }
}
