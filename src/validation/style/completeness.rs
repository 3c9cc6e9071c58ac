//! Verdicts on documentation, type hints and the parameters that a definition declares.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ModModule, Stmt, StmtFunctionDef, StmtReturn};
use ruff_text_size::Ranged;

use crate::{
    domain::Definition,
    validation::{issue::Severity, report::Report, rules},
};

/// Words that tell of a result.
const RESULT_WORDS: [&str; 8] = ["return", "returns", "returned", "result", "results", "gives", "answer", "yields"];

/// Whether statements do nothing at all: there are none, or only texts and other constants, imports and `pass`.
pub fn is_nothing(body: &[Stmt]) -> bool {
    body.iter().all(|stmt| match stmt {
        Stmt::Pass(_) | Stmt::Import(_) | Stmt::ImportFrom(_) => true,
        Stmt::Expr(stmt) => stmt.value.is_literal_expr(),
        _ => false,
    })
}

/// Whether the entry function, or the script, says what it does; every parameter and the result included.
pub fn docstring(module: &ModModule, entry: Option<&StmtFunctionDef>, report: &mut Report) -> bool {
    let body = entry.map_or(&module.body, |function| &function.body);
    let (at, subject) = match entry {
        Some(function) => (function.name.start(), format!("The function `{}`", function.name)),
        None => (module.start(), "The script".to_owned()),
    };
    let Some(text) = docstring_of(body).filter(|text| !text.trim().is_empty()) else {
        let message = format!("{subject} has no docstring; say what it does, what it takes and what it returns.");
        report.add(&rules::NO_DOCSTRING, at, message);
        return false;
    };
    let Some(function) = entry else { return true };
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut missing: Vec<String> = function
        .parameters
        .iter()
        .map(|parameter| parameter.name().as_str())
        .filter(|name| !name.starts_with('_') && !words.contains(name))
        .map(|name| format!("`{name}`"))
        .collect();
    if returns_a_value(function) && !words.iter().any(|word| RESULT_WORDS.contains(&word.to_lowercase().as_str())) {
        missing.push("what is returned".to_owned());
    }
    if missing.is_empty() {
        return true;
    }
    let message = format!("The docstring of `{}` leaves out {}; describe it.", function.name, missing.join(", "));
    report.add(&rules::INCOMPLETE_DOCSTRING, at, message);
    false
}

fn docstring_of(body: &[Stmt]) -> Option<&str> {
    let literal = body.first()?.as_expr_stmt()?.value.as_string_literal_expr()?;
    Some(literal.value.to_str())
}

fn returns_a_value(function: &StmtFunctionDef) -> bool {
    let mut finder = ReturnFinder(false);
    finder.visit_body(&function.body);
    finder.0
}

struct ReturnFinder(bool);

impl<'a> Visitor<'a> for ReturnFinder {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Return(StmtReturn { value: Some(value), .. }) => self.0 |= !value.is_none_literal_expr(),
            // Their returns are their own.
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

/// The share of parameters and returns that are annotated; 1 when there is no function.
pub fn type_hints(body: &[Stmt], report: &mut Report) -> f64 {
    let mut counter = HintCounter { report, in_class: false, all: 0, annotated: 0 };
    counter.visit_body(body);
    if counter.all == 0 { 1.0 } else { f64::from(counter.annotated) / f64::from(counter.all) }
}

struct HintCounter<'r, 'c> {
    report: &'r mut Report<'c>,
    in_class: bool,
    all: u32,
    annotated: u32,
}

impl HintCounter<'_, '_> {
    fn count(&mut self, function: &StmtFunctionDef) {
        let mut missing = Vec::new();
        for (index, parameter) in function.parameters.iter().enumerate() {
            let name = parameter.name().as_str();
            if self.in_class && index == 0 && matches!(name, "self" | "cls") {
                continue;
            }
            self.all += 1;
            if parameter.annotation().is_some() {
                self.annotated += 1;
            } else {
                missing.push(format!("`{name}`"));
            }
        }
        self.all += 1;
        if function.returns.is_some() {
            self.annotated += 1;
        } else {
            missing.push("the return".to_owned());
        }
        if !missing.is_empty() {
            let message = format!("`{}` lacks type hints for {}; annotate them.", function.name, missing.join(", "));
            self.report.add(&rules::MISSING_HINTS, function.name.start(), message);
        }
    }
}

impl<'a> Visitor<'a> for HintCounter<'_, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let outside = self.in_class;
        match stmt {
            Stmt::FunctionDef(function) => {
                self.count(function);
                self.in_class = false;
            }
            Stmt::ClassDef(_) => self.in_class = true,
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
        self.in_class = outside;
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

/// Reports parameters that the definition declares and the entry function does not take.
pub fn declared_parameters(entry: Option<&StmtFunctionDef>, definition: Option<&Definition>, report: &mut Report) {
    let (Some(function), Some(definition)) = (entry, definition) else { return };
    if function.parameters.kwarg.is_some() {
        return;
    }
    for declared in &definition.parameters {
        let is_taken = function
            .parameters
            .iter_non_variadic_params()
            .any(|parameter| parameter.parameter.name.as_str() == declared.name);
        if !is_taken {
            let severity = if declared.is_required() { Severity::Error } else { Severity::Warning };
            let message = format!(
                "The definition declares the parameter `{}`, which `{}` does not take; add it to the function or remove it from the definition.",
                declared.name, function.name
            );
            report.add_as(&rules::MISSING_PARAMETER, severity, Some(function.name.start()), message);
        }
    }
}
