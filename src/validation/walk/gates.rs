//! Where code asks for approval, and whether other code still does.
//!
//! What is compared is how surely code comes to ask, not what it asks: a person reads the question when it comes. Code that
//! is never reached asks nothing, and what stands under a further condition, or where a refusal is caught or left out, asks
//! less surely.

use std::collections::BTreeSet;

use ruff_python_ast::{
    ExceptHandler, Expr, ModModule, Stmt, StmtFunctionDef,
    visitor::{self, Visitor},
};
use ruff_text_size::{Ranged, TextRange};

/// A place where code asks for approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// From 1.
    pub line: u32,
    /// The call as it is written, cut where it is long.
    pub text: String,
    /// What it depends on whether it is reached: branches and loops.
    conditions: usize,
    /// What lets the code go on without a yes: handlers that may catch a refusal, and `optional`.
    handlers: usize,
}

const MAX_TEXT_CHARS: usize = 120;

/// The gates among `calls`, which are the places where `approve` is called or handed on.
pub fn of(module: &ModModule, code: &str, entry: Option<&str>, calls: &[TextRange]) -> Vec<Gate> {
    let mut found = Found { code, calls, around: Around::default(), gates: Vec::new(), functions: Vec::new() };
    found.visit_body(&module.body);
    let Found { gates, functions, .. } = found;
    // Which functions are ever called, from the entry function and from what is outside all functions.
    let mut reached: BTreeSet<Option<usize>> = BTreeSet::from([None]);
    let mut names = module_mentions(module);
    names.extend(entry);
    loop {
        let mut is_new = false;
        for (index, function) in functions.iter().enumerate() {
            if names.contains(function.name) && reached.contains(&function.within) {
                is_new |= reached.insert(Some(index));
            }
        }
        let mentioned = functions.iter().enumerate().filter(|(index, _)| reached.contains(&Some(*index)));
        for name in mentioned.flat_map(|(_, function)| function.mentions.iter().copied()) {
            is_new |= names.insert(name);
        }
        if !is_new {
            break;
        }
    }
    gates.into_iter().filter(|(function, _)| reached.contains(function)).map(|(_, gate)| gate).collect()
}

/// Those of `before` that have no counterpart in `after` which is reached as surely.
pub fn dropped(before: Vec<Gate>, mut after: Vec<Gate>) -> Vec<Gate> {
    let mut before = before;
    before.sort_by_key(|gate| (gate.conditions + gate.handlers, gate.line));
    // What is kept best stands for what was surest.
    after.sort_by_key(|gate| std::cmp::Reverse(gate.conditions + gate.handlers));
    before.retain(|gate| {
        let is_as_sure = |other: &Gate| other.conditions <= gate.conditions && other.handlers <= gate.handlers;
        match after.iter().position(is_as_sure) {
            Some(at) => {
                after.remove(at);
                false
            }
            None => true,
        }
    });
    before.sort_by_key(|gate| gate.line);
    before
}

#[derive(Clone, Copy, Default)]
struct Around {
    conditions: usize,
    handlers: usize,
    /// The function that it is in, by its place in the list.
    function: Option<usize>,
    /// After a statement that ends the block.
    is_dead: bool,
}

struct Function<'a> {
    name: &'a str,
    within: Option<usize>,
    mentions: BTreeSet<&'a str>,
}

struct Found<'a> {
    code: &'a str,
    calls: &'a [TextRange],
    around: Around,
    gates: Vec<(Option<usize>, Gate)>,
    functions: Vec<Function<'a>>,
}

impl<'a> Found<'a> {
    fn within(&mut self, around: Around, visit: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.around, around);
        visit(self);
        self.around = outside;
    }

    fn conditional(&mut self, visit: impl FnOnce(&mut Self)) {
        let around = Around { conditions: self.around.conditions + 1, ..self.around };
        self.within(around, visit);
    }

    fn function(&mut self, function: &'a StmtFunctionDef) {
        function.decorator_list.iter().for_each(|decorator| self.visit_expr(&decorator.expression));
        let index = self.functions.len();
        let (name, within) = (function.name.as_str(), self.around.function);
        self.functions.push(Function { name, within, mentions: BTreeSet::new() });
        self.within(Around { function: Some(index), ..Around::default() }, |found| found.visit_body(&function.body));
    }
}

impl<'a> Visitor<'a> for Found<'a> {
    fn visit_body(&mut self, body: &'a [Stmt]) {
        let outside = self.around;
        for stmt in body {
            self.visit_stmt(stmt);
            let ends = matches!(stmt, Stmt::Return(_) | Stmt::Raise(_) | Stmt::Break(_) | Stmt::Continue(_));
            self.around.is_dead |= ends;
        }
        self.around = outside;
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::If(branch) => {
                self.visit_expr(&branch.test);
                self.conditional(|found| found.visit_body(&branch.body));
                for clause in &branch.elif_else_clauses {
                    self.conditional(|found| visitor::walk_elif_else_clause(found, clause));
                }
            }
            Stmt::While(each) => {
                self.visit_expr(&each.test);
                self.conditional(|found| found.visit_body(&each.body));
                self.conditional(|found| found.visit_body(&each.orelse));
            }
            Stmt::For(each) => {
                self.visit_expr(&each.iter);
                self.conditional(|found| found.visit_body(&each.body));
                self.conditional(|found| found.visit_body(&each.orelse));
            }
            Stmt::Match(choice) => {
                self.visit_expr(&choice.subject);
                for case in &choice.cases {
                    self.conditional(|found| visitor::walk_match_case(found, case));
                }
            }
            Stmt::Try(stmt) => {
                let caught = usize::from(!stmt.handlers.is_empty());
                let around = Around { handlers: self.around.handlers + caught, ..self.around };
                self.within(around, |found| found.visit_body(&stmt.body));
                for ExceptHandler::ExceptHandler(handler) in &stmt.handlers {
                    self.conditional(|found| found.visit_body(&handler.body));
                }
                self.visit_body(&stmt.orelse);
                self.visit_body(&stmt.finalbody);
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Some(name) = mentioned(expr)
            && let Some(function) = self.around.function.and_then(|index| self.functions.get_mut(index))
        {
            function.mentions.insert(name);
        }
        if self.calls.contains(&expr.range()) && !self.around.is_dead {
            let Around { conditions, handlers, function, .. } = self.around;
            let handlers = handlers + usize::from(is_optional(expr));
            let start = expr.range().start().to_usize();
            let line = self.code.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
            let text = self.code.get(expr.range().to_std_range()).unwrap_or_default();
            let text = text.chars().take(MAX_TEXT_CHARS).collect();
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            self.gates.push((function, Gate { line, text, conditions, handlers }));
        }
        match expr {
            Expr::If(choice) => {
                self.visit_expr(&choice.test);
                self.conditional(|found| found.visit_expr(&choice.body));
                self.conditional(|found| found.visit_expr(&choice.orelse));
            }
            Expr::BoolOp(chain) => {
                let mut values = chain.values.iter();
                values.by_ref().take(1).for_each(|value| self.visit_expr(value));
                values.for_each(|value| self.conditional(|found| found.visit_expr(value)));
            }
            Expr::Lambda(_) | Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                self.conditional(|found| visitor::walk_expr(found, expr));
            }
            _ => visitor::walk_expr(self, expr),
        }
    }
}

/// Whether nobody has to answer at all.
fn is_optional(expr: &Expr) -> bool {
    let Expr::Call(call) = expr else { return false };
    call.arguments.keywords.iter().any(|keyword| {
        let is_false = matches!(&keyword.value, Expr::BooleanLiteral(literal) if !literal.value);
        keyword.arg.as_ref().is_none_or(|name| name.as_str() == "optional") && !is_false
    })
}

/// The name by which an expression may mean a function or a method.
fn mentioned(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => name.ctx.is_load().then_some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

/// The names that are read outside all functions.
fn module_mentions(module: &ModModule) -> BTreeSet<&str> {
    struct Names<'a>(BTreeSet<&'a str>);
    impl<'a> Visitor<'a> for Names<'a> {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            match stmt {
                Stmt::FunctionDef(function) => {
                    function.decorator_list.iter().for_each(|decorator| self.visit_expr(&decorator.expression));
                }
                _ => visitor::walk_stmt(self, stmt),
            }
        }

        fn visit_expr(&mut self, expr: &'a Expr) {
            self.0.extend(mentioned(expr));
            visitor::walk_expr(self, expr);
        }
    }
    let mut names = Names(BTreeSet::new());
    names.visit_body(&module.body);
    names.0
}
