//! A candidate's words or code in the user's editor.

use std::{fs, io::Write as _};

use tempfile::NamedTempFile;

use crate::{cli::error::CliError, config, domain::learning::Lesson, launch, library::LessonEdits};

const HEAD: &str = "# What is changed here is changed in the candidate; what is taken out stays as it was.\n\
                    # Save and leave. Where nothing is changed, nothing happens.\n\n";

/// A file with the words of a candidate, which is removed at the end.
pub struct Draft {
    before: LessonEdits,
    file: NamedTempFile,
}

impl Draft {
    /// Writes the words into a file.
    pub fn of(id: i64, lesson: &Lesson) -> Result<Self, CliError> {
        let before = LessonEdits::of(lesson);
        let text = toml::to_string_pretty(&before).map_err(|error| CliError::Other(error.to_string()))?;
        Ok(Self { before, file: file(id, ".toml", &format!("{HEAD}{text}"))? })
    }

    /// Has the user edit it; what they changed, or why that can't be read.
    pub fn edit(&self) -> Result<Result<LessonEdits, String>, CliError> {
        let edits = toml::from_str::<LessonEdits>(&edited(&self.file)?);
        Ok(edits.map(|edits| edits.beside(&self.before)).map_err(|error| error.to_string()))
    }
}

/// Has the user edit code; nothing where they changed nothing.
pub fn code(id: i64, code: &str) -> Result<Option<String>, CliError> {
    let edited = edited(&file(id, ".py", code)?)?;
    Ok((edited.trim_end() != code.trim_end()).then_some(edited))
}

fn file(id: i64, suffix: &str, text: &str) -> Result<NamedTempFile, CliError> {
    let file = tempfile::Builder::new().prefix(&format!("candidate-{id}-")).suffix(suffix).tempfile();
    let mut file = file.map_err(CliError::io("no file can be made to edit"))?;
    file.write_all(text.as_bytes()).map_err(CliError::io("the file can't be written"))?;
    Ok(file)
}

/// What is in the file when the user's editor has ended.
fn edited(file: &NamedTempFile) -> Result<String, CliError> {
    let line = config::editor().unwrap_or_else(|| DEFAULT.to_owned());
    let hint = "set `VISUAL` or `EDITOR` to an editor that is there".to_owned();
    let words = shlex::split(&line).filter(|words| !words.is_empty());
    let Some(words) = words else {
        return Err(CliError::Wrong { what: format!("`{line}` is no command line"), hint });
    };
    let arguments = words.iter().skip(1).map(AsRef::as_ref).chain([file.path().as_os_str()]);
    let status = match launch::converse(&words[0], arguments) {
        Ok(status) => status,
        Err(error) => return Err(CliError::Wrong { what: format!("`{line}` can't be started: {error}"), hint }),
    };
    if !status.success() {
        return Err(CliError::Other(format!("`{line}` ended with {status}, so nothing is changed")));
    }
    // By its name: editors may put another file in its place.
    let text = fs::read(file.path()).map_err(CliError::io("what was edited can't be read"))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

const DEFAULT: &str = if cfg!(windows) { "notepad" } else { "vi" };
