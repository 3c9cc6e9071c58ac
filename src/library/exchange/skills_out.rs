//! Procedures as Agent Skills: a folder each, with `SKILL.md` and what can be executed under `scripts/`. What was imported
//! and not changed since is what it was.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::skill;
use crate::{
    domain::{
        Definition, Procedure,
        skill_file::{self, MOST_DESCRIPTION_CHARS, SkillFile, skill_names},
        step::Step,
    },
    library::{DefinitionDraft, Library, LibraryError, ProcedureRef},
    validation,
    versions::{Attached, Bundle},
};

/// What reads the parameters of a script that is started by itself, and prints its result.
const CALLER: &str = include_str!("caller.py");
/// What stands for the module `repertoire` outside of it.
const STAND_IN: &str = include_str!("stand_in.py");
/// What the front matter of a skill may say beside its name and description.
const KEPT: [&str; 2] = ["license", "compatibility"];

/// A skill that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillFolder {
    /// The name of the procedure.
    pub procedure: String,
    /// The name of the skill, and of its folder.
    pub name: String,
    pub files: Vec<Attached>,
    /// Whether it is what was imported.
    pub is_as_imported: bool,
}

impl Library {
    /// These procedures, or else all that this user may read, as skills. A script that came with a skill which is among
    /// them is in that one.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`]; that files which travel with one can't be read.
    pub fn export_skills(&self, names: &[ProcedureRef]) -> Result<Vec<SkillFolder>, LibraryError> {
        let mut rows = self.rows(names)?;
        let skills: Vec<String> =
            rows.iter().filter(|row| is_skill(row)).map(|row| skill::tag_of(row.definition.name.as_str())).collect();
        if names.is_empty() {
            rows.retain(|row| is_skill(row) || !row.definition.tags.iter().any(|tag| skills.contains(tag)));
        }
        let named: Vec<&str> = rows.iter().map(|row| row.definition.name.as_str()).collect();
        let folders = skill_names(&named);
        rows.iter().zip(folders).map(|(row, name)| self.skill_of(row, name)).collect()
    }

    fn skill_of(&self, row: &Procedure, name: String) -> Result<SkillFolder, LibraryError> {
        let procedure = row.definition.name.to_string();
        let travelling = row.definition.files.as_deref().map(|id| self.versions.files(id)).transpose()?;
        let Some(travelling) = travelling else {
            return Ok(SkillFolder { procedure, files: written(row, &name, &[]), name, is_as_imported: false });
        };
        let bundle = Bundle::new(travelling).map_err(LibraryError::invalid)?;
        if is_as_read(&row.definition, &bundle) && row.code.is_none() {
            return Ok(SkillFolder { procedure, name, files: bundle.files().to_vec(), is_as_imported: true });
        }
        Ok(SkillFolder { procedure, files: written(row, &name, bundle.files()), name, is_as_imported: false })
    }
}

/// Whether it is the text of a skill, not one of its scripts.
const fn is_skill(row: &Procedure) -> bool {
    row.definition.files.is_some() && row.code.is_none()
}

/// Whether a definition says what its file does.
fn is_as_read(definition: &Definition, bundle: &Bundle) -> bool {
    let Ok(read) = skill::fields_of(bundle, definition.name.as_str()) else { return false };
    let draft = DefinitionDraft { name: definition.name.to_string(), fields: read.patch };
    draft.build().is_ok_and(|read| {
        let said = |of: &Definition| {
            (of.description.clone(), of.steps.clone(), of.solution.clone(), of.tags.clone(), of.parameters.clone())
        };
        said(&read) == said(definition) && definition.template.is_none() && definition.reasoning.is_none()
    })
}

/// The files of a skill that says what the definition does, with those that travel with it.
fn written(row: &Procedure, name: &str, travelling: &[Attached]) -> Vec<Attached> {
    let own = |file: &Attached| file.path.eq_ignore_ascii_case(skill_file::FILE_NAME);
    let imported = travelling.iter().find(|file| own(file)).and_then(|file| std::str::from_utf8(&file.bytes).ok());
    let mut files: Vec<Attached> = travelling.iter().filter(|file| !own(file)).cloned().collect();
    let mut add = |path: String, text: String| {
        files.retain(|file| file.path != path);
        files.push(Attached { path, bytes: text.into_bytes(), is_executable: false });
    };
    let script = row.code.as_ref().map(|_| format!("scripts/{}.py", row.definition.name.identifier()));
    add(skill_file::FILE_NAME.to_owned(), document(row, name, script.as_deref(), imported));
    if let (Some(path), Some(code)) = (script, &row.code) {
        let wanted = validation::entry_name(code, &row.definition);
        let entry = validation::entry_point(code, Some(&wanted)).ok().flatten();
        let mut text = code.trim_end().to_owned() + "\n";
        if let Some(entry) = entry {
            text.push_str("\n\n");
            text.push_str(&CALLER.replace("ENTRY", &entry.name));
        }
        add(path, text);
        if uses_host(code) {
            add("scripts/repertoire.py".to_owned(), STAND_IN.to_owned());
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn uses_host(code: &str) -> bool {
    validation::command_line(code).is_ok_and(|line| line.imports.contains("repertoire"))
}

fn document(row: &Procedure, name: &str, script: Option<&str>, imported: Option<&str>) -> String {
    let definition = &row.definition;
    let imported = imported.and_then(|text| SkillFile::read(text).ok());
    let said =
        if definition.description.trim().is_empty() { definition.name.as_str() } else { &definition.description };
    let short: String = one_line(said).chars().take(MOST_DESCRIPTION_CHARS).collect();
    let mut text = format!("---\nname: {name}\ndescription: {}\n", quoted(&short));
    if let Some(imported) = &imported {
        for key in KEPT {
            if let Ok(Some(value)) = imported.front.text(key) {
                let _ = writeln!(text, "{key}: {}", quoted(&one_line(value)));
            }
        }
    }
    let _ = write!(
        text,
        "metadata:\n  repertoire-procedure: {}\n  repertoire-version: \"{}\"\n---\n",
        quoted(definition.name.as_str()),
        row.version
    );
    if let Some(imported) = imported {
        text.push_str(imported.body);
        return text;
    }
    let _ = writeln!(text, "\n# {}\n\n{}", definition.name, said.trim());
    list(&mut text, "When it helps", &definition.applicable_contexts);
    list(&mut text, "Before", &definition.preconditions);
    if !definition.steps.is_empty() {
        text.push_str("\n## Steps\n\n");
        for (number, step) in definition.steps.iter().enumerate() {
            let _ = writeln!(text, "{}. {}", number + 1, in_words(step));
        }
    }
    if !definition.parameters.is_empty() {
        text.push_str("\n## Parameters\n\n");
        for parameter in &definition.parameters {
            let need = if parameter.is_required() { "required" } else { "optional" };
            let default =
                parameter.default.as_ref().map_or_else(String::new, |value| format!(", `{value}` by default"));
            let what =
                parameter.description.as_deref().map_or_else(String::new, |what| format!(": {}", one_line(what)));
            let _ = writeln!(text, "- `{}` ({}, {need}{default}){what}", parameter.name, parameter.kind.annotation());
        }
    }
    section(&mut text, "Template", definition.template.as_deref());
    section(&mut text, "Problem", definition.problem.as_deref());
    section(&mut text, "Solution", definition.solution.as_deref());
    section(&mut text, "Why", definition.reasoning.as_deref());
    list(&mut text, "Not to try", &definition.anti_patterns);
    list(&mut text, "Afterwards", &definition.postconditions);
    if !definition.examples.is_empty() {
        text.push_str("\n## Examples\n\n");
        for example in &definition.examples {
            let _ = writeln!(text, "- `{}`", serde_json::to_string(example).unwrap_or_default());
        }
    }
    text.push_str("\n## Run it\n\n");
    if let Some(script) = script {
        let _ = writeln!(
            text,
            "By itself: `uv run {script} --help`; parameters are `NAME=VALUE`, a value is JSON or else a text.\n"
        );
    }
    let _ = writeln!(text, "With Repertoire: `repertoire run {}`, or the tool `execute_procedure`.", definition.name);
    text
}

fn in_words(step: &Step) -> String {
    match step {
        Step::Sentence(sentence) => one_line(sentence),
        other => format!("`{}`", serde_json::to_string(other).unwrap_or_default()),
    }
}

fn list(text: &mut String, title: &str, entries: &[String]) {
    if !entries.is_empty() {
        let _ = writeln!(text, "\n## {title}\n");
        entries.iter().for_each(|entry| {
            let _ = writeln!(text, "- {}", one_line(entry));
        });
    }
}

fn section(text: &mut String, title: &str, said: Option<&str>) {
    if let Some(said) = said {
        let _ = writeln!(text, "\n## {title}\n\n{}", said.trim());
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text in quotes, which YAML reads as JSON does.
fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// Writes a skill below `parent`. Whether anything was written: what is there and equal stays.
///
/// # Errors
/// What the system says; which file is there and says something else, unless `replaces`.
pub fn write_folder(folder: &SkillFolder, parent: &Path, replaces: bool) -> io::Result<bool> {
    let root = parent.join(&folder.name);
    let place = |file: &Attached| -> PathBuf { file.path.split('/').fold(root.clone(), |path, part| path.join(part)) };
    let mut missing = Vec::new();
    for file in &folder.files {
        match fs::read(place(file)) {
            Ok(bytes) if bytes == file.bytes => {}
            Ok(_) if !replaces => {
                let message = format!("`{}` is there and says something else", place(file).display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
            }
            Ok(_) => missing.push(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(file),
            Err(error) => return Err(error),
        }
    }
    for file in &missing {
        let path = place(file);
        fs::create_dir_all(path.parent().unwrap_or(&root))?;
        fs::write(&path, &file.bytes)?;
        #[cfg(unix)]
        if file.is_executable {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(!missing.is_empty())
}
