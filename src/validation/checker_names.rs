//! Imports, names and attributes: what they lead to, and whether that is forbidden or missing.

use ruff_python_ast::{Expr, ExprAttribute, ExprName, Identifier, StmtImportFrom};
use ruff_text_size::{Ranged, TextSize};

use super::catalogue;
use super::checker::Checker;
use super::issue::Severity;
use super::meaning;
use super::report::quote;
use super::rules;
use super::scope::Bound;
use crate::domain::host_module;

impl<'a> Checker<'_, 'a, '_> {
    /// An imported module; false when nothing more is to be said about its members.
    pub(super) fn check_import(&mut self, module: &str, at: TextSize) -> bool {
        if let Some(instead) = catalogue::forbidden_module(module) {
            let message = format!("The module {} is forbidden in procedures; {instead}.", quote(module));
            self.add(&rules::FORBIDDEN_MODULE, at, message);
            return false;
        }
        if let Some(instead) = catalogue::missing_module(module) {
            if !self.never_runs() {
                let severity = if self.is_import_optional() { Severity::Info } else { Severity::Error };
                let message = format!("The interpreter has no module {}; {instead}.", quote(module));
                self.report.add_as(&rules::MISSING_MODULE, severity, Some(at), message);
            }
            return false;
        }
        true
    }

    pub(super) fn check_import_from(&mut self, import: &'a StmtImportFrom) {
        let at = import.start();
        let module = import.module.as_ref().map_or("", Identifier::as_str);
        if import.level > 0 {
            let message = "Relative imports don't work, since a procedure is one file; put the code into it or use `call_procedure` of `repertoire`.";
            self.add(&rules::UNSUPPORTED_IMPORT, at, message.into());
            return;
        }
        let is_known = self.check_import(module, at);
        for alias in &import.names {
            let name = alias.name.as_str();
            if name == "*" && catalogue::has_forbidden_members(module) {
                let message =
                    format!("`from {module} import *` brings in forbidden members; import the names that are needed.");
                self.add(&rules::FORBIDDEN_MEMBER, alias.start(), message);
            } else if name == "*" {
                let message = format!("`from {module} import *` does not work; import the names that are needed.");
                self.add(&rules::UNSUPPORTED_IMPORT, alias.start(), message);
            } else if module == "__future__" {
                if name == "barry_as_FLUFL" || alias.asname.is_some() {
                    let message = format!("`from __future__ import {name}` does not work here; remove it.");
                    self.add(&rules::UNSUPPORTED_IMPORT, alias.start(), message);
                }
            } else if is_known {
                let path = format!("{module}.{name}");
                let path = catalogue::canonical(&path);
                if let Some(instead) = catalogue::forbidden_module(path) {
                    let message = format!("The module {} is forbidden in procedures; {instead}.", quote(path));
                    self.add(&rules::FORBIDDEN_MODULE, alias.start(), message);
                } else if !catalogue::has_module(path) && path != "os.path" {
                    self.check_member(path, alias.start());
                }
            }
        }
    }

    /// A member of a module, given its dotted path.
    fn check_member(&mut self, path: &str, at: TextSize) {
        if let Some(name) = path.strip_prefix("repertoire.").filter(|name| !name.contains('.')) {
            if !host_module::names().contains(&name) {
                let instead = catalogue::closest_host_name(name).map_or_else(
                    || format!("it offers `{}`", host_module::names().join("`, `")),
                    |closest| format!("use `{closest}`"),
                );
                let message = format!("The module `repertoire` has no {}; {instead}.", quote(name));
                self.add(&rules::UNKNOWN_HOST_FUNCTION, at, message);
            }
        } else if let Some(name) = path.strip_prefix("builtins.").filter(|name| catalogue::is_dynamic(name)) {
            self.add_dynamic(name, at);
        } else if let Some(instead) = catalogue::forbidden_member(path) {
            let message = format!("{} is forbidden in procedures; {instead}.", quote(path));
            self.add(&rules::FORBIDDEN_MEMBER, at, message);
        } else if catalogue::is_private_member(path) {
            let message = format!("{} is private to its module; use what the module offers.", quote(path));
            self.add(&rules::FORBIDDEN_MEMBER, at, message);
        } else if let Some(instead) = catalogue::missing_member(path)
            && !self.never_runs()
        {
            let severity = if self.is_import_optional() { Severity::Info } else { Severity::Error };
            let shown = quote(path.strip_prefix("builtins.").unwrap_or(path));
            let message = format!("The interpreter has no {shown}; {instead}.");
            self.report.add_as(&rules::MISSING_MEMBER, severity, Some(at), message);
        }
    }

    fn add_dynamic(&mut self, name: &str, at: TextSize) {
        let instead = match name {
            "eval" => "parse the text with `json.loads` or `int()`, or write the expression itself",
            "exec" | "compile" => {
                "write the code itself, or call another procedure with `call_procedure` of `repertoire`"
            }
            "__import__" => "write an `import` statement",
            "breakpoint" => "remove it",
            _ => "keep the values in a dictionary of your own",
        };
        self.add(&rules::DYNAMIC_CODE, at, format!("The builtin `{name}` is forbidden in procedures; {instead}."));
    }

    pub(super) fn check_name(&mut self, name: &'a ExprName) {
        let id = name.id.as_str();
        if matches!(id, "getattr" | "setattr" | "delattr")
            && !self.is_called(name)
            && self.scopes.lookup(id, self.scope(), name.start()).1
        {
            let message = format!(
                "`{id}` is handed on, so which attributes it is used for can't be checked; call it where it is needed."
            );
            self.report.add_as(&rules::COMPUTED_ATTRIBUTE, Severity::Error, Some(name.start()), message);
            return;
        }
        let is_dynamic = catalogue::is_dynamic(id);
        let missing = catalogue::missing_builtin(id);
        let is_internal = catalogue::is_internal(id);
        if !(is_dynamic || is_internal || missing.is_some()) || !self.scopes.lookup(id, self.scope(), name.start()).1 {
            return;
        }
        if is_dynamic {
            self.add_dynamic(id, name.start());
        } else if let Some(instead) = missing {
            self.add(
                &rules::MISSING_BUILTIN,
                name.start(),
                format!("The interpreter has no builtin `{id}`; {instead}."),
            );
        } else if id.starts_with("__") {
            self.check_internal(id, name.start());
        }
    }

    pub(super) fn check_attribute(&mut self, expr: &'a Expr, attribute: &'a ExprAttribute) {
        let name = attribute.attr.as_str();
        let at = attribute.attr.start();
        // `x.__class__.__name__` names a type and leads nowhere else.
        let is_type_name =
            |inner: &ExprAttribute| inner.attr.as_str() == "__class__" && matches!(name, "__name__" | "__qualname__");
        if let Expr::Attribute(inner) = &*attribute.value
            && is_type_name(inner)
        {
            let message = "Only objects of the code's own classes have `__class__`; use `type(x).__name__`.".into();
            self.add(&rules::CLASS_NAME, at, message);
            return;
        }
        if name == "__class__" && self.is_followed_by_name(attribute) {
            return;
        }
        self.check_internal(name, at);
        if let Expr::Name(base) = &*attribute.value
            && matches!(
                name,
                "__name__" | "__doc__" | "__qualname__" | "__module__" | "__annotations__" | "__defaults__"
            )
        {
            self.check_function_metadata(base, name, at);
        }
        for path in self.scopes.meanings(expr, self.scope()) {
            self.check_member(&path, at);
        }
    }

    fn check_function_metadata(&mut self, base: &ExprName, name: &str, at: TextSize) {
        let (bindings, _) = self.scopes.lookup(base.id.as_str(), self.scope(), base.start());
        if matches!(bindings, [binding] if matches!(binding.bound, Bound::Function)) {
            let message = format!(
                "Functions have no `{name}` in the interpreter, as in `{}.{name}`; write the text itself.",
                base.id
            );
            self.add(&rules::FUNCTION_METADATA, at, message);
        }
    }

    /// Whether `.__name__` comes right after this attribute.
    fn is_followed_by_name(&self, attribute: &ExprAttribute) -> bool {
        let rest = self.code.get(attribute.end().to_usize()..).unwrap_or_default();
        [".__name__", ".__qualname__"].iter().any(|follows| {
            rest.strip_prefix(follows)
                .is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    }

    /// Whether a call follows the name.
    fn is_called(&self, name: &ExprName) -> bool {
        let rest = self.code.get(name.end().to_usize()..).unwrap_or_default();
        rest.trim_start().starts_with('(')
    }

    /// A text that is nothing but a path of attributes, such as `__class__.__base__`, wherever it is handed to.
    pub(super) fn check_path_text(&mut self, expr: &'a Expr) {
        let Some(text) = meaning::text(self.scopes, expr, self.scope(), &mut 256) else { return };
        let is_path = text.contains(['.', '[']) && text.chars().all(|c| c.is_alphanumeric() || "_.[]".contains(c));
        if is_path {
            text.split(['.', '[', ']']).for_each(|name| self.check_internal(name, expr.start()));
        }
    }

    /// An attribute name, however it was written.
    pub(super) fn check_internal(&mut self, name: &str, at: TextSize) {
        if catalogue::is_internal(name) {
            let message = format!(
                "`{name}` leads to the interpreter's internals and is forbidden in procedures; use the value's own methods, `type()` or `isinstance()`."
            );
            self.add(&rules::DUNDER, at, message);
        }
    }

    /// A subscript: `x["__globals__"]`.
    pub(super) fn check_key(&mut self, key: &'a Expr) {
        if matches!(
            key,
            Expr::StringLiteral(_) | Expr::BinOp(_) | Expr::FString(_) | Expr::Call(_) | Expr::Subscript(_)
        ) && let Some(text) = meaning::text(self.scopes, key, self.scope(), &mut 256)
            && text.starts_with("__")
        {
            self.check_internal(&text, key.start());
        }
    }

    /// The name in `getattr(x, name)` and its kin.
    pub(super) fn check_computed_name(&mut self, base: &'a Expr, name: &'a Expr) {
        let at = name.start();
        if let Some(text) = meaning::text(self.scopes, name, self.scope(), &mut 256) {
            self.check_internal(&text, at);
            for path in self.scopes.meanings(base, self.scope()) {
                self.check_member(catalogue::canonical(&format!("{path}.{text}")), at);
            }
            return;
        }
        let base_is_module = self.scopes.meanings(base, self.scope()).iter().any(|path| !path.contains('.'));
        if base_is_module {
            let message = format!(
                "Which member of the module {} is taken is only known at run time; write the member's name.",
                quote(self.source(base))
            );
            self.report.add_as(&rules::COMPUTED_ATTRIBUTE, Severity::Error, Some(at), message);
        } else if is_pieced_together(name) {
            let message = format!(
                "The attribute name {} is pieced together at run time and can't be checked; use a dictionary from names to values.",
                quote(self.source(name))
            );
            self.add(&rules::COMPUTED_ATTRIBUTE, at, message);
        }
    }
}

/// Whether a text that is not constant shows signs of hiding a name: underscores in pairs, or reversed, decoded pieces.
fn is_pieced_together(expr: &Expr) -> bool {
    match expr {
        Expr::StringLiteral(literal) => literal.value.to_str().contains("__"),
        Expr::BinOp(operation) => is_pieced_together(&operation.left) || is_pieced_together(&operation.right),
        Expr::FString(literal) => literal
            .value
            .elements()
            .any(|element| element.as_literal().is_some_and(|literal| literal.value.contains("__"))),
        Expr::Subscript(subscript) => subscript.slice.is_slice_expr(),
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) => {
                matches!(method.attr.as_str(), "join" | "decode" | "replace" | "format" | "translate")
            }
            Expr::Name(function) => matches!(function.id.as_str(), "chr" | "reversed" | "bytes"),
            _ => false,
        },
        _ => false,
    }
}
