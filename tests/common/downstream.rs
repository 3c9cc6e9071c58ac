//! Homes that know a small MCP server of our own, in Python, and procedures that call its tools.

use std::{fs, path::PathBuf, process::Command, sync::OnceLock};

use serde_json::{Value, json};

use super::{Home, RawClient, execute_code, has_program, text, toml_path};

/// The interpreter itself: a shim might need the user's home. None when there is no Python here.
pub fn python() -> Option<&'static str> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let find = || {
        let ask = ["-c", "import sys; print(sys.executable)"];
        has_program("python3").then(|| {
            let output = Command::new("python3").args(ask).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        })
    };
    FOUND.get_or_init(find).as_deref()
}

/// A home that knows the server `test`, and may call all of it.
pub struct Setup {
    /// The home.
    pub home: Home,
    notes: PathBuf,
}

impl Setup {
    /// With these options of the server, and more settings for it. None without Python.
    pub fn new(options: &[&str], settings: &str) -> Option<Self> {
        let setup = Self::bare()?;
        let section = setup.section("test", options, settings);
        setup.home.configure(&format!("[policy]\ntools = ['test']\n{section}"));
        Some(setup)
    }

    /// One whose configuration is not written yet. None without Python.
    pub fn bare() -> Option<Self> {
        python()?;
        let home = Home::new();
        let notes = home.beside("files").join("notes");
        Some(Self { home, notes })
    }

    /// The section of a server with these options and settings.
    pub fn section(&self, name: &str, options: &[&str], settings: &str) -> String {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/downstream_server.py");
        let mut args = vec![toml_path(&script), "'--note'".to_owned(), toml_path(&self.notes)];
        args.extend(options.iter().map(|option| format!("'{option}'")));
        let (python, args) = (python().unwrap(), args.join(", "));
        format!("[mcp_servers.{name}]\ncommand = '{python}'\nargs = [{args}]\n{settings}\n")
    }

    /// What the servers noted so far, those lines that begin so.
    pub fn notes(&self, beginning: &str) -> Vec<String> {
        let notes = fs::read_to_string(&self.notes).unwrap_or_default();
        notes.lines().filter_map(|line| line.strip_prefix(beginning)).map(|rest| rest.trim().to_owned()).collect()
    }

    /// The processes that were started, in order.
    pub fn starts(&self) -> Vec<u32> {
        self.notes("start ").iter().map(|process| process.parse().unwrap()).collect()
    }
}

/// A procedure of this name with a body that may call tools.
pub fn code(name: &str, body: &str) -> String {
    let lines: String = body.lines().map(|line| format!("    {line}\n")).collect();
    format!("from repertoire import call_tool\n\ndef {name}():\n{lines}")
}

/// Executes a body that may call tools.
#[track_caller]
pub fn run(client: &mut RawClient, name: &str, body: &str) -> Value {
    execute_code(client, name, &code(name, body))
}

/// What a call gives.
#[track_caller]
pub fn result(client: &mut RawClient, name: &str, call: &str) -> Value {
    let answer = run(client, name, &format!("return {call}"));
    assert_eq!(answer["outcome"], json!("success"), "{call}: {answer}");
    answer["result"].clone()
}

/// What a call raises.
#[track_caller]
pub fn raised(client: &mut RawClient, name: &str, call: &str, kind: &str, parts: &[&str]) -> String {
    let answer = run(client, name, &format!("return {call}"));
    assert_eq!(answer["error_type"], json!(kind), "{call}: {answer}");
    for part in parts {
        assert!(text(&answer, "error").contains(part), "`{part}` is not in the error of {call}: {answer}");
    }
    text(&answer, "error").to_owned()
}
