//! Folders of the user that are not this program's own, and the account, as the system names them.

use std::path::PathBuf;

/// Where programs keep settings.
#[must_use]
pub fn settings() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|folders| folders.config_dir().to_owned())
}

/// The user's own.
#[must_use]
pub fn user_home() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|folders| folders.home_dir().to_owned())
}

/// A folder that a variable of another program names. One that is not absolute is none: it would be another in each process.
#[must_use]
pub fn named_by(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_absolute())
}

/// The folders in which programs are looked for.
#[must_use]
pub fn of_programs() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// The account of the user on Windows, with its domain.
#[must_use]
pub fn account() -> Option<String> {
    let text =
        |name| std::env::var_os(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty());
    Some(format!("{}\\{}", text("USERDOMAIN")?, text("USERNAME")?))
}
