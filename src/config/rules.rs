//! `ask` and `deny` of the `[policy]` section: on which calls a person decides, and which are never made.

use std::{fs, path::Path};

use super::paths::expand_tilde;
use crate::domain::{Rule, Rules, rule::Subject};

/// Reads the entries, and makes the paths in them absolute and real.
pub(super) fn read(ask: &[String], deny: &[String]) -> Result<Rules, String> {
    let read = |entries: &[String], key: &str| -> Result<Vec<Rule>, String> {
        entries.iter().map(|entry| rule(entry).map_err(|why| format!("`policy.{key}` has `{entry}`: {why}"))).collect()
    };
    Ok(Rules { ask: read(ask, "ask")?, deny: read(deny, "deny")? })
}

fn rule(entry: &str) -> Result<Rule, String> {
    let mut rule = Rule::parse(entry)?;
    if let Subject::Write(path) = &mut rule.subject {
        *path = real(&expand_tilde(&path.to_string_lossy()))?;
    }
    Ok(rule)
}

/// A folder or file that is not there could come to be anything: the rule would hold for something else than was meant.
fn real(path: &Path) -> Result<std::path::PathBuf, String> {
    if !path.is_absolute() {
        return Err("its folder must be absolute, or begin with `~/`".to_owned());
    }
    fs::canonicalize(path).map_err(|error| {
        format!("`{}` can't be found ({error}); make it first, or name the folder that it would be in", path.display())
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crate::config::Config;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(PathBuf::from("/nonexistent/home"), None, text).map_err(|error| error.to_string())
    }

    #[test]
    fn rules_are_read_and_their_folders_are_made_real() {
        let folder = tempfile::tempdir().unwrap();
        let real = std::fs::canonicalize(folder.path()).unwrap();
        let text = format!(
            "[policy]\nask = ['git push', 'http:api.example.org', 'tool:github/create_issue']\ndeny = ['write:{}/.']",
            folder.path().display()
        );
        let rules = parse(&text).unwrap().rules;
        assert_eq!(rules.ask.len(), 3);
        assert_eq!(crate::domain::rule::written(&rules.deny).map(|(path, _)| path).collect::<Vec<_>>(), [real]);
        assert!(parse("").unwrap().rules.is_empty());
    }

    #[test]
    fn what_can_not_be_understood_is_named_with_its_key_and_what_to_write() {
        for (text, parts) in [
            ("ask = ['git push', 'https://x/']", ["`policy.ask` has `https://x/`", "`http:HOST`"]),
            ("deny = ['write:notes']", ["`policy.deny` has `write:notes`", "must be absolute"]),
            ("deny = ['write:/no/such/folder']", ["`policy.deny` has `write:/no/such/folder`", "make it first"]),
            ("deny = ['tool:']", ["`policy.deny` has `tool:`", "`tool:github` for all"]),
        ] {
            let message = parse(&format!("[policy]\n{text}")).unwrap_err();
            for part in parts {
                assert!(message.contains(part), "{message}");
            }
        }
    }
}
