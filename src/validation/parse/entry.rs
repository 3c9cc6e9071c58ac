//! Which function a run calls, and what it takes.
//!
//! Looks at the top level only, so that it is cheap enough to do before each run. It judges nothing but the choice.

use ruff_python_ast::{Expr, ModModule, ParameterWithDefault, Stmt, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::annotation::Annotation;
use crate::{
    domain::{Definition, ProcedureName},
    validation::{
        issue::Issue,
        parse::{self, lines::Lines},
        rules,
    },
};

/// Names that are tried, in this order, after the procedure's own.
const COMMON_NAMES: [&str; 3] = ["main", "run", "procedure"];

/// The function that a run calls.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryPoint {
    pub name: String,
    /// Whether it is an `async def`.
    pub is_async: bool,
    /// The line of its `def`, counted from 1.
    pub line: u32,
    /// Its parameters, without `*args` and `**kwargs`.
    pub parameters: Vec<EntryParameter>,
    /// Whether it takes `**kwargs`.
    pub accepts_any_keyword: bool,
    /// The annotation of what it returns.
    pub returns: Option<Annotation>,
}

/// A parameter of the entry function.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryParameter {
    pub name: String,
    /// Its annotation; a default of `None` makes it admit `None`.
    pub annotation: Option<Annotation>,
    /// Whether it may be left out.
    pub has_default: bool,
    /// Whether it stands before a `/`, so that it can't be passed by name.
    pub positional_only: bool,
}

/// Finds the function that a run of `code` calls: the top-level function named `entry_name`, else `main`, `run` or
/// `procedure`, else the only public one. Code without a top-level function is a script: `None`.
///
/// # Errors
/// An [`Issue`] when the code is not valid Python or the choice is not clear.
pub fn entry_point(code: &str, entry_name: Option<&str>) -> Result<Option<EntryPoint>, Issue> {
    let lines = Lines::of(code);
    let parsed = parse::module(code, &lines).map_err(|issues| {
        issues.into_iter().next().unwrap_or_else(|| {
            lines.issue(&rules::SYNTAX, None, "The code is not valid Python; correct it.".to_owned())
        })
    })?;
    let function = choose(parsed.syntax(), entry_name, &lines)?;
    Ok(function.map(|function| describe(function, code, &lines)))
}

/// What the function of a procedure is called in `code`: as its name says, or a name that it had. What comes back by none is
/// called as the name says.
#[must_use]
pub fn entry_name(code: &str, definition: &Definition) -> String {
    let name = definition.name.identifier();
    if definition.former_names.is_empty() {
        return name;
    }
    let Ok(parsed) = parse::module(code, &Lines::of(code)) else { return name };
    let has = |name: &String| {
        let mut functions = parsed.syntax().body.iter().filter_map(Stmt::as_function_def_stmt);
        functions.any(|function| function.name.as_str() == name)
    };
    let former = definition.former_names.iter().rev().map(ProcedureName::identifier);
    std::iter::once(name.clone()).chain(former).find(has).unwrap_or(name)
}

/// The entry function's syntax tree, by the rule of [`entry_point`].
pub fn choose<'a>(
    module: &'a ModModule,
    entry_name: Option<&str>,
    lines: &Lines,
) -> Result<Option<&'a StmtFunctionDef>, Issue> {
    // A later definition replaces an earlier one of the same name.
    let mut functions: Vec<&StmtFunctionDef> = Vec::new();
    for function in module.body.iter().filter_map(Stmt::as_function_def_stmt) {
        functions.retain(|earlier| earlier.name != function.name);
        functions.push(function);
    }
    let named = |name: &str| functions.iter().copied().find(|function| function.name.as_str() == name);
    if let Some(function) = entry_name.into_iter().chain(COMMON_NAMES).find_map(named) {
        return Ok(Some(function));
    }
    let public: Vec<&StmtFunctionDef> =
        functions.iter().copied().filter(|function| !function.name.as_str().starts_with('_')).collect();
    match public.as_slice() {
        [] if functions.is_empty() => Ok(None),
        [only] => Ok(Some(only)),
        others => {
            let wanted = entry_name.unwrap_or("main");
            let offset = others.first().or(functions.first()).map(|function| function.start());
            let message = if others.is_empty() {
                format!("No function is public, so it is not clear which one to call; name one of them `{wanted}`.")
            } else {
                let names: Vec<String> = others.iter().take(8).map(|function| format!("`{}`", function.name)).collect();
                format!(
                    "The functions {} are all public, so it is not clear which one to call; name one of them `{wanted}` or start the names of the helpers with `_`.",
                    names.join(", ")
                )
            };
            Err(lines.issue(&rules::AMBIGUOUS_ENTRY, offset, message))
        }
    }
}

/// The signature of the entry function.
pub fn describe(function: &StmtFunctionDef, code: &str, lines: &Lines) -> EntryPoint {
    let parameters = &function.parameters;
    let described = |parameter: &ParameterWithDefault, positional_only| {
        let default = parameter.default.as_deref();
        let annotation = parameter.parameter.annotation.as_deref().map(|annotation| {
            let annotation = Annotation::read(annotation, code);
            if matches!(default, Some(Expr::NoneLiteral(_))) { annotation.or_none() } else { annotation }
        });
        EntryParameter {
            name: parameter.parameter.name.to_string(),
            annotation,
            has_default: default.is_some(),
            positional_only,
        }
    };
    EntryPoint {
        name: function.name.to_string(),
        is_async: function.is_async,
        line: lines.number(function.name.start()),
        parameters: parameters
            .posonlyargs
            .iter()
            .map(|parameter| described(parameter, true))
            .chain(parameters.args.iter().chain(&parameters.kwonlyargs).map(|parameter| described(parameter, false)))
            .collect(),
        accepts_any_keyword: parameters.kwarg.is_some(),
        returns: function.returns.as_deref().map(|annotation| Annotation::read(annotation, code)),
    }
}
