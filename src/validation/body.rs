//! Habits that show in a body of statements: unreachable code, swallowed exceptions, mutable defaults, unused parameters.
//!
//! Needs no name resolution; issues only, no verdicts.

use std::collections::HashSet;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{ExceptHandler, Expr, Parameters, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::report::Report;
use super::rules;

/// Reports the habits in a module's body.
pub(super) fn check(body: &[Stmt], report: &mut Report) {
    let mut checker = BodyChecker { report, in_class: false };
    checker.visit_body(body);
}

/// Whether an exception handler is more than a lid on every failure: it names what it expects, or does something.
pub(super) fn does_something(handler: &ExceptHandler) -> bool {
    let ExceptHandler::ExceptHandler(inner) = handler;
    let is_narrow = match inner.type_.as_deref() {
        None => false,
        Some(Expr::Name(name)) => !matches!(name.id.as_str(), "Exception" | "BaseException"),
        Some(_) => true,
    };
    is_narrow || !inner.body.iter().all(is_nothing)
}

/// `pass`, `...`, `continue` and texts that stand alone.
fn is_nothing(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Pass(_) | Stmt::Continue(_) => true,
        Stmt::Expr(stmt) => stmt.value.is_string_literal_expr() || stmt.value.is_ellipsis_literal_expr(),
        _ => false,
    }
}

struct BodyChecker<'r> {
    report: &'r mut Report,
    in_class: bool,
}

impl BodyChecker<'_> {
    fn check_defaults(&mut self, parameters: &Parameters) {
        for parameter in parameters.iter_non_variadic_params() {
            let Some(default) = parameter.default.as_deref() else { continue };
            let is_mutable = match default {
                Expr::List(_)
                | Expr::Dict(_)
                | Expr::Set(_)
                | Expr::ListComp(_)
                | Expr::DictComp(_)
                | Expr::SetComp(_) => true,
                Expr::Call(call) => {
                    matches!(&*call.func, Expr::Name(name) if matches!(name.id.as_str(), "list" | "dict" | "set"))
                }
                _ => false,
            };
            if is_mutable {
                let name = &parameter.parameter.name;
                let message = format!(
                    "The default of `{name}` is shared by all calls; use `None` and make the value inside the function."
                );
                self.report.add(&rules::MUTABLE_DEFAULT, default.start(), message);
            }
        }
    }

    fn check_unused(&mut self, function: &StmtFunctionDef) {
        // A stub uses nothing, and special methods can't choose what they take.
        let is_stub = function.body.iter().all(|stmt| is_nothing(stmt) || stmt.is_raise_stmt());
        if is_stub || (self.in_class && function.name.as_str().starts_with("__")) {
            return;
        }
        let mut used = UsedNames::default();
        used.visit_body(&function.body);
        let is_receiver = |index: usize, name: &str| self.in_class && index == 0 && matches!(name, "self" | "cls");
        let unused: Vec<_> = function
            .parameters
            .iter_non_variadic_params()
            .map(|parameter| &parameter.parameter.name)
            .enumerate()
            .filter(|(index, name)| {
                !name.starts_with('_') && !is_receiver(*index, name) && !used.0.contains(name.as_str())
            })
            .map(|(_, name)| name)
            .collect();
        for name in unused {
            let message = format!(
                "The parameter `{name}` of `{}` is never used; use it, remove it, or start its name with `_`.",
                function.name
            );
            self.report.add(&rules::UNUSED_PARAMETER, name.start(), message);
        }
    }
}

impl<'a> Visitor<'a> for BodyChecker<'_> {
    fn visit_body(&mut self, body: &'a [Stmt]) {
        let end = body
            .iter()
            .position(|stmt| matches!(stmt, Stmt::Return(_) | Stmt::Raise(_) | Stmt::Break(_) | Stmt::Continue(_)));
        if let Some((end, unreachable)) = end.and_then(|index| Some((body.get(index)?, body.get(index + 1)?))) {
            let word = match end {
                Stmt::Return(_) => "return",
                Stmt::Raise(_) => "raise",
                Stmt::Break(_) => "break",
                _ => "continue",
            };
            let message = format!("This never runs, because it comes after `{word}`; remove it.");
            self.report.add(&rules::UNREACHABLE, unreachable.start(), message);
        }
        visitor::walk_body(self, body);
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let outside = self.in_class;
        match stmt {
            Stmt::FunctionDef(function) => {
                self.check_defaults(&function.parameters);
                self.check_unused(function);
                self.in_class = false;
            }
            Stmt::ClassDef(StmtClassDef { .. }) => self.in_class = true,
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
        self.in_class = outside;
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Lambda(lambda) = expr
            && let Some(parameters) = &lambda.parameters
        {
            self.check_defaults(parameters);
        }
        visitor::walk_expr(self, expr);
    }

    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        if !does_something(handler) {
            let message =
                "This handler hides every failure; name the exception you expect, and log it or raise it again.".into();
            self.report.add(&rules::SWALLOWED, handler.start(), message);
        }
        visitor::walk_except_handler(self, handler);
    }
}

/// Every name that is read, in nested functions too.
#[derive(Default)]
struct UsedNames<'a>(HashSet<&'a str>);

impl<'a> Visitor<'a> for UsedNames<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        // `x += 1` reads `x`.
        if let Stmt::AugAssign(assign) = stmt
            && let Expr::Name(name) = &*assign.target
        {
            self.0.insert(name.id.as_str());
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr
            && name.ctx.is_load()
        {
            self.0.insert(name.id.as_str());
        }
        visitor::walk_expr(self, expr);
    }

    fn visit_annotation(&mut self, _: &'a Expr) {}
}
