//! Binding parameters to the entry point of a procedure, by name, before anything runs.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::{
    domain::Definition,
    runtime::{PARAMETERS, Program, PythonError},
    validation::{EntryPoint, entry_point},
};

/// The code with the call of its entry point below it, and `given` checked against the signature.
///
/// Defaults of the definition fill what the signature has no default for. Code without a function is a script, which
/// finds its parameters in the global `parameters`.
pub fn bind(code: &str, definition: &Definition, given: &Map<String, Value>) -> Result<Program, PythonError> {
    let entry = entry_point(code, Some(&definition.name.identifier()))
        .map_err(|issue| PythonError::new("SyntaxError", issue.message))?;
    let mut parameters = given.clone();
    for declared in &definition.parameters {
        let has_own_default = entry.as_ref().is_some_and(|entry| {
            entry.parameters.iter().any(|parameter| parameter.name == declared.name && parameter.has_default)
        });
        if let Some(default) = declared.default.as_ref().filter(|_| !has_own_default)
            && entry.as_ref().is_none_or(|entry| takes(entry, &declared.name))
        {
            parameters.entry(declared.name.clone()).or_insert_with(|| default.clone());
        }
    }
    let mut source = code.to_owned();
    if let Some(entry) = &entry {
        check(entry, &parameters)?;
        append_call(&mut source, entry);
    }
    let code_lines = u32::try_from(code.lines().count()).unwrap_or(u32::MAX);
    Ok(Program { source, code_lines, parameters: Value::Object(parameters) })
}

fn takes(entry: &EntryPoint, name: &str) -> bool {
    entry.accepts_any_keyword || entry.parameters.iter().any(|parameter| parameter.name == name)
}

fn check(entry: &EntryPoint, given: &Map<String, Value>) -> Result<(), PythonError> {
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
            (json!({"target": 5}), "parameter `target` must be `str`, got 5"),
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
    fn a_script_gets_everything() {
        let bound =
            bind("parameters['x']", &definition(&json!([])), &Map::from_iter([("x".into(), json!(1))])).unwrap();
        assert_eq!(bound.source, "parameters['x']");
    }
}
