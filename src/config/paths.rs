//! Where the home is, and paths as people write them.

use std::path::{Path, PathBuf};

use super::error::ConfigError;

/// The home that is given, else `$REPERTOIRE_HOME`, else the platform's folder for data; always absolute.
pub(super) fn resolve_home(home: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let from_environment = || std::env::var_os("REPERTOIRE_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    let from_platform =
        || directories::ProjectDirs::from("", "", "repertoire").map(|dirs| dirs.data_local_dir().to_owned());
    let home = home.map(Path::to_owned).or_else(from_environment).or_else(from_platform).ok_or(ConfigError::NoHome)?;
    std::path::absolute(&home).map_err(|source| ConfigError::Io { path: home, source })
}

/// The platform's folder for what can be made again, else one in the home.
pub(super) fn cache(home: &Path) -> PathBuf {
    let from_platform = directories::ProjectDirs::from("", "", "repertoire").map(|dirs| dirs.cache_dir().to_owned());
    from_platform.unwrap_or_else(|| home.join("cache"))
}

/// `~` and `~/…` as the user's home directory.
pub(super) fn expand_tilde(directory: &str) -> PathBuf {
    let rest = match directory {
        "~" => Some(""),
        _ => directory.strip_prefix("~/"),
    };
    match (rest, directories::UserDirs::new()) {
        (Some(rest), Some(user)) => user.home_dir().join(rest),
        _ => PathBuf::from(directory),
    }
}
