//! Calls: which grant each needs, and which of them can fail.

use ruff_python_ast::{Expr, ExprCall, WithItem};
use ruff_text_size::Ranged;

use super::{
    commands::Commands,
    failures::Failures,
    files::{self, Files},
    needs::Needs,
    place::Place,
    urls,
};
use crate::validation::report::Report;

/// Functions that fail in the normal course of things, besides those of files.
const FALLIBLE: [&str; 5] = ["repertoire.call_procedure", "json.loads", "json.load", "tomllib.load", "tomllib.loads"];

/// What the calls were seen to need so far.
#[derive(Default)]
pub struct Calls<'a> {
    needs: Needs,
    failures: Failures<'a>,
    commands: Commands<'a>,
    files: Files,
}

impl<'a> Calls<'a> {
    /// Notes the context of a `with`.
    pub fn with_item(&mut self, item: &WithItem) {
        self.files.with_item(item);
    }

    /// Notes a call; `meanings` are those of what it calls.
    pub fn call(&mut self, call: &'a ExprCall, meanings: &[String], place: &Place<'_, 'a>, report: &mut Report) {
        self.note_own_call(call, place);
        if let Expr::Attribute(function) = &*call.func {
            let (method, base) = (function.attr.as_str(), &*function.value);
            if files::method_can_fail(method, base, place) {
                self.failures.fallible(call, place);
            }
            files::method(call, method, base, place, &mut self.needs);
        }
        for meaning in meanings {
            match meaning.as_str() {
                "repertoire.run_command" => self.run_command(call, place, report),
                "repertoire.call_tool" => self.call_tool(call, place),
                "repertoire.http_request" => self.http_request(call, place),
                "repertoire.llm" => self.llm(call, place),
                "builtins.open" => {
                    self.failures.fallible(call, place);
                    self.files.open(call, place, &mut self.needs, report);
                }
                other => self.other(call, other, place),
            }
        }
    }

    /// Reports what is only known at the end. What the code needs, and whether all calls that can fail are handled.
    pub fn finish(mut self, place: &Place<'_, 'a>, report: &mut Report) -> (Needs, bool) {
        self.commands.finish(place, &mut self.needs, report);
        (self.needs, self.failures.report(report))
    }

    /// Remembers a call of a function or method of the code's own.
    fn note_own_call(&mut self, call: &'a ExprCall, place: &Place<'_, 'a>) {
        match &*call.func {
            Expr::Name(name) => {
                self.failures.own_call(name.id.as_str(), place);
                self.commands.own_call(name.id.as_str(), call, place);
            }
            Expr::Attribute(method) if method.value.as_name_expr().is_some_and(|base| base.id.as_str() == "self") => {
                self.failures.own_call(method.attr.as_str(), place);
            }
            _ => {}
        }
    }

    fn run_command(&mut self, call: &'a ExprCall, place: &Place<'_, 'a>, report: &mut Report) {
        let is_unchecked = call
            .arguments
            .find_keyword("check")
            .is_some_and(|keyword| matches!(&keyword.value, Expr::BooleanLiteral(literal) if !literal.value));
        if !is_unchecked {
            self.failures.fallible(call, place);
        }
        if call.arguments.find_argument_value("command", 0).is_none() {
            return;
        }
        let folder = call.arguments.find_keyword("cwd");
        if let Some(path) = folder.and_then(|folder| files::path_text(&folder.value, place)) {
            self.needs.directory(&path, false, true, call.start());
        }
        self.commands.run_command(call, place, report);
    }

    fn call_tool(&mut self, call: &'a ExprCall, place: &Place<'_, 'a>) {
        self.failures.fallible(call, place);
        if let Some(tool) = call.arguments.find_argument_value("tool", 0)
            && let Some(path) = place.text(tool)
        {
            self.needs.tool(&path, call.start());
        }
    }

    /// It fails without a connection, whatever `check` says.
    fn http_request(&mut self, call: &'a ExprCall, place: &Place<'_, 'a>) {
        self.failures.fallible(call, place);
        if let Some(url) = call.arguments.find_argument_value("url", 0)
            && let Some(target) = urls::target(place.scopes(), url, place.scope())
        {
            self.needs.host(target, call.start());
        }
    }

    fn llm(&mut self, call: &'a ExprCall, place: &Place<'_, 'a>) {
        self.failures.fallible(call, place);
        self.needs.model(call.start());
    }

    fn other(&mut self, call: &'a ExprCall, meaning: &str, place: &Place<'_, 'a>) {
        let of_os = meaning.strip_prefix("os.");
        if FALLIBLE.contains(&meaning) || of_os.is_some_and(files::os_can_fail) {
            self.failures.fallible(call, place);
        }
        if let Some(function) = of_os {
            files::os(call, function, place, &mut self.needs);
        }
    }
}
