//! What the interpreter cannot compile, statement by statement and expression by expression.

use ruff_python_ast::{Comprehension, Expr, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::place::Place;
use crate::{
    domain::RuntimeKind,
    runtime::dialect::is_deletable,
    validation::{
        catalogue,
        issue::Severity,
        report::{Report, quote},
        rules,
    },
};

/// A statement.
pub fn statement(stmt: &Stmt, place: &Place<'_, '_>, report: &mut Report) {
    let at = stmt.start();
    match stmt {
        Stmt::ClassDef(definition) => class(definition, place, report),
        Stmt::Delete(delete) if !is_deletable(delete, place.code()) => {
            let target = delete.targets.first().map_or("del", |target| place.source(target));
            let message = format!(
                "`del` of {} does not work here: `del` takes items, slices, and names on a line of their own. Write it so, or assign a \
                 new value.",
                quote(target)
            );
            report.add(&rules::DELETE, at, message);
        }
        Stmt::TypeAlias(alias) => {
            let name = quote(place.source(&*alias.name));
            report.add(
                &rules::TYPE_ALIAS,
                at,
                format!("The interpreter has no `type` statement; assign the type to {name} with `=`."),
            );
        }
        Stmt::For(each) if each.is_async => {
            report.add(
                &rules::ASYNC_SYNTAX,
                at,
                "The interpreter has no `async for`; loop with `for` and `await` inside it.".into(),
            );
        }
        Stmt::With(with) if with.is_async => {
            report.add(
                &rules::ASYNC_SYNTAX,
                at,
                "The interpreter has no `async with`; use `with`, or `try` and `finally`.".into(),
            );
        }
        Stmt::Try(stmt) if stmt.is_star => {
            report.add(&rules::EXCEPTION_GROUP, at, "The interpreter has no `except*`; use `except`.".into());
        }
        // The interpreter takes it as the end of the script, other tools refuse it.
        Stmt::Return(_) if place.function().is_none() => {
            let message = "`return` stands outside a function; put the code into one.".into();
            let severity = if report.runtime() == RuntimeKind::Python { Severity::Error } else { Severity::Warning };
            report.add_as(&rules::MISPLACED, severity, Some(at), message);
        }
        Stmt::Break(_) | Stmt::Continue(_) if !place.around().is_loop => {
            let word = if stmt.is_break_stmt() { "break" } else { "continue" };
            report.add(&rules::MISPLACED, at, format!("`{word}` stands outside a loop; remove it."));
        }
        _ => {}
    }
}

fn class(class: &StmtClassDef, place: &Place<'_, '_>, report: &mut Report) {
    let name = class.name.as_str();
    if let Some(arguments) = class.arguments.as_ref().filter(|arguments| !arguments.is_empty()) {
        let base = arguments.args.first().map(|base| place.source(base));
        let instead = match base {
            Some(base) if base.ends_with("Error") || base.ends_with("Exception") => {
                "raise a builtin exception such as `ValueError` with a message instead"
            }
            Some("object") => "leave out the base",
            Some("Enum" | "enum.Enum" | "IntEnum" | "StrEnum") => "use constants or a dictionary instead",
            Some("NamedTuple" | "typing.NamedTuple" | "TypedDict") => "use `dataclasses.dataclass` instead",
            _ => "write a plain class that holds the other as an attribute",
        };
        let message =
            format!("The interpreter has no inheritance and no metaclasses, which class `{name}` uses; {instead}.");
        report.add(&rules::INHERITANCE, class.start(), message);
    }
    for stmt in &class.body {
        match stmt {
            Stmt::FunctionDef(method) => self::method(name, method, place, report),
            Stmt::Assign(assign) if matches!(assign.targets.as_slice(), [Expr::Name(_)]) => {}
            Stmt::AnnAssign(assign) if assign.target.is_name_expr() || assign.value.is_none() => {}
            Stmt::Pass(_) => {}
            Stmt::Expr(stmt) if stmt.value.is_string_literal_expr() || stmt.value.is_ellipsis_literal_expr() => {}
            other => {
                let message = format!(
                    "The body of class `{name}` may hold methods and `name = value` only; move this into a method or out of the class."
                );
                report.add(&rules::CLASS_BODY, other.start(), message);
            }
        }
    }
}

fn method(class: &str, method: &StmtFunctionDef, place: &Place<'_, '_>, report: &mut Report) {
    let name = method.name.as_str();
    if let Some(decorator) = method.decorator_list.first() {
        let decorated = quote(place.source(&decorator.expression));
        let instead = match place.source(&decorator.expression) {
            "property" | "cached_property" | "functools.cached_property" => "make it a plain method and call it",
            "staticmethod" | "classmethod" => "make it a function outside the class",
            _ => "leave out the decorator",
        };
        let message =
            format!("The interpreter can't decorate methods, and `{class}.{name}` has {decorated}; {instead}.");
        report.add(&rules::METHOD_DECORATOR, decorator.start(), message);
    }
    if catalogue::IGNORED_METHODS.contains(&name) {
        let message =
            format!("The interpreter never calls `{class}.{name}`; write a method with a plain name and call it.");
        report.add(&rules::IGNORED_METHOD, method.name.start(), message);
    }
}

/// An expression.
pub fn expression(expr: &Expr, place: &Place<'_, '_>, report: &mut Report) {
    let at = expr.start();
    match expr {
        Expr::Yield(_) | Expr::YieldFrom(_) => {
            let function = place.function().map_or_else(String::new, |name| format!(" and `{name}` is one"));
            let message = format!(
                "The interpreter has no generator functions (`yield`){function}; collect the values in a list and return it."
            );
            report.add(&rules::GENERATOR, at, message);
        }
        Expr::TString(_) => {
            report.add(
                &rules::TEMPLATE_STRING,
                at,
                "The interpreter has no template strings (`t\"…\"`); use an f-string.".into(),
            );
        }
        Expr::ListComp(list) => comprehension(&list.generators, report),
        Expr::SetComp(set) => comprehension(&set.generators, report),
        Expr::DictComp(dict) => comprehension(&dict.generators, report),
        Expr::Generator(generator) => comprehension(&generator.generators, report),
        _ => {}
    }
}

fn comprehension(generators: &[Comprehension], report: &mut Report) {
    if let Some(generator) = generators.iter().find(|generator| generator.is_async) {
        let message =
            "The interpreter has no asynchronous comprehensions (`async for`); use a `for` loop with `await`.".into();
        report.add(&rules::ASYNC_SYNTAX, generator.start(), message);
    }
}
