//! Which scopes a module has and what each name in them is bound to, and looking a name up.
//!
//! Plain data: [`collect`](super::collect) fills it, [`meaning`](super::meaning) follows the names in it.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::Expr;
use ruff_text_size::{TextRange, TextSize};

/// A scope, as an index.
pub type ScopeId = usize;

/// What a name is bound to.
#[derive(Debug, Clone)]
pub enum Bound<'a> {
    /// A module or a member of one, as a dotted path.
    Imported(String),
    /// The value of an expression, seen from a scope.
    Value(&'a Expr, ScopeId),
    /// What `+=` adds to the value so far.
    Added(&'a Expr, ScopeId),
    /// A parameter of a function, by its place.
    Parameter { function: &'a str, index: usize },
    /// The `*args` of a function, which take the arguments from a place on.
    Rest { function: &'a str, index: usize },
    /// A function of the code's own.
    Function,
    /// A caught exception.
    Caught,
    /// Something else of the code's own.
    Own,
}

#[derive(Debug)]
pub struct Binding<'a> {
    pub bound: Bound<'a>,
    pub at: TextSize,
    /// Inside an `if`, a loop or a `try`, so that it may not have happened.
    pub conditional: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Module,
    Class,
    Function,
    Comprehension,
}

#[derive(Debug)]
pub struct Scope<'a> {
    pub kind: Kind,
    pub parent: Option<ScopeId>,
    pub names: HashMap<&'a str, Vec<Binding<'a>>>,
    pub globals: HashSet<&'a str>,
    /// Names under `nonlocal`.
    pub outer: HashSet<&'a str>,
}

/// All scopes of a module. Index 0 is the module's own.
#[derive(Debug, Default)]
pub struct Scopes<'a> {
    pub all: Vec<Scope<'a>>,
    pub by_range: HashMap<TextRange, ScopeId>,
    /// How many levels the tree has.
    pub deepest: usize,
    /// The names of all parameters.
    pub parameters: HashSet<&'a str>,
}

impl<'a> Scopes<'a> {
    /// The scope that a function, class, lambda or comprehension opens.
    pub fn opened_by(&self, range: TextRange) -> Option<ScopeId> {
        self.by_range.get(&range).copied()
    }

    /// What `name` is bound to where `scope` looks it up, and whether the builtin of that name may be meant at `at`.
    pub fn lookup(&self, name: &str, scope: ScopeId, at: TextSize) -> (&[Binding<'a>], bool) {
        let mut current = Some(scope);
        if self.all.get(scope).is_some_and(|scope| scope.globals.contains(name)) {
            current = Some(0);
        }
        while let Some(scope_id) = current {
            let Some(here) = self.all.get(scope_id) else { break };
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

    /// The scope that a name belongs to which is used in `scope`; none for builtins.
    pub fn owner(&self, name: &str, scope: ScopeId) -> Option<ScopeId> {
        let mut current = Some(scope);
        while let Some(scope_id) = current {
            let here = self.all.get(scope_id)?;
            if here.globals.contains(name) {
                return Some(0);
            }
            if (here.kind != Kind::Class || scope_id == scope) && here.names.contains_key(name) {
                // What is assigned under `nonlocal` belongs to a function further out.
                if !here.outer.contains(name) {
                    return Some(scope_id);
                }
            }
            current = here.parent;
        }
        None
    }

    /// Whether a function of the code has a parameter of this name.
    pub fn is_parameter_name(&self, name: &str) -> bool {
        self.parameters.contains(name)
    }
}

/// The elements of a tuple or list literal; of anything else, itself.
pub fn elements(expr: &Expr) -> &[Expr] {
    match expr {
        Expr::Tuple(tuple) => &tuple.elts,
        Expr::List(list) => &list.elts,
        other => std::slice::from_ref(other),
    }
}
