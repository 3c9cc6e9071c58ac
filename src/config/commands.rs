//! Granted commands with bounds of their own, and whether there have to be walls around what is executed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::paths::expand_tilde;
use crate::domain::{HostGrant, permissions::command_grant_covers};

/// What a grant of the network says that means all of it.
pub(super) const ALL_HOSTS: &str = "*";

/// Whether programs are confined by the operating system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confinement {
    /// Always; where that can't be, they are not started.
    #[default]
    Required,
    /// Never: they do what the user may do.
    None,
}

/// A granted command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandGrant {
    /// The program, perhaps with leading arguments.
    pub run: String,
    /// What it may read beside the granted folders: real paths.
    pub read: Vec<PathBuf>,
    /// Folders that it may write beside those.
    pub write: Vec<PathBuf>,
    /// Whether it may also write what makes other programs run code.
    pub startup_files: bool,
    /// Hosts that it may reach; all with `*`.
    pub network: Vec<String>,
    /// Memory in MiB.
    pub memory_mib: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u64>,
    /// Size of a file that it writes, in MiB.
    pub file_mib: Option<u64>,
}

impl CommandGrant {
    /// The narrowest of the grants that cover a command.
    #[must_use]
    pub fn of<'g>(grants: &'g [Self], command: &[String]) -> Option<&'g Self> {
        let covering = grants.iter().filter(|grant| command_grant_covers(&grant.run, command));
        // The first of those that are alike.
        covering.rev().max_by_key(|grant| grant.run.split_whitespace().count())
    }

    /// The hosts that it names.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostGrant> {
        self.network.iter().filter_map(|host| HostGrant::parse(host)).collect()
    }

    /// Whether it may reach every host.
    #[must_use]
    pub fn reaches_all(&self) -> bool {
        self.network.iter().any(|host| host == ALL_HOSTS)
    }
}

/// A grant as a table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Table {
    run: String,
    read: Vec<String>,
    write: Vec<String>,
    startup_files: bool,
    network: Vec<String>,
    memory_mib: Option<u64>,
    processes: Option<u64>,
    file_mib: Option<u64>,
}

/// Reads the entries of `commands`: texts and tables.
pub(super) fn parse_all(entries: Vec<toml::Value>, home: &Path) -> Result<Vec<CommandGrant>, String> {
    entries.into_iter().map(|entry| parse(entry, home)).collect()
}

fn parse(entry: toml::Value, home: &Path) -> Result<CommandGrant, String> {
    let table = match entry {
        toml::Value::String(run) => return Ok(CommandGrant { run, ..CommandGrant::default() }),
        toml::Value::Table(table) => table,
        other => {
            return Err(format!(
                "`policy.commands` has {other}, which is no command; write `\"git status\"`, or a table such as `{{ run = \
                 \"cargo test\", write = [\"~/.cargo\"] }}`"
            ));
        }
    };
    let table: Table = table.try_into().map_err(|error| format!("`policy.commands`: {error}"))?;
    let Table { run, read, write, startup_files, network, memory_mib, processes, file_mib } = table;
    if run.trim().is_empty() {
        return Err("`policy.commands` has a table without `run`, which says the command that is granted".to_owned());
    }
    for (name, limit) in [("memory_mib", memory_mib), ("processes", processes), ("file_mib", file_mib)] {
        if limit == Some(0) {
            return Err(format!("`{name}` of the command `{run}` must be at least 1"));
        }
    }
    check_network(&run, &network)?;
    let real = |paths: Vec<String>, key: &str| -> Result<Vec<PathBuf>, String> {
        paths.iter().map(|path| real(path, key, &run)).collect()
    };
    let (read, write) = (real(read, "read")?, real(write, "write")?);
    if let Some(path) = write.iter().find(|path| home.starts_with(path) || path.starts_with(home)) {
        return Err(format!(
            "`write` of the command `{run}` names `{}`, which holds or lies in the data home `{}`; it could then rewrite its \
             own policy. Name a folder apart from it",
            path.display(),
            home.display()
        ));
    }
    if let Some(path) = write.iter().find(|path| !path.is_dir()) {
        return Err(format!("`write` of the command `{run}` names `{}`, which is not a directory", path.display()));
    }
    Ok(CommandGrant { run, read, write, startup_files, network, memory_mib, processes, file_mib })
}

fn check_network(run: &str, network: &[String]) -> Result<(), String> {
    if let Some(entry) = network.iter().find(|entry| *entry != ALL_HOSTS && HostGrant::parse(entry).is_none()) {
        return Err(format!(
            "`network` of the command `{run}` names `{entry}`, which is no host; write a name (in letters of ASCII) or an \
             address, perhaps with a port, or `*` for all"
        ));
    }
    Ok(())
}

fn real(path: &str, key: &str, run: &str) -> Result<PathBuf, String> {
    let expanded = expand_tilde(path);
    if !expanded.is_absolute() {
        return Err(format!("`{key}` of the command `{run}` names `{path}`; paths there must be absolute"));
    }
    fs::canonicalize(&expanded)
        .map_err(|_| format!("`{key}` of the command `{run}` names `{path}`, which is not there"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(PathBuf::from("/nonexistent/home"), None, text).map_err(|error| error.to_string())
    }

    fn command(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_grant_is_a_text_or_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = fs::canonicalize(folder.path()).unwrap();
        let config = parse(&format!(
            "[policy]\ncommands = ['git status', {{ run = 'cargo test', write = ['{}'], memory_mib = 2048, processes = 200, \
             startup_files = true, network = ['*'] }}]",
            path.display()
        ))
        .unwrap();
        assert_eq!(config.policy.commands, ["git status", "cargo test"]);
        let [plain, table] = config.commands.as_slice() else { panic!("two grants") };
        assert_eq!(*plain, CommandGrant { run: "git status".to_owned(), ..CommandGrant::default() });
        assert_eq!((table.memory_mib, table.processes, &table.write), (Some(2048), Some(200), &vec![path]));
        assert!(table.startup_files && table.reaches_all() && !plain.reaches_all());
        assert_eq!(config.confinement, Confinement::Required);
        assert_eq!(parse("[policy]\nconfinement = 'none'").unwrap().confinement, Confinement::None);
    }

    #[test]
    fn the_narrowest_grant_counts() {
        let grant = |run: &str| CommandGrant { run: run.to_owned(), ..CommandGrant::default() };
        let grants = [grant("git"), grant("git log"), grant("cargo"), grant("git log")];
        assert_eq!(CommandGrant::of(&grants, &command("git log -1")), Some(&grants[1]));
        assert_eq!(CommandGrant::of(&grants, &command("git status")), Some(&grants[0]));
        assert_eq!(CommandGrant::of(&grants, &command("npm test")), None);
    }

    #[test]
    fn what_can_not_be_understood_is_named() {
        for (entry, said) in [
            ("3", "is no command"),
            ("{ write = [] }", "without `run`"),
            ("{ run = 'a', wriet = [] }", "wriet"),
            ("{ run = 'a', read = ['src'] }", "must be absolute"),
            ("{ run = 'a', write = ['/no/such/folder'] }", "not there"),
            ("{ run = 'a', write = ['/etc/passwd'] }", "not a directory"),
            ("{ run = 'a', write = ['/'] }", "rewrite its own policy"),
            ("{ run = 'a', memory_mib = 0 }", "at least 1"),
            ("{ run = 'a', network = ['https://x.org/'] }", "no host"),
        ] {
            let message = parse(&format!("[policy]\ncommands = [{entry}]")).unwrap_err();
            assert!(message.contains(said), "{entry}: {message}");
        }
        assert!(parse("[policy]\nconfinement = 'some'").unwrap_err().contains("required"));
    }
}
