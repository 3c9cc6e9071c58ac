//! Which host the address of a request names. Mostly only the beginning of an address is constant; that is enough.

use ruff_python_ast::{Expr, FStringPartRef, InterpolatedStringElement, Operator};
use ruff_text_size::Ranged;

use crate::{
    domain::Host,
    validation::scopes::{
        meaning,
        scope::{Bound, ScopeId, Scopes},
    },
};

/// A host and its port.
pub struct Target {
    pub host: Host,
    pub port: u16,
    /// How a grant names it.
    pub grant: String,
}

/// Where a request to the address `expr` goes, if that is told by constants.
pub fn target(scopes: &Scopes<'_>, expr: &Expr, scope: ScopeId) -> Option<Target> {
    let mut beginning = Beginning::default();
    beginning.read(scopes, expr, scope, &mut 128);
    let (scheme, rest) = beginning.text.trim_start().split_once("://")?;
    let default = match scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let authority = match rest.find(['/', '?', '#', '\\']) {
        Some(end) => rest.get(..end)?,
        // What is not known may go on with the name.
        None if beginning.is_cut => return None,
        None => rest,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, default),
    };
    let host = Host::parse(host)?;
    let grant = if port == default { host.to_string() } else { format!("{host}:{port}") };
    Some(Target { host, port, grant })
}

/// The constant beginning of a text.
#[derive(Default)]
struct Beginning {
    text: String,
    /// Whether something unknown follows.
    is_cut: bool,
}

impl Beginning {
    fn read(&mut self, scopes: &Scopes<'_>, expr: &Expr, scope: ScopeId, fuel: &mut usize) {
        if *fuel == 0 {
            self.is_cut = true;
        }
        if self.is_cut {
            return;
        }
        *fuel -= 1;
        if let Some(text) = meaning::text(scopes, expr, scope, fuel) {
            self.text.push_str(&text);
            return;
        }
        match expr {
            Expr::Name(name) => match scopes.lookup(name.id.as_str(), scope, name.start()).0 {
                [binding] => match &binding.bound {
                    Bound::Value(value, scope) => self.read(scopes, value, *scope, fuel),
                    _ => self.is_cut = true,
                },
                _ => self.is_cut = true,
            },
            Expr::Named(named) => self.read(scopes, &named.value, scope, fuel),
            Expr::BinOp(operation) if operation.op == Operator::Add => {
                self.read(scopes, &operation.left, scope, fuel);
                self.read(scopes, &operation.right, scope, fuel);
            }
            Expr::BinOp(operation) if operation.op == Operator::Mod => {
                self.read_template(scopes, &operation.left, scope, '%', fuel);
            }
            Expr::Call(call) => match call.func.as_attribute_expr() {
                Some(method) if method.attr.as_str() == "format" => {
                    self.read_template(scopes, &method.value, scope, '{', fuel);
                }
                _ => self.is_cut = true,
            },
            Expr::FString(literal) => {
                for part in &literal.value {
                    match part {
                        FStringPartRef::Literal(literal) => self.push(&literal.value),
                        FStringPartRef::FString(string) => {
                            for element in &string.elements {
                                match element {
                                    InterpolatedStringElement::Literal(literal) => self.push(&literal.value),
                                    InterpolatedStringElement::Interpolation(field) => {
                                        self.read(scopes, &field.expression, scope, fuel);
                                    }
                                }
                            }
                        }
                    }
                }
            }
            _ => self.is_cut = true,
        }
    }

    fn push(&mut self, text: &str) {
        if !self.is_cut {
            self.text.push_str(text);
        }
    }

    fn read_template(&mut self, scopes: &Scopes<'_>, expr: &Expr, scope: ScopeId, mark: char, fuel: &mut usize) {
        if let Some(template) = meaning::text(scopes, expr, scope, fuel) {
            self.push(template.split(mark).next().unwrap_or_default());
        }
        self.is_cut = true;
    }
}
