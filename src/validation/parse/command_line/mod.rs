//! What a script takes on its command line, read from its syntax tree: `argparse`, `click`, or places of `sys.argv`.
//!
//! Nothing is executed. What is computed (a default, a name) is left out; a script that takes subcommands says so.

mod argument;
mod argv;
mod names;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use ruff_python_ast::{
    CmpOp, Expr, ExprCall, Stmt,
    visitor::{Visitor, walk_expr, walk_stmt},
};
use ruff_text_size::Ranged as _;
use serde_json::Value;

pub use argument::{CommandArgument, Form};

use super::{lines::Lines, literal::literal};
use crate::{
    domain::ParameterType,
    validation::{issue::Issue, parse, rules},
};
use argv::{asks_for_length, by_place, last_name, place_in, place_within};
use names::Names;

/// No script has more places.
const MOST_PLACES: usize = 32;

/// What a script is, as a program.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CommandLine {
    pub arguments: Vec<CommandArgument>,
    /// Whether a parser reads them, which takes what stands behind `--` as it is.
    pub is_parsed: bool,
    /// Whether the first word says what the others are.
    pub has_subcommands: bool,
    /// What is executed when it is started: the bytes of the statements under `if __name__ == "__main__":`.
    pub main: Option<(usize, usize)>,
    /// The names that these statements set.
    pub sets: Vec<String>,
    /// Where what is to be executed first can stand: behind what the module says of itself and of the future.
    pub begins_at: usize,
    /// Whether it asks where it is.
    pub asks_for_its_place: bool,
    /// The modules that it imports, without what is within them.
    pub imports: BTreeSet<String>,
    /// What the module says of itself.
    pub docstring: Option<String>,
}

/// Reads what `code` takes.
///
/// # Errors
/// An [`Issue`] when it is not valid Python.
pub fn command_line(code: &str) -> Result<CommandLine, Issue> {
    let lines = Lines::of(code);
    let parsed = parse::module(code, &lines).map_err(|issues| {
        issues.into_iter().next().unwrap_or_else(|| {
            lines.issue(&rules::SYNTAX, None, "The code is not valid Python; correct it.".to_owned())
        })
    })?;
    let body = &parsed.syntax().body;
    let mut reader = Reader::default();
    reader.visit_body(body);
    let Reader { mut found, places, optional, .. } = reader;
    found.docstring = super::outline::docstring(body);
    let is_first = |stmt: &&Stmt| {
        let is_future =
            stmt.as_import_from_stmt().and_then(|import| import.module.as_ref()).is_some_and(|of| of == "__future__");
        is_future || stmt.as_expr_stmt().is_some_and(|expr| expr.value.is_string_literal_expr())
    };
    let first = body.iter().take_while(is_first).last().map_or(0, |stmt| stmt.end().to_usize());
    found.begins_at = code.get(first..).and_then(|rest| rest.find('\n')).map_or(code.len(), |end| first + end + 1);
    if first == 0 {
        found.begins_at = body.first().map_or(0, |stmt| stmt.start().to_usize());
    }
    if let Some(guard) = body.iter().find_map(|stmt| stmt.as_if_stmt().filter(|guard| is_main(&guard.test)))
        && let (Some(first), Some(last)) = (guard.body.first(), guard.body.last())
    {
        found.main = Some((first.start().to_usize(), last.end().to_usize()));
        let mut names = Names::default();
        names.visit_body(&guard.body);
        found.sets = names.0.into_iter().collect();
    }
    found.is_parsed = !found.arguments.is_empty();
    if !found.is_parsed {
        found.arguments = by_place(&places, optional);
    }
    let mut taken = BTreeSet::new();
    found.arguments.retain(|argument| taken.insert(argument.name.clone()));
    Ok(found)
}

/// `__name__ == "__main__"`.
fn is_main(test: &Expr) -> bool {
    let Expr::Compare(compare) = test else { return false };
    let is_name = |expr: &Expr| expr.as_name_expr().is_some_and(|name| name.id == "__name__");
    let is_text = |expr: &Expr| text(expr) == Some("__main__");
    match (&*compare.ops, &*compare.operands) {
        ([CmpOp::Eq], [left, right]) => (is_name(left) && is_text(right)) || (is_text(left) && is_name(right)),
        _ => false,
    }
}

fn text(expr: &Expr) -> Option<&str> {
    expr.as_string_literal_expr().map(|literal| literal.value.to_str())
}

fn keyword<'a>(call: &'a ExprCall, name: &str) -> Option<&'a Expr> {
    let mut keywords = call.arguments.keywords.iter();
    keywords.find(|keyword| keyword.arg.as_ref().is_some_and(|arg| arg == name)).map(|keyword| &keyword.value)
}

/// A flag or a name as an identifier; `None` where it is none.
fn identifier(text: &str) -> Option<String> {
    let name = text.trim_start_matches(['-', '/']).replace(['-', '.', ' '], "_").to_lowercase();
    let is_one = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_keyword = crate::domain::name::PYTHON_KEYWORDS.contains(&name.as_str());
    is_one.then(|| if is_keyword { format!("{name}_") } else { name })
}

fn kind_of(expr: Option<&Expr>, default: Option<&Value>) -> ParameterType {
    match expr.and_then(last_name) {
        Some("int" | "INT") => ParameterType::Integer,
        Some("float" | "FLOAT") => ParameterType::Number,
        Some("bool" | "BOOL") => ParameterType::Boolean,
        Some(_) => ParameterType::String,
        None => match default {
            Some(Value::Number(number)) if number.is_i64() => ParameterType::Integer,
            Some(Value::Number(_)) => ParameterType::Number,
            _ => ParameterType::String,
        },
    }
}

fn choices(expr: Option<&Expr>) -> Vec<Value> {
    let items = match expr {
        Some(Expr::List(list)) => &list.elts,
        Some(Expr::Tuple(tuple)) => &tuple.elts,
        _ => return Vec::new(),
    };
    items.iter().map(literal).collect::<Option<_>>().unwrap_or_default()
}

#[derive(Default)]
struct Reader {
    found: CommandLine,
    /// Places of `sys.argv` with the name that each is given, as far as it is given one.
    places: Vec<(usize, Option<String>)>,
    /// The first place that is looked at only where it is there.
    optional: Option<usize>,
    /// How many conditions on the length of `sys.argv` stand around.
    guarded: usize,
}

impl Reader {
    fn argparse(&mut self, call: &ExprCall) {
        let names: Vec<&str> = call.arguments.args.iter().filter_map(text).collect();
        let Some(first) = names.first() else { return };
        let is_option = first.starts_with('-');
        let flag = names.iter().find(|name| name.starts_with("--")).unwrap_or(first);
        let dest = keyword(call, "dest").and_then(text);
        let Some(name) = identifier(dest.unwrap_or(flag)) else { return };
        let action = keyword(call, "action").map(|action| text(action).or(last_name(action)).unwrap_or_default());
        let default = keyword(call, "default").and_then(literal);
        let nargs = keyword(call, "nargs").and_then(literal);
        let form = match action {
            Some("help" | "version") => return,
            Some("store_true" | "store_const" | "count" | "BooleanOptionalAction") => Form::Flag { says: true },
            // Without a name of its own it is named for the flag, and given with it.
            Some("store_false") => Form::Flag { says: dest.is_none() },
            _ if is_option => Form::Option,
            _ => Form::Place,
        };
        let is_repeated = matches!(action, Some("append" | "extend"));
        let is_many = is_repeated
            || nargs
                .as_ref()
                .is_some_and(|nargs| matches!(nargs.as_str(), Some("*" | "+" | "...")) || nargs.is_number());
        let may_be_left_out = nargs.as_ref().is_some_and(|nargs| matches!(nargs.as_str(), Some("?" | "*")));
        let is_required = match form {
            Form::Place => !may_be_left_out,
            Form::Option => keyword(call, "required").and_then(literal) == Some(Value::Bool(true)),
            Form::Flag { .. } => false,
        };
        let kind = match form {
            Form::Flag { .. } => ParameterType::Boolean,
            _ if is_many => ParameterType::Array,
            _ => kind_of(keyword(call, "type"), default.as_ref()),
        };
        self.found.arguments.push(CommandArgument {
            name,
            form,
            flag: is_option.then(|| (*flag).to_owned()),
            kind,
            is_many,
            is_repeated,
            is_required,
            default: default.filter(|_| matches!(form, Form::Option | Form::Place)),
            choices: choices(keyword(call, "choices")),
            help: keyword(call, "help").and_then(text).map(str::to_owned),
        });
    }

    fn click(&mut self, call: &ExprCall, is_option: bool) {
        let names: Vec<&str> = call.arguments.args.iter().filter_map(text).collect();
        let flag = names.iter().find(|name| name.starts_with("--")).or(names.first()).copied();
        // `--wide/--narrow` says both.
        let flag = flag.map(|flag| flag.split('/').next().unwrap_or(flag));
        let named = names.iter().find(|name| !name.starts_with('-')).copied();
        let Some(name) = named.or(flag).and_then(identifier) else { return };
        let is_true = |of: &str| keyword(call, of).and_then(literal) == Some(Value::Bool(true));
        let is_flag = is_true("is_flag") || names.iter().any(|name| name.contains("/-"));
        let default = keyword(call, "default").and_then(literal);
        let nargs = keyword(call, "nargs").and_then(literal);
        let is_many = nargs.is_some_and(|nargs| nargs != 1) || is_true("multiple");
        let typed = keyword(call, "type");
        let choice = typed.and_then(Expr::as_call_expr).and_then(|call| call.arguments.args.first());
        self.found.arguments.push(CommandArgument {
            form: if is_flag {
                Form::Flag { says: true }
            } else if is_option {
                Form::Option
            } else {
                Form::Place
            },
            kind: if is_flag {
                ParameterType::Boolean
            } else if is_many {
                ParameterType::Array
            } else {
                kind_of(typed, default.as_ref())
            },
            is_many,
            is_repeated: is_option && is_true("multiple"),
            is_required: if is_option {
                is_true("required")
            } else {
                default.is_none() && keyword(call, "required").and_then(literal) != Some(Value::Bool(false))
            },
            default: default.filter(|_| !is_flag),
            choices: choices(choice),
            help: keyword(call, "help").and_then(text).map(str::to_owned),
            flag: flag.filter(|_| is_option).map(str::to_owned),
            name,
        });
    }

    fn place(&mut self, index: usize, name: Option<String>) {
        if index == 0 || index > MOST_PLACES {
            return;
        }
        if self.guarded > 0 {
            self.optional = Some(self.optional.map_or(index, |first| first.min(index)));
        }
        match self.places.iter_mut().find(|(there, _)| *there == index) {
            Some((_, known)) => *known = known.take().or(name),
            None => self.places.push((index, name)),
        }
    }
}

impl<'a> Visitor<'a> for Reader {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                let tops = import.names.iter().filter_map(|name| name.name.as_str().split('.').next());
                self.found.imports.extend(tops.map(str::to_owned));
            }
            Stmt::ImportFrom(import) if import.level == 0 => {
                let top = import.module.as_ref().and_then(|module| module.as_str().split('.').next());
                self.found.imports.extend(top.map(str::to_owned));
            }
            Stmt::ImportFrom(_) => {
                self.found.imports.insert(".".to_owned());
            }
            Stmt::Assign(assign) => {
                if let ([Expr::Name(name)], Some((index, may_be_missing))) =
                    (&*assign.targets, place_within(&assign.value))
                {
                    self.guarded += usize::from(may_be_missing);
                    self.place(index, identifier(name.id.as_str()));
                    self.guarded -= usize::from(may_be_missing);
                    return;
                }
            }
            Stmt::If(branch) if asks_for_length(&branch.test) => {
                self.guarded += 1;
                walk_stmt(self, stmt);
                self.guarded -= 1;
                return;
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr {
            match call
                .func
                .as_attribute_expr()
                .map_or_else(|| last_name(&call.func), |attribute| Some(attribute.attr.as_str()))
            {
                Some("add_argument") => self.argparse(call),
                Some("add_subparsers") => self.found.has_subcommands = true,
                Some("group") if is_of_click(call) => self.found.has_subcommands = true,
                Some("option") if is_of_click(call) => self.click(call, true),
                Some("argument") if is_of_click(call) => self.click(call, false),
                _ => {}
            }
        }
        if expr.as_name_expr().is_some_and(|name| name.id == "__file__") {
            self.found.asks_for_its_place = true;
        }
        if let Some(index) = place_in(expr) {
            self.place(index, None);
        }
        walk_expr(self, expr);
    }
}

fn is_of_click(call: &ExprCall) -> bool {
    let of = call.func.as_attribute_expr().and_then(|attribute| attribute.value.as_name_expr());
    of.is_some_and(|name| matches!(name.id.as_str(), "click" | "typer"))
}
