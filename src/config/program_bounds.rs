//! Walls around a program that the settings name, an MCP server or a channel, where the user wants them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{commands::ALL_HOSTS, paths::expand_tilde};
use crate::domain::{HostGrant, Rules};

/// What such a program may reach, beside what every program needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgramBounds {
    /// Folders and files that it may read: real paths.
    pub read: Vec<PathBuf>,
    /// Folders that it may write.
    pub write: Vec<PathBuf>,
    /// Whether it may also write what makes other programs run code.
    pub startup_files: bool,
    /// What of the network it reaches.
    pub network: ProgramNetwork,
    /// The data home, which it never sees.
    pub hidden: PathBuf,
}

/// What of the network such a program reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ProgramNetwork {
    /// Nothing.
    #[default]
    None,
    /// These hosts.
    Hosts(NamedHosts),
    /// All that the user does.
    All,
}

/// Hosts that a program reaches, and what they are judged by beside their names: with other rules it is another program, which a
/// server that is there already does not become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedHosts {
    pub hosts: Vec<HostGrant>,
    /// What the user never wants, or wants to be asked about.
    pub rules: Arc<Rules>,
    /// Where more could be named.
    pub policy_file: PathBuf,
}

/// What bounds are read within.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// The data home: a real path.
    pub(super) home: &'a Path,
    /// The file that is read.
    pub(super) file: &'a Path,
    /// The rules of the policy.
    pub(super) rules: &'a Arc<Rules>,
}

/// The same as it is written.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) confined: Option<bool>,
    pub(super) read: Vec<String>,
    pub(super) write: Vec<String>,
    pub(super) startup_files: bool,
    pub(super) network: Vec<String>,
}

impl Written {
    /// Whether any of it is there.
    pub(super) const fn is_there(&self) -> bool {
        self.confined.is_some()
            || !self.read.is_empty()
            || !self.write.is_empty()
            || self.startup_files
            || !self.network.is_empty()
    }

    /// What that means; a bound alone says that there are walls. An error names the field that is wrong, and why.
    pub(super) fn check(
        self,
        cwd: Option<&Path>,
        around: Surroundings<'_>,
    ) -> Result<Option<ProgramBounds>, (&'static str, String)> {
        let home = around.home;
        let Self { confined, read, write, startup_files, network } = self;
        let has_bounds = !read.is_empty() || !write.is_empty() || startup_files || !network.is_empty();
        match confined {
            None if !has_bounds => return Ok(None),
            Some(false) if has_bounds => {
                return Err(("confined", "is false, and there are bounds beside it; leave one of them out".to_owned()));
            }
            Some(false) => return Ok(None),
            None | Some(true) => {}
        }
        let network = around.network(&network).map_err(|why| ("network", why))?;
        let real = |paths: Vec<String>, key: &'static str| -> Result<Vec<PathBuf>, (&'static str, String)> {
            paths.iter().map(|path| real(path).map_err(|why| (key, why))).collect()
        };
        let (mut read, write) = (real(read, "read")?, real(write, "write")?);
        if let Some(path) = write.iter().find(|path| !path.is_dir()) {
            return Err(("write", format!("names `{}`, which is not a directory", path.display())));
        }
        if let Some(path) = write.iter().find(|path| home.starts_with(path) || path.starts_with(home)) {
            let why = format!(
                "names `{}`, which holds or lies in the data home `{}`; name a folder apart from it",
                path.display(),
                home.display()
            );
            return Err(("write", why));
        }
        read.extend(cwd.and_then(|cwd| fs::canonicalize(cwd).ok()));
        Ok(Some(ProgramBounds { read, write, startup_files, network, hidden: home.to_owned() }))
    }
}

impl Surroundings<'_> {
    /// What entries of `network` mean.
    fn network(self, entries: &[String]) -> Result<ProgramNetwork, String> {
        if entries.is_empty() {
            return Ok(ProgramNetwork::None);
        }
        let named = entries.iter().filter(|entry| *entry != ALL_HOSTS);
        let hosts: Vec<HostGrant> = named
            .map(|entry| {
                HostGrant::parse(entry).ok_or_else(|| {
                    format!(
                        "names `{}`, which is no host; write a name (in letters of ASCII) or an address, perhaps with a \
                         port, or `*` for all",
                        entry.escape_debug()
                    )
                })
            })
            .collect::<Result<_, _>>()?;
        if hosts.len() < entries.len() {
            return Ok(ProgramNetwork::All);
        }
        let (rules, policy_file) = (Arc::clone(self.rules), self.file.to_owned());
        Ok(ProgramNetwork::Hosts(NamedHosts { hosts, rules, policy_file }))
    }
}

fn real(path: &str) -> Result<PathBuf, String> {
    let expanded = expand_tilde(path);
    if !expanded.is_absolute() {
        return Err(format!("names `{path}`; paths there must be absolute"));
    }
    fs::canonicalize(&expanded).map_err(|_| format!("names `{path}`, which is not there"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_in(home: &Path, written: Written) -> Result<Option<ProgramBounds>, String> {
        let rules = Arc::default();
        let file = home.join("config.toml");
        let around = Surroundings { home, file: &file, rules: &rules };
        written.check(None, around).map_err(|(field, why)| format!("{field} {why}"))
    }

    fn check(written: Written) -> Result<Option<ProgramBounds>, String> {
        check_in(Path::new("/nowhere/home"), written)
    }

    #[test]
    fn a_bound_means_walls_and_none_means_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = fs::canonicalize(folder.path()).unwrap();
        let written = || Written { write: vec![path.display().to_string()], ..Written::default() };
        assert_eq!(check(Written::default()), Ok(None));
        assert_eq!(check(Written { confined: Some(false), ..Written::default() }), Ok(None));
        assert!(check(Written { confined: Some(true), ..Written::default() }).unwrap().is_some());
        assert_eq!(check(written()).unwrap().unwrap().write, std::slice::from_ref(&path));
        assert!(check(Written { confined: Some(false), ..written() }).unwrap_err().starts_with("confined is false"));
        let network = |hosts: &[&str]| Written {
            network: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..Written::default()
        };
        let network = |hosts: &[&str]| check(network(hosts)).map(|bounds| bounds.unwrap().network);
        assert_eq!(network(&["*"]), Ok(ProgramNetwork::All));
        assert_eq!(network(&["example.org", "*"]), Ok(ProgramNetwork::All));
        let ProgramNetwork::Hosts(named) = network(&["api.example.org:443", "*.example.org"]).unwrap() else {
            panic!("hosts")
        };
        let expected = ["api.example.org:443", "*.example.org"].map(|host| HostGrant::parse(host).unwrap());
        assert_eq!(named.hosts, expected);
        assert_eq!(named.policy_file, Path::new("/nowhere/home/config.toml"));
        assert!(network(&["https://example.org/"]).unwrap_err().contains("no host"));
        assert!(check(Written { read: vec!["/nowhere/x".to_owned()], ..Written::default() }).is_err());
        assert!(check(Written { read: vec!["x".to_owned()], ..Written::default() }).is_err());
        let around = check_in(&path.join("home"), written()).unwrap_err();
        assert!(around.contains("data home"), "{around:?}");
    }
}
