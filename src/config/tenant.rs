//! For whom this process works: a tenant has stores of its own below the home, and nothing of them leaves it.
//!
//! Like the user it comes from whoever starts the process, never from an agent.

use std::path::{Path, PathBuf};

use super::error::ConfigError;

/// The folder of the home in which each tenant has one.
pub(super) const FOLDER: &str = "tenants";
const MAX_CHARS: usize = 64;
/// Names that Windows keeps for devices, also with an extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
/// The same, with a digit behind.
const PORTS: [&str; 2] = ["com", "lpt"];

/// The tenant that is given, else `$REPERTOIRE_TENANT`, else none.
pub(super) fn resolve(given: Option<&str>) -> Result<Option<String>, ConfigError> {
    if let Some(given) = given {
        return check(given).map(Some);
    }
    let from_environment = std::env::var_os("REPERTOIRE_TENANT").filter(|value| !value.is_empty());
    from_environment.map(|value| check(&value.to_string_lossy())).transpose()
}

/// Where the stores of `tenant` are, or those of the home itself.
pub(super) fn folder(home: &Path, tenant: Option<&str>) -> PathBuf {
    tenant.map_or_else(|| home.to_owned(), |tenant| home.join(FOLDER).join(tenant))
}

/// The tenants that have stores in a home, by name.
pub(super) fn all(home: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(home.join(FOLDER)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| check(name).is_ok()).collect();
    names.sort();
    names
}

/// A name becomes a folder on every platform, so what one of them could take for another name is refused, not changed.
pub(super) fn check(name: &str) -> Result<String, ConfigError> {
    let is_letter_or_digit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_valid = name.starts_with(is_letter_or_digit)
        && !name.ends_with('.')
        && name.len() <= MAX_CHARS
        && name.chars().all(|c| is_letter_or_digit(c) || matches!(c, '-' | '_' | '.'))
        && !is_device(name);
    if is_valid { Ok(name.to_owned()) } else { Err(ConfigError::Tenant(name.chars().take(MAX_CHARS).collect())) }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let numbers = PORTS.iter().filter_map(|port| stem.strip_prefix(port));
    DEVICES.contains(&stem) || numbers.into_iter().any(|number| number.len() == 1 && number.parse::<u8>().is_ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Hinted as _;

    #[test]
    fn a_name_makes_one_folder_on_every_platform() {
        for name in ["acme", "acme-corp", "a", "7", "a.b_c-d", "console", "com", "com10", "nul1", &"x".repeat(64)] {
            assert_eq!(resolve(Some(name)).unwrap().as_deref(), Some(name));
        }
        let refused = [
            "",
            ".",
            "..",
            ".hidden",
            "-x",
            "_x",
            "Acme",
            "a b",
            " acme",
            "a/b",
            "a\\b",
            "../b",
            "a.",
            "a\0",
            "ü",
            "nul",
            "con.d",
            "com1",
            "lpt9.txt",
            "c:",
            "~",
            &"x".repeat(65),
        ];
        for name in refused {
            let message = resolve(Some(name)).unwrap_err().in_full();
            assert!(message.contains("--tenant"), "{name}: {message}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_one_plain_part_of_a_path(name in "\\PC{0,70}|[a-z0-9._/\\\\-]{0,70}") {
            if let Ok(Some(accepted)) = resolve(Some(&name)) {
                let parent = Path::new("home").join(FOLDER);
                let made = folder(Path::new("home"), Some(&accepted));
                prop_assert_eq!(made.parent(), Some(&*parent));
                prop_assert_eq!(made.file_name().and_then(|last| last.to_str()), Some(&*name));
            }
        }
    }
}
