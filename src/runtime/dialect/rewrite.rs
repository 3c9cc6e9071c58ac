//! What is written in another way.

use ruff_python_ast::{
    Alias, Expr, ExprAttribute, ExprCall, ExprContext, ExprName, ModModule, Stmt, StmtImport, StmtImportFrom,
    visitor::{self, Visitor},
};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{
    Edits,
    bound::{Bound, bound_by},
    methods,
    modules::{self, BUILTINS, Brought, METHODS, MISSING_BUILTINS, Wanted},
};

const NAME: &str = "__name__";
/// What code finds there whose function is called, as if it had been imported.
const MODULE_NAME: &str = "procedure";

/// The changes of a source, and the modules that it then needs.
pub fn edits(source: &str, module: &ModModule, is_main: bool) -> (Edits, Vec<(Brought, Wanted)>) {
    let mut bound = Bound::default();
    bound.visit_body(&module.body);
    let mut rewriting = Rewriting { source, bound: &bound, is_main, edits: Edits::default(), modules: Vec::new() };
    rewriting.visit_body(&module.body);
    (rewriting.edits.in_order(), rewriting.modules)
}

/// A source while it is gone through.
pub(super) struct Rewriting<'s> {
    pub(super) source: &'s str,
    bound: &'s Bound,
    /// Whether the code is what is executed, and not only what has the function that is called.
    is_main: bool,
    pub(super) edits: Edits,
    modules: Vec<(Brought, Wanted)>,
}

impl<'a> Visitor<'a> for Rewriting<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::Delete(delete) => {
                self.delete(delete);
                visitor::walk_stmt(self, stmt);
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Subscript(item) if self.is_typing(&item.value) => {
                // What is in the brackets is for readers and type checkers. A name that is not native is rewritten too.
                self.visit_expr(&item.value);
                self.edits.replace(TextRange::new(item.value.end(), item.end()), "");
            }
            Expr::Attribute(attribute) => {
                let is_done = self.member(&attribute.value, attribute.attr.as_str(), attribute.range())
                    || self.method_of_type(attribute);
                if !is_done {
                    self.method_as_value(attribute);
                    visitor::walk_expr(self, expr);
                }
            }
            Expr::Call(call) if self.is_blank_object(call) => {
                self.needs(METHODS, Some("blank"));
                self.edits.replace(call.range(), format!("{}.blank()", METHODS.object()));
            }
            Expr::Call(call) => {
                match &*call.func {
                    Expr::Attribute(method) if !self.is_handled(method) => {
                        self.missing_method(call, method);
                        // Called, so that it is no value.
                        self.visit_expr(&method.value);
                    }
                    other => self.visit_expr(other),
                }
                self.visit_arguments(&call.arguments);
            }
            Expr::Name(name) if self.module_of(name).is_some() => {
                // Handed on as a whole.
                if let Some(module) = self.module_of(name) {
                    self.needs(module, None);
                }
            }
            Expr::Name(name)
                if MISSING_BUILTINS.contains(&name.id.as_str()) && self.bound.is_free(name.id.as_str()) =>
            {
                self.needs(BUILTINS, Some(name.id.as_str()));
                let start = TextRange::empty(name.start());
                self.edits.replace(start, format!("{}.", BUILTINS.object()));
            }
            // The interpreter has one value for it, that of a program.
            Expr::Name(name) if !self.is_main && name.id.as_str() == NAME && name.ctx.is_load() => {
                self.edits.replace(name.range(), format!("'{MODULE_NAME}'"));
            }
            _ => visitor::walk_expr(self, expr),
        }
    }

    /// Annotations are not evaluated.
    fn visit_annotation(&mut self, _: &'a Expr) {}
}

impl Rewriting<'_> {
    /// Defines an object, with this of it, or with everything.
    pub(super) fn needs(&mut self, module: Brought, name: Option<&str>) {
        self.defines(module).add(name);
    }

    fn defines(&mut self, module: Brought) -> &mut Wanted {
        let index = self.modules.iter().position(|(other, _)| *other == module).unwrap_or_else(|| {
            self.modules.push((module, Wanted::nothing()));
            self.modules.len() - 1
        });
        &mut self.modules[index].1
    }

    pub(super) fn text(&self, node: &impl Ranged) -> &str {
        &self.source[node.range()]
    }

    fn import(&mut self, import: &StmtImport) {
        let mut lines = Vec::new();
        for alias in &import.names {
            match modules::named(alias.name.as_str()).filter(|module| !module.is_part) {
                Some(module) => {
                    let (bound, _) = bound_by(alias);
                    if self.bound.is_always(bound) {
                        self.defines(module);
                    } else {
                        self.needs(module, None);
                    }
                    lines.push(match (&alias.asname, module.name.split_once('.')) {
                        // The rest of the way is found at the attributes.
                        (None, Some((root, _))) => format!("import {root}"),
                        (None, None) => format!("{} = {}", module.name, module.object()),
                        (Some(name), _) => format!("{name} = {}", module.object()),
                    });
                }
                None => lines.push(format!("import {}", self.text(alias))),
            }
        }
        let is_ours = |alias: &Alias| modules::named(alias.name.as_str()).is_some_and(|module| !module.is_part);
        if import.names.iter().any(is_ours) {
            self.edits.replace(import.range(), lines.join("; "));
        }
    }

    fn import_from(&mut self, import: &StmtImportFrom) {
        let from = import.module.as_ref().map_or("", |module| module.as_str());
        if import.level > 0 {
            return;
        }
        let (mut native, mut ours) = (Vec::new(), Vec::new());
        for alias in &import.names {
            let (name, bound) = (alias.name.as_str(), alias.asname.as_ref().unwrap_or(&alias.name).as_str());
            if let Some(module) = modules::named(from).filter(|module| module.has(name)) {
                self.needs(module, Some(name));
                ours.push(format!("{bound} = {}.{name}", module.object()));
            } else if let Some(module) = modules::named(&format!("{from}.{name}")) {
                if self.bound.is_always(bound) {
                    self.defines(module);
                } else {
                    self.needs(module, None);
                }
                ours.push(format!("{bound} = {}", module.object()));
            } else {
                native.push(self.text(alias).to_owned());
            }
        }
        if ours.is_empty() {
            return;
        }
        let native = (!native.is_empty()).then(|| format!("from {from} import {}", native.join(", ")));
        let lines: Vec<String> = native.into_iter().chain(ours).collect();
        self.edits.replace(import.range(), lines.join("; "));
    }

    /// `functools.wraps` and `collections.abc`, where the interpreter has the module without that.
    fn member(&mut self, value: &Expr, member: &str, whole: TextRange) -> bool {
        let Expr::Name(name) = value else { return false };
        let Some(of) = self.bound.module(name) else { return false };
        if let Some(module) = modules::named(&format!("{of}.{member}")) {
            self.needs(module, None);
            self.edits.replace(whole, module.object());
            return true;
        }
        match modules::named(of) {
            Some(module) if module.is_part && module.has(member) => {
                self.needs(module, Some(member));
                self.edits.replace(name.range(), module.object());
                true
            }
            Some(module) if !module.is_part => {
                self.needs(module, Some(member));
                true
            }
            _ => false,
        }
    }

    /// The module of ours that a name always stands for.
    fn module_of(&self, name: &ExprName) -> Option<Brought> {
        modules::named(self.bound.module(name)?).filter(|module| !module.is_part)
    }

    /// Whether an attribute is one of a module, or of a builtin type: what is rewritten also where it is called.
    fn is_handled(&self, attribute: &ExprAttribute) -> bool {
        let Expr::Name(name) = &*attribute.value else { return false };
        self.bound.module(name).is_some() || self.is_type(name)
    }

    fn is_type(&self, name: &ExprName) -> bool {
        let name = name.id.as_str();
        methods::TYPES.contains(&name) && self.bound.is_free(name)
    }

    /// `object()`, which is there to be no other object.
    fn is_blank_object(&self, call: &ExprCall) -> bool {
        let is_object = matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "object");
        is_object && call.arguments.is_empty() && self.bound.is_free("object")
    }

    /// `str.lower`, and `str.maketrans`.
    fn method_of_type(&mut self, attribute: &ExprAttribute) -> bool {
        let Expr::Name(name) = &*attribute.value else { return false };
        let method = attribute.attr.as_str();
        if !self.is_type(name) {
            return false;
        }
        if methods::MISSING.contains(&method) || methods::OF_SEVERAL.contains(&method) {
            self.needs(METHODS, Some(method));
            self.edits.replace(attribute.range(), format!("{}.{method}", METHODS.object()));
        } else if methods::AS_VALUES.contains(&method) {
            self.edits.replace(attribute.range(), format!("(lambda o, /, *a, **k: o.{method}(*a, **k))"));
        }
        true
    }

    /// `seen.add`, which may also be what it looks like: an attribute.
    fn method_as_value(&mut self, attribute: &ExprAttribute) {
        let method = attribute.attr.as_str();
        let is_own = matches!(&*attribute.value, Expr::Name(name) if name.id.as_str() == "self" || self.bound.module(name).is_some());
        if attribute.ctx != ExprContext::Load || is_own || !methods::AS_VALUES.contains(&method) {
            return;
        }
        self.needs(METHODS, Some("bound"));
        let before = format!("{}.bound(", METHODS.object());
        self.edits.replace(TextRange::new(attribute.start(), attribute.value.start()), before);
        let make = if methods::OF_SEVERAL.contains(&method) {
            self.needs(METHODS, Some(method));
            format!("lambda *a: {}.{method}(o, *a)", METHODS.object())
        } else {
            format!("lambda *a, **k: o.{method}(*a, **k)")
        };
        let after = format!(", '{method}', lambda o: {make})");
        self.edits.replace(TextRange::new(attribute.value.end(), attribute.end()), after);
    }

    /// `n.bit_length()`, where nothing in the code has a method of this name.
    fn missing_method(&mut self, call: &ExprCall, method: &ExprAttribute) {
        let name = method.attr.as_str();
        let given = &call.arguments.args;
        let is_of_several = || given.len() != 1 || given.iter().any(Expr::is_starred_expr);
        let is_missing = methods::MISSING.contains(&name) || (methods::OF_SEVERAL.contains(&name) && is_of_several());
        if !is_missing || !call.arguments.keywords.is_empty() || !self.bound.is_free(name) {
            return;
        }
        let before = format!("{}.{name}(", METHODS.object());
        let open = call.arguments.start() + TextSize::new(1);
        if name == "maketrans" {
            // It is one of the type, and takes nothing of the text that it is called of.
            let is_plain = match &*method.value {
                Expr::Name(holder) => !self.bound.is_free(holder.id.as_str()),
                other => other.is_string_literal_expr(),
            };
            if is_plain {
                self.needs(METHODS, Some(name));
                self.edits.replace(TextRange::new(call.start(), open), before);
            }
            return;
        }
        self.needs(METHODS, Some(name));
        self.edits.replace(TextRange::new(call.start(), method.value.start()), before);
        let comma = if given.is_empty() { "" } else { ", " };
        self.edits.replace(TextRange::new(method.value.end(), open), comma);
    }

    /// Whether an expression is a name of `typing` that the interpreter can't subscribe.
    fn is_typing(&self, value: &Expr) -> bool {
        match value {
            Expr::Name(name) => self.bound.module(name).is_some_and(|path| path.starts_with("typing.")),
            Expr::Attribute(attribute) => match &*attribute.value {
                Expr::Name(name) => self.bound.module(name) == Some("typing"),
                _ => false,
            },
            _ => false,
        }
    }
}
