//! Tables of procedures in SQLite files of other programs: read as they are, and nothing of them is changed.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, types::ValueRef};
use serde_json::{Map, Number, Value};

use super::StorageError;

/// What a file of SQLite begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// More than a person has; a table of another kind has more.
const MOST_ROWS: usize = 100_000;
/// What the column is called that names a procedure.
const NAMES: [&str; 4] = ["name", "workflow_name", "procedure_name", "title"];
/// One of these is in each table of procedures.
const CONTENTS: [&str; 8] =
    ["steps", "code", "template", "solution", "generated_code", "python_code", "source_code", "instructions"];

/// A table with procedures.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignTable {
    pub name: String,
    /// By column; what SQLite has no JSON for is left out.
    pub rows: Vec<Map<String, Value>>,
}

/// Whether a file that begins like this is one of SQLite.
#[must_use]
pub fn is_sqlite(begin: &[u8]) -> bool {
    begin.starts_with(MAGIC)
}

/// The tables of a file that have procedures in them: each row names one, and has steps, code or something like it.
///
/// # Errors
/// [`StorageError::Open`] where the file can't be read.
pub fn procedure_tables(file: &Path) -> Result<Vec<ForeignTable>, StorageError> {
    let read = || {
        // Not as one that nobody changes: the program whose it is may be running.
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut names = connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )?;
        let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut tables = Vec::new();
        for name in names {
            if let Some(rows) = rows(&connection, &name)? {
                tables.push(ForeignTable { name, rows });
            }
        }
        Ok(tables)
    };
    read().map_err(|source| StorageError::Open { path: file.to_owned(), source })
}

/// The rows of a table, if it is one of procedures.
fn rows(connection: &Connection, table: &str) -> Result<Option<Vec<Map<String, Value>>>, rusqlite::Error> {
    let quoted = table.replace('"', "\"\"");
    let mut statement = connection.prepare(&format!("SELECT * FROM \"{quoted}\" LIMIT {MOST_ROWS}"))?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let has = |names: &[&str]| columns.iter().any(|column| names.iter().any(|name| column.eq_ignore_ascii_case(name)));
    let is_named = has(&NAMES) || has(&["problem"]) && has(&["solution"]);
    if !is_named || !has(&CONTENTS) {
        return Ok(None);
    }
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut fields = Map::new();
        for (index, column) in columns.iter().enumerate() {
            if let Some(value) = json(row.get_ref(index)?) {
                fields.insert(column.clone(), value);
            }
        }
        found.push(fields);
    }
    Ok(Some(found))
}

fn json(value: ValueRef<'_>) -> Option<Value> {
    match value {
        ValueRef::Null => Some(Value::Null),
        ValueRef::Integer(whole) => Some(whole.into()),
        ValueRef::Real(number) => Number::from_f64(number).map(Value::Number),
        // Some keep their texts as bytes.
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            std::str::from_utf8(bytes).ok().map(|text| Value::String(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_procedures_are_told_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("other.db");
        let connection = Connection::open(&file).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE \"odd \"\"name\" (workflow_name TEXT, steps BLOB, success_count INT, score REAL, picture BLOB);
                 INSERT INTO \"odd \"\"name\" VALUES ('Deploy', x'5b22476f225d', 3, 0.5, x'ff');
                 CREATE TABLE people (name TEXT, age INT);
                 CREATE TABLE lessons (problem TEXT, solution TEXT);",
            )
            .unwrap();
        assert!(is_sqlite(&std::fs::read(&file).unwrap()));
        let tables = procedure_tables(&file).unwrap();
        assert_eq!(tables.iter().map(|table| &*table.name).collect::<Vec<_>>(), ["lessons", "odd \"name"]);
        let row = &tables[1].rows[0];
        assert_eq!(
            serde_json::to_string(row).unwrap(),
            r#"{"workflow_name":"Deploy","steps":"[\"Go\"]","success_count":3,"score":0.5}"#
        );
    }
}
