//! The `[python]` section: whether procedures may be written in all of Python, and with which packages.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::paths::expand_tilde;

/// What a process of Python needs at the least to start, in MiB.
const LEAST_MEMORY_MIB: usize = 64;
/// Stands for every package.
const ANY: &str = "*";

/// What is allowed of the second runtime.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Python {
    /// Whether procedures of it may be executed at all.
    pub enabled: bool,
    /// Packages that procedures may name as dependencies; `*` stands for all. What these need themselves comes with them.
    pub packages: Vec<String>,
    /// Where packages come from, instead of where `uv` looks by itself.
    pub index: Option<String>,
    /// The program `uv`, by path or by its name in `PATH`.
    pub uv: String,
    /// The interpreter for procedures without dependencies, by path or by its name in `PATH`.
    pub program: String,
    /// Memory of one process in MiB.
    pub memory_mib: usize,
    /// The longest file that a process may write, in MiB.
    pub file_mib: usize,
}

impl Default for Python {
    fn default() -> Self {
        Self {
            enabled: false,
            packages: Vec::new(),
            index: None,
            uv: "uv".to_owned(),
            program: if cfg!(windows) { "python" } else { "python3" }.to_owned(),
            memory_mib: 1024,
            file_mib: 1024,
        }
    }
}

impl Python {
    /// Whether a package with this name, written as indexes write it, may be a dependency.
    #[must_use]
    pub fn allows_package(&self, name: &str) -> bool {
        self.packages.iter().any(|granted| granted == ANY || normalized(granted) == name)
    }

    /// Memory of one process in bytes.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.memory_mib * 1024 * 1024
    }

    /// The longest file that a process may write, in bytes.
    #[must_use]
    pub const fn file_bytes(&self) -> usize {
        self.file_mib * 1024 * 1024
    }

    /// The interpreter as it is started.
    #[must_use]
    pub fn interpreter(&self) -> PathBuf {
        program(&self.program)
    }

    /// `uv` as it is started.
    #[must_use]
    pub fn uv_program(&self) -> PathBuf {
        program(&self.uv)
    }

    pub(super) fn check(self) -> Result<Self, String> {
        for (key, value) in [("program", &self.program), ("uv", &self.uv)] {
            if value.trim().is_empty() {
                return Err(format!("`python.{key}` is empty; name a program, or leave it out"));
            }
        }
        if self.memory_mib < LEAST_MEMORY_MIB {
            return Err(format!("`python.memory_mib` is {}; it needs at least {LEAST_MEMORY_MIB}", self.memory_mib));
        }
        if self.file_mib == 0 {
            return Err("`python.file_mib` must be at least 1".to_owned());
        }
        if let Some(entry) = self.packages.iter().find(|entry| *entry != ANY && !is_name(entry)) {
            return Err(format!(
                "`python.packages` names `{entry}`, which is no name of a package; write the name alone, without a version"
            ));
        }
        Ok(self)
    }
}

/// What is written with `~` or as a path is one; a plain name is looked up in `PATH` by the system.
fn program(written: &str) -> PathBuf {
    if written.contains(['/', '\\']) { expand_tilde(written) } else { Path::new(written).to_owned() }
}

fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(inner)
}

/// A package's name as indexes compare it.
fn normalized(name: &str) -> String {
    name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_granted_by_name_however_it_is_written() {
        let python = Python { packages: vec!["Ruamel.Yaml".into(), "python_dateutil".into()], ..Python::default() };
        assert!(python.allows_package("ruamel-yaml") && python.allows_package("python-dateutil"));
        assert!(!python.allows_package("pandas"));
        assert!(Python { packages: vec!["*".into()], ..Python::default() }.allows_package("pandas"));
        assert!(!Python::default().allows_package("pandas"));
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        let with = |change: fn(&mut Python)| {
            let mut python = Python::default();
            change(&mut python);
            python.check().unwrap_err()
        };
        assert!(with(|python| python.packages = vec!["pandas>=2".into()]).contains("without a version"));
        assert!(with(|python| python.memory_mib = 1).contains("at least 64"));
        assert!(with(|python| python.program = " ".into()).contains("`python.program` is empty"));
    }
}
