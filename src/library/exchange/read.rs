//! From a file to the procedures that are in it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    export::{Export, Exported},
    incoming::{Content, Incoming, Item},
    python_file, record, skill,
};
use crate::{
    domain::{json, skill_file},
    library::LibraryError,
    storage::{is_sqlite, procedure_tables},
};

/// No file that people keep procedures in is larger.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// The procedures of a file, of the skills in and below a folder, or else of the Python and JSON files in it.
///
/// # Errors
/// What the system says of the path. What is wrong with one procedure is said there.
pub fn read_procedures(path: &Path) -> Result<Vec<Item>, LibraryError> {
    let refused = |path: &Path, error: &io::Error| {
        LibraryError::invalid_with_hint(
            format!("`{}` can't be read: {error}", path.display()),
            "name a file with procedures, or a folder with such files",
        )
    };
    if !path.is_dir() {
        if path.file_name().is_some_and(|name| name.eq_ignore_ascii_case(skill_file::FILE_NAME)) {
            return Ok(skill::items(path.parent().unwrap_or(Path::new("."))));
        }
        return read_file(path).map_err(|error| refused(path, &error));
    }
    let skills = skill::folders(path);
    if !skills.is_empty() {
        return Ok(skills.iter().flat_map(|folder| skill::items(folder)).collect());
    }
    let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| refused(path, &error))?;
    let mut files: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| is_wanted(path)).collect();
    files.sort();
    if files.is_empty() {
        return Err(LibraryError::invalid_with_hint(
            format!("the folder `{}` has no files with procedures", path.display()),
            "these end with `.py`, `.json`, `.jsonl`, `.db` or `.sqlite`; a skill is a folder with `SKILL.md`",
        ));
    }
    let mut items = Vec::new();
    for file in files {
        items.extend(read_file(&file).map_err(|error| refused(&file, &error))?);
    }
    Ok(items)
}

fn is_wanted(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    path.is_file() && ["py", "json", "jsonl", "ndjson", "db", "sqlite", "sqlite3"].contains(&&*ending)
}

fn read_file(path: &Path) -> io::Result<Vec<Item>> {
    let size = fs::metadata(path)?.len();
    if size > MOST_BYTES {
        return Err(io::Error::other(format!("it has {size} bytes, at most {MOST_BYTES} are read")));
    }
    let bytes = fs::read(path)?;
    let origin = path.display().to_string();
    if is_sqlite(&bytes) {
        return Ok(of_database(path, &origin));
    }
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Ok(vec![wrong(origin, "it is neither text in UTF-8 nor a database of SQLite")]);
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("py")) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        return Ok(vec![Item { found: python_file::incoming(&stem, text), origin }]);
    }
    Ok(match json::read(text) {
        Ok(value) => of_json(value, &origin),
        // Several values, each on a line of its own.
        Err(_) if text.trim_start().starts_with(['{', '[', '"']) && text.trim().contains('\n') => {
            of_lines(text, &origin)
        }
        Err(error) => vec![wrong(origin, &format!("it is no JSON: {error}"))],
    })
}

fn wrong(origin: String, why: &str) -> Item {
    let hint = "it has to be JSON, JSON on each line, a database of SQLite, or Python (`.py`)";
    Item { origin, found: Err(LibraryError::invalid_with_hint(why, hint)) }
}

fn of_database(path: &Path, origin: &str) -> Vec<Item> {
    let tables = match procedure_tables(path) {
        Ok(tables) => tables,
        Err(error) => return vec![Item { origin: origin.to_owned(), found: Err(error.into()) }],
    };
    if tables.is_empty() {
        let why = "no table of it has procedures: a column `name` (or `workflow_name`), and one of `steps`, `code`, `template`";
        return vec![Item { origin: origin.to_owned(), found: Err(LibraryError::invalid(why)) }];
    }
    let items = tables.into_iter().flat_map(|table| {
        let name = table.name;
        table.rows.into_iter().enumerate().map(move |(number, row)| Item {
            origin: format!("{origin}, row {} of `{name}`", number + 1),
            found: record::incoming(row),
        })
    });
    items.collect()
}

fn of_lines(text: &str, origin: &str) -> Vec<Item> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let items = lines.flat_map(|(number, line)| {
        let origin = format!("{origin}, line {}", number + 1);
        match json::read(line) {
            Ok(value) => vec![of_value(value, origin)],
            Err(error) => vec![Item { origin, found: Err(LibraryError::invalid(format!("it is no JSON: {error}"))) }],
        }
    });
    items.collect()
}

/// What this program exported, a list of procedures, or one of them.
fn of_json(value: Value, origin: &str) -> Vec<Item> {
    if Export::is_one(&value) {
        return match serde_json::from_value::<Export>(value) {
            Ok(Export { procedures, .. }) => procedures
                .into_iter()
                .map(|exported| {
                    let name = exported.definition.name.to_string();
                    Item { origin: format!("{origin}, `{name}`"), found: Ok(whole(exported)) }
                })
                .collect(),
            Err(error) => {
                let why = format!("the export can't be read: {error}");
                vec![Item { origin: origin.to_owned(), found: Err(LibraryError::invalid(why)) }]
            }
        };
    }
    let listed = match value {
        Value::Object(mut fields) if fields.get("procedures").is_some_and(Value::is_array) => {
            fields.remove("procedures").unwrap_or_default()
        }
        other => other,
    };
    match listed {
        Value::Array(items) => {
            let numbered = items.into_iter().enumerate();
            numbered.map(|(number, item)| of_value(item, format!("{origin}, item {}", number + 1))).collect()
        }
        value => vec![of_value(value, origin.to_owned())],
    }
}

fn of_value(value: Value, origin: String) -> Item {
    let found = match value {
        Value::Object(fields) => record::incoming(fields),
        _ => Err(LibraryError::invalid_with_hint(
            "it is no procedure",
            "a procedure is an object with `name` and `steps`, or with `problem` and `solution`",
        )),
    };
    Item { origin, found }
}

fn whole(exported: Exported) -> Incoming {
    let Exported { definition, code, lock } = exported;
    Incoming {
        name: definition.name.to_string(),
        content: Content::Whole(Box::new(definition)),
        code,
        lock,
        dependencies: None,
        left_out: Vec::new(),
        files: None,
        is_proposed: false,
        is_script: false,
    }
}
