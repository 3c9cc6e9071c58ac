//! What the handlers of a `try` do about which failures.

use ruff_python_ast::{ExceptHandler, Expr, Stmt};

use super::place::Place;

/// Exceptions that no call of the host, of a file or of a parser raises.
const UNRELATED: [&str; 12] = [
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "ImportError",
    "IndexError",
    "KeyError",
    "LookupError",
    "ModuleNotFoundError",
    "NameError",
    "OverflowError",
    "StopIteration",
    "ZeroDivisionError",
];

/// Exceptions with which a failing import is caught.
const OF_IMPORTS: [&str; 4] = ["ImportError", "ModuleNotFoundError", "Exception", "BaseException"];

/// Whether a handler is more than a lid on every failure: it names what it expects, or does something.
pub fn does_something(handler: &ExceptHandler) -> bool {
    let ExceptHandler::ExceptHandler(inner) = handler;
    let is_narrow = match inner.type_.as_deref() {
        None => false,
        Some(Expr::Name(name)) => !matches!(name.id.as_str(), "Exception" | "BaseException"),
        Some(_) => true,
    };
    is_narrow || !inner.body.iter().all(is_nothing)
}

/// `pass`, `...`, `continue` and texts that stand alone.
pub fn is_nothing(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Pass(_) | Stmt::Continue(_) => true,
        Stmt::Expr(stmt) => stmt.value.is_string_literal_expr() || stmt.value.is_ellipsis_literal_expr(),
        _ => false,
    }
}

/// Whether a handler does something about the failure of a call, not only about mistakes in the code itself.
pub(super) fn handles_failures(handler: &ExceptHandler, place: &Place<'_, '_>) -> bool {
    let ExceptHandler::ExceptHandler(inner) = handler;
    let kinds = inner.type_.as_ref().map(|kind| place.meanings(kind)).unwrap_or_default();
    let is_unrelated = |kind: &String| kind.strip_prefix("builtins.").is_some_and(|name| UNRELATED.contains(&name));
    does_something(handler) && (kinds.is_empty() || !kinds.iter().all(is_unrelated))
}

/// Whether a handler catches a failing import.
pub(super) fn catches_imports(handler: &ExceptHandler, place: &Place<'_, '_>) -> bool {
    let ExceptHandler::ExceptHandler(inner) = handler;
    let Some(kind) = &inner.type_ else { return true };
    let is_of_imports = |kind: &String| kind.strip_prefix("builtins.").is_some_and(|name| OF_IMPORTS.contains(&name));
    place.meanings(kind).iter().any(is_of_imports)
}
