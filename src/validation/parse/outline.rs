//! What a file of Python says of the function in it, for definitions that are made of code.

use ruff_python_ast::{Stmt, StmtFunctionDef};
use serde_json::Value;

use super::{annotation::Annotation, entry, lines::Lines, literal::literal};
use crate::validation::{issue::Issue, parse, rules};

/// What code says of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outline {
    /// The function that a run calls; a script has none.
    pub function: Option<String>,
    /// What that function says of itself, or else the module.
    pub docstring: Option<String>,
    /// What the function takes, without `*args` and `**kwargs`.
    pub parameters: Vec<Outlined>,
}

/// A parameter as the signature has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlined {
    pub name: String,
    pub annotation: Option<Annotation>,
    /// What it is where it is left out.
    pub default: Fallback,
}

/// The default of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Fallback {
    /// It has to be passed.
    None,
    /// A value that JSON has a form for.
    Value(Value),
    /// Something that only the code knows.
    Computed,
}

/// What `code` says of the function that a run calls, by the rule of [`entry::entry_point`].
///
/// # Errors
/// An [`Issue`] when the code is not valid Python or the choice is not clear.
pub fn outline(code: &str, entry_name: Option<&str>) -> Result<Outline, Issue> {
    let lines = Lines::of(code);
    let parsed = parse::module(code, &lines).map_err(|issues| {
        issues.into_iter().next().unwrap_or_else(|| {
            lines.issue(&rules::SYNTAX, None, "The code is not valid Python; correct it.".to_owned())
        })
    })?;
    let module = parsed.syntax();
    let Some(function) = entry::choose(module, entry_name, &lines)? else {
        return Ok(Outline { docstring: docstring(&module.body), ..Outline::default() });
    };
    Ok(Outline {
        function: Some(function.name.to_string()),
        docstring: docstring(&function.body).or_else(|| docstring(&module.body)),
        parameters: parameters(function, code),
    })
}

fn parameters(function: &StmtFunctionDef, code: &str) -> Vec<Outlined> {
    let parameters = function.parameters.iter_non_variadic_params().map(|parameter| Outlined {
        name: parameter.parameter.name.to_string(),
        annotation: parameter.parameter.annotation.as_deref().map(|annotation| Annotation::read(annotation, code)),
        default: match parameter.default.as_deref() {
            None => Fallback::None,
            Some(default) => literal(default).map_or(Fallback::Computed, Fallback::Value),
        },
    });
    parameters.collect()
}

/// The text that stands first in a body.
pub(super) fn docstring(body: &[Stmt]) -> Option<String> {
    let literal = body.first()?.as_expr_stmt()?.value.as_string_literal_expr()?;
    Some(literal.value.to_str().to_owned()).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_function_says_what_it_takes() {
        let code = "\"\"\"Tools.\"\"\"\n\ndef _help():\n    pass\n\n\
            def scale(path: str, *, factor: float = -1.5, sizes=[1, 'a', None], made=object(), wide: bool = False):\n    \
            \"\"\"Scale a picture.\n\n    path: where it is.\n    \"\"\"\n    return path\n";
        let outline = outline(code, None).unwrap();
        assert_eq!(outline.function.as_deref(), Some("scale"));
        assert!(outline.docstring.unwrap().starts_with("Scale a picture."));
        let defaults: Vec<_> =
            outline.parameters.iter().map(|parameter| (&*parameter.name, &parameter.default)).collect();
        assert_eq!(
            defaults,
            [
                ("path", &Fallback::None),
                ("factor", &Fallback::Value(json!(-1.5))),
                ("sizes", &Fallback::Value(json!([1, "a", null]))),
                ("made", &Fallback::Computed),
                ("wide", &Fallback::Value(json!(false))),
            ]
        );
    }

    #[test]
    fn a_script_says_what_its_module_says() {
        let script = outline("\"\"\"Count lines.\"\"\"\nprint(1)\n", Some("count")).unwrap();
        assert_eq!((script.function, script.docstring.as_deref()), (None, Some("Count lines.")));
        assert!(outline("def a(): pass\ndef b(): pass\n", Some("c")).unwrap_err().message.contains("`a`, `b`"));
        assert!(outline("def (:\n", None).is_err());
    }
}
