//! What code does, as far as somebody decides something by it: the steps that it leaves to people, the tools that it calls.
//!
//! Told by the syntax tree and by what the names in it mean, so an alias counts, and a comment, a text or a function of
//! the code's own that is called alike does not.

use std::collections::BTreeSet;

use ruff_python_ast::{Expr, ExprCall, ExprName};
use ruff_text_size::{Ranged, TextRange};

use super::{place::Place, visitor::Inspector};
use crate::validation::scopes::scope::Bound;

const MANUAL_STEP: &str = "repertoire.manual_step";
const CALL_TOOL: &str = "repertoire.call_tool";
const APPROVE: &str = "repertoire.approve";

/// What a piece of code does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// How many calls of `manual_step` it has.
    pub manual_steps: usize,
    /// The tools that it calls, as `server/tool`, where the name stands in the call.
    pub tools_called: BTreeSet<String>,
    /// Whether it may call other tools as well: with a name that is made when it runs, or by handing `call_tool` on.
    pub calls_other_tools: bool,
    /// Where it calls `approve`, or hands it on.
    pub(in crate::validation) approvals: Vec<TextRange>,
}

impl Facts {
    /// Whether a tool of this server is among those that are called by name.
    #[must_use]
    pub fn calls_server(&self, server: &str) -> bool {
        self.tools_called.iter().any(|tool| tool.split_once('/').is_some_and(|(of, _)| of == server))
    }

    /// Notes a call; `meanings` are those of what it calls.
    pub(super) fn call(&mut self, call: &ExprCall, meanings: &[String]) {
        let is = |path: &str| meanings.iter().any(|meaning| meaning == path);
        if is(MANUAL_STEP) {
            self.manual_steps += 1;
        }
        if is(APPROVE) {
            self.approvals.push(call.range());
        }
        if is(CALL_TOOL) {
            match call.arguments.find_argument_value("tool", 0) {
                Some(Expr::StringLiteral(tool)) => {
                    self.tools_called.insert(tool.value.to_str().to_owned());
                }
                _ => self.calls_other_tools = true,
            }
        }
    }

    /// Notes a name that is read.
    pub(super) fn name(&mut self, name: &ExprName, place: &Place<'_, '_>) {
        if place.is_called(name) {
            return;
        }
        let (bindings, _) = place.lookup(name.id.as_str(), name.start());
        let is = |function: &str| {
            bindings.iter().any(|binding| matches!(&binding.bound, Bound::Imported(path) if path == function))
        };
        self.calls_other_tools |= is(CALL_TOOL);
        if is(APPROVE) {
            self.approvals.push(name.range());
        }
    }

    /// Notes an attribute.
    pub(super) fn attribute(&mut self, expr: &Expr, place: &Place<'_, '_>) {
        let is_named_so = expr.as_attribute_expr().is_some_and(|attribute| attribute.attr.as_str() == "call_tool");
        self.calls_other_tools |= is_named_so && !place.is_called(expr) && place.means(expr, CALL_TOOL);
    }
}

/// Facts alone, without what the other subjects find.
impl<'a> Inspector<'a> for Facts {
    fn expression(&mut self, expr: &'a Expr, place: &Place<'_, 'a>) {
        match expr {
            Expr::Name(name) if name.ctx.is_load() => self.name(name, place),
            Expr::Attribute(_) => self.attribute(expr, place),
            Expr::Call(call) => self.call(call, &place.meanings(&call.func)),
            _ => {}
        }
    }
}
