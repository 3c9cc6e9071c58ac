//! What an expression means: the dotted paths that it may stand for, and its text where that is constant.
//!
//! A meaning is a dotted path: `os.system`, `builtins.eval`, `repertoire.run_command`. Resolution follows imports,
//! assignments, loops over literals, defaults and `getattr` with a constant name. It over-approximates: a name that is
//! bound twice has both meanings. Everything is bounded by a number of steps (`fuel`), so aliases in a circle end.

use ruff_python_ast::{Expr, ExprCall, FStringPartRef, InterpolatedStringElement, Number, Operator};
use ruff_text_size::Ranged;

use super::scope::{Bound, ScopeId, Scopes, elements};
use crate::validation::catalogue;

/// Longest text that is pieced together.
const MAX_TEXT: usize = 4_096;

impl Scopes<'_> {
    /// The meanings of an expression.
    pub fn meanings(&self, expr: &Expr, scope: ScopeId) -> Vec<String> {
        let mut found = Vec::new();
        collect(self, expr, scope, &mut 64, &mut found);
        found
    }

    /// Whether one of the meanings of an expression is this path.
    pub fn means(&self, expr: &Expr, scope: ScopeId, path: &str) -> bool {
        self.meanings(expr, scope).iter().any(|meaning| meaning == path)
    }
}

/// Adds the meanings of `expr`, seen from `scope`, to `found`.
fn collect(scopes: &Scopes<'_>, expr: &Expr, scope: ScopeId, fuel: &mut usize, found: &mut Vec<String>) {
    if *fuel == 0 {
        return;
    }
    *fuel -= 1;
    match expr {
        Expr::Name(name) => {
            let (bindings, builtin) = scopes.lookup(name.id.as_str(), scope, name.start());
            for binding in bindings {
                match &binding.bound {
                    Bound::Imported(path) => add(found, catalogue::canonical(path).to_owned()),
                    Bound::Value(value, scope) | Bound::Added(value, scope) => {
                        collect(scopes, value, *scope, fuel, found);
                    }
                    Bound::Parameter { .. } | Bound::Rest { .. } | Bound::Function | Bound::Caught | Bound::Own => {}
                }
            }
            if builtin {
                add(found, format!("builtins.{}", name.id));
            }
        }
        Expr::Attribute(attribute) => {
            let mut bases = Vec::new();
            collect(scopes, &attribute.value, scope, fuel, &mut bases);
            for base in bases {
                add(found, catalogue::canonical(&format!("{base}.{}", attribute.attr)).to_owned());
            }
        }
        Expr::If(branch) => {
            collect(scopes, &branch.body, scope, fuel, found);
            collect(scopes, &branch.orelse, scope, fuel, found);
        }
        Expr::BoolOp(operation) => operation.values.iter().for_each(|value| collect(scopes, value, scope, fuel, found)),
        Expr::Named(named) => collect(scopes, &named.value, scope, fuel, found),
        // What a container holds stands for what is taken from it.
        Expr::Tuple(_) | Expr::List(_) => {
            elements(expr).iter().for_each(|value| collect(scopes, value, scope, fuel, found));
        }
        Expr::Dict(dict) => dict.items.iter().for_each(|item| collect(scopes, &item.value, scope, fuel, found)),
        Expr::Subscript(subscript) => collect(scopes, &subscript.value, scope, fuel, found),
        Expr::Call(call) => of_call(scopes, call, scope, fuel, found),
        _ => {}
    }
}

/// `getattr(os, "system")` is `os.system`, `__import__("os")` and `import_module("os")` are `os`.
fn of_call(scopes: &Scopes<'_>, call: &ExprCall, scope: ScopeId, fuel: &mut usize, found: &mut Vec<String>) {
    let arguments = &call.arguments.args;
    let mut functions = Vec::new();
    match &*call.func {
        Expr::Name(_) | Expr::Attribute(_) => collect(scopes, &call.func, scope, fuel, &mut functions),
        _ => return,
    }
    for function in functions {
        match function.as_str() {
            "builtins.getattr" => {
                let (Some(base), Some(name)) = (arguments.first(), arguments.get(1)) else { continue };
                let Some(name) = text(scopes, name, scope, fuel) else { continue };
                let mut bases = Vec::new();
                collect(scopes, base, scope, fuel, &mut bases);
                for base in bases {
                    add(found, catalogue::canonical(&format!("{base}.{name}")).to_owned());
                }
            }
            "builtins.__import__" | "importlib.import_module" => {
                if let Some(name) = arguments.first().and_then(|name| text(scopes, name, scope, fuel)) {
                    add(found, name);
                }
            }
            _ => {}
        }
    }
}

fn add(found: &mut Vec<String>, path: String) {
    if !found.contains(&path) {
        found.push(path);
    }
}

/// The text that an expression always has, where that can be told: literals, concatenations, `"".join([...])`,
/// f-strings of constants, reversed slices, `chr()` and names that are bound once to such a text.
pub fn text(scopes: &Scopes<'_>, expr: &Expr, scope: ScopeId, fuel: &mut usize) -> Option<String> {
    *fuel = fuel.checked_sub(1)?;
    let folded = match expr {
        Expr::StringLiteral(literal) => literal.value.to_str().to_owned(),
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(value) => value.as_i64()?.to_string(),
            _ => return None,
        },
        Expr::Name(name) => match scopes.lookup(name.id.as_str(), scope, name.start()) {
            ([binding], _) => match &binding.bound {
                Bound::Value(value, scope) => text(scopes, value, *scope, fuel)?,
                _ => return None,
            },
            _ => return None,
        },
        Expr::Named(named) => text(scopes, &named.value, scope, fuel)?,
        Expr::FString(literal) => {
            let mut joined: String = String::new();
            for part in &literal.value {
                match part {
                    FStringPartRef::Literal(literal) => joined.push_str(&literal.value),
                    FStringPartRef::FString(string) => {
                        for element in &string.elements {
                            joined.push_str(&match element {
                                InterpolatedStringElement::Literal(literal) => literal.value.to_string(),
                                InterpolatedStringElement::Interpolation(field) => {
                                    text(scopes, &field.expression, scope, fuel)?
                                }
                            });
                        }
                    }
                }
            }
            joined
        }
        Expr::BinOp(operation) => {
            let left = text(scopes, &operation.left, scope, fuel)?;
            match operation.op {
                Operator::Add => left + &text(scopes, &operation.right, scope, fuel)?,
                Operator::Mult => {
                    let times = whole_number(&operation.right)?;
                    (left.len().saturating_mul(times) <= MAX_TEXT).then(|| left.repeat(times))?
                }
                Operator::Mod => {
                    let mut filled = left;
                    for value in elements(&operation.right) {
                        filled = filled.replacen("%s", &text(scopes, value, scope, fuel)?, 1);
                    }
                    filled
                }
                _ => return None,
            }
        }
        Expr::Subscript(subscript) => {
            let whole = text(scopes, &subscript.value, scope, fuel)?;
            let slice = subscript.slice.as_slice_expr()?;
            if slice.lower.is_some() || slice.upper.is_some() || !is_minus_one(slice.step.as_deref()?) {
                return None;
            }
            whole.chars().rev().collect()
        }
        Expr::Call(call) => text_of_call(scopes, call, scope, fuel)?,
        _ => return None,
    };
    (folded.len() <= MAX_TEXT).then_some(folded)
}

/// A path below another, unless it is absolute.
pub fn join_paths(base: &str, rest: &str) -> String {
    if rest.starts_with('/') { rest.to_owned() } else { format!("{}/{rest}", base.trim_end_matches('/')) }
}

fn text_of_call(scopes: &Scopes<'_>, call: &ExprCall, scope: ScopeId, fuel: &mut usize) -> Option<String> {
    let arguments = &call.arguments.args;
    let name = match &*call.func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return None,
    };
    if name == "join" && ["os.path.join", "posixpath.join"].iter().any(|path| scopes.means(&call.func, scope, path)) {
        let parts: Option<Vec<String>> = arguments.iter().map(|part| text(scopes, part, scope, fuel)).collect();
        return parts?.into_iter().reduce(|path, part| join_paths(&path, &part));
    }
    match &*call.func {
        Expr::Name(name) if name.id.as_str() == "chr" => {
            char::from_u32(u32::try_from(whole_number(arguments.first()?)?).ok()?).map(String::from)
        }
        Expr::Name(name) if name.id.as_str() == "str" => text(scopes, arguments.first()?, scope, fuel),
        Expr::Attribute(method) if method.attr.as_str() == "decode" => decoded(&method.value),
        Expr::Attribute(method) => {
            let base = text(scopes, &method.value, scope, fuel)?;
            match method.attr.as_str() {
                "join" if arguments.first().is_some_and(Expr::is_call_expr) => {
                    let letters = arguments.first()?.as_call_expr()?;
                    let [function, codes] = &*letters.arguments.args else { return None };
                    let is_map_of_chr = name_is(&letters.func, "map") && name_is(function, "chr");
                    let letters = codes_of(codes).filter(|_| is_map_of_chr)?;
                    let letters: Option<Vec<String>> =
                        letters.into_iter().map(|code| char::from_u32(code).map(String::from)).collect();
                    Some(letters?.join(&base))
                }
                "join" => {
                    let items = arguments.first().filter(|items| items.is_list_expr() || items.is_tuple_expr())?;
                    let pieces: Option<Vec<String>> =
                        elements(items).iter().map(|item| text(scopes, item, scope, fuel)).collect();
                    Some(pieces?.join(&base))
                }
                "lower" => Some(base.to_lowercase()),
                "upper" => Some(base.to_uppercase()),
                "strip" if arguments.is_empty() => Some(base.trim().to_owned()),
                "replace" => {
                    let from = text(scopes, arguments.first()?, scope, fuel)?;
                    let to = text(scopes, arguments.get(1)?, scope, fuel)?;
                    (base.len().saturating_mul(to.len() + 1) <= MAX_TEXT).then(|| base.replace(&from, &to))
                }
                "format" => {
                    let mut filled = base;
                    for value in arguments {
                        filled = filled.replacen("{}", &text(scopes, value, scope, fuel)?, 1);
                    }
                    Some(filled)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The text of `b"…".decode()` and `bytes([…]).decode()`.
fn decoded(expr: &Expr) -> Option<String> {
    let bytes: Vec<u8> = match expr {
        Expr::BytesLiteral(literal) => literal.value.bytes().collect(),
        Expr::Call(call) if name_is(&call.func, "bytes") || name_is(&call.func, "bytearray") => {
            let codes = codes_of(call.arguments.args.first()?)?;
            codes.into_iter().map(|code| u8::try_from(code).ok()).collect::<Option<_>>()?
        }
        _ => return None,
    };
    String::from_utf8(bytes).ok()
}

/// The whole numbers of a list or tuple that stands in the code.
fn codes_of(expr: &Expr) -> Option<Vec<u32>> {
    let items = elements(expr);
    let codes: Option<Vec<u32>> = items.iter().map(|item| u32::try_from(whole_number(item)?).ok()).collect();
    codes.filter(|codes| !codes.is_empty() && codes.len() <= MAX_TEXT)
}

fn name_is(expr: &Expr, wanted: &str) -> bool {
    expr.as_name_expr().is_some_and(|name| name.id.as_str() == wanted)
}

/// A whole number that stands in the code.
fn whole_number(expr: &Expr) -> Option<usize> {
    match &expr.as_number_literal_expr()?.value {
        Number::Int(value) => value.as_usize(),
        _ => None,
    }
}

fn is_minus_one(expr: &Expr) -> bool {
    expr.as_unary_op_expr()
        .is_some_and(|operation| operation.op.is_u_sub() && whole_number(&operation.operand) == Some(1))
}
