//! Which commands an expression may stand for: lists that are built from constants.
//!
//! Followed are names, concatenations, `split()` of a constant, conditions, dictionaries and lists of commands, loops over
//! them, and what the calls of an own function pass for its parameters. Bounded by fuel and by the number of commands.

use std::collections::HashMap;

use ruff_python_ast::{Expr, ExprCall, ExprName, Operator};
use ruff_text_size::Ranged;

use crate::validation::scopes::{
    meaning,
    scope::{Bound, ScopeId, Scopes, elements},
};

/// The words of a command; none for a word, or any number of them, that is not constant.
pub(super) type Line = Vec<Option<String>>;

/// Most commands that one expression is taken to stand for.
const MAX_LINES: usize = 32;

/// The calls of the code's own functions, by the name of the function.
pub(super) type OwnCalls<'a> = HashMap<&'a str, Vec<(&'a ExprCall, ScopeId)>>;

pub(super) struct CommandLines<'s, 'a> {
    pub(super) scopes: &'s Scopes<'a>,
    pub(super) calls: &'s OwnCalls<'a>,
    pub(super) fuel: usize,
}

impl<'a> CommandLines<'_, 'a> {
    /// The commands that a list may be.
    pub(super) fn of(&mut self, expr: &'a Expr, scope: ScopeId) -> Vec<Line> {
        let mut lines = self.lines(expr, scope);
        lines.truncate(MAX_LINES);
        lines
    }

    fn lines(&mut self, expr: &'a Expr, scope: ScopeId) -> Vec<Line> {
        if self.fuel == 0 {
            return unknown();
        }
        self.fuel -= 1;
        match expr {
            Expr::List(_) | Expr::Tuple(_) => {
                let items = elements(expr);
                let is_command = |item: &Expr| item.is_list_expr() || item.is_tuple_expr();
                if !items.is_empty() && items.iter().all(is_command) {
                    return items.iter().flat_map(|item| self.lines(item, scope)).take(MAX_LINES).collect();
                }
                items.iter().fold(vec![Vec::new()], |lines, item| {
                    let next = match item {
                        Expr::Starred(rest) => self.lines(&rest.value, scope),
                        word => self.words(word, scope),
                    };
                    joined(&lines, &next)
                })
            }
            Expr::Name(name) => self.of_name(name, scope, Self::lines),
            Expr::Named(named) => self.lines(&named.value, scope),
            Expr::If(branch) => self.both(&branch.body, &branch.orelse, scope),
            Expr::BoolOp(operation) => {
                operation.values.iter().flat_map(|value| self.lines(value, scope)).take(MAX_LINES).collect()
            }
            Expr::BinOp(operation) if operation.op == Operator::Add => {
                let left = self.lines(&operation.left, scope);
                joined(&left, &self.lines(&operation.right, scope))
            }
            // Which one of them is taken does not matter.
            Expr::Subscript(subscript) => self.members(&subscript.value, scope),
            Expr::Call(call) => self.of_call(call, scope),
            _ => unknown(),
        }
    }

    fn both(&mut self, one: &'a Expr, other: &'a Expr, scope: ScopeId) -> Vec<Line> {
        let mut lines = self.lines(one, scope);
        lines.extend(self.lines(other, scope));
        lines
    }

    fn of_call(&mut self, call: &'a ExprCall, scope: ScopeId) -> Vec<Line> {
        let arguments = &call.arguments.args;
        match &*call.func {
            Expr::Name(function) if matches!(function.id.as_str(), "list" | "tuple") => {
                arguments.first().map_or_else(|| vec![Vec::new()], |list| self.lines(list, scope))
            }
            Expr::Attribute(method) => match method.attr.as_str() {
                "copy" => self.lines(&method.value, scope),
                "split" if call.arguments.is_empty() => {
                    match meaning::text(self.scopes, &method.value, scope, &mut 64) {
                        Some(text) => vec![text.split_whitespace().map(|word| Some(word.to_owned())).collect()],
                        None => unknown(),
                    }
                }
                "get" => {
                    let mut lines = self.members(&method.value, scope);
                    lines.extend(arguments.get(1).into_iter().flat_map(|default| self.lines(default, scope)));
                    lines
                }
                _ => unknown(),
            },
            _ => unknown(),
        }
    }

    /// The commands that a dictionary or list of commands holds.
    fn members(&mut self, expr: &'a Expr, scope: ScopeId) -> Vec<Line> {
        match expr {
            Expr::Dict(dict) => {
                dict.items.iter().flat_map(|item| self.lines(&item.value, scope)).take(MAX_LINES).collect()
            }
            Expr::List(_) | Expr::Tuple(_) => self.lines(expr, scope),
            Expr::Name(name) => self.of_name(name, scope, Self::members),
            _ => unknown(),
        }
    }

    /// What one element of a list adds.
    fn words(&mut self, expr: &'a Expr, scope: ScopeId) -> Vec<Line> {
        if expr.is_number_literal_expr() {
            return unknown();
        }
        if let Some(text) = meaning::text(self.scopes, expr, scope, &mut 64) {
            return vec![vec![Some(text)]];
        }
        if self.fuel == 0 {
            return unknown();
        }
        self.fuel -= 1;
        match expr {
            Expr::Name(name) => self.of_name(name, scope, Self::words),
            Expr::If(branch) => {
                let mut lines = self.words(&branch.body, scope);
                lines.extend(self.words(&branch.orelse, scope));
                lines
            }
            _ => unknown(),
        }
    }

    /// All that a name may be bound to.
    fn of_name(
        &mut self,
        name: &'a ExprName,
        scope: ScopeId,
        find: fn(&mut Self, &'a Expr, ScopeId) -> Vec<Line>,
    ) -> Vec<Line> {
        let scopes = self.scopes;
        let (bindings, _) = scopes.lookup(name.id.as_str(), scope, name.start());
        let mut lines = Vec::new();
        let mut grows = false;
        for binding in bindings {
            match &binding.bound {
                Bound::Value(value, scope) => lines.extend(find(self, value, *scope)),
                Bound::Added(..) => grows = true,
                Bound::Parameter { function, index } => {
                    lines.extend(self.passed(function, *index, name.id.as_str(), find));
                }
                Bound::Rest { function, index } => lines.extend(self.passed_rest(function, *index)),
                _ => lines.extend(unknown()),
            }
        }
        if lines.is_empty() {
            return unknown();
        }
        if grows { joined(&lines, &unknown()) } else { lines }
    }

    /// What the calls of a function pass for a parameter.
    fn passed(
        &mut self,
        function: &str,
        index: usize,
        name: &str,
        find: fn(&mut Self, &'a Expr, ScopeId) -> Vec<Line>,
    ) -> Vec<Line> {
        let Some(calls) = self.calls.get(function) else { return unknown() };
        let mut lines = Vec::new();
        for (call, scope) in calls.iter().take(MAX_LINES) {
            let is_plain = !call.arguments.args.iter().take(index + 1).any(Expr::is_starred_expr);
            match call.arguments.find_argument_value(name, index) {
                Some(value) if is_plain => lines.extend(find(self, value, *scope)),
                // Its default is a binding of its own.
                None if is_plain => {}
                _ => lines.extend(unknown()),
            }
        }
        lines
    }

    /// What the calls of a function pass for `*args`.
    fn passed_rest(&mut self, function: &str, index: usize) -> Vec<Line> {
        let Some(calls) = self.calls.get(function) else { return unknown() };
        let mut lines = Vec::new();
        for (call, scope) in calls.iter().take(MAX_LINES) {
            let rest = call.arguments.args.iter().skip(index);
            lines.extend(rest.fold(vec![Vec::new()], |lines, item| {
                let next = match item {
                    Expr::Starred(rest) => self.lines(&rest.value, *scope),
                    word => self.words(word, *scope),
                };
                joined(&lines, &next)
            }));
        }
        lines
    }
}

fn unknown() -> Vec<Line> {
    vec![vec![None]]
}

/// Each with each.
fn joined(left: &[Line], right: &[Line]) -> Vec<Line> {
    let pairs = left.iter().flat_map(|line| right.iter().map(move |rest| [line.as_slice(), rest.as_slice()].concat()));
    pairs.take(MAX_LINES).collect()
}
