//! The names that statements set.

use std::collections::BTreeSet;

use ruff_python_ast::{
    Expr, Stmt,
    visitor::{Visitor, walk_expr, walk_stmt},
};

/// The names that statements set where they stand.
#[derive(Default)]
pub struct Names(pub BTreeSet<String>);

impl<'a> Visitor<'a> for Names {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                self.0.insert(function.name.to_string());
            }
            Stmt::ClassDef(class) => {
                self.0.insert(class.name.to_string());
            }
            Stmt::Import(import) => {
                let bound = import.names.iter().map(|name| name.asname.as_ref().unwrap_or(&name.name).as_str());
                self.0.extend(bound.filter_map(|name| name.split('.').next()).map(str::to_owned));
            }
            Stmt::ImportFrom(import) => {
                let bound = import.names.iter().map(|name| name.asname.as_ref().unwrap_or(&name.name).to_string());
                self.0.extend(bound.filter(|name| name != "*"));
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx.is_store() => {
                self.0.insert(name.id.to_string());
            }
            Expr::Lambda(_) | Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {}
            _ => walk_expr(self, expr),
        }
    }
}
