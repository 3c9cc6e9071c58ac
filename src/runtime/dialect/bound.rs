//! What the names of a source stand for.

use std::collections::BTreeSet;

use ruff_python_ast::{
    Alias, Expr, ExprContext, ExprName, Parameter, Stmt,
    visitor::{self, Visitor},
};

/// Which names a source binds: by imports of which modules, and otherwise.
#[derive(Default)]
pub struct Bound {
    imports: Vec<(String, String)>,
    otherwise: BTreeSet<String>,
}

impl Bound {
    /// The module that a name always stands for.
    pub fn module(&self, name: &ExprName) -> Option<&str> {
        let name = name.id.as_str();
        let mut of_name = self.imports.iter().filter(|(bound, _)| bound == name).map(|(_, module)| module.as_str());
        let first = of_name.next()?;
        (!self.otherwise.contains(name) && of_name.all(|other| other == first)).then_some(first)
    }

    /// Whether a name always stands for the same module.
    pub fn is_always(&self, name: &str) -> bool {
        let mut of_name = self.imports.iter().filter(|(bound, _)| bound == name).map(|(_, module)| module);
        let first = of_name.next();
        !self.otherwise.contains(name) && of_name.all(|other| Some(other) == first)
    }

    /// Whether nothing binds a name, so that it is the builtin.
    pub fn is_free(&self, name: &str) -> bool {
        !self.otherwise.contains(name) && !self.imports.iter().any(|(bound, _)| bound == name)
    }
}

impl<'a> Visitor<'a> for Bound {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let (name, module) = bound_by(alias);
                    self.imports.push((name.to_owned(), module.to_owned()));
                }
            }
            Stmt::ImportFrom(import) => {
                let from = import.module.as_ref().map_or("", |module| module.as_str());
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.imports.push((name.to_string(), format!("{from}.{}", alias.name)));
                }
            }
            Stmt::FunctionDef(function) => {
                self.otherwise.insert(function.name.to_string());
            }
            Stmt::ClassDef(class) => {
                self.otherwise.insert(class.name.to_string());
            }
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr
            && name.ctx != ExprContext::Load
        {
            self.otherwise.insert(name.id.to_string());
        }
        visitor::walk_expr(self, expr);
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.otherwise.insert(parameter.name.to_string());
        visitor::walk_parameter(self, parameter);
    }

    fn visit_except_handler(&mut self, handler: &'a ruff_python_ast::ExceptHandler) {
        let ruff_python_ast::ExceptHandler::ExceptHandler(caught) = handler;
        self.otherwise.extend(caught.name.as_ref().map(ToString::to_string));
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a ruff_python_ast::Pattern) {
        use ruff_python_ast::Pattern;
        let name = match pattern {
            Pattern::MatchAs(captured) => captured.name.as_ref(),
            Pattern::MatchStar(captured) => captured.name.as_ref(),
            Pattern::MatchMapping(captured) => captured.rest.as_ref(),
            _ => None,
        };
        self.otherwise.extend(name.map(ToString::to_string));
        visitor::walk_pattern(self, pattern);
    }
}

/// The name that `import a.b as c` binds, and the module that it then stands for.
pub fn bound_by(alias: &Alias) -> (&str, &str) {
    let module = alias.name.as_str();
    if let Some(name) = &alias.asname {
        return (name.as_str(), module);
    }
    let root = module.split('.').next().unwrap_or(module);
    (root, root)
}
