//! Walls around an MCP server that is a program, where its user wants them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::paths::expand_tilde;

/// What a confined server may reach, beside what every program needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerBounds {
    /// Folders and files that it may read: real paths.
    pub read: Vec<PathBuf>,
    /// Folders that it may write.
    pub write: Vec<PathBuf>,
    /// Whether it may also write what makes other programs run code.
    pub startup_files: bool,
    /// Whether it has the user's network, or none.
    pub network: bool,
    /// The data home, which it never sees.
    pub hidden: PathBuf,
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
    pub(super) fn check(self, cwd: Option<&Path>, home: &Path) -> Result<Option<ServerBounds>, (&'static str, String)> {
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
        let network = match &network[..] {
            [] => false,
            [all] if all == "*" => true,
            _ => {
                let why = "names hosts; a server has all of the network (`[\"*\"]`) or none (left out)";
                return Err(("network", why.to_owned()));
            }
        };
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
        Ok(Some(ServerBounds { read, write, startup_files, network, hidden: home.to_owned() }))
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

    fn check(written: Written) -> Result<Option<ServerBounds>, String> {
        written.check(None, Path::new("/nowhere/home")).map_err(|(field, why)| format!("{field} {why}"))
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
        assert!(check(network(&["*"])).unwrap().unwrap().network);
        assert!(check(network(&["example.org"])).unwrap_err().contains("names hosts"));
        assert!(check(Written { read: vec!["/nowhere/x".to_owned()], ..Written::default() }).is_err());
        assert!(check(Written { read: vec!["x".to_owned()], ..Written::default() }).is_err());
        let around = written().check(None, &path.join("home")).unwrap_err();
        assert!(around.1.contains("data home"), "{around:?}");
    }
}
