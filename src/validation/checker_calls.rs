//! Calls: host functions and the grants they need, files, calls that can fail, and arguments that the interpreter refuses.

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::{Ranged, TextRange};

use super::checker::{Checker, Unhandled};
use super::command_lines::CommandLines;
use super::meaning;
use super::needs;
use super::report::quote;
use super::rules;
use super::scope::Bound;
use super::urls;
use crate::host::{self, Fallible, GrantKind, HostFunction};

/// Functions that fail in the normal course of things, besides those of files and of the host.
const FALLIBLE: [&str; 4] = ["json.loads", "json.load", "tomllib.load", "tomllib.loads"];

/// Functions of `os` that fail when a file is not as expected.
const FALLIBLE_OS: [&str; 11] =
    ["chdir", "listdir", "makedirs", "mkdir", "remove", "rename", "replace", "rmdir", "scandir", "stat", "unlink"];

/// Methods that only paths have and that fail when a file is not as expected.
const FALLIBLE_PATH: [&str; 5] = ["read_text", "read_bytes", "write_text", "write_bytes", "iterdir"];

/// Builtins that give a list where `CPython` gives an iterator.
const EAGER: [&str; 5] = ["map", "filter", "zip", "enumerate", "reversed"];

impl<'a> Checker<'_, 'a, '_> {
    pub(super) fn check_call(&mut self, call: &'a ExprCall) {
        self.note_own_call(call);
        if let Expr::Attribute(method) = &*call.func {
            self.check_method_call(call, method.attr.as_str(), &method.value);
        }
        for argument in call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|keyword| &keyword.value)) {
            self.check_path_text(argument);
        }
        for meaning in self.scopes.meanings(&call.func, self.scope()) {
            if let Some(function) = meaning.strip_prefix("repertoire.").and_then(host::function) {
                self.check_host_call(call, function);
                continue;
            }
            match meaning.as_str() {
                "builtins.open" => self.check_open(call),
                "json.dumps" | "json.dump" => self.check_json(call),
                "builtins.getattr" | "builtins.setattr" | "builtins.hasattr" => {
                    if let [base, name, ..] = &*call.arguments.args {
                        self.check_computed_name(base, name);
                    }
                }
                "builtins.next" => self.check_next(call),
                _ => self.check_other(call, &meaning),
            }
        }
    }

    /// Remembers a call of a function or method of the code's own.
    fn note_own_call(&mut self, call: &'a ExprCall) {
        let name = match &*call.func {
            Expr::Name(name) => name.id.as_str(),
            Expr::Attribute(method) if method.value.as_name_expr().is_some_and(|base| base.id.as_str() == "self") => {
                method.attr.as_str()
            }
            _ => return,
        };
        if self.is_handled() {
            self.called_handled.insert(name);
        }
        if let Some(caller) = self.function() {
            self.callers.entry(name).or_default().insert(caller);
        }
        if call.func.is_name_expr() {
            let scope = self.scope();
            self.own_calls.entry(name).or_default().push((call, scope));
        }
    }

    fn check_other(&mut self, call: &'a ExprCall, meaning: &str) {
        if FALLIBLE.contains(&meaning) || meaning.strip_prefix("os.").is_some_and(|name| FALLIBLE_OS.contains(&name)) {
            self.add_fallible(call);
        }
        if let Some((access, paths)) = meaning.strip_prefix("os.").and_then(needs::os_access) {
            for path in call.arguments.args.iter().take(paths) {
                if let Some(path) = self.path_text(path) {
                    self.needs.directory(&path, access.write, access.is_directory, call.start());
                }
            }
        } else if let Some(name) = meaning.strip_prefix("builtins.") {
            if matches!(name, "map" | "filter" | "enumerate")
                && let Some(source) = call.arguments.args.last()
            {
                self.check_endless(&format!("`{name}`"), source, call.range());
            }
            if name.ends_with("Error")
                || matches!(name, "Exception" | "BaseException" | "SystemExit" | "KeyboardInterrupt")
            {
                self.check_exception(call, name);
            }
        }
    }

    fn check_method_call(&mut self, call: &'a ExprCall, method: &str, base: &'a Expr) {
        if FALLIBLE_PATH.contains(&method) {
            self.add_fallible(call);
        }
        if method == "open" && self.path(base).is_some() {
            self.add_fallible(call);
        }
        if let Some(access) = needs::path_access(method)
            && let Some(path) = self.path(base)
        {
            let write = access.write || (method == "open" && self.opens_for_writing(call, 0));
            self.needs.directory(&path, write, access.is_directory, call.start());
        }
        // `"{0.__class__}".format(x)` walks attributes as well.
        if matches!(method, "format" | "format_map")
            && let Some(template) = meaning::text(self.scopes, base, self.scope(), &mut 256)
        {
            for field in template.split(['{', '}']).skip(1).step_by(2) {
                for name in field.split(['.', '[', ']', '!', ':']).skip(1) {
                    self.check_internal(name, call.start());
                }
            }
        }
    }

    /// What a call of a host function may do, and what it needs to be granted, by the table of them.
    fn check_host_call(&mut self, call: &'a ExprCall, function: &HostFunction) {
        let is_fallible = match function.fallible {
            Fallible::No => false,
            Fallible::Yes => true,
            Fallible::WhileChecked => !is_false(call, "check"),
        };
        if is_fallible {
            self.add_fallible(call);
        }
        match function.grant {
            Some(GrantKind::Command) => self.check_command_call(call, function.name),
            Some(GrantKind::Tool) => {
                if let Some(tool) = call.arguments.find_argument_value("tool", 0)
                    && let Some(path) = meaning::text(self.scopes, tool, self.scope(), &mut 64)
                {
                    self.needs.tool(&path, call.start());
                }
            }
            Some(GrantKind::Host) => {
                if let Some(url) = call.arguments.find_argument_value("url", 0)
                    && let Some(target) = urls::target(self.scopes, url, self.scope())
                {
                    self.needs.host(target, call.start());
                }
            }
            Some(GrantKind::Model) => self.needs.model(call.start()),
            None => {}
        }
    }

    fn check_command_call(&mut self, call: &'a ExprCall, function: &str) {
        let Some(command) = call.arguments.find_argument_value("command", 0) else { return };
        if let Some(directory) = call.arguments.find_keyword("cwd")
            && let Some(path) = self.path_text(&directory.value)
        {
            self.needs.directory(&path, false, true, call.start());
        }
        let value = self.value(command);
        match meaning::text(self.scopes, value, self.scope(), &mut 64) {
            Some(text) => {
                let words: Vec<String> = text.split_whitespace().take(6).map(|word| format!("{word:?}")).collect();
                let list = quote(&format!("[{}]", words.join(", ")));
                let message = format!("`{function}` takes a list of strings and no shell line; write {list}.");
                self.add(&rules::COMMAND_NOT_A_LIST, value.start(), message);
            }
            None => self.commands.push((call, self.scope())),
        }
    }

    /// What the calls of `run_command` run, as far as it is constant.
    pub(super) fn check_commands(&mut self) {
        for (call, scope) in std::mem::take(&mut self.commands) {
            let Some(command) = call.arguments.find_argument_value("command", 0) else { continue };
            let mut lines = CommandLines { scopes: self.scopes, calls: &self.own_calls, fuel: 256 };
            for words in lines.of(command, scope) {
                match words.first() {
                    Some(Some(program)) => {
                        let known: Vec<String> = words.iter().map_while(Clone::clone).collect();
                        self.needs.command(program, words.get(1).and_then(Option::as_deref), known, call.start());
                    }
                    Some(None) => self.add_unknown_command(call),
                    None => {}
                }
            }
        }
    }

    fn add_unknown_command(&mut self, call: &'a ExprCall) {
        let message = format!(
            "Which program {} runs is not a constant, so the grant it needs is not known; write the program's name as the first element of the list.",
            quote(self.source(call))
        );
        self.add(&rules::COMMAND_NOT_CONSTANT, call.start(), message);
    }

    fn check_open(&mut self, call: &'a ExprCall) {
        self.add_fallible(call);
        if !self.managed.contains(&call.range()) {
            let message =
                "`open` is called without `with`, so the file may stay open; write `with open(…) as file:`.".into();
            self.add(&rules::OPEN_WITHOUT_WITH, call.start(), message);
        }
        let Some(path) = call.arguments.find_argument_value("file", 0) else { return };
        if let Some(path) = self.path_text(path) {
            let write = self.opens_for_writing(call, 1);
            self.needs.directory(&path, write, false, call.start());
        }
    }

    fn opens_for_writing(&self, call: &ExprCall, position: usize) -> bool {
        call.arguments
            .find_argument_value("mode", position)
            .and_then(|mode| meaning::text(self.scopes, mode, self.scope(), &mut 64))
            .is_some_and(|mode| mode.contains(['w', 'a', 'x', '+']))
    }

    /// A path that is given as a text or as a `Path`.
    fn path_text(&self, expr: &'a Expr) -> Option<String> {
        meaning::text(self.scopes, expr, self.scope(), &mut 64).or_else(|| self.path(expr))
    }

    /// The text of `Path("/a") / "b"`, also through a name.
    fn path(&self, expr: &'a Expr) -> Option<String> {
        match self.value(expr) {
            Expr::Call(call) if self.scopes.means(&call.func, self.scope(), "pathlib.Path") => {
                self.joined_path(None, &call.arguments.args)
            }
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(method) if method.attr.as_str() == "joinpath" => {
                    self.joined_path(Some(self.path(&method.value)?), &call.arguments.args)
                }
                _ => None,
            },
            Expr::BinOp(operation) if operation.op == ruff_python_ast::Operator::Div => {
                let base = self.path(&operation.left)?;
                let rest = meaning::text(self.scopes, &operation.right, self.scope(), &mut 64)?;
                Some(meaning::join_paths(&base, &rest))
            }
            _ => None,
        }
    }

    fn joined_path(&self, base: Option<String>, parts: &'a [Expr]) -> Option<String> {
        parts.iter().try_fold(base, |path, part| {
            let part = self.path_text(part)?;
            Some(Some(path.map_or_else(|| part.clone(), |path| meaning::join_paths(&path, &part))))
        })?
    }

    /// The expression that a name is bound to, when it is bound once.
    fn value(&self, expr: &'a Expr) -> &'a Expr {
        let mut current = expr;
        for _ in 0..8 {
            let Expr::Name(name) = current else { break };
            match self.scopes.lookup(name.id.as_str(), self.scope(), name.start()).0 {
                [binding] => match binding.bound {
                    Bound::Value(value, _) => current = value,
                    _ => break,
                },
                _ => break,
            }
        }
        current
    }

    fn check_json(&mut self, call: &'a ExprCall) {
        for name in ["default", "cls"] {
            if let Some(keyword) = call.arguments.find_keyword(name) {
                let message = format!(
                    "`{}` takes no `{name}` in the interpreter; convert the values before the call.",
                    self.source(&*call.func)
                );
                self.add(&rules::MISSING_ARGUMENT, keyword.start(), message);
            }
        }
    }

    fn check_exception(&mut self, call: &'a ExprCall, name: &str) {
        let arguments = &call.arguments.args;
        let is_text = match &**arguments {
            [] => true,
            [argument] => {
                !(matches!(
                    self.value(argument),
                    Expr::NumberLiteral(_)
                        | Expr::BooleanLiteral(_)
                        | Expr::NoneLiteral(_)
                        | Expr::Tuple(_)
                        | Expr::List(_)
                        | Expr::Dict(_)
                ) || self.is_caught(argument))
            }
            _ => false,
        };
        if !is_text {
            let message = format!(
                "`{name}` takes no argument or one string in the interpreter; pass an f-string with all of it."
            );
            self.add(&rules::EXCEPTION_ARGUMENTS, call.start(), message);
        }
    }

    fn is_caught(&self, expr: &Expr) -> bool {
        let Expr::Name(name) = expr else { return false };
        let (bindings, _) = self.scopes.lookup(name.id.as_str(), self.scope(), name.start());
        !bindings.is_empty() && bindings.iter().all(|binding| matches!(binding.bound, Bound::Caught))
    }

    fn check_next(&mut self, call: &'a ExprCall) {
        let Some(argument) = call.arguments.args.first() else { return };
        let what = match self.value(argument) {
            Expr::Generator(_) => "a generator expression".to_owned(),
            Expr::Call(inner) => {
                let meanings = self.scopes.meanings(&inner.func, self.scope());
                let eager = meanings
                    .iter()
                    .filter_map(|meaning| meaning.strip_prefix("builtins."))
                    .find(|name| EAGER.contains(name));
                match eager {
                    Some(name) => format!("`{name}`"),
                    None => return,
                }
            }
            _ => return,
        };
        let message =
            format!("{} gives a list in the interpreter, which `next` refuses; write `next(iter(…))`.", capital(&what));
        self.add(&rules::NEXT_ON_LIST, call.start(), message);
    }

    /// An endless source that something eager runs through.
    pub(super) fn check_endless(&mut self, what: &str, source: &'a Expr, range: TextRange) {
        let Expr::Call(call) = self.value(source) else { return };
        for meaning in self.scopes.meanings(&call.func, self.scope()) {
            let endless = match meaning.as_str() {
                "itertools.count" | "itertools.cycle" => true,
                "itertools.repeat" => call.arguments.len() == 1,
                _ => false,
            };
            if endless {
                let message = format!(
                    "{} runs through `{meaning}` at once and never ends in the interpreter; use a loop with `break`.",
                    capital(what)
                );
                self.add(&rules::ENDLESS, range.start(), message);
            }
        }
    }

    fn add_fallible(&mut self, call: &'a ExprCall) {
        if !self.is_handled() {
            let (function, at) = (self.function(), call.start());
            let what = quote(&format!("{}(…)", self.source(&*call.func)));
            self.unhandled.push(Unhandled { function, at, what });
        }
    }
}

fn is_false(call: &ExprCall, name: &str) -> bool {
    call.arguments
        .find_keyword(name)
        .is_some_and(|keyword| matches!(&keyword.value, Expr::BooleanLiteral(literal) if !literal.value))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
