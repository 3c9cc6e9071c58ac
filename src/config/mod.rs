//! Where data lives and what is allowed: the home folder and its `config.toml`.
//!
//! The only place that reads the environment. Everything below receives a [`Config`].

mod model;

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::Deserialize;

use crate::domain::Permissions;

pub use model::{ModelSettings, Provider, Secret};

/// The commented `config.toml` that `repertoire init` writes.
pub const TEMPLATE: &str = include_str!("../config_template.toml");

/// File name of the configuration inside the home.
pub const FILE_NAME: &str = "config.toml";

/// Why the configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The platform names no data directory and none was given.
    #[error("no home folder is known for this user; pass `--home DIR` or set REPERTOIRE_HOME")]
    NoHome,
    /// The home or its file can't be read or made.
    #[error("can't use `{}`: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("`{}` is not a valid configuration: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column where known.
        message: String,
    },
}

/// Everything that a process needs to know before it opens a home.
#[derive(Debug, Clone)]
pub struct Config {
    /// The absolute data folder.
    pub home: PathBuf,
    /// The most that any procedure may do.
    pub policy: Permissions,
    /// Limits of every run.
    pub limits: Limits,
    /// The language model that writes code, if there is one.
    pub model: Option<ModelSettings>,
    /// The file as it was when it was read.
    stamp: Stamp,
}

/// When a file was changed and how long it is; `None` when it is not there.
type Stamp = Option<(SystemTime, u64)>;

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Limits of one run and of the whole tree of procedures that it calls.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Wall-clock seconds for a whole tree of nested procedures; waiting in a pause does not count.
    pub seconds: u64,
    /// Memory of the interpreter in MiB.
    pub memory_mib: usize,
    /// Captured `print` and `log` output in KiB.
    pub output_kib: usize,
    /// Size of the result as JSON in KiB.
    pub result_kib: usize,
    /// Calls to host functions.
    pub host_calls: usize,
    /// Operations on files and directories.
    pub file_calls: usize,
    /// How deep procedures may call each other.
    pub depth: usize,
    /// Interpreter processes that may exist at the same time.
    pub workers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            seconds: 120,
            memory_mib: 256,
            output_kib: 256,
            result_kib: 1024,
            host_calls: 1000,
            file_calls: 20_000,
            depth: 16,
            workers: std::thread::available_parallelism().map_or(4, |cores| cores.get().max(4)),
        }
    }
}

impl Limits {
    /// Wall-clock time for a whole tree of nested procedures.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Captured output in bytes.
    #[must_use]
    pub const fn output_bytes(&self) -> usize {
        self.output_kib * 1024
    }

    /// Size of the result as JSON in bytes.
    #[must_use]
    pub const fn result_bytes(&self) -> usize {
        self.result_kib * 1024
    }

    /// Memory of the interpreter in bytes.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.memory_mib * 1024 * 1024
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    policy: Permissions,
    limits: Limits,
    model: toml::Table,
}

impl Config {
    /// Finds the home (`home`, else `REPERTOIRE_HOME`, else the platform's data folder) and reads its `config.toml`,
    /// when there is one.
    ///
    /// # Errors
    /// [`ConfigError`] when no home is known or the file is not valid.
    pub fn load(home: Option<&Path>) -> Result<Self, ConfigError> {
        let home = resolve_home(home)?;
        let path = home.join(FILE_NAME);
        let stamp = stamp(&path);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(ConfigError::Io { path, source }),
        };
        Ok(Self { stamp, ..Self::parse(home, &text)? })
    }

    /// Whether the file is still as it was when it was read.
    #[must_use]
    pub fn is_current(&self) -> bool {
        stamp(&self.file()) == self.stamp
    }

    fn parse(home: PathBuf, text: &str) -> Result<Self, ConfigError> {
        let path = home.join(FILE_NAME);
        let invalid = |message: String| ConfigError::Invalid { path: path.clone(), message };
        let file: File = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        check_limits(&file.limits).map_err(invalid)?;
        let policy = check_policy(file.policy, &home).map_err(invalid)?;
        let model = ModelSettings::parse(file.model).map_err(invalid)?;
        Ok(Self { home, policy, limits: file.limits, model, stamp: None })
    }

    /// The `config.toml` of this home.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.home.join(FILE_NAME)
    }
}

fn resolve_home(home: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let from_environment = || std::env::var_os("REPERTOIRE_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    let from_platform =
        || directories::ProjectDirs::from("", "", "repertoire").map(|dirs| dirs.data_local_dir().to_owned());
    let home = home.map(Path::to_owned).or_else(from_environment).or_else(from_platform).ok_or(ConfigError::NoHome)?;
    std::path::absolute(&home).map_err(|source| ConfigError::Io { path: home, source })
}

fn check_limits(limits: &Limits) -> Result<(), String> {
    if limits.seconds == 0 {
        return Err("`limits.seconds` must be at least 1".to_owned());
    }
    let at_least_one = [
        ("output_kib", limits.output_kib),
        ("result_kib", limits.result_kib),
        ("host_calls", limits.host_calls),
        ("file_calls", limits.file_calls),
        ("depth", limits.depth),
        ("workers", limits.workers),
    ];
    if let Some((name, _)) = at_least_one.into_iter().find(|(_, value)| *value == 0) {
        return Err(format!("`limits.{name}` must be at least 1"));
    }
    if limits.memory_mib < 8 {
        return Err(format!("`limits.memory_mib` is {}; the interpreter needs at least 8", limits.memory_mib));
    }
    if limits.depth > 64 {
        return Err(format!("`limits.depth` is {}; at most 64", limits.depth));
    }
    Ok(())
}

/// Makes the directories of the policy absolute and real, and refuses what would let a procedure change its own policy
/// or what the sandbox can't keep apart.
fn check_policy(policy: Permissions, home: &Path) -> Result<Permissions, String> {
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
    let names = |directories: Vec<PathBuf>| -> Vec<String> {
        outermost(&directories).into_iter().map(|directory| directory.to_string_lossy().into_owned()).collect()
    };
    Ok(Permissions { commands: policy.commands, read: names(read), write: names(write) })
}

fn overlap(a: &Path, b: &Path) -> bool {
    a.starts_with(b) || b.starts_with(a)
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

/// `~` and `~/…` as the user's home directory.
fn expand_tilde(directory: &str) -> PathBuf {
    let rest = match directory {
        "~" => Some(""),
        _ => directory.strip_prefix("~/"),
    };
    match (rest, directories::UserDirs::new()) {
        (Some(rest), Some(user)) => user.home_dir().join(rest),
        _ => PathBuf::from(directory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(PathBuf::from("/nonexistent/home"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        let config = parse("").unwrap();
        assert!(config.policy.is_empty());
        assert_eq!(config.limits, Limits::default());
    }

    #[test]
    fn the_template_is_a_valid_configuration_that_allows_nothing() {
        let config = parse(TEMPLATE).unwrap();
        assert!(config.policy.is_empty());
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.model, None);
    }

    #[test]
    fn the_template_shows_a_model_that_can_be_had() {
        let (_, section) = TEMPLATE.split_once("[model]").unwrap();
        let shown = section
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| line.split_once(" = ").is_some_and(|(field, _)| !field.contains(' ')));
        let text: String = shown.flat_map(|line| [line, "\n"]).collect();
        let model = parse(&format!("[model]\n{text}")).unwrap().model.unwrap();
        assert_eq!((model.provider, model.timeout_seconds, model.retries), (Provider::Anthropic, 120, 3));
        assert_eq!((model.max_output_tokens, model.fallback), (8192, false));
    }

    #[test]
    fn a_mistyped_key_is_named() {
        let message = parse("[policy]\ncomands = ['git']").unwrap_err();
        assert!(message.contains("comands") && message.contains("commands"), "{message}");
    }

    #[test]
    fn relative_and_missing_directories_are_refused() {
        assert!(parse("[policy]\nread = ['src']").unwrap_err().contains("must be absolute"));
        assert!(parse("[policy]\nread = ['/no/such/folder']").unwrap_err().contains("not a directory"));
    }

    #[test]
    fn the_home_can_not_be_made_writable() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        let text = format!("[policy]\nwrite = ['{}']", folder.path().display());
        let message = Config::parse(home, &text).unwrap_err().to_string();
        assert!(message.contains("rewrite its own policy"), "{message}");
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
