//! Which parameters of the code's own functions are read.
//!
//! Collected by the walk over the tree, where every name is resolved, so that a name of the same spelling in a nested
//! function or a comprehension is not taken for the parameter.

use std::collections::HashSet;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, Stmt, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::scope::{ScopeId, Scopes};

/// The names that are read, with the scopes that they belong to.
pub struct Uses<'a> {
    scopes: &'a Scopes<'a>,
    read: HashSet<(ScopeId, &'a str)>,
}

impl<'a> Uses<'a> {
    pub fn new(scopes: &'a Scopes<'a>) -> Self {
        Self { scopes, read: HashSet::new() }
    }

    /// Notes that `name` is read in `scope`.
    pub fn add(&mut self, name: &'a str, scope: ScopeId) {
        if self.scopes.is_parameter_name(name)
            && let Some(owner) = self.scopes.owner(name, scope)
        {
            self.read.insert((owner, name));
        }
    }

    /// Whether the function does anything with what is passed for its parameter `name`.
    pub fn reads(&self, function: &StmtFunctionDef, name: &str) -> bool {
        let scope = self.scopes.opened_by(function.range());
        scope.is_none_or(|scope| self.read.contains(&(scope, name))) && !is_replaced(&function.body, name)
    }
}

/// Whether a parameter gets another value before anything looks at it.
fn is_replaced(body: &[Stmt], name: &str) -> bool {
    for stmt in body {
        let (target, value) = match stmt {
            Stmt::Assign(assign) => match assign.targets.as_slice() {
                [target] => (Some(target), Some(&*assign.value)),
                _ => (None, None),
            },
            Stmt::AnnAssign(assign) => (Some(&*assign.target), assign.value.as_deref()),
            _ => (None, None),
        };
        let is_target = target.and_then(Expr::as_name_expr).is_some_and(|target| target.id.as_str() == name);
        let mut finder = Mentions { name, found: false };
        match value {
            Some(value) if is_target => {
                finder.visit_expr(value);
                return !finder.found;
            }
            _ => finder.visit_stmt(stmt),
        }
        if finder.found {
            return false;
        }
    }
    false
}

struct Mentions<'n> {
    name: &'n str,
    found: bool,
}

impl<'a> Visitor<'a> for Mentions<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if !self.found {
            visitor::walk_stmt(self, stmt);
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.found |= expr.as_name_expr().is_some_and(|name| name.id.as_str() == self.name);
        if !self.found {
            visitor::walk_expr(self, expr);
        }
    }
}
