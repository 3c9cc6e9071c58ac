//! The walk that finds the scopes of a module and what each name in them is bound to.
//!
//! It goes first over every tree, so it also finds those that are too deep for the visitors after it.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Comprehension, ExceptHandler, Expr, Identifier, ModModule, Parameters, Pattern, Stmt, StmtFunctionDef, StmtImport,
    StmtImportFrom,
};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::scope::{Binding, Bound, Kind, Scope, ScopeId, Scopes, elements};
use crate::validation::parse::guard::MAX_DEPTH;

/// The place of a parameter that is never passed by place.
const BY_NAME_ONLY: usize = usize::MAX / 2;

impl<'a> Scopes<'a> {
    /// Collects the scopes and bindings of a module.
    ///
    /// # Errors
    /// Where the tree is deeper than [`MAX_DEPTH`].
    pub fn collect(module: &'a ModModule) -> Result<Self, TextSize> {
        let mut collector =
            Collector { scopes: Self::default(), stack: Vec::new(), depth: 0, conditional: 0, too_deep: None };
        collector.enter(Kind::Module, module.range());
        collector.visit_body(&module.body);
        collector.too_deep.map_or(Ok(collector.scopes), Err)
    }
}

struct Collector<'a> {
    scopes: Scopes<'a>,
    stack: Vec<ScopeId>,
    depth: usize,
    conditional: usize,
    too_deep: Option<TextSize>,
}

impl<'a> Collector<'a> {
    fn current(&self) -> ScopeId {
        self.stack.last().copied().unwrap_or_default()
    }

    fn descend(&mut self, levels: usize) {
        self.depth += levels;
        self.scopes.deepest = self.scopes.deepest.max(self.depth);
    }

    fn enter(&mut self, kind: Kind, range: TextRange) {
        let id = self.scopes.all.len();
        let parent = self.stack.last().copied();
        self.scopes.all.push(Scope {
            kind,
            parent,
            names: HashMap::new(),
            globals: HashSet::new(),
            outer: HashSet::new(),
        });
        self.scopes.by_range.insert(range, id);
        self.stack.push(id);
    }

    fn bind_in(&mut self, scope: ScopeId, name: &'a str, at: TextSize, bound: Bound<'a>) {
        let conditional = self.conditional > 0;
        let Some(here) = self.scopes.all.get(scope) else { return };
        let target = if here.globals.contains(name) { 0 } else { scope };
        if let Some(here) = self.scopes.all.get_mut(target) {
            here.names.entry(name).or_default().push(Binding { bound, at, conditional });
        }
    }

    fn bind(&mut self, name: &'a Identifier, bound: Bound<'a>) {
        self.bind_in(self.current(), name.as_str(), name.start(), bound);
    }

    /// The name may be gone from here on, as after `del` or at the end of an `except … as`.
    fn unbind(&mut self, name: &str) {
        let current = self.current();
        let bindings = self.scopes.all.get_mut(current).and_then(|scope| scope.names.get_mut(name));
        bindings.into_iter().flatten().for_each(|binding| binding.conditional = true);
    }

    /// Binds the names in an assignment target to a value, element by element where both sides are literal.
    fn bind_target(&mut self, target: &'a Expr, value: Option<&'a Expr>) {
        match target {
            Expr::Name(name) => {
                let scope = self.current();
                let bound = value.map_or(Bound::Own, |value| Bound::Value(value, scope));
                self.bind_in(scope, name.id.as_str(), name.start(), bound);
            }
            Expr::Tuple(_) | Expr::List(_) => {
                let targets = elements(target);
                let values = value.map(elements).filter(|values| values.len() == targets.len());
                for (index, target) in targets.iter().enumerate() {
                    self.bind_target(target, values.and_then(|values| values.get(index)).or(value));
                }
            }
            Expr::Starred(starred) => self.bind_target(&starred.value, value),
            _ => {}
        }
    }

    /// Binds the parameters of a function; methods and lambdas have no name that they are called by.
    fn bind_parameters(&mut self, parameters: &'a Parameters, function: Option<&'a str>) {
        let outside = self.stack.iter().rev().nth(1).copied().unwrap_or_default();
        self.scopes.parameters.extend(parameters.iter().map(|parameter| parameter.name().as_str()));
        let positional = parameters.posonlyargs.len() + parameters.args.len();
        for (index, parameter) in parameters.iter_non_variadic_params().enumerate() {
            let index = if index < positional { index } else { BY_NAME_ONLY };
            let name = &parameter.parameter.name;
            self.bind(name, function.map_or(Bound::Own, |function| Bound::Parameter { function, index }));
            if let Some(default) = &parameter.default {
                self.bind(name, Bound::Value(default, outside));
            }
        }
        if let Some(parameter) = &parameters.vararg {
            let rest = |function| Bound::Rest { function, index: positional };
            self.bind(&parameter.name, function.map_or(Bound::Own, rest));
        }
        if let Some(parameter) = &parameters.kwarg {
            self.bind(&parameter.name, Bound::Own);
        }
    }

    /// Looks only at how deep something is that binds nothing.
    fn measure(&mut self, walk: impl FnOnce(&mut Depth)) {
        let mut depth = Depth { level: self.depth, deepest: self.scopes.deepest, too_deep: self.too_deep };
        walk(&mut depth);
        (self.scopes.deepest, self.too_deep) = (depth.deepest, depth.too_deep);
    }

    fn measure_signature(&mut self, function: &'a StmtFunctionDef) {
        self.measure(|depth| {
            function.type_params.iter().for_each(|parameters| depth.visit_type_params(parameters));
            function.parameters.iter().filter_map(|it| it.annotation()).for_each(|it| depth.visit_annotation(it));
            function.returns.iter().for_each(|returns| depth.visit_annotation(returns));
        });
    }

    fn visit_defaults(&mut self, parameters: &'a Parameters) {
        for default in parameters.iter_non_variadic_params().filter_map(|parameter| parameter.default.as_deref()) {
            self.visit_expr(default);
        }
    }

    fn import(&mut self, import: &'a StmtImport) {
        for alias in &import.names {
            let full = alias.name.as_str();
            if let Some(name) = &alias.asname {
                self.bind(name, Bound::Imported(full.to_owned()));
            } else {
                let root = full.split('.').next().unwrap_or(full);
                self.bind_in(self.current(), root, alias.start(), Bound::Imported(root.to_owned()));
            }
        }
    }

    fn import_from(&mut self, import: &'a StmtImportFrom) {
        let module = import.module.as_ref().map_or("", Identifier::as_str);
        for alias in &import.names {
            let path = format!("{module}.{}", alias.name);
            self.bind(alias.asname.as_ref().unwrap_or(&alias.name), Bound::Imported(path));
        }
    }

    fn comprehension(&mut self, range: TextRange, parts: &[&'a Expr], generators: &'a [Comprehension]) {
        self.enter(Kind::Comprehension, range);
        for generator in generators {
            self.visit_expr(&generator.iter);
            self.bind_target(&generator.target, Some(&generator.iter));
            generator.ifs.iter().for_each(|condition| self.visit_expr(condition));
        }
        parts.iter().for_each(|part| self.visit_expr(part));
        self.stack.pop();
    }

    /// Statements inside which a binding may not happen.
    fn is_conditional(stmt: &Stmt) -> bool {
        matches!(stmt, Stmt::If(_) | Stmt::For(_) | Stmt::While(_) | Stmt::Try(_) | Stmt::Match(_) | Stmt::With(_))
    }
}

impl<'a> Visitor<'a> for Collector<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        // The interpreter nests one level for each `elif`.
        let levels = if let Stmt::If(branch) = stmt { 1 + branch.elif_else_clauses.len() } else { 1 };
        if self.depth + levels > MAX_DEPTH {
            self.too_deep.get_or_insert(stmt.start());
            return;
        }
        self.descend(levels);
        let conditional = usize::from(Self::is_conditional(stmt));
        self.conditional += conditional;
        match stmt {
            Stmt::Delete(delete) => {
                for name in delete.targets.iter().filter_map(Expr::as_name_expr) {
                    self.unbind(name.id.as_str());
                }
                visitor::walk_stmt(self, stmt);
            }
            Stmt::FunctionDef(function) => {
                function.decorator_list.iter().for_each(|decorator| self.visit_expr(&decorator.expression));
                self.visit_defaults(&function.parameters);
                self.measure_signature(function);
                self.bind(&function.name, Bound::Function);
                let is_method = self.scopes.all.get(self.current()).is_some_and(|scope| scope.kind == Kind::Class);
                let name = (!is_method).then(|| function.name.as_str());
                self.enter(Kind::Function, function.range());
                let outside = std::mem::take(&mut self.conditional);
                self.bind_parameters(&function.parameters, name);
                self.visit_body(&function.body);
                self.conditional = outside;
                self.stack.pop();
            }
            Stmt::ClassDef(class) => {
                class.decorator_list.iter().for_each(|decorator| self.visit_expr(&decorator.expression));
                if let Some(arguments) = &class.arguments {
                    self.visit_arguments(arguments);
                }
                self.measure(|depth| {
                    class.type_params.iter().for_each(|parameters| depth.visit_type_params(parameters));
                });
                self.bind(&class.name, Bound::Own);
                self.enter(Kind::Class, class.range());
                self.visit_body(&class.body);
                self.stack.pop();
            }
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::Global(global) => {
                let scope = self.current();
                if let Some(here) = self.scopes.all.get_mut(scope) {
                    here.globals.extend(global.names.iter().map(Identifier::as_str));
                }
            }
            Stmt::Nonlocal(nonlocal) => {
                let scope = self.current();
                if let Some(here) = self.scopes.all.get_mut(scope) {
                    here.outer.extend(nonlocal.names.iter().map(Identifier::as_str));
                }
            }
            Stmt::Assign(assign) => {
                assign.targets.iter().for_each(|target| self.bind_target(target, Some(&assign.value)));
                visitor::walk_stmt(self, stmt);
            }
            Stmt::AnnAssign(assign) => {
                if assign.value.is_some() {
                    self.bind_target(&assign.target, assign.value.as_deref());
                }
                visitor::walk_stmt(self, stmt);
            }
            Stmt::AugAssign(assign) => {
                if let Expr::Name(name) = &*assign.target {
                    let scope = self.current();
                    self.bind_in(scope, name.id.as_str(), name.start(), Bound::Added(&assign.value, scope));
                }
                visitor::walk_stmt(self, stmt);
            }
            Stmt::For(each) => {
                self.bind_target(&each.target, Some(&each.iter));
                visitor::walk_stmt(self, stmt);
            }
            Stmt::With(with) => {
                for item in &with.items {
                    if let Some(target) = &item.optional_vars {
                        self.bind_target(target, None);
                    }
                }
                visitor::walk_stmt(self, stmt);
            }
            _ => visitor::walk_stmt(self, stmt),
        }
        self.conditional -= conditional;
        self.depth -= levels;
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if self.depth >= MAX_DEPTH {
            self.too_deep.get_or_insert(expr.start());
            return;
        }
        self.descend(1);
        match expr {
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.visit_defaults(parameters);
                }
                self.enter(Kind::Function, lambda.range());
                if let Some(parameters) = &lambda.parameters {
                    self.bind_parameters(parameters, None);
                }
                self.visit_expr(&lambda.body);
                self.stack.pop();
            }
            Expr::ListComp(list) => self.comprehension(list.range(), &[&list.elt], &list.generators),
            Expr::SetComp(set) => self.comprehension(set.range(), &[&set.elt], &set.generators),
            Expr::Generator(generator) => {
                self.comprehension(generator.range(), &[&generator.elt], &generator.generators);
            }
            Expr::DictComp(dict) => {
                let parts: Vec<&Expr> = dict.key.as_deref().into_iter().chain([&*dict.value]).collect();
                self.comprehension(dict.range(), &parts, &dict.generators);
            }
            Expr::Named(named) => {
                let is_comprehension =
                    |id: &ScopeId| self.scopes.all.get(*id).is_some_and(|scope| scope.kind == Kind::Comprehension);
                let scope = self.stack.iter().rev().find(|id| !is_comprehension(id)).copied().unwrap_or_default();
                if let Expr::Name(name) = &*named.target {
                    let bound = Bound::Value(&named.value, self.current());
                    self.bind_in(scope, name.id.as_str(), name.start(), bound);
                }
                visitor::walk_expr(self, expr);
            }
            _ => visitor::walk_expr(self, expr),
        }
        self.depth -= 1;
    }

    // Annotations are never evaluated by the interpreter, so they bind nothing.
    fn visit_annotation(&mut self, annotation: &'a Expr) {
        self.measure(|depth| depth.visit_expr(annotation));
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        if let Some(name) = &inner.name {
            self.bind(name, Bound::Caught);
        }
        visitor::walk_except_handler(self, handler);
        if let Some(name) = &inner.name {
            self.unbind(name.as_str());
        }
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        if self.depth >= MAX_DEPTH {
            self.too_deep.get_or_insert(pattern.start());
            return;
        }
        self.descend(1);
        let name = match pattern {
            Pattern::MatchAs(capture) => capture.name.as_ref(),
            Pattern::MatchStar(star) => star.name.as_ref(),
            Pattern::MatchMapping(mapping) => mapping.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.bind(name, Bound::Own);
        }
        visitor::walk_pattern(self, pattern);
        self.depth -= 1;
    }
}

/// A walk that binds nothing and finds out whether an expression is too deep.
struct Depth {
    level: usize,
    deepest: usize,
    too_deep: Option<TextSize>,
}

impl<'a> Visitor<'a> for Depth {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if self.level >= MAX_DEPTH {
            self.too_deep.get_or_insert(expr.start());
            return;
        }
        self.level += 1;
        self.deepest = self.deepest.max(self.level);
        visitor::walk_expr(self, expr);
        self.level -= 1;
    }
}
