//! A step of code that gives a constant: the call of a host function is replaced by what it always gave.

use ruff_python_ast::{
    Alias, Expr, Stmt, StmtImportFrom,
    visitor::{self, Visitor},
};
use ruff_text_size::{Ranged as _, TextRange};
use serde_json::Value;

use super::{MARK, python};

/// The code in which the only call of `function` in a line, counted from 1, is replaced by `value`. `None` where there is
/// no such call, more than one, or no code. It is no compiled code any more: the steps would bring the call back.
#[must_use]
pub fn with_constant(code: &str, function: &str, line: u32, value: &Value) -> Option<String> {
    let module = ruff_python_parser::parse_module(code).ok()?.into_syntax();
    let mut calls = Calls { function, found: Vec::new(), uses: 0 };
    module.body.iter().for_each(|statement| calls.visit_stmt(statement));
    let line = usize::try_from(line).ok()?;
    let begins_in = |range: &TextRange| line_of(code, range.start().to_usize()) == line;
    let mut in_line = calls.found.iter().filter(|range| begins_in(range));
    let (Some(call), None) = (in_line.next(), in_line.next()) else { return None };
    let mut edits = vec![(*call, python::literal(value))];
    if calls.uses == 1 {
        edits.extend(module.body.iter().filter_map(|statement| without_import(code, statement, function)));
    }
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start()));
    let mut changed = code.to_owned();
    for (range, text) in edits {
        changed.replace_range(range.start().to_usize()..range.end().to_usize(), &text);
    }
    let changed = changed.strip_prefix(MARK).map_or(changed.as_str(), str::trim_start).to_owned();
    ruff_python_parser::parse_module(&changed).is_ok().then_some(changed)
}

fn line_of(code: &str, offset: usize) -> usize {
    code.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// The import of a function that nothing uses any more, without it.
fn without_import(code: &str, statement: &Stmt, function: &str) -> Option<(TextRange, String)> {
    let Stmt::ImportFrom(StmtImportFrom { module: Some(module), names, range, .. }) = statement else { return None };
    let is_it = |alias: &Alias| alias.name.as_str() == function && alias.asname.is_none();
    if module.as_str() != "repertoire" || !names.iter().any(is_it) {
        return None;
    }
    let others = names.iter().filter(|alias| !is_it(alias));
    let others: Vec<&str> =
        others.map(|alias| &code[alias.range().start().to_usize()..alias.range().end().to_usize()]).collect();
    let text = if others.is_empty() { String::new() } else { format!("from repertoire import {}", others.join(", ")) };
    Some((*range, text))
}

struct Calls<'f> {
    function: &'f str,
    /// Where its calls are, those that are waited for with the word for that.
    found: Vec<TextRange>,
    /// How often it is named at all.
    uses: usize,
}

impl Calls<'_> {
    fn is_call(&self, expression: &Expr) -> bool {
        matches!(expression, Expr::Call(call) if matches!(&*call.func, Expr::Name(name) if name.id.as_str() == self.function))
    }
}

impl<'a> Visitor<'a> for Calls<'_> {
    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Await(awaited) if self.is_call(&awaited.value) => {
                self.found.push(awaited.range());
                self.uses += 1;
                return;
            }
            call if self.is_call(call) => self.found.push(call.range()),
            Expr::Name(name) if name.id.as_str() == self.function => self.uses += 1,
            _ => {}
        }
        visitor::walk_expr(self, expression);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CODE: &str = "from repertoire import log, manual_step\n\n\ndef check():\n    log(\"a\")\n    colour = manual_step(\"Colour?\")\n    return colour\n";

    #[test]
    fn the_call_and_its_import_go() {
        let changed = with_constant(CODE, "manual_step", 6, &json!("blue")).unwrap();
        assert_eq!(
            changed,
            "from repertoire import log\n\n\ndef check():\n    log(\"a\")\n    colour = \"blue\"\n    return colour\n"
        );
    }

    #[test]
    fn another_call_keeps_the_import() {
        let code = CODE.replace("return colour", "return [colour, manual_step(\"Size?\")]");
        let changed = with_constant(&code, "manual_step", 6, &json!({"a": [1, null, true]})).unwrap();
        assert!(changed.contains("colour = {\"a\": [1, None, True]}") && changed.contains("import log, manual_step"));
    }

    #[test]
    fn what_is_awaited_is_waited_for_no_more() {
        let code = "from repertoire import ask\n\n\nasync def f():\n    return await ask(\n        \"Sure?\",\n    )\n";
        let changed = with_constant(code, "ask", 5, &json!("yes")).unwrap();
        assert_eq!(changed.trim_start(), "async def f():\n    return \"yes\"\n");
    }

    #[test]
    fn only_one_call_of_a_line_can_be_meant() {
        for (code, line) in [
            (CODE.to_owned(), 5),
            (CODE.to_owned(), 99),
            (CODE.replace("return colour", "return (manual_step('a'), manual_step('b'))"), 7),
            ("def broken(:\n".to_owned(), 1),
            (String::new(), 0),
        ] {
            assert_eq!(with_constant(&code, "manual_step", line, &json!(1)), None, "{code}");
        }
    }

    #[test]
    fn it_is_no_compiled_code_any_more() {
        let code = format!("{MARK}\n{CODE}");
        let changed = with_constant(&code, "manual_step", 7, &json!("blue")).unwrap();
        assert!(!super::super::is_compiled(&changed) && changed.contains("colour = \"blue\""), "{changed}");
    }
}
