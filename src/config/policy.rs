//! The `[policy]` section: the most that any procedure may do.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    commands::{CommandGrant, Confinement},
    paths::expand_tilde,
    runs::Approvals,
    tenant,
};
use crate::domain::{
    HostGrant, Permissions,
    startup_files::{GitDirectory, startup_file},
};

/// The section as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Section {
    pub(super) commands: Vec<toml::Value>,
    pub(super) confinement: Confinement,
    read: Vec<String>,
    write: Vec<String>,
    tools: Vec<String>,
    network: Vec<String>,
    model: bool,
    pub(super) ask: Vec<String>,
    pub(super) deny: Vec<String>,
    pub(super) approvals: Option<Approvals>,
    pub(super) offer_grants: Option<bool>,
    pub(super) procedures: BTreeMap<String, ForOne>,
}

/// What one procedure may do beside that.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ForOne {
    commands: Vec<String>,
    read: Vec<String>,
    write: Vec<String>,
    tools: Vec<String>,
    network: Vec<String>,
}

impl From<ForOne> for Permissions {
    fn from(ForOne { commands, read, write, tools, network }: ForOne) -> Self {
        Self { commands, read, write, tools, network, model: false }
    }
}

impl Section {
    /// The grants as procedures declare theirs: commands without the bounds that they have.
    pub(super) fn permissions(self, commands: &[CommandGrant]) -> Permissions {
        let commands = commands.iter().map(|grant| grant.run.clone()).collect();
        let Self { read, write, tools, network, model, .. } = self;
        Permissions { commands, read, write, tools, network, model }
    }
}

/// Makes the directories of the policy absolute and real, and refuses what would let a procedure change its own policy
/// or see other tenants, and what the sandbox can't keep apart.
pub(super) fn check(policy: Permissions, home: &Path, has_tenants: bool) -> Result<Permissions, String> {
    let read = real_directories(&policy.read, "read")?;
    let write = real_directories(&policy.write, "write")?;
    let home = fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
    if let Some(directory) = write.iter().find(|directory| home.starts_with(directory) || directory.starts_with(&home))
    {
        return Err(format!(
            "`policy.write` names `{}`, which holds or lies in the data home `{}`; a procedure could then rewrite its \
             own policy. Name a folder apart from it",
            directory.display(),
            home.display()
        ));
    }
    let tenants = home.join(tenant::FOLDER);
    if let Some(directory) = read.iter().find(|directory| has_tenants && overlap(directory, &tenants)) {
        return Err(format!(
            "`policy.read` names `{}`, which holds or lies in `{}`; a procedure could then read what other tenants \
             have. Name folders apart from it",
            directory.display(),
            tenants.display()
        ));
    }
    for reading in &read {
        if let Some(writing) = write.iter().find(|writing| overlap(reading, writing)) {
            return Err(format!(
                "`policy.read` names `{}` and `policy.write` names `{}`, and one lies in the other; name folders side \
                 by side, or give `write` to the outer one",
                reading.display(),
                writing.display()
            ));
        }
    }
    if let Some(entry) = policy.network.iter().find(|entry| HostGrant::parse(entry).is_none()) {
        return Err(format!(
            "`policy.network` names `{entry}`, which is no host; write a name (in letters of ASCII) or an address, perhaps \
             with a port: `api.example.org`, `*.example.org`, `localhost:8080`"
        ));
    }
    let names = |directories: Vec<PathBuf>| -> Vec<String> {
        directories.into_iter().map(|directory| directory.to_string_lossy().into_owned()).collect()
    };
    Ok(Permissions { read: names(outermost(&read)), write: names(distinct(&write)), ..policy })
}

/// The policy of each procedure to which more is granted than to all.
pub(super) fn of_procedures(
    procedures: BTreeMap<String, ForOne>,
    for_all: &Permissions,
    home: &Path,
    has_tenants: bool,
) -> Result<BTreeMap<String, Permissions>, String> {
    let one = |(name, more): (String, ForOne)| {
        let policy = check(for_all.with(&more.into()), home, has_tenants);
        let policy = policy.map_err(|why| format!("with what `policy.procedures.{name}` adds: {why}"))?;
        Ok((name, policy))
    };
    procedures.into_iter().map(one).collect()
}

fn overlap(a: &Path, b: &Path) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

/// The outermost directories, and those in them that are granted for what other programs execute there.
fn distinct(directories: &[PathBuf]) -> Vec<PathBuf> {
    let mut kept = outermost(directories);
    let opens = |directory: &PathBuf, outer: &PathBuf| {
        let below = directory.strip_prefix(outer).ok();
        below.is_some_and(|below| startup_file(below, GitDirectory::Closed).is_some())
    };
    let inner: Vec<PathBuf> =
        directories.iter().filter(|directory| kept.iter().any(|outer| opens(directory, outer))).cloned().collect();
    kept.extend(inner);
    kept
}

fn outermost(directories: &[PathBuf]) -> Vec<PathBuf> {
    let mut kept: Vec<PathBuf> = Vec::new();
    for directory in directories {
        if !kept.iter().any(|outer| directory.starts_with(outer)) {
            kept.retain(|inner| !inner.starts_with(directory));
            kept.push(directory.clone());
        }
    }
    kept
}

fn real_directories(directories: &[String], key: &str) -> Result<Vec<PathBuf>, String> {
    directories
        .iter()
        .map(|directory| {
            let expanded = expand_tilde(directory);
            if !expanded.is_absolute() {
                return Err(format!("`policy.{key}` names `{directory}`; directories there must be absolute"));
            }
            fs::canonicalize(&expanded)
                .ok()
                .filter(|path| path.is_dir())
                .ok_or_else(|| format!("`policy.{key}` names `{directory}`, which is not a directory"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(PathBuf::from("/nonexistent/home"), None, text).map_err(|error| error.to_string())
    }

    #[test]
    fn relative_and_missing_directories_are_refused() {
        assert!(parse("[policy]\nread = ['src']").unwrap_err().contains("must be absolute"));
        assert!(parse("[policy]\nread = ['/no/such/folder']").unwrap_err().contains("not a directory"));
    }

    #[test]
    fn hosts_are_named_without_scheme_and_path() {
        assert!(parse("[policy]\nnetwork = ['api.example.org', '*.example.org:443', '[::1]:80']").is_ok());
        let message = parse("[policy]\nnetwork = ['https://api.example.org/']").unwrap_err();
        assert!(message.contains("`https://api.example.org/`") && message.contains("no host"), "{message}");
    }

    #[test]
    fn the_home_can_not_be_made_writable() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        let text = format!("[policy]\nwrite = ['{}']", folder.path().display());
        let message = Config::parse(home, None, &text).unwrap_err().to_string();
        assert!(message.contains("rewrite its own policy"), "{message}");
    }

    #[test]
    fn a_directory_that_other_programs_execute_from_stays_beside_the_one_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let outer = folder.path().canonicalize().unwrap();
        for inner in ["plain", ".vscode"] {
            fs::create_dir(outer.join(inner)).unwrap();
        }
        let text = format!("[policy]\nwrite = ['{0}/.vscode', '{0}/plain', '{0}']", outer.display());
        let write = parse(&text).unwrap().policy.write;
        assert_eq!(write, [outer.display().to_string(), format!("{}/.vscode", outer.display())]);
    }

    #[test]
    fn nested_directories_of_one_kind_are_merged_and_of_two_kinds_refused() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let (outer, inner) = (folder.path().display(), inner.display());
        let config = parse(&format!("[policy]\nread = ['{inner}', '{outer}']")).unwrap();
        assert_eq!(config.policy.read.len(), 1);
        let message = parse(&format!("[policy]\nread = ['{outer}']\nwrite = ['{inner}']")).unwrap_err();
        assert!(message.contains("one lies in the other"), "{message}");
    }
}
