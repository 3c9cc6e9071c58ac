//! Who uses this process. An agent can't say so: it would only have to name itself somebody else.

use super::error::ConfigError;

const MAX_CHARS: usize = 100;
/// Who it is where not even the system knows.
const NOBODY: &str = "local";

/// The user that is given, else `$REPERTOIRE_USER`, else the operating system's user.
pub fn resolve(given: Option<&str>) -> Result<String, ConfigError> {
    let from_environment = std::env::var_os("REPERTOIRE_USER").filter(|value| !value.is_empty());
    match (given, from_environment) {
        (Some(given), _) => check(given),
        (None, Some(value)) => check(&value.to_string_lossy()),
        (None, None) => Ok(system_user().unwrap_or_else(|| NOBODY.to_owned())),
    }
}

fn check(name: &str) -> Result<String, ConfigError> {
    let name = name.trim();
    let is_valid = !name.is_empty() && name.chars().count() <= MAX_CHARS && !name.chars().any(char::is_control);
    if is_valid { Ok(name.to_owned()) } else { Err(ConfigError::User(name.chars().take(MAX_CHARS).collect())) }
}

/// The same answer however the process was started: many clients start servers without most of the environment.
fn system_user() -> Option<String> {
    let id = user_id();
    id.and_then(name_in_passwd).or_else(name_in_environment).or_else(|| Some(format!("user-{}", id?)))
}

fn name_in_environment() -> Option<String> {
    let mut names = ["USER", "LOGNAME", "USERNAME"].into_iter().filter_map(std::env::var_os);
    names.find_map(|name| check(&name.to_string_lossy()).ok())
}

/// The owner of this process, where the system shows processes as files.
#[cfg(unix)]
fn user_id() -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    Some(std::fs::metadata("/proc/self").ok()?.uid())
}

#[cfg(not(unix))]
const fn user_id() -> Option<u32> {
    None
}

fn name_in_passwd(id: u32) -> Option<String> {
    find_in_passwd(&std::fs::read_to_string("/etc/passwd").ok()?, id)
}

fn find_in_passwd(text: &str, id: u32) -> Option<String> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, found) = (fields.next()?, fields.nth(1)?);
        (found.parse() == Ok(id)).then(|| check(name).ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_the_process_is_found_by_number() {
        let text = "root:x:0:0:root:/root:/bin/sh\n# a remark\nada:x:1000:1000:Ada:/home/ada:/bin/sh\n";
        assert_eq!(find_in_passwd(text, 1000).as_deref(), Some("ada"));
        assert_eq!(find_in_passwd(text, 1001), None);
    }

    #[test]
    fn a_name_must_be_a_name() {
        assert_eq!(resolve(Some(" ada ")).unwrap(), "ada");
        for name in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert!(resolve(Some(name)).is_err(), "{name}");
        }
    }
}
