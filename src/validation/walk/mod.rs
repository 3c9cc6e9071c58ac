//! The one walk over the tree, and what it finds: security and runtime issues, and what the code needs.
//!
//! [`visitor`] goes through the tree and keeps [`place`] in step. What is said about a node, and what is remembered of
//! it, belongs to one subject: a file here with a state of its own, if it has any.

mod calls;
mod command_lines;
mod commands;
mod differences;
pub mod facts;
mod failures;
mod files;
pub mod gates;
pub mod handlers;
mod imports;
mod methods;
mod names;
pub mod needs;
mod order;
mod place;
mod reaches;
mod unsupported;
mod urls;
mod visitor;

use ruff_python_ast::{Expr, ModModule, PatternKeyword, Stmt, WithItem};
use ruff_text_size::Ranged;

use crate::validation::{
    report::Report,
    scopes::{scope::Scopes, uses::Uses},
};
use calls::Calls;
use facts::Facts;
use names::Names;
use needs::Needs;
use place::Place;
use visitor::Inspector;

/// What the walk found beside issues.
pub struct Findings<'s> {
    /// What the code is seen to touch outside the interpreter.
    pub needs: Needs,
    /// Which names it reads.
    pub uses: Uses<'s>,
    /// Whether all calls that can fail are handled.
    pub handles_failures: bool,
    /// What the code does, for others to decide by.
    pub facts: Facts,
}

/// Walks over a module and reports what is wrong with its nodes.
pub fn check<'a>(
    module: &'a ModModule,
    scopes: &'a Scopes<'a>,
    code: &'a str,
    report: &mut Report<'_>,
) -> Findings<'a> {
    let mut place = Place::top(module, scopes, code);
    let mut subjects = Subjects { names: Names::new(scopes), calls: Calls::default(), facts: Facts::default(), report };
    visitor::walk(module, &mut place, &mut subjects);
    let Subjects { names, calls, facts, report } = subjects;
    let (needs, handles_failures) = calls.finish(&place, report);
    Findings { needs, uses: names.uses(), handles_failures, facts }
}

/// Walks over a module and tells only what it does.
pub fn facts(module: &ModModule, scopes: &Scopes<'_>, code: &str) -> Facts {
    let mut facts = Facts::default();
    visitor::walk(module, &mut Place::top(module, scopes, code), &mut facts);
    facts
}

/// Those who have something to say about nodes. What has no state is a function of its module.
struct Subjects<'r, 'c, 'a> {
    names: Names<'a>,
    calls: Calls<'a>,
    facts: Facts,
    report: &'r mut Report<'c>,
}

impl<'a> Inspector<'a> for Subjects<'_, '_, 'a> {
    fn statement(&mut self, stmt: &'a Stmt, place: &Place<'_, 'a>) {
        self.report.leave_alone(place.is_of_programs());
        match stmt {
            Stmt::Import(import) => {
                imports::import(import, place, self.report);
                self.calls.import(|needs| reaches::import(import, needs), self.report);
            }
            Stmt::ImportFrom(import) => {
                imports::import_from(import, place, self.report);
                self.calls.import(|needs| reaches::import_from(import, needs), self.report);
            }
            Stmt::For(each) => order::in_for(each, place, self.report),
            Stmt::AugAssign(assign) => self.names.augmented(assign, place, self.report),
            _ => {}
        }
        // The compiler of the interpreter looks at all of the code.
        self.report.leave_alone(false);
        unsupported::statement(stmt, place, self.report);
    }

    fn expression(&mut self, expr: &'a Expr, place: &Place<'_, 'a>) {
        self.report.leave_alone(place.is_of_programs());
        match expr {
            Expr::Name(name) if name.ctx.is_load() => {
                self.facts.name(name, place);
                self.names.name(name, place, self.report);
            }
            Expr::Attribute(attribute) => {
                self.facts.attribute(expr, place);
                self.names.attribute(expr, attribute, place, self.report);
            }
            // What is stored under a key leads nowhere.
            Expr::Subscript(subscript) if subscript.ctx.is_load() => names::key(&subscript.slice, place, self.report),
            Expr::Call(call) => {
                let meanings = place.meanings(&call.func);
                names::in_call(call, &meanings, place, self.report);
                differences::in_call(call, &meanings, place, self.report);
                methods::in_call(call, place, self.report);
                self.calls.call(call, &meanings, place, self.report);
                self.facts.call(call, &meanings);
            }
            Expr::Generator(generator) => differences::in_generator(generator, place, self.report),
            _ => {}
        }
        self.report.leave_alone(false);
        unsupported::expression(expr, place, self.report);
    }

    fn with_item(&mut self, item: &'a WithItem) {
        self.calls.with_item(item);
    }

    fn pattern_keyword(&mut self, keyword: &'a PatternKeyword) {
        names::internal(keyword.attr.as_str(), keyword.start(), self.report);
    }
}
