//! Binding parameters to the entry point of a procedure, by name, before anything runs.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::{
    domain::{
        Definition, Parameter,
        reading::{self, Field, Shape},
    },
    runtime::{PARAMETERS, Program, PythonError},
    validation::{EntryParameter, EntryPoint, entry_name, entry_point},
};

/// The code with the call of its entry point below it, and `given` read as the signature, or else the definition, has it.
///
/// Defaults of the definition fill what the signature has no default for. Code without a function is a script, which
/// finds its parameters in the global `parameters`.
pub fn bind(code: &str, definition: &Definition, given: &Map<String, Value>) -> Result<Program, PythonError> {
    let entry = entry_point(code, Some(&entry_name(code, definition)))
        .map_err(|issue| PythonError::new("SyntaxError", issue.message))?;
    let mut parameters = read(given, entry.as_ref(), &definition.parameters)?;
    for declared in &definition.parameters {
        let has_own_default = own(entry.as_ref(), &declared.name).is_some_and(|parameter| parameter.has_default);
        if let Some(default) = declared.default.as_ref().filter(|_| !has_own_default)
            && entry.as_ref().is_none_or(|entry| takes(entry, &declared.name))
        {
            parameters.entry(declared.name.clone()).or_insert_with(|| default.clone());
        }
    }
    let mut source = code.to_owned();
    if let Some(entry) = &entry {
        check(entry, &parameters, &definition.parameters)?;
        append_call(&mut source, entry);
    }
    let code_lines = u32::try_from(code.lines().count()).unwrap_or(u32::MAX);
    Ok(Program { source, code_lines, parameters: Value::Object(parameters) })
}

/// The parameter of this name in the signature.
fn own<'e>(entry: Option<&'e EntryPoint>, name: &str) -> Option<&'e EntryParameter> {
    entry?.parameters.iter().find(|parameter| parameter.name == name)
}

/// The values as what they mean: the annotation says it, and the definition where there is none. What the annotation does
/// not take stays as it is, for [`check`].
fn read(
    given: &Map<String, Value>,
    entry: Option<&EntryPoint>,
    declared: &[Parameter],
) -> Result<Map<String, Value>, PythonError> {
    let mut parameters = Map::new();
    for (name, value) in given {
        let own = own(entry, name);
        let declared = declared.iter().find(|parameter| parameter.name == *name);
        let annotation = own.and_then(|parameter| parameter.annotation.as_ref());
        let shape = match annotation.map(|annotation| annotation.shape()) {
            Some(shape) if *shape != Shape::Anything => shape.clone(),
            _ => declared.map_or(Shape::Anything, Parameter::shape),
        };
        let may_be_absent =
            own.is_some_and(|own| own.has_default) || declared.is_some_and(|declared| !declared.is_required());
        let field = Field::plain(name.clone(), shape, !may_be_absent);
        if field.is_left_out_by(value) {
            continue;
        }
        let value = match reading::fit(value.clone(), &field.shape) {
            Ok(value) => value,
            Err(_) if annotation.is_some() => value.clone(),
            Err(misfit) => return Err(PythonError::new("TypeError", format!("parameter {}", misfit.in_field(name)))),
        };
        // What the definition says beyond the type that the code has for it.
        let value = match declared.filter(|declared| declared.is_narrow() && !value.is_null()) {
            Some(declared) => reading::fit(value, &declared.shape())
                .map_err(|misfit| PythonError::new("TypeError", format!("parameter {}", misfit.in_field(name))))?,
            None => value,
        };
        parameters.insert(name.clone(), value);
    }
    Ok(parameters)
}

/// Whether null stands for a parameter that was left out.
fn is_null_by_default(name: &str, value: &Value, declared: &[Parameter]) -> bool {
    let mut declared = declared.iter().filter(|parameter| parameter.name == name);
    value.is_null() && declared.any(|parameter| parameter.default == Some(Value::Null))
}

fn takes(entry: &EntryPoint, name: &str) -> bool {
    entry.accepts_any_keyword || entry.parameters.iter().any(|parameter| parameter.name == name)
}

fn check(entry: &EntryPoint, given: &Map<String, Value>, declared: &[Parameter]) -> Result<(), PythonError> {
    let type_error = |message: String| Err(PythonError::new("TypeError", message));
    let signature = || {
        let parameters: Vec<String> = entry
            .parameters
            .iter()
            .map(|parameter| {
                let annotation = parameter.annotation.as_ref().map(|kind| format!(": {kind}")).unwrap_or_default();
                let default = if parameter.has_default { " = …" } else { "" };
                format!("{}{annotation}{default}", parameter.name)
            })
            .collect();
        format!("{}({})", entry.name, parameters.join(", "))
    };
    let unknown: Vec<&str> = given.keys().map(String::as_str).filter(|name| !takes(entry, name)).collect();
    if !unknown.is_empty() {
        return type_error(format!("unknown parameter `{}`; the signature is `{}`", unknown.join("`, `"), signature()));
    }
    let missing: Vec<&str> = entry
        .parameters
        .iter()
        .filter(|parameter| !parameter.has_default && !given.contains_key(&parameter.name))
        .map(|parameter| parameter.name.as_str())
        .collect();
    if !missing.is_empty() {
        return type_error(format!("missing parameter `{}`; the signature is `{}`", missing.join("`, `"), signature()));
    }
    for parameter in &entry.parameters {
        if let (Some(value), Some(annotation)) = (given.get(&parameter.name), &parameter.annotation)
            && !annotation.accepts(value)
            && !is_null_by_default(&parameter.name, value, declared)
        {
            let shown: String = value.to_string().chars().take(80).collect();
            return type_error(format!("parameter `{}` must be `{annotation}`, got {shown}", parameter.name));
        }
    }
    Ok(())
}

fn append_call(source: &mut String, entry: &EntryPoint) {
    let (positional, named): (Vec<_>, Vec<_>) =
        entry.parameters.iter().partition(|parameter| parameter.positional_only);
    let mut arguments: Vec<String> =
        positional.iter().map(|parameter| format!("{PARAMETERS}.pop('{}')", parameter.name)).collect();
    if !named.is_empty() || entry.accepts_any_keyword {
        arguments.push(format!("**{PARAMETERS}"));
    }
    let call = format!("{}({})", entry.name, arguments.join(", "));
    // On a line of its own after the code, so that the code keeps its line numbers.
    if entry.is_async {
        let _ = write!(source, "\n\nimport asyncio as _asyncio\n_asyncio.run({call})\n");
    } else {
        let _ = write!(source, "\n\n{call}\n");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition(parameters: &Value) -> Definition {
        serde_json::from_value(json!({"name": "deploy", "category": "x", "parameters": parameters})).unwrap()
    }

    fn bound(code: &str, given: Value) -> Result<Value, String> {
        let Value::Object(given) = given else { panic!("an object") };
        bind(code, &definition(&json!([])), &given).map(|bound| bound.parameters).map_err(|error| error.message)
    }

    #[test]
    fn what_does_not_fit_the_signature_is_named() {
        let code = "def deploy(target: str, count: int = 1) -> int:\n    return count\n";
        assert_eq!(bound(code, json!({"target": "a"})), Ok(json!({"target": "a"})));
        let errors = [
            (json!({}), "missing parameter `target`; the signature is `deploy(target: str, count: int = …)`"),
            (json!({"target": "a", "speed": 1}), "unknown parameter `speed`"),
            (json!({"target": [5]}), "parameter `target` must be `str`, got [5]"),
            (json!({"target": "a", "count": "2.5"}), "parameter `count` must be `int`, got \"2.5\""),
            (json!({"target": "a", "count": true}), "parameter `count` must be `int`, got true"),
        ];
        for (given, message) in errors {
            let error = bound(code, given).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn defaults_of_the_definition_fill_in() {
        let definition = definition(&json!([{"name": "target", "type": "string", "default": "here"}]));
        let bound = bind("def deploy(target):\n    return target\n", &definition, &Map::new()).unwrap();
        assert_eq!(bound.parameters, json!({"target": "here"}));
        assert!(bound.source.ends_with("\n\ndeploy(**parameters)\n"));
    }

    #[test]
    fn values_are_read_as_the_signature_has_them() {
        let code = "def deploy(n: int = 1, f: float = 1.0, b: bool = False, s: str = '', l: list[int] = [], \
                    d: dict = {}, o: str | None = None, c: Literal[1, 'x'] = 1, a=None):\n    return n\n";
        for (given, read) in [
            (json!({"n": "2"}), json!({"n": 2})),
            (json!({"n": 2.0, "f": "0.7"}), json!({"n": 2, "f": 0.7})),
            (json!({"b": "True", "s": 5}), json!({"b": true, "s": "5"})),
            (json!({"l": ["1", 2.0]}), json!({"l": [1, 2]})),
            (json!({"l": "[1, 2]", "d": "{\"a\": \"1\"}"}), json!({"l": [1, 2], "d": {"a": "1"}})),
            (json!({"n": null, "l": null, "d": ""}), json!({})),
            (json!({"o": null, "a": null}), json!({"o": null, "a": null})),
            (json!({"o": 5, "c": "1", "a": "5"}), json!({"o": "5", "c": 1, "a": "5"})),
        ] {
            assert_eq!(bound(code, given.clone()), Ok(read), "{given}");
        }
    }

    #[test]
    fn what_is_only_declared_is_read_as_that() {
        let definition = definition(&json!([
            {"name": "n", "type": "int"},
            {"name": "tags", "type": "list", "required": false},
            {"name": "note", "type": "string", "default": null},
        ]));
        let bound = |code: &str, given: Value| {
            bind(code, &definition, given.as_object().unwrap())
                .map(|bound| bound.parameters)
                .map_err(|error| error.message)
        };
        for code in ["def deploy(n, tags=None, note=None):\n    return n\n", "parameters['n']"] {
            let wanted = if code.starts_with("def") { json!({"n": 3}) } else { json!({"n": 3, "note": null}) };
            assert_eq!(bound(code, json!({"n": " 3 ", "tags": null, "note": null})), Ok(wanted));
            let error = bound(code, json!({"n": "three"})).unwrap_err();
            assert_eq!(error, "parameter `n` must be a whole number, got `\"three\"`");
        }
        let strict = "def deploy(n: int, note: str):\n    return n\n";
        assert_eq!(bound(strict, json!({"n": 1})), Ok(json!({"n": 1, "note": null})));
        assert_eq!(bound(strict, json!({"n": 1, "note": null})), Ok(json!({"n": 1, "note": null})));
    }

    #[test]
    fn a_script_gets_everything() {
        let bound =
            bind("parameters['x']", &definition(&json!([])), &Map::from_iter([("x".into(), json!(1))])).unwrap();
        assert_eq!(bound.source, "parameters['x']");
    }
}
