//! Giving the entry function another name, where code moves to a procedure of another name.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, Stmt};
use ruff_text_size::{Ranged, TextRange};

use super::scope::Scopes;
use crate::validation::parse::{self, entry, lines::Lines};

/// `code` with its top-level function `from` called `to`, and all that calls it. `None` when there is no such function,
/// or when `from` also means something else or `to` is taken: then the code is best left as it is.
#[must_use]
pub fn rename_entry(code: &str, from: &str, to: &str) -> Option<String> {
    let lines = Lines::of(code);
    let parsed = parse::module(code, &lines).ok()?;
    let module = parsed.syntax();
    // Also says that the tree is not too deep to be walked.
    Scopes::collect(module).ok()?;
    entry::choose(module, Some(from), &lines).ok()?.filter(|entry| entry.name.as_str() == from)?;
    let mut uses = Uses { name: from, ranges: Vec::new() };
    for stmt in &module.body {
        if let Stmt::FunctionDef(function) = stmt
            && function.name.as_str() == from
        {
            uses.ranges.push(function.name.range());
        }
        uses.visit_stmt(stmt);
    }
    let text = |range: TextRange| &code[range];
    let spelled = |name: &str| {
        let names = parsed.tokens().iter().filter(|token| token.kind() == TokenKind::Name);
        names.filter(|token| text(token.range()) == name).count()
    };
    // Parameters, keywords, attributes and imports of that name are tokens too, and no uses.
    if spelled(from) != uses.ranges.len() || spelled(to) != 0 {
        return None;
    }
    uses.ranges.sort_by_key(Ranged::start);
    let mut renamed = String::with_capacity(code.len());
    let mut done = 0;
    for range in uses.ranges {
        renamed.push_str(code.get(done..range.start().to_usize())?);
        renamed.push_str(to);
        done = range.end().to_usize();
    }
    renamed.push_str(code.get(done..)?);
    Some(renamed)
}

/// Where a name is read.
struct Uses<'n> {
    name: &'n str,
    ranges: Vec<TextRange>,
}

impl<'a> Visitor<'a> for Uses<'_> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr
            && name.id.as_str() == self.name
            && name.ctx.is_load()
        {
            self.ranges.push(name.range());
        }
        visitor::walk_expr(self, expr);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_and_its_uses_get_the_new_name() {
        let code =
            "def prep(n: int) -> list:\n    \"\"\"prep.\"\"\"\n    return [prep(n - 1), f\"{prep}\"] if n else []\n";
        let expected =
            "def again(n: int) -> list:\n    \"\"\"prep.\"\"\"\n    return [again(n - 1), f\"{again}\"] if n else []\n";
        assert_eq!(rename_entry(code, "prep", "again").as_deref(), Some(expected));
    }

    #[test]
    fn a_name_that_means_something_else_too_is_left() {
        for code in [
            "def main():\n    return 1\n",
            "prep = 1\n",
            "def prep(",
            "def prep(prep):\n    return prep\n",
            "def prep(x):\n    return x.prep\n",
            "def prep(x):\n    return dict(prep=x)\n",
            "def prep():\n    again = 1\n    return again\n",
            "def other():\n    prep = 1\n    return prep\n\ndef prep():\n    return 2\n",
        ] {
            assert_eq!(rename_entry(code, "prep", "again"), None, "{code}");
        }
    }
}
