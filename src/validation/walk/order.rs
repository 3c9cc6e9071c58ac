//! Loops that go another way in the interpreter without a word: what they go over is read ahead, or has another order.

use ruff_python_ast::{
    Expr, ExprCall, Stmt, StmtFor,
    visitor::{self, Visitor},
};
use ruff_text_size::{Ranged, TextSize};

use super::{differences::EAGER, place::Place};
use crate::validation::{report::Report, rules};

/// Methods that change what they are called of.
const CHANGING: [&str; 16] = [
    "add",
    "append",
    "appendleft",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popitem",
    "popleft",
    "remove",
    "reverse",
    "rotate",
    "setdefault",
    "sort",
    "update",
];

/// A `for` loop.
pub fn in_for<'a>(each: &'a StmtFor, place: &Place<'_, 'a>, report: &mut Report) {
    if is_set(place.value(&each.iter), place) && stops_early(&each.body, false) {
        let message = "The interpreter keeps a set in the order in which it was filled, and this loop over one stops early, so that it may come to others than in CPython; loop over `sorted(…)`.";
        report.add(&rules::ORDER_OF_SET, each.start(), message.into());
    }
    let mut read = Vec::new();
    if let Some(reader) = read_ahead(&each.iter, place, &mut read)
        && let Some((name, at)) = (Changes { names: &read, index: index(each, reader), found: None }).within(&each.body)
    {
        let message = format!(
            "The interpreter runs `{reader}` to its end before the loop, which so does not see what it changes in `{name}`; loop over `range(len({name}))` and read `{name}` where it is needed."
        );
        report.add(&rules::CHANGED_AHEAD, at, message);
    }
}

fn is_set<'a>(expr: &'a Expr, place: &Place<'_, 'a>) -> bool {
    match expr {
        Expr::Set(_) | Expr::SetComp(_) => true,
        Expr::Call(call) => {
            matches!(&*call.func, Expr::Name(name) if matches!(name.id.as_str(), "set" | "frozenset"))
                && place.means(&call.func, &format!("builtins.{}", place.source(&*call.func)))
        }
        _ => false,
    }
}

/// Whether a loop with this body is left before its end with something that depends on where it is.
fn stops_early(body: &[Stmt], is_inner: bool) -> bool {
    body.iter().any(|stmt| match stmt {
        Stmt::Break(_) => !is_inner,
        Stmt::Return(leaving) => leaving.value.as_ref().is_some_and(|value| !is_constant(value)),
        Stmt::If(branch) => {
            stops_early(&branch.body, is_inner)
                || branch.elif_else_clauses.iter().any(|clause| stops_early(&clause.body, is_inner))
        }
        Stmt::For(each) => stops_early(&each.body, true) || stops_early(&each.orelse, is_inner),
        Stmt::While(each) => stops_early(&each.body, true) || stops_early(&each.orelse, is_inner),
        Stmt::With(with) => stops_early(&with.body, is_inner),
        Stmt::Try(attempt) => {
            stops_early(&attempt.body, is_inner)
                || stops_early(&attempt.orelse, is_inner)
                || attempt
                    .handlers
                    .iter()
                    .filter_map(|handler| handler.as_except_handler())
                    .any(|handler| stops_early(&handler.body, is_inner))
        }
        _ => false,
    })
}

fn is_constant(value: &Expr) -> bool {
    matches!(value, Expr::BooleanLiteral(_) | Expr::NoneLiteral(_) | Expr::NumberLiteral(_) | Expr::StringLiteral(_))
}

/// What reads its arguments to their end before the loop begins, and the names of what it reads.
fn read_ahead<'a>(expr: &'a Expr, place: &Place<'_, 'a>, read: &mut Vec<&'a str>) -> Option<&'static str> {
    match expr {
        Expr::Call(call) => {
            let meanings = place.meanings(&call.func);
            let reader = EAGER
                .into_iter()
                .find(|name| meanings.iter().any(|meaning| meaning.strip_prefix("builtins.") == Some(*name)))?;
            for argument in &call.arguments.args {
                match argument {
                    Expr::Name(name) => read.push(name.id.as_str()),
                    other => drop(read_ahead(other, place, read)),
                }
            }
            Some(reader)
        }
        Expr::Generator(generator) => {
            if let Some(Expr::Name(name)) = generator.generators.first().map(|first| &first.iter) {
                read.push(name.id.as_str());
            }
            Some("a generator expression")
        }
        _ => None,
    }
}

/// The index that `enumerate` counts: what is stored there was read already.
fn index<'a>(each: &'a StmtFor, reader: &str) -> Option<&'a str> {
    match &*each.target {
        Expr::Tuple(targets) if reader == "enumerate" => {
            targets.elts.first()?.as_name_expr().map(|name| name.id.as_str())
        }
        _ => None,
    }
}

/// Looks for the first change of what has one of the names, after which the loop goes on.
struct Changes<'n, 'a> {
    names: &'n [&'a str],
    index: Option<&'a str>,
    found: Option<(&'a str, TextSize)>,
}

impl<'a> Changes<'_, 'a> {
    fn within(mut self, body: &'a [Stmt]) -> Option<(&'a str, TextSize)> {
        self.visit_body(body);
        self.found
    }

    fn changes(&mut self, holder: &'a Expr, at: TextSize) {
        if let Expr::Name(name) = holder
            && self.names.contains(&name.id.as_str())
            && self.found.is_none()
        {
            self.found = Some((name.id.as_str(), at));
        }
    }

    fn call(&mut self, call: &'a ExprCall) {
        if let Expr::Attribute(method) = &*call.func
            && CHANGING.contains(&method.attr.as_str())
        {
            self.changes(&method.value, call.start());
        }
    }
}

impl<'a> Visitor<'a> for Changes<'_, 'a> {
    fn visit_body(&mut self, body: &'a [Stmt]) {
        // Whoever leaves the loop sees nothing more of it.
        if !matches!(body.last(), Some(Stmt::Break(_) | Stmt::Return(_) | Stmt::Raise(_))) {
            visitor::walk_body(self, body);
        }
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if !matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
            visitor::walk_stmt(self, stmt);
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Subscript(item) if !item.ctx.is_load() => {
                let is_read = matches!(&*item.slice, Expr::Name(name) if Some(name.id.as_str()) == self.index);
                if !is_read {
                    self.changes(&item.value, item.start());
                }
            }
            Expr::Call(call) => self.call(call),
            _ => {}
        }
        visitor::walk_expr(self, expr);
    }
}
