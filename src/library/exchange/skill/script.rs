//! A script of a skill as code: the script as it is, and behind it a function that takes what its command line takes.

use std::{collections::BTreeSet, fmt::Write as _};

use ruff_python_stdlib::sys::is_known_standard_library;
use serde_json::Value;

use super::{beside, packages::package_of};
use crate::{
    domain::{
        Parameter, ParameterType, reading,
        script::{FILES, Script},
    },
    validation::{CommandArgument, Form, command_line},
    versions::Bundle,
};

/// The version of Python whose modules are no packages.
const PYTHON: u8 = 13;
/// What takes the words of a command line where their meaning is not known.
const WORDS: &str = "arguments";

/// A script that can be called.
pub struct Called {
    pub code: String,
    pub dependencies: Vec<String>,
    pub parameters: Vec<Parameter>,
    pub docstring: Option<String>,
    /// Whether its runs read the files of the skill.
    pub uses_files: bool,
}

/// `text`, the script `file` of a skill with the files `bundle`, as code whose function is `entry`.
///
/// # Errors
/// Why it can't be called.
pub fn called(file: &str, text: &str, entry: &str, bundle: &Bundle) -> Result<Called, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let line = command_line(&text).map_err(|issue| {
        let at = issue.line.map_or_else(String::new, |line| format!("line {line}: "));
        format!("{at}{}", issue.message)
    })?;
    let Some((start, end)) = line.main else {
        return Err("it is a module: nothing of it stands under `if __name__ == \"__main__\":`".to_owned());
    };
    if line.imports.contains(".") {
        return Err("it imports what is beside it as a part of a package".to_owned());
    }
    let mut imports = line.imports.clone();
    let uses_files = beside::follow(file, bundle, &mut imports) || line.asks_for_its_place;
    let body = statements(&text, start, end).ok_or("what it does when it is started can't be taken out of it")?;
    let arguments = if line.has_subcommands { vec![words()] } else { line.arguments.clone() };
    let said = Script::read(&text)?;
    if uses_files && !said.is_empty() {
        return Err("it needs the files beside it, and names its packages itself".to_owned());
    }
    let mut code = text.trim_end().to_owned() + "\n\n\n";
    if uses_files {
        code.insert_str(line.begins_at, &prelude(file));
    }
    let parameters = signature(&mut code, entry, &arguments, line.docstring.as_deref().unwrap_or(file));
    let names: Vec<&str> = line.sets.iter().map(String::as_str).collect();
    let own = |name: &&&str| !parameters.iter().any(|parameter| parameter.name == **name);
    let global: Vec<&str> = names.iter().filter(own).copied().collect();
    if !global.is_empty() {
        let _ = writeln!(code, "{}global {}", body.indent, global.join(", "));
    }
    write_words(&mut code, body.indent, file, &arguments, line.is_parsed && !line.has_subcommands);
    code.push_str(&body.text);
    code.push('\n');
    let mut dependencies = if said.is_empty() { packages(&imports) } else { Vec::new() };
    if uses_files {
        let listed: Vec<String> = dependencies.drain(..).map(|name| format!("\"{name}\"")).collect();
        let (listed, id) = (listed.join(", "), bundle.id());
        let comment =
            format!("# /// script\n# dependencies = [{listed}]\n#\n# [tool.repertoire]\n# files = \"{id}\"\n# ///\n");
        code.insert_str(0, &comment);
    }
    Ok(Called { code, dependencies, parameters, docstring: line.docstring, uses_files })
}

fn words() -> CommandArgument {
    CommandArgument {
        name: WORDS.to_owned(),
        form: Form::Place,
        flag: None,
        kind: ParameterType::Array,
        is_many: true,
        is_repeated: false,
        is_required: true,
        default: None,
        choices: Vec::new(),
        help: Some("The words of its command line.".to_owned()),
    }
}

/// What makes a script find what is beside it: its own folder, and that of the skill.
fn prelude(file: &str) -> String {
    let quoted = |text: &str| Value::String(text.to_owned()).to_string();
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    format!(
        "import os as _os\nimport sys as _sys\n\n_files = _os.environ[\"{FILES}\"]\n_folder = _os.path.join(_files, {})\n\
         _sys.path[:0] = [_folder, _files]\n__file__ = _os.path.join(_folder, {})\n\n",
        quoted(folder),
        quoted(name)
    )
}

fn packages(imports: &BTreeSet<String>) -> Vec<String> {
    let foreign = imports.iter().filter(|module| !is_known_standard_library(PYTHON, module));
    let foreign = foreign.filter(|module| !["repertoire", "__main__", "__future__"].contains(&module.as_str()));
    foreign.map(|module| package_of(module).to_owned()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Statements with their own indentation.
struct Body<'t> {
    indent: &'t str,
    text: String,
}

fn statements(text: &str, start: usize, end: usize) -> Option<Body<'_>> {
    let begin = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let indent = text.get(begin..start)?;
    if indent.chars().all(|c| c == ' ' || c == '\t') && !indent.is_empty() {
        return Some(Body { indent, text: text.get(begin..end)?.to_owned() });
    }
    // On the line of the condition.
    let same = text.get(start..end)?;
    (!same.contains('\n')).then(|| Body { indent: "    ", text: format!("    {same}") })
}

/// Writes the head of the function, and says what it takes.
fn signature(code: &mut String, entry: &str, arguments: &[CommandArgument], said: &str) -> Vec<Parameter> {
    let (needed, other): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.is_required);
    let mut parts = Vec::new();
    let mut parameters = Vec::new();
    for argument in needed.into_iter().chain(other) {
        let (name, annotation) = (&argument.name, argument.kind.annotation());
        let default = match argument.form {
            Form::Flag { says } => Some(Value::Bool(!says)),
            Form::Place | Form::Option => None,
        };
        parts.push(match (&default, argument.is_required) {
            (Some(value), _) => {
                format!("{name}: bool = {}", if *value == Value::Bool(true) { "True" } else { "False" })
            }
            (None, true) => format!("{name}: {annotation}"),
            (None, false) => format!("{name}: {annotation} | None = None"),
        });
        parameters.push(Parameter {
            name: name.clone(),
            kind: argument.kind,
            required: (default.is_none() && !argument.is_required).then_some(false),
            choices: choices(argument),
            default,
            description: description(argument),
        });
    }
    let said = said.trim().lines().next().unwrap_or_default().replace(['\\', '"'], "'");
    let _ = writeln!(code, "def {entry}({}) -> None:\n", parts.join(", "));
    code.pop();
    let _ = writeln!(code, "    \"\"\"{said}\"\"\"");
    parameters
}

/// Its choices, where each is a value of its own.
fn choices(argument: &CommandArgument) -> Vec<Value> {
    let shape = argument.kind.shape();
    let are_values = !argument.is_many && argument.choices.iter().all(|choice| reading::accepts(&shape, choice));
    if are_values { argument.choices.clone() } else { Vec::new() }
}

fn description(argument: &CommandArgument) -> Option<String> {
    let mut parts: Vec<String> = argument.help.iter().map(|help| help.trim().replace("%%", "%")).collect();
    if !argument.choices.is_empty() {
        let choices: Vec<String> = argument.choices.iter().map(shown).collect();
        parts.push(format!("One of {}.", choices.join(", ")));
    }
    if let Some(default) = argument.default.as_ref().filter(|default| !default.is_null()) {
        parts.push(format!("By default {}.", shown(default)));
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("`{value}`"), |text| format!("`{text}`"))
}

/// Writes what makes the words of the command line out of the parameters.
fn write_words(code: &mut String, indent: &str, file: &str, arguments: &[CommandArgument], is_parsed: bool) {
    let name = file.rsplit('/').next().unwrap_or(file).replace(['\\', '"'], "_");
    let mut line = |text: &str| {
        code.push_str(indent);
        code.push_str(text);
        code.push('\n');
    };
    line("import sys as _sys");
    line("_words: list[str] = []");
    let (places, flagged): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.form == Form::Place);
    for argument in flagged {
        let name = &argument.name;
        let flag = argument.flag.as_deref().unwrap_or_default().replace(['\\', '"'], "");
        match argument.form {
            Form::Flag { says } => {
                line(&format!("if {}{name}:", if says { "" } else { "not " }));
                line(&format!("    _words.append(\"{flag}\")"));
            }
            _ if argument.is_many && !argument.is_repeated => {
                line(&format!("if {name} is not None:"));
                line(&format!("    _words += [\"{flag}\", *map(str, {name})]"));
            }
            _ if argument.is_repeated => {
                line(&format!("for _word in {name} or []:"));
                line(&format!("    _words += [\"{flag}\", str(_word)]"));
            }
            _ => {
                line(&format!("if {name} is not None:"));
                // A value that begins with `-` is no flag then.
                let long = flag.starts_with("--");
                line(&if long {
                    format!("    _words.append(\"{flag}=\" + str({name}))")
                } else {
                    format!("    _words += [\"{flag}\", str({name})]")
                });
            }
        }
    }
    if is_parsed && !places.is_empty() {
        line("_words.append(\"--\")");
    }
    for argument in places {
        let name = &argument.name;
        if argument.is_many {
            line(&format!("_words += map(str, {name} or [])"));
        } else if argument.is_required {
            line(&format!("_words.append(str({name}))"));
        } else {
            line(&format!("if {name} is not None:"));
            line(&format!("    _words.append(str({name}))"));
        }
    }
    line(&format!("_sys.argv = [\"{name}\", *_words]"));
}
