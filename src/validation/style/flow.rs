//! Where control never arrives: after statements that always leave, and under conditions that are never true.
//!
//! Goes by the statements alone and errs on the side of silence: a `with` may swallow an exception,
//! so it ends a body only where it opens a file.

use ruff_python_ast::{ExceptHandler, Expr, MatchCase, Number, Stmt, StmtIf};
use ruff_text_size::{Ranged, TextSize};

/// The first statement of a body that never runs, with what it comes after.
pub fn first_unreachable(body: &[Stmt]) -> Option<(TextSize, &'static str)> {
    let (index, reason) = body.iter().enumerate().find_map(|(index, stmt)| Some((index, ends(stmt)?)))?;
    Some((body.get(index + 1)?.start(), reason))
}

/// The bodies inside a statement that never run, because their condition is never true.
pub fn never_entered(stmt: &Stmt) -> Vec<TextSize> {
    let start = |body: &[Stmt]| body.first().map(Ranged::start);
    match stmt {
        Stmt::While(each) if truth(&each.test) == Some(false) => start(&each.body).into_iter().collect(),
        Stmt::If(branch) => {
            let mut was_true = false;
            let mut found = Vec::new();
            for (test, body) in branches(branch) {
                let truth = test.map_or(Some(true), truth);
                if was_true || truth == Some(false) {
                    found.extend(start(body));
                }
                was_true |= test.is_some() && truth == Some(true);
            }
            found
        }
        _ => Vec::new(),
    }
}

/// Why nothing after the statement runs, if so.
fn ends(stmt: &Stmt) -> Option<&'static str> {
    match stmt {
        Stmt::Return(_) => Some("`return`"),
        Stmt::Raise(_) => Some("`raise`"),
        Stmt::Break(_) => Some("`break`"),
        Stmt::Continue(_) => Some("`continue`"),
        Stmt::Expr(stmt) if is_exit(&stmt.value) => Some("a call that ends the program"),
        Stmt::While(each) if truth(&each.test) == Some(true) && !each.body.iter().any(breaks) => {
            Some("a loop that has no end and no `break`")
        }
        Stmt::If(branch) => {
            let mut reached = branches(branch).into_iter().map(|(test, body)| (test.map_or(Some(true), truth), body));
            let all = loop {
                match reached.next() {
                    // No branch may be taken.
                    None => break false,
                    Some((Some(false), _)) => {}
                    Some((_, body)) if !leaves(body) => break false,
                    Some((Some(true), _)) => break true,
                    Some((None, _)) => {}
                }
            };
            all.then_some("an `if` of which every branch leaves")
        }
        Stmt::Match(switch) => {
            let ends_all =
                switch.cases.last().is_some_and(takes_all) && switch.cases.iter().all(|case| leaves(&case.body));
            ends_all.then_some("a `match` of which every case leaves")
        }
        Stmt::Try(stmt) => {
            let handled = stmt.handlers.iter().all(|ExceptHandler::ExceptHandler(handler)| leaves(&handler.body));
            let ends_all = leaves(&stmt.finalbody) || (handled && (leaves(&stmt.body) || leaves(&stmt.orelse)));
            ends_all.then_some("a `try` of which every way leaves")
        }
        // A file swallows no exception, as other contexts may.
        Stmt::With(with) if with.items.iter().all(|item| is_open(&item.context_expr)) => {
            leaves(&with.body).then_some("a `with` that leaves")
        }
        _ => None,
    }
}

fn is_open(context: &Expr) -> bool {
    context.as_call_expr().is_some_and(|call| match &*call.func {
        Expr::Name(name) => name.id.as_str() == "open",
        Expr::Attribute(method) => method.attr.as_str() == "open",
        _ => false,
    })
}

fn leaves(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| ends(stmt).is_some())
}

/// The branches of an `if`, the `else` without a condition.
fn branches(branch: &StmtIf) -> Vec<(Option<&Expr>, &[Stmt])> {
    let others = branch.elif_else_clauses.iter().map(|clause| (clause.test.as_ref(), &*clause.body));
    std::iter::once((Some(&*branch.test), &*branch.body)).chain(others).collect()
}

fn takes_all(case: &MatchCase) -> bool {
    case.guard.is_none() && case.pattern.is_irrefutable()
}

/// Whether a literal is true; nothing is known of other expressions.
fn truth(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::BooleanLiteral(literal) => Some(literal.value),
        Expr::NoneLiteral(_) => Some(false),
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(value) => Some(value.as_u8() != Some(0)),
            _ => None,
        },
        _ => None,
    }
}

fn is_exit(expr: &Expr) -> bool {
    let function = expr.as_call_expr().and_then(|call| call.func.as_attribute_expr());
    function.is_some_and(|function| {
        function.attr.as_str() == "exit" && function.value.as_name_expr().is_some_and(|base| base.id.as_str() == "sys")
    })
}

/// Whether a statement holds a `break` of the loop that it stands in.
fn breaks(stmt: &Stmt) -> bool {
    let any = |body: &[Stmt]| body.iter().any(breaks);
    match stmt {
        Stmt::Break(_) => true,
        Stmt::If(branch) => branches(branch).iter().any(|(_, body)| any(body)),
        Stmt::With(with) => any(&with.body),
        Stmt::Match(switch) => switch.cases.iter().any(|case| any(&case.body)),
        Stmt::Try(stmt) => {
            let in_handler = |ExceptHandler::ExceptHandler(handler): &ExceptHandler| any(&handler.body);
            any(&stmt.body) || any(&stmt.orelse) || any(&stmt.finalbody) || stmt.handlers.iter().any(in_handler)
        }
        // The body of a loop has breaks of its own; its `else` belongs to the loop around it.
        Stmt::For(each) => any(&each.orelse),
        Stmt::While(each) => any(&each.orelse),
        _ => false,
    }
}
