//! Calls and loops that the interpreter takes in another way than other Pythons, or not at all.

use ruff_python_ast::{Expr, ExprCall, ExprGenerator};
use ruff_text_size::{Ranged, TextSize};

use super::place::Place;
use crate::validation::{report::Report, rules, scopes::scope::Bound};

/// Builtins that give a list where `CPython` gives an iterator.
pub const EAGER: [&str; 5] = ["map", "filter", "zip", "enumerate", "reversed"];

/// A call; `meanings` are those of what it calls.
pub fn in_call<'a>(call: &'a ExprCall, meanings: &[String], place: &Place<'_, 'a>, report: &mut Report) {
    for meaning in meanings {
        match meaning.as_str() {
            "json.dumps" | "json.dump" => json(call, place, report),
            "builtins.next" => next(call, place, report),
            other => {
                if let Some(name) = other.strip_prefix("builtins.") {
                    builtin(name, call, place, report);
                }
            }
        }
    }
}

/// A generator expression, which runs at once.
pub fn in_generator<'a>(generator: &'a ExprGenerator, place: &Place<'_, 'a>, report: &mut Report) {
    if let Some(first) = generator.generators.first() {
        endless("a generator expression", &first.iter, generator.start(), place, report);
    }
}

fn builtin<'a>(name: &str, call: &'a ExprCall, place: &Place<'_, 'a>, report: &mut Report) {
    if matches!(name, "map" | "filter" | "enumerate")
        && let Some(source) = call.arguments.args.last()
    {
        endless(&format!("`{name}`"), source, call.start(), place, report);
    }
    if name == "bytes" {
        numbers_as_bytes(call, place, report);
    }
    if name.ends_with("Error") || matches!(name, "Exception" | "BaseException" | "SystemExit" | "KeyboardInterrupt") {
        exception(name, call, place, report);
    }
}

/// `bytes` of numbers.
fn numbers_as_bytes<'a>(call: &'a ExprCall, place: &Place<'_, 'a>, report: &mut Report) {
    let [argument] = &*call.arguments.args else { return };
    let is_of_several = match place.value(argument) {
        Expr::List(_) | Expr::Tuple(_) | Expr::ListComp(_) | Expr::Generator(_) => true,
        Expr::Call(inner) => {
            let makers = ["builtins.map", "builtins.filter", "builtins.list", "builtins.range", "builtins.reversed"];
            place.meanings(&inner.func).iter().any(|meaning| makers.contains(&meaning.as_str()))
        }
        _ => false,
    };
    if is_of_several {
        let message =
            "The interpreter makes no bytes of numbers; make a text of them, `\"\".join(map(chr, …))`, and `.encode()` it where all are below 128."
                .into();
        report.add(&rules::BYTES_OF_NUMBERS, call.start(), message);
    }
}

fn json(call: &ExprCall, place: &Place<'_, '_>, report: &mut Report) {
    for name in ["default", "cls"] {
        if let Some(keyword) = call.arguments.find_keyword(name) {
            let message = format!(
                "`{}` takes no `{name}` in the interpreter; convert the values before the call.",
                place.source(&*call.func)
            );
            report.add(&rules::MISSING_ARGUMENT, keyword.start(), message);
        }
    }
}

fn exception<'a>(name: &str, call: &'a ExprCall, place: &Place<'_, 'a>, report: &mut Report) {
    let is_text = match &*call.arguments.args {
        [] => true,
        [argument] => {
            !(matches!(
                place.value(argument),
                Expr::NumberLiteral(_)
                    | Expr::BooleanLiteral(_)
                    | Expr::NoneLiteral(_)
                    | Expr::Tuple(_)
                    | Expr::List(_)
                    | Expr::Dict(_)
            ) || is_caught(argument, place))
        }
        _ => false,
    };
    if !is_text {
        let message =
            format!("`{name}` takes no argument or one string in the interpreter; pass an f-string with all of it.");
        report.add(&rules::EXCEPTION_ARGUMENTS, call.start(), message);
    }
}

fn is_caught(expr: &Expr, place: &Place<'_, '_>) -> bool {
    let Expr::Name(name) = expr else { return false };
    let (bindings, _) = place.lookup(name.id.as_str(), name.start());
    !bindings.is_empty() && bindings.iter().all(|binding| matches!(binding.bound, Bound::Caught))
}

fn next<'a>(call: &'a ExprCall, place: &Place<'_, 'a>, report: &mut Report) {
    let Some(argument) = call.arguments.args.first() else { return };
    let what = match place.value(argument) {
        Expr::Generator(_) => "a generator expression".to_owned(),
        Expr::Call(inner) => {
            let meanings = place.meanings(&inner.func);
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
    report.add(&rules::NEXT_ON_LIST, call.start(), message);
}

/// An endless source that something eager runs through.
fn endless<'a>(what: &str, source: &'a Expr, at: TextSize, place: &Place<'_, 'a>, report: &mut Report) {
    let Expr::Call(call) = place.value(source) else { return };
    for meaning in place.meanings(&call.func) {
        let is_endless = match meaning.as_str() {
            "itertools.count" | "itertools.cycle" => true,
            "itertools.repeat" => call.arguments.len() == 1,
            _ => false,
        };
        if is_endless {
            let message = format!(
                "{} runs through `{meaning}` at once and never ends in the interpreter; use a loop with `break`.",
                capital(what)
            );
            report.add(&rules::ENDLESS, at, message);
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
