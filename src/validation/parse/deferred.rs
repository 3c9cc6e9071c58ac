//! Which calls of host functions a piece of code awaits, so that they may run at the same time.
//!
//! A host function is no coroutine: called as it is, it gives its result. Code that awaits the call, or hands it to
//! `asyncio.gather`, wants it to run beside others instead. The interpreter can't tell when it makes the call; the syntax
//! tree can.

use std::collections::HashSet;

use ruff_python_ast::{
    Expr, ExprCall, Stmt,
    visitor::{Visitor, walk_expr, walk_stmt},
};
use ruff_text_size::Ranged;

use crate::validation::parse::{self, lines::Lines};

/// Functions that run what they are given side by side.
const RUNNERS: [&str; 5] = ["gather", "create_task", "ensure_future", "wait_for", "shield"];

/// The byte offsets of the calls in `code` whose result is awaited: directly, as an argument of `asyncio.gather` and its
/// kin, or after they were kept in a variable of the same function that is awaited or gathered.
#[must_use]
pub fn deferred_calls(code: &str) -> HashSet<u32> {
    // Most code has none, and this is asked before each run.
    if !code.contains("await") {
        return HashSet::new();
    }
    let Ok(parsed) = parse::module(code, &Lines::of(code)) else { return HashSet::new() };
    let module = parsed.syntax();
    let mut offsets = HashSet::new();
    let mut bodies: Vec<&[Stmt]> = vec![&module.body];
    while let Some(body) = bodies.pop() {
        let mut uses = Uses::default();
        uses.visit_body(body);
        let mut keeps = Keeps { awaited: &uses.names, offsets: &mut offsets };
        keeps.visit_body(body);
        offsets.extend(uses.offsets);
        bodies.extend(uses.inner);
    }
    offsets
}

/// What one function awaits, without the functions in it.
#[derive(Default)]
struct Uses<'a> {
    offsets: HashSet<u32>,
    names: HashSet<&'a str>,
    inner: Vec<&'a [Stmt]>,
}

impl<'a> Uses<'a> {
    fn awaits(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Name(name) => {
                self.names.insert(name.id.as_str());
            }
            Expr::Subscript(subscript) => self.awaits(&subscript.value),
            _ => self.offsets.extend(calls_in(expression)),
        }
    }
}

impl<'a> Visitor<'a> for Uses<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(function) => self.inner.push(&function.body),
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Await(node) => self.awaits(&node.value),
            Expr::Call(call) if is_runner(call) => {
                for argument in &call.arguments.args {
                    match argument {
                        Expr::Starred(starred) => self.awaits(&starred.value),
                        other => self.awaits(other),
                    }
                }
            }
            _ => {}
        }
        walk_expr(self, expression);
    }
}

/// Finds the calls that are kept in a variable which is awaited later.
struct Keeps<'k, 'a> {
    awaited: &'k HashSet<&'a str>,
    offsets: &'k mut HashSet<u32>,
}

impl Keeps<'_, '_> {
    fn is_awaited(&self, target: &Expr) -> bool {
        match target {
            Expr::Name(name) => self.awaited.contains(name.id.as_str()),
            Expr::Subscript(subscript) => self.is_awaited(&subscript.value),
            _ => false,
        }
    }

    fn keep(&mut self, target: &Expr, value: &Expr) {
        if self.is_awaited(target) {
            self.offsets.extend(calls_in(value));
        }
    }
}

impl<'a> Visitor<'a> for Keeps<'_, '_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(_) => return,
            Stmt::Assign(node) => node.targets.iter().for_each(|target| self.keep(target, &node.value)),
            Stmt::AugAssign(node) => self.keep(&node.target, &node.value),
            Stmt::AnnAssign(node) => {
                if let Some(value) = &node.value {
                    self.keep(&node.target, value);
                }
            }
            _ => {}
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Call(call) = expression
            && let Expr::Attribute(method) = call.func.as_ref()
            && matches!(method.attr.as_str(), "append" | "extend" | "insert")
        {
            call.arguments.args.iter().for_each(|argument| self.keep(&method.value, argument));
        }
        walk_expr(self, expression);
    }
}

fn is_runner(call: &ExprCall) -> bool {
    let name = match call.func.as_ref() {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    RUNNERS.contains(&name)
}

/// The calls that an expression is made of, without those in their arguments.
fn calls_in(expression: &Expr) -> Vec<u32> {
    let all = |expressions: &[Expr]| expressions.iter().flat_map(calls_in).collect();
    match expression {
        Expr::Call(call) => vec![call.range().start().to_u32()],
        Expr::List(node) => all(&node.elts),
        Expr::Tuple(node) => all(&node.elts),
        Expr::Set(node) => all(&node.elts),
        Expr::ListComp(node) => calls_in(&node.elt),
        Expr::SetComp(node) => calls_in(&node.elt),
        Expr::Generator(node) => calls_in(&node.elt),
        Expr::Starred(node) => calls_in(&node.value),
        Expr::Named(node) => calls_in(&node.value),
        Expr::If(node) => [calls_in(&node.body), calls_in(&node.orelse)].concat(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The calls of `h` that are deferred, by their argument.
    fn deferred(code: &str) -> Vec<String> {
        let mut found: Vec<u32> = deferred_calls(code).into_iter().collect();
        found.sort_unstable();
        let argument = |offset: u32| {
            let call = code[offset as usize..].strip_prefix("h(")?;
            call.split(')').next().map(str::to_owned)
        };
        found.into_iter().filter_map(argument).collect()
    }

    #[test]
    fn what_is_awaited_or_gathered_is_deferred() {
        for (code, expected) in [
            ("async def f():\n    return await h(1)\n", vec!["1"]),
            ("async def f():\n    a = h(1)\n    b = await h(2)\n    return a.x, b\n", vec!["2"]),
            ("async def f():\n    await asyncio.gather(h(1), h(2))\n    h(3)\n", vec!["1", "2"]),
            ("async def f(xs):\n    await gather(*[h(1) for x in xs])\n", vec!["1"]),
            ("async def f(xs):\n    await gather(*(h(1) for x in xs if h(2)))\n", vec!["1"]),
            ("async def f(xs):\n    t = [h(1) for x in xs]\n    return await asyncio.gather(*t)\n", vec!["1"]),
            (
                "async def f(xs):\n    t = []\n    for x in xs:\n        t.append(h(1))\n    await asyncio.gather(*t)\n",
                vec!["1"],
            ),
            ("async def f():\n    t = asyncio.create_task(h(1))\n    h(2)\n    await t\n", vec!["1"]),
            ("async def f():\n    t = h(1)\n    h(2)\n    await t\n", vec!["1"]),
            ("async def f():\n    async def g():\n        await h(1)\n    await g()\n", vec!["1"]),
            // The same name in another function is another variable.
            ("async def f():\n    t = h(1)\n    await t\n\ndef g():\n    t = h(2)\n    return t\n", vec!["1"]),
        ] {
            assert_eq!(deferred(code), expected, "{code}");
        }
    }

    #[test]
    fn code_that_awaits_nothing_or_is_no_code_has_none() {
        for code in ["def f():\n    return h(1)\n", "x = 'await'\nh(1)\n", "await (", ""] {
            assert_eq!(deferred(code), Vec::<String>::new(), "{code}");
        }
    }
}
