//! The one walk over the tree: it goes to every node, knows where it is, and tells an inspector.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{ExceptHandler, Expr, ModModule, PatternKeyword, Stmt, StmtFunctionDef, StmtTry, WithItem};
use ruff_text_size::{Ranged, TextRange};

use super::{
    handlers,
    place::{Around, Place},
};

/// Who is told of the nodes, each before those in it.
pub trait Inspector<'a> {
    fn statement(&mut self, _stmt: &'a Stmt, _place: &Place<'_, 'a>) {}
    fn expression(&mut self, expr: &'a Expr, place: &Place<'_, 'a>);
    fn with_item(&mut self, _item: &'a WithItem) {}
    fn pattern_keyword(&mut self, _keyword: &'a PatternKeyword) {}
}

/// Walks over a module, from `place`, which is its top and is there again afterwards.
pub fn walk<'a>(module: &'a ModModule, place: &mut Place<'_, 'a>, inspector: &mut impl Inspector<'a>) {
    Walk { place, inspector }.visit_body(&module.body);
}

struct Walk<'w, 's, 'a, I> {
    place: &'w mut Place<'s, 'a>,
    inspector: &'w mut I,
}

impl<'a, I: Inspector<'a>> Walk<'_, '_, 'a, I> {
    /// Walks with something else around it.
    fn around(&mut self, around: Around, walk: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.place.around, around);
        walk(self);
        self.place.around = outside;
    }

    /// Walks in the scope that a node of this range opens.
    fn inside(&mut self, range: TextRange, walk: impl FnOnce(&mut Self)) {
        self.place.enter_scope(range);
        walk(self);
        self.place.leave_scope();
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
        self.place.enter_function(function.name.as_str());
        self.around(Around::default(), |walk| {
            walk.inside(function.range(), |walk| walk.visit_body(&function.body));
        });
        self.place.leave_function();
    }

    fn visit_try(&mut self, stmt: &'a StmtTry) {
        let any = |holds: fn(&ExceptHandler, &Place<'_, '_>) -> bool| {
            stmt.handlers.iter().any(|handler| holds(handler, self.place))
        };
        let around = self.place.around;
        let around = Around {
            is_handled: around.is_handled || any(handlers::handles_failures),
            is_import_optional: around.is_import_optional || any(handlers::catches_imports),
            ..around
        };
        self.around(around, |walk| walk.visit_body(&stmt.body));
        stmt.handlers.iter().for_each(|handler| self.visit_except_handler(handler));
        self.visit_body(&stmt.orelse);
        self.visit_body(&stmt.finalbody);
    }

    fn visit_loop(&mut self, body: &'a [Stmt], orelse: &'a [Stmt]) {
        let around = Around { is_loop: true, ..self.place.around };
        self.around(around, |walk| walk.visit_body(body));
        self.visit_body(orelse);
    }
}

impl<'a, I: Inspector<'a>> Visitor<'a> for Walk<'_, '_, 'a, I> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.inspector.statement(stmt, self.place);
        match stmt {
            Stmt::FunctionDef(function) => self.visit_function(function),
            Stmt::ClassDef(class) => {
                class.decorator_list.iter().for_each(|decorator| self.visit_expr(&decorator.expression));
                if let Some(arguments) = &class.arguments {
                    self.visit_arguments(arguments);
                }
                self.inside(class.range(), |walk| walk.visit_body(&class.body));
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
                let outside = (self.place.never_runs, self.place.is_of_programs);
                self.place.never_runs |= self.place.means(&branch.test, "typing.TYPE_CHECKING");
                self.place.is_of_programs |= self.place.is_for_programs(&branch.test);
                self.visit_body(&branch.body);
                (self.place.never_runs, self.place.is_of_programs) = outside;
                branch.elif_else_clauses.iter().for_each(|clause| self.visit_elif_else_clause(clause));
            }
            // Never evaluated, and refused as a whole.
            Stmt::TypeAlias(_) => {}
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.inspector.expression(expr, self.place);
        match expr {
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    parameters
                        .iter_non_variadic_params()
                        .filter_map(|parameter| parameter.default.as_deref())
                        .for_each(|default| self.visit_expr(default));
                }
                self.inside(lambda.range(), |walk| walk.visit_expr(&lambda.body));
            }
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                self.inside(expr.range(), |walk| visitor::walk_expr(walk, expr));
            }
            Expr::Call(call) => {
                self.place.called = Some(call.func.range());
                visitor::walk_expr(self, expr);
            }
            _ => visitor::walk_expr(self, expr),
        }
    }

    // Annotations are never evaluated by this interpreter; a call in one is meant for another.
    fn visit_annotation(&mut self, annotation: &'a Expr) {
        let mut calls = OutermostCalls(Vec::new());
        calls.visit_expr(annotation);
        calls.0.into_iter().for_each(|call| self.visit_expr(call));
    }

    fn visit_with_item(&mut self, item: &'a WithItem) {
        self.inspector.with_item(item);
        visitor::walk_with_item(self, item);
    }

    fn visit_pattern_keyword(&mut self, keyword: &'a PatternKeyword) {
        self.inspector.pattern_keyword(keyword);
        visitor::walk_pattern_keyword(self, keyword);
    }
}

/// The outermost calls in an expression.
struct OutermostCalls<'a>(Vec<&'a Expr>);

impl<'a> Visitor<'a> for OutermostCalls<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if expr.is_call_expr() {
            self.0.push(expr);
        } else {
            visitor::walk_expr(self, expr);
        }
    }
}
