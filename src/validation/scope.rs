//! Name resolution: which scopes there are, what each name in them is bound to, and what an expression therefore means.
//!
//! A meaning is a dotted path: `os.system`, `builtins.eval`, `repertoire.run_command`. Resolution follows imports,
//! assignments, loops over literals, defaults and `getattr` with a constant name. It over-approximates: a name that is
//! bound twice has both meanings. [`Scopes::collect`] also finds trees that are too deep for the visitors to walk.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Comprehension, ExceptHandler, Expr, Identifier, ModModule, Parameters, Pattern, Stmt, StmtImport, StmtImportFrom,
};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::guard::MAX_DEPTH;

/// A scope, as an index.
pub(super) type ScopeId = usize;

/// What a name is bound to.
#[derive(Debug, Clone)]
pub(super) enum Bound<'a> {
    /// A module or a member of one, as a dotted path.
    Imported(String),
    /// The value of an expression, seen from a scope.
    Value(&'a Expr, ScopeId),
    /// A function of the code's own.
    Function,
    /// A caught exception.
    Caught,
    /// Something else of the code's own.
    Own,
}

#[derive(Debug)]
pub(super) struct Binding<'a> {
    pub(super) bound: Bound<'a>,
    at: TextSize,
    /// Inside an `if`, a loop or a `try`, so that it may not have happened.
    conditional: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Module,
    Class,
    Function,
    Comprehension,
}

#[derive(Debug)]
struct Scope<'a> {
    kind: Kind,
    parent: Option<ScopeId>,
    names: HashMap<&'a str, Vec<Binding<'a>>>,
    globals: HashSet<&'a str>,
}

/// All scopes of a module. Index 0 is the module's own.
#[derive(Debug)]
pub(super) struct Scopes<'a> {
    scopes: Vec<Scope<'a>>,
    by_range: HashMap<TextRange, ScopeId>,
}

impl<'a> Scopes<'a> {
    /// Collects the scopes and bindings of a module.
    ///
    /// # Errors
    /// Where the tree is deeper than [`MAX_DEPTH`].
    pub(super) fn collect(module: &'a ModModule) -> Result<Self, TextSize> {
        let mut collector = Collector {
            scopes: Self { scopes: Vec::new(), by_range: HashMap::new() },
            stack: Vec::new(),
            depth: 0,
            conditional: 0,
            too_deep: None,
        };
        collector.enter(Kind::Module, module.range());
        collector.visit_body(&module.body);
        collector.too_deep.map_or(Ok(collector.scopes), Err)
    }

    /// The scope that a function, class, lambda or comprehension opens.
    pub(super) fn opened_by(&self, range: TextRange) -> Option<ScopeId> {
        self.by_range.get(&range).copied()
    }

    /// What `name` is bound to where `scope` looks it up, and whether the builtin of that name may be meant at `at`.
    pub(super) fn lookup(&self, name: &str, scope: ScopeId, at: TextSize) -> (&[Binding<'a>], bool) {
        let mut current = Some(scope);
        if self.scopes.get(scope).is_some_and(|scope| scope.globals.contains(name)) {
            current = Some(0);
        }
        while let Some(scope_id) = current {
            let Some(here) = self.scopes.get(scope_id) else { break };
            // Names of a class body are not seen by the functions in it.
            if (here.kind != Kind::Class || scope_id == scope)
                && let Some(bindings) = here.names.get(name)
            {
                let before_all = scope_id == scope
                    && matches!(here.kind, Kind::Module | Kind::Class)
                    && bindings.iter().all(|binding| at < binding.at);
                let builtin = before_all
                    || (matches!(here.kind, Kind::Module | Kind::Class)
                        && bindings.iter().all(|binding| binding.conditional));
                return (bindings, builtin);
            }
            current = here.parent;
        }
        (&[], true)
    }

    /// The meanings of an expression.
    pub(super) fn meanings(&self, expr: &Expr, scope: ScopeId) -> Vec<String> {
        let mut found = Vec::new();
        super::meaning::collect(self, expr, scope, &mut 64, &mut found);
        found
    }

    /// Whether one of the meanings of an expression is this path.
    pub(super) fn means(&self, expr: &Expr, scope: ScopeId, path: &str) -> bool {
        self.meanings(expr, scope).iter().any(|meaning| meaning == path)
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

    fn enter(&mut self, kind: Kind, range: TextRange) {
        let id = self.scopes.scopes.len();
        let parent = self.stack.last().copied();
        self.scopes.scopes.push(Scope { kind, parent, names: HashMap::new(), globals: HashSet::new() });
        self.scopes.by_range.insert(range, id);
        self.stack.push(id);
    }

    fn bind_in(&mut self, scope: ScopeId, name: &'a str, at: TextSize, bound: Bound<'a>) {
        let conditional = self.conditional > 0;
        let Some(here) = self.scopes.scopes.get(scope) else { return };
        let target = if here.globals.contains(name) { 0 } else { scope };
        if let Some(here) = self.scopes.scopes.get_mut(target) {
            here.names.entry(name).or_default().push(Binding { bound, at, conditional });
        }
    }

    fn bind(&mut self, name: &'a Identifier, bound: Bound<'a>) {
        self.bind_in(self.current(), name.as_str(), name.start(), bound);
    }

    /// Binds the names in an assignment target to a value, element by element where both sides are literal.
    /// The name may be gone from here on, as after `del` or at the end of an `except … as`.
    fn unbind(&mut self, name: &str) {
        let current = self.current();
        let bindings = self.scopes.scopes.get_mut(current).and_then(|scope| scope.names.get_mut(name));
        bindings.into_iter().flatten().for_each(|binding| binding.conditional = true);
    }

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

    fn bind_parameters(&mut self, parameters: &'a Parameters) {
        let outside = self.stack.iter().rev().nth(1).copied().unwrap_or_default();
        for parameter in parameters.iter_non_variadic_params() {
            let name = &parameter.parameter.name;
            self.bind(name, Bound::Own);
            if let Some(default) = &parameter.default {
                self.bind(name, Bound::Value(default, outside));
            }
        }
        for parameter in [&parameters.vararg, &parameters.kwarg].into_iter().flatten() {
            self.bind(&parameter.name, Bound::Own);
        }
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

/// The elements of a tuple or list literal; of anything else, itself.
pub(super) fn elements(expr: &Expr) -> &[Expr] {
    match expr {
        Expr::Tuple(tuple) => &tuple.elts,
        Expr::List(list) => &list.elts,
        other => std::slice::from_ref(other),
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
        self.depth += levels;
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
                self.bind(&function.name, Bound::Function);
                self.enter(Kind::Function, function.range());
                let outside = std::mem::take(&mut self.conditional);
                self.bind_parameters(&function.parameters);
                self.visit_body(&function.body);
                self.conditional = outside;
                self.stack.pop();
            }
            Stmt::ClassDef(class) => {
                class.decorator_list.iter().for_each(|decorator| self.visit_expr(&decorator.expression));
                if let Some(arguments) = &class.arguments {
                    self.visit_arguments(arguments);
                }
                self.bind(&class.name, Bound::Own);
                self.enter(Kind::Class, class.range());
                self.visit_body(&class.body);
                self.stack.pop();
            }
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::Global(global) => {
                let scope = self.current();
                if let Some(here) = self.scopes.scopes.get_mut(scope) {
                    here.globals.extend(global.names.iter().map(Identifier::as_str));
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
                self.bind_target(&assign.target, Some(&assign.value));
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
        self.depth += 1;
        match expr {
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.visit_defaults(parameters);
                }
                self.enter(Kind::Function, lambda.range());
                if let Some(parameters) = &lambda.parameters {
                    self.bind_parameters(parameters);
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
                    |id: &ScopeId| self.scopes.scopes.get(*id).is_some_and(|scope| scope.kind == Kind::Comprehension);
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

    // Annotations are never evaluated by the interpreter.
    fn visit_annotation(&mut self, _: &'a Expr) {}

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
        self.depth += 1;
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
