//! What the interpreter cannot compile, statement by statement and expression by expression.

use ruff_python_ast::{Expr, Stmt, StmtClassDef};
use ruff_text_size::Ranged;

use super::Checker;
use crate::validation::{catalogue, issue::Severity, report::quote, rules};

impl<'a> Checker<'_, 'a, '_> {
    pub(super) fn check_stmt(&mut self, stmt: &'a Stmt) {
        let at = stmt.start();
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    self.check_import(alias.name.as_str(), alias.start());
                }
            }
            Stmt::ImportFrom(import) => self.check_import_from(import),
            Stmt::ClassDef(class) => self.check_class(class),
            // `x += 1` reads `x`.
            Stmt::AugAssign(assign) => match &*assign.target {
                Expr::Name(name) => self.uses.add(name.id.as_str(), self.scope()),
                Expr::Subscript(subscript) => self.check_key(&subscript.slice),
                _ => {}
            },
            Stmt::Delete(delete) => {
                let target = delete.targets.first().map_or("del", |target| self.source(target));
                let message = format!(
                    "The interpreter has no `del`, as in `del` of {}; use `.pop()`, `.clear()` or assign a new value.",
                    quote(target)
                );
                self.add(&rules::DELETE, at, message);
            }
            Stmt::TypeAlias(alias) => {
                let name = quote(self.source(&*alias.name));
                self.add(
                    &rules::TYPE_ALIAS,
                    at,
                    format!("The interpreter has no `type` statement; assign the type to {name} with `=`."),
                );
            }
            Stmt::For(each) if each.is_async => {
                self.add(
                    &rules::ASYNC_SYNTAX,
                    at,
                    "The interpreter has no `async for`; loop with `for` and `await` inside it.".into(),
                );
            }
            Stmt::With(with) if with.is_async => {
                self.add(
                    &rules::ASYNC_SYNTAX,
                    at,
                    "The interpreter has no `async with`; use `with`, or `try` and `finally`.".into(),
                );
            }
            Stmt::Try(stmt) if stmt.is_star => {
                self.add(&rules::EXCEPTION_GROUP, at, "The interpreter has no `except*`; use `except`.".into());
            }
            // The interpreter takes it as the end of the script, other tools refuse it.
            Stmt::Return(_) if self.function().is_none() => {
                let message = "`return` stands outside a function; put the code into one.".into();
                self.report.add_as(&rules::MISPLACED, Severity::Warning, Some(at), message);
            }
            Stmt::Break(_) | Stmt::Continue(_) if !self.in_loop() => {
                let word = if stmt.is_break_stmt() { "break" } else { "continue" };
                self.add(&rules::MISPLACED, at, format!("`{word}` stands outside a loop; remove it."));
            }
            _ => {}
        }
    }

    fn check_class(&mut self, class: &'a StmtClassDef) {
        let name = class.name.as_str();
        if let Some(arguments) = class.arguments.as_ref().filter(|arguments| !arguments.is_empty()) {
            let base = arguments.args.first().map(|base| self.source(base));
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
            self.add(&rules::INHERITANCE, class.start(), message);
        }
        for stmt in &class.body {
            match stmt {
                Stmt::FunctionDef(method) => self.check_method(name, method),
                Stmt::Assign(assign) if matches!(assign.targets.as_slice(), [Expr::Name(_)]) => {}
                Stmt::AnnAssign(assign) if assign.target.is_name_expr() || assign.value.is_none() => {}
                Stmt::Pass(_) => {}
                Stmt::Expr(stmt) if stmt.value.is_string_literal_expr() || stmt.value.is_ellipsis_literal_expr() => {}
                other => {
                    let message = format!(
                        "The body of class `{name}` may hold methods and `name = value` only; move this into a method or out of the class."
                    );
                    self.add(&rules::CLASS_BODY, other.start(), message);
                }
            }
        }
    }

    fn check_method(&mut self, class: &str, method: &'a ruff_python_ast::StmtFunctionDef) {
        let name = method.name.as_str();
        if let Some(decorator) = method.decorator_list.first() {
            let decorated = quote(self.source(&decorator.expression));
            let instead = match self.source(&decorator.expression) {
                "property" | "cached_property" | "functools.cached_property" => "make it a plain method and call it",
                "staticmethod" | "classmethod" => "make it a function outside the class",
                _ => "leave out the decorator",
            };
            let message =
                format!("The interpreter can't decorate methods, and `{class}.{name}` has {decorated}; {instead}.");
            self.add(&rules::METHOD_DECORATOR, decorator.start(), message);
        }
        if catalogue::IGNORED_METHODS.contains(&name) {
            let message =
                format!("The interpreter never calls `{class}.{name}`; write a method with a plain name and call it.");
            self.add(&rules::IGNORED_METHOD, method.name.start(), message);
        }
    }

    pub(super) fn check_expr(&mut self, expr: &'a Expr) {
        let at = expr.start();
        match expr {
            Expr::Name(name) if name.ctx.is_load() => {
                self.uses.add(name.id.as_str(), self.scope());
                self.check_name(name);
            }
            Expr::Attribute(attribute) => self.check_attribute(expr, attribute),
            // What is stored under a key leads nowhere.
            Expr::Subscript(subscript) if subscript.ctx.is_load() => self.check_key(&subscript.slice),
            Expr::Call(call) => self.check_call(call),
            Expr::Yield(_) | Expr::YieldFrom(_) => {
                let function = self.function().map_or_else(String::new, |name| format!(" and `{name}` is one"));
                let message = format!(
                    "The interpreter has no generator functions (`yield`){function}; collect the values in a list and return it."
                );
                self.add(&rules::GENERATOR, at, message);
            }
            Expr::TString(_) => {
                self.add(
                    &rules::TEMPLATE_STRING,
                    at,
                    "The interpreter has no template strings (`t\"…\"`); use an f-string.".into(),
                );
            }
            Expr::ListComp(list) => self.check_comprehension(&list.generators),
            Expr::SetComp(set) => self.check_comprehension(&set.generators),
            Expr::DictComp(dict) => self.check_comprehension(&dict.generators),
            Expr::Generator(generator) => {
                self.check_comprehension(&generator.generators);
                if let Some(first) = generator.generators.first() {
                    self.check_endless("a generator expression", &first.iter, generator.range());
                }
            }
            _ => {}
        }
    }

    fn check_comprehension(&mut self, generators: &'a [ruff_python_ast::Comprehension]) {
        if let Some(generator) = generators.iter().find(|generator| generator.is_async) {
            let message =
                "The interpreter has no asynchronous comprehensions (`async for`); use a `for` loop with `await`."
                    .into();
            self.add(&rules::ASYNC_SYNTAX, generator.start(), message);
        }
    }

    /// The source text of a node.
    pub(super) fn source(&self, node: &impl Ranged) -> &'a str {
        self.code.get(node.start().to_usize()..node.end().to_usize()).unwrap_or_default()
    }
}
