//! Calls: which grant each needs, and which of them can fail.

use ruff_python_ast::{Expr, ExprCall, WithItem};
use ruff_text_size::Ranged;

use super::{
    commands::Commands,
    failures::Failures,
    files::{self, Files},
    needs::Needs,
    place::Place,
    reaches, urls,
};
use crate::{
    domain::RuntimeKind,
    host::{self, Fallible, GrantKind, HostFunction},
    validation::report::Report,
};

/// Functions that fail in the normal course of things, besides those of files and of the host.
const FALLIBLE: [&str; 4] = ["json.loads", "json.load", "tomllib.load", "tomllib.loads"];

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

    /// Notes what an import leads to, where the code may reach it by itself.
    pub fn import(&mut self, note: impl FnOnce(&mut Needs), report: &Report) {
        if report.runtime() == RuntimeKind::Python {
            note(&mut self.needs);
        }
    }

    /// Notes a call; `meanings` are those of what it calls.
    pub fn call(&mut self, call: &'a ExprCall, meanings: &[String], place: &Place<'_, 'a>, report: &mut Report) {
        self.note_own_call(call, place);
        if report.runtime() == RuntimeKind::Python {
            reaches::call(call, meanings, place, &mut self.needs);
        }
        if let Expr::Attribute(function) = &*call.func {
            let (method, base) = (function.attr.as_str(), &*function.value);
            if files::method_can_fail(method, base, place) {
                self.failures.fallible(call, place);
            }
            files::method(call, method, base, place, &mut self.needs);
        }
        for meaning in meanings {
            if let Some(function) = meaning.strip_prefix("repertoire.").and_then(host::function) {
                self.host(call, function, place, report);
                continue;
            }
            match meaning.as_str() {
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

    /// What a call of a host function may do, and what it needs to be granted, by the table of them.
    fn host(&mut self, call: &'a ExprCall, function: &HostFunction, place: &Place<'_, 'a>, report: &mut Report) {
        let is_fallible = match function.fallible {
            Fallible::No => false,
            Fallible::Yes => true,
            Fallible::WhileChecked => !is_false(call, "check"),
        };
        if is_fallible {
            self.failures.fallible(call, place);
        }
        let first = |name| call.arguments.find_argument_value(name, 0);
        match function.grant {
            Some(GrantKind::Command) if first("command").is_some() => {
                let folder = call.arguments.find_keyword("cwd");
                if let Some(path) = folder.and_then(|folder| files::path_text(&folder.value, place)) {
                    self.needs.directory(&path, false, true, call.start());
                }
                self.commands.run(call, function.name, place, report);
            }
            Some(GrantKind::Tool) => {
                if let Some(path) = first("tool").and_then(|tool| place.text(tool)) {
                    self.needs.tool(&path, call.start());
                }
            }
            Some(GrantKind::Host) => {
                if let Some(target) = first("url").and_then(|url| urls::target(place.scopes(), url, place.scope())) {
                    self.needs.host(target, call.start());
                }
            }
            Some(GrantKind::Model) => self.needs.model(call.start()),
            Some(GrantKind::Command) | None => {}
        }
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

fn is_false(call: &ExprCall, name: &str) -> bool {
    call.arguments
        .find_keyword(name)
        .is_some_and(|keyword| matches!(&keyword.value, Expr::BooleanLiteral(literal) if !literal.value))
}
