//! The walk over the tree that finds security and runtime issues and what the code needs.
//!
//! This file keeps the state of the walk; what is said about each kind of node is in the other files.

mod calls;
mod command_lines;
mod names;
pub mod needs;
mod unsupported;
mod urls;

use std::collections::{HashMap, HashSet};

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    ExceptHandler, Expr, ExprCall, ModModule, PatternKeyword, Stmt, StmtFunctionDef, StmtTry, WithItem,
};
use ruff_text_size::{Ranged, TextRange, TextSize};

use self::{command_lines::OwnCalls, needs::Needs};
use crate::validation::{
    report::Report,
    rules::{self, Rule},
    scopes::{
        scope::{ScopeId, Scopes},
        uses::Uses,
    },
    style::body,
};

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

/// A call that can fail and stands in no `try`.
pub(super) struct Unhandled<'a> {
    /// The function of the code's own that it stands in.
    pub(super) function: Option<&'a str>,
    pub(super) at: TextSize,
    pub(super) what: String,
}

/// The walk.
pub(super) struct Checker<'s, 'a, 'c> {
    pub(super) scopes: &'s Scopes<'a>,
    pub(super) code: &'a str,
    pub(super) report: Report<'c>,
    pub(super) needs: Needs,
    pub(super) uses: Uses<'s>,
    stack: Vec<ScopeId>,
    /// Names of the functions that are open, innermost last.
    functions: Vec<&'a str>,
    loops: usize,
    /// `try` bodies that are open and whose handlers do something.
    handled: usize,
    /// `try` bodies that are open and catch a failing import.
    optional_imports: usize,
    /// `if TYPE_CHECKING` bodies that are open.
    never_run: usize,
    /// Calls of `open` that are the context of a `with`.
    pub(super) managed: HashSet<TextRange>,
    pub(super) unhandled: Vec<Unhandled<'a>>,
    /// Own functions that are called inside a handled `try`.
    pub(super) called_handled: HashSet<&'a str>,
    /// Own functions, with those that call them.
    pub(super) callers: HashMap<&'a str, HashSet<&'a str>>,
    pub(super) own_calls: OwnCalls<'a>,
    /// Calls of `run_command` with a list, judged when all calls of own functions are known.
    pub(super) commands: Vec<(&'a ExprCall, ScopeId)>,
}

impl<'s, 'a, 'c> Checker<'s, 'a, 'c> {
    pub(super) fn new(scopes: &'s Scopes<'a>, code: &'a str, report: Report<'c>) -> Self {
        Self {
            scopes,
            code,
            report,
            needs: Needs::default(),
            uses: Uses::new(scopes),
            stack: vec![0],
            functions: Vec::new(),
            loops: 0,
            handled: 0,
            optional_imports: 0,
            never_run: 0,
            managed: HashSet::new(),
            unhandled: Vec::new(),
            called_handled: HashSet::new(),
            callers: HashMap::new(),
            own_calls: OwnCalls::new(),
            commands: Vec::new(),
        }
    }

    pub(super) fn check(&mut self, module: &'a ModModule) {
        self.visit_body(&module.body);
        self.check_commands();
    }

    /// Reports the first call that can fail outside any `try`; true when there is none.
    pub(super) fn report_unhandled(&mut self) -> bool {
        // A helper whose caller handles its failures needs no `try` of its own.
        let mut called = self.called_handled.clone();
        loop {
            let before = called.len();
            let is_covered = |callers: &HashSet<&str>| callers.iter().any(|caller| called.contains(caller));
            let covered: Vec<&str> =
                self.callers.iter().filter(|(_, callers)| is_covered(callers)).map(|(name, _)| *name).collect();
            called.extend(covered);
            if called.len() == before {
                break;
            }
        }
        let first = self.unhandled.iter().find(|call| !call.function.is_some_and(|name| called.contains(name)));
        let Some(call) = first else { return true };
        let message = format!(
            "{} can fail and stands in no `try` that catches it and does something; catch the exception and say which step failed.",
            call.what
        );
        let at = call.at;
        self.report.add(&rules::UNHANDLED, at, message);
        false
    }

    pub(super) fn finish(self) -> (Report<'c>, Needs, Uses<'s>) {
        (self.report, self.needs, self.uses)
    }

    pub(super) fn scope(&self) -> ScopeId {
        self.stack.last().copied().unwrap_or_default()
    }

    pub(super) fn function(&self) -> Option<&'a str> {
        self.functions.last().copied()
    }

    pub(super) fn is_handled(&self) -> bool {
        self.handled > 0
    }

    pub(super) fn is_import_optional(&self) -> bool {
        self.optional_imports > 0
    }

    pub(super) fn never_runs(&self) -> bool {
        self.never_run > 0
    }

    pub(super) fn in_loop(&self) -> bool {
        self.loops > 0
    }

    pub(super) fn add(&mut self, rule: &Rule, at: TextSize, message: String) {
        self.report.add(rule, at, message);
    }

    fn inside(&mut self, range: TextRange, walk: impl FnOnce(&mut Self)) {
        let scope = self.scopes.opened_by(range).unwrap_or_else(|| self.scope());
        self.stack.push(scope);
        walk(self);
        self.stack.pop();
    }

    fn visit_function(&mut self, function: &'a StmtFunctionDef) {
        function.decorator_list.iter().for_each(|decorator| self.visit_expr(&decorator.expression));
        function
            .parameters
            .iter_non_variadic_params()
            .filter_map(|parameter| parameter.default.as_deref())
            .for_each(|default| self.visit_expr(default));
        let annotations = function.parameters.iter().filter_map(|parameter| parameter.annotation());
        annotations.chain(function.returns.as_deref()).for_each(|annotation| self.visit_annotation(annotation));
        // The body runs when the function is called, outside whatever surrounds the definition.
        let outside = (self.loops, self.handled, self.optional_imports);
        (self.loops, self.handled, self.optional_imports) = (0, 0, 0);
        self.functions.push(function.name.as_str());
        self.inside(function.range(), |checker| checker.visit_body(&function.body));
        self.functions.pop();
        (self.loops, self.handled, self.optional_imports) = outside;
    }

    fn visit_try(&mut self, stmt: &'a StmtTry) {
        let handled = usize::from(stmt.handlers.iter().any(|handler| self.handles_failures(handler)));
        let optional = usize::from(stmt.handlers.iter().any(|handler| self.catches_imports(handler)));
        self.handled += handled;
        self.optional_imports += optional;
        self.visit_body(&stmt.body);
        self.handled -= handled;
        self.optional_imports -= optional;
        stmt.handlers.iter().for_each(|handler| self.visit_except_handler(handler));
        self.visit_body(&stmt.orelse);
        self.visit_body(&stmt.finalbody);
    }

    /// Whether a handler does something about the failure of a call, not only about mistakes in the code itself.
    fn handles_failures(&self, handler: &ExceptHandler) -> bool {
        let ExceptHandler::ExceptHandler(inner) = handler;
        let kinds = inner.type_.as_ref().map(|kind| self.scopes.meanings(kind, self.scope())).unwrap_or_default();
        let is_unrelated = |kind: &String| kind.strip_prefix("builtins.").is_some_and(|name| UNRELATED.contains(&name));
        body::does_something(handler) && (kinds.is_empty() || !kinds.iter().all(is_unrelated))
    }

    fn catches_imports(&self, handler: &ExceptHandler) -> bool {
        let ExceptHandler::ExceptHandler(handler) = handler;
        let Some(kind) = &handler.type_ else { return true };
        let kinds = ["ImportError", "ModuleNotFoundError", "Exception", "BaseException"];
        self.scopes
            .meanings(kind, self.scope())
            .iter()
            .any(|meaning| meaning.strip_prefix("builtins.").is_some_and(|name| kinds.contains(&name)))
    }

    fn visit_loop(&mut self, body: &'a [Stmt], orelse: &'a [Stmt]) {
        self.loops += 1;
        self.visit_body(body);
        self.loops -= 1;
        self.visit_body(orelse);
    }
}

impl<'a> Visitor<'a> for Checker<'_, 'a, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.check_stmt(stmt);
        match stmt {
            Stmt::FunctionDef(function) => self.visit_function(function),
            Stmt::ClassDef(class) => {
                class.decorator_list.iter().for_each(|decorator| self.visit_expr(&decorator.expression));
                if let Some(arguments) = &class.arguments {
                    self.visit_arguments(arguments);
                }
                self.inside(class.range(), |checker| checker.visit_body(&class.body));
            }
            Stmt::Try(stmt) => self.visit_try(stmt),
            Stmt::For(each) => {
                self.visit_expr(&each.iter);
                self.visit_expr(&each.target);
                self.visit_loop(&each.body, &each.orelse);
            }
            Stmt::While(each) => {
                self.visit_expr(&each.test);
                self.visit_loop(&each.body, &each.orelse);
            }
            Stmt::If(branch) => {
                self.visit_expr(&branch.test);
                let never = usize::from(self.scopes.means(&branch.test, self.scope(), "typing.TYPE_CHECKING"));
                self.never_run += never;
                self.visit_body(&branch.body);
                self.never_run -= never;
                branch.elif_else_clauses.iter().for_each(|clause| self.visit_elif_else_clause(clause));
            }
            // Never evaluated, and refused as a whole.
            Stmt::TypeAlias(_) => {}
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.check_expr(expr);
        match expr {
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    parameters
                        .iter_non_variadic_params()
                        .filter_map(|parameter| parameter.default.as_deref())
                        .for_each(|default| self.visit_expr(default));
                }
                self.inside(lambda.range(), |checker| checker.visit_expr(&lambda.body));
            }
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                self.inside(expr.range(), |checker| visitor::walk_expr(checker, expr));
            }
            _ => visitor::walk_expr(self, expr),
        }
    }

    // Annotations are never evaluated by this interpreter; a call in one is meant for another.
    fn visit_annotation(&mut self, annotation: &'a Expr) {
        let mut calls = Calls(Vec::new());
        calls.visit_expr(annotation);
        calls.0.into_iter().for_each(|call| self.visit_expr(call));
    }

    fn visit_with_item(&mut self, item: &'a WithItem) {
        self.managed.insert(item.context_expr.range());
        visitor::walk_with_item(self, item);
    }

    fn visit_pattern_keyword(&mut self, keyword: &'a PatternKeyword) {
        self.check_internal(keyword.attr.as_str(), keyword.start());
        visitor::walk_pattern_keyword(self, keyword);
    }
}

/// The outermost calls in an expression.
struct Calls<'a>(Vec<&'a Expr>);

impl<'a> Visitor<'a> for Calls<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if expr.is_call_expr() {
            self.0.push(expr);
        } else {
            visitor::walk_expr(self, expr);
        }
    }
}
