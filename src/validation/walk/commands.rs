//! What the calls of `run_command` run, as far as it is constant.
//!
//! They are judged at the end of the walk, when it is known what the code passes to its own functions.

use std::mem;

use ruff_python_ast::ExprCall;
use ruff_text_size::Ranged;

use super::{
    command_lines::{CommandLines, OwnCalls},
    needs::Needs,
    place::Place,
};
use crate::validation::{
    report::{Report, quote},
    rules,
    scopes::scope::ScopeId,
};

/// How many steps are taken to find what one call runs.
const STEPS: usize = 256;

/// The calls of `run_command` with a list, and of the code's own functions.
#[derive(Default)]
pub struct Commands<'a> {
    own_calls: OwnCalls<'a>,
    noted: Vec<(&'a ExprCall, ScopeId)>,
}

impl<'a> Commands<'a> {
    /// Notes that a function of the code's own is called by its name.
    pub fn own_call(&mut self, name: &'a str, call: &'a ExprCall, place: &Place<'_, 'a>) {
        self.own_calls.entry(name).or_default().push((call, place.scope()));
    }

    /// Notes a call of `function`, which runs a command; one with a text instead of a list is told at once.
    pub fn run(&mut self, call: &'a ExprCall, function: &str, place: &Place<'_, 'a>, report: &mut Report) {
        let Some(command) = call.arguments.find_argument_value("command", 0) else { return };
        let value = place.value(command);
        match place.text(value) {
            Some(text) => {
                let words: Vec<String> = text.split_whitespace().take(6).map(|word| format!("{word:?}")).collect();
                let list = quote(&format!("[{}]", words.join(", ")));
                let message = format!("`{function}` takes a list of strings and no shell line; write {list}.");
                report.add(&rules::COMMAND_NOT_A_LIST, value.start(), message);
            }
            None => self.noted.push((call, place.scope())),
        }
    }

    /// Adds what the calls run to what the code needs.
    pub fn finish(&mut self, place: &Place<'_, 'a>, needs: &mut Needs, report: &mut Report) {
        for (call, scope) in mem::take(&mut self.noted) {
            let Some(command) = call.arguments.find_argument_value("command", 0) else { continue };
            let mut lines = CommandLines { scopes: place.scopes(), calls: &self.own_calls, fuel: STEPS };
            for words in lines.of(command, scope) {
                match words.first() {
                    Some(Some(program)) => {
                        let known: Vec<String> = words.iter().map_while(Clone::clone).collect();
                        needs.command(program, words.get(1).and_then(Option::as_deref), known, call.start());
                    }
                    Some(None) => {
                        let message = format!(
                            "Which program {} runs is not a constant, so the grant it needs is not known; write the program's name as the first element of the list.",
                            quote(place.source(call))
                        );
                        report.add(&rules::COMMAND_NOT_CONSTANT, call.start(), message);
                    }
                    None => {}
                }
            }
        }
    }
}
