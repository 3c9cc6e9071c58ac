//! Habits that show in a body of statements: unreachable code, swallowed exceptions, mutable defaults, unused parameters.
//!
//! Issues only, no verdicts.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{ExceptHandler, Expr, Parameters, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange};

use super::flow;
use crate::{
    domain::Parameter,
    validation::{
        report::Report,
        rules,
        scopes::uses::Uses,
        walk::handlers::{does_something, is_nothing},
    },
};

/// Reports the habits in a module's body.
pub fn check<'r>(body: &[Stmt], uses: &'r Uses<'r>, entry: Option<Declared<'r>>, report: &'r mut Report<'_>) {
    let mut checker = BodyChecker { report, uses, entry, in_class: false };
    checker.visit_body(body);
}

/// The function that a run calls, with the parameters that the definition declares.
#[derive(Clone, Copy)]
pub struct Declared<'d> {
    pub range: TextRange,
    pub declared: &'d [Parameter],
}

struct BodyChecker<'r, 'c> {
    report: &'r mut Report<'c>,
    uses: &'r Uses<'r>,
    entry: Option<Declared<'r>>,
    in_class: bool,
}

impl BodyChecker<'_, '_> {
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
        let is_special = self.in_class && function.name.as_str().starts_with("__");
        let declared =
            self.entry.filter(|entry| entry.range == function.range()).map_or(&[][..], |entry| entry.declared);
        for (index, parameter) in function.parameters.iter().enumerate() {
            let name = parameter.name();
            let is_receiver = self.in_class && index == 0 && matches!(name.as_str(), "self" | "cls");
            let is_declared = declared.iter().any(|declared| declared.name == name.as_str());
            let may_be_unused = is_special || is_receiver || name.starts_with('_') || (is_stub && !is_declared);
            if may_be_unused || self.uses.reads(function, name.as_str()) {
                continue;
            }
            let (at, function) = (name.start(), &function.name);
            if is_declared {
                let message = format!(
                    "The definition declares the parameter `{name}`, and `{function}` takes it and never uses it; use it, or remove it from both."
                );
                self.report.add(&rules::UNUSED_DECLARED, at, message);
            } else {
                let message = format!(
                    "The parameter `{name}` of `{function}` is never used; use it, remove it, or start its name with `_`."
                );
                self.report.add(&rules::UNUSED_PARAMETER, at, message);
            }
        }
    }
}

impl<'a> Visitor<'a> for BodyChecker<'_, '_> {
    fn visit_body(&mut self, body: &'a [Stmt]) {
        if let Some((at, reason)) = flow::first_unreachable(body) {
            let message = format!("This never runs, because it comes after {reason}; remove it.");
            self.report.add(&rules::UNREACHABLE, at, message);
        }
        visitor::walk_body(self, body);
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        for at in flow::never_entered(stmt) {
            let message = "This never runs, because its condition is never true; remove it.".into();
            self.report.add(&rules::UNREACHABLE, at, message);
        }
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
