//! Writing grants into `config.toml`, and taking them out: with everything that its user wrote around them.

use std::{
    fs,
    io::{self, Write as _},
    ops::Range,
    path::Path,
};

use toml::{Spanned, de::DeTable};

use super::{Config, ConfigError, TEMPLATE};
use crate::domain::Permissions;

impl Config {
    /// Adds grants: for one procedure, or for all. A file that would not be valid with them is left as it is.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn add_grants(&self, procedure: Option<&str>, more: &Permissions) -> Result<(), ConfigError> {
        self.edit(|text| each(more).try_fold(text, |text, (key, entry)| with(text, procedure, key, entry)))
    }

    /// Takes grants out that were written as such, as texts; whether there was any.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn remove_grants(&self, procedure: Option<&str>, less: &Permissions) -> Result<bool, ConfigError> {
        let mut is_any = false;
        self.edit(|mut text| {
            for (key, entry) in each(less) {
                while let Some(without) = without(&text, procedure, key, entry)? {
                    (text, is_any) = (without, true);
                }
            }
            Ok(text)
        })?;
        Ok(is_any)
    }

    fn edit(&self, change: impl FnOnce(String) -> Result<String, String>) -> Result<(), ConfigError> {
        let path = self.file();
        let failed = |source: io::Error| ConfigError::Io { path: path.clone(), source };
        let before = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => TEMPLATE.to_owned(),
            Err(error) => return Err(failed(error)),
        };
        let after = change(before.clone()).map_err(|message| ConfigError::Invalid { path: path.clone(), message })?;
        if after == before {
            return Ok(());
        }
        Self::parse(self.home.clone(), self.tenant.clone(), &after)?;
        write(&path, &after).map_err(failed)
    }
}

/// The grants, each with the name of its list.
fn each(permissions: &Permissions) -> impl Iterator<Item = (&'static str, &str)> {
    let Permissions { commands, read, write, tools, network, model: _ } = permissions;
    let lists = [("commands", commands), ("read", read), ("write", write), ("tools", tools), ("network", network)];
    lists.into_iter().flat_map(|(key, entries)| entries.iter().map(move |entry| (key, entry.as_str())))
}

/// Where a list stands in the text.
struct List {
    /// With its brackets.
    span: Range<usize>,
    /// Its entries; the text of those that are one.
    entries: Vec<(Option<String>, Range<usize>)>,
}

impl List {
    fn find(text: &str, procedure: Option<&str>, key: &str) -> Result<Option<Self>, String> {
        let document = DeTable::parse(text).map_err(|error| error.to_string())?;
        let policy = document.get_ref().get("policy").map(Spanned::get_ref);
        let section = match procedure {
            None => policy,
            Some(name) => policy.and_then(|policy| policy.get("procedures")?.get_ref().get(name)).map(Spanned::get_ref),
        };
        let Some(list) = section.and_then(|section| section.get(key)) else { return Ok(None) };
        let array = list.get_ref().as_array().ok_or_else(|| format!("`{key}` is no list"))?;
        let entries = array.iter().map(|entry| (entry.get_ref().as_str().map(str::to_owned), entry.span())).collect();
        Ok(Some(Self { span: list.span(), entries }))
    }

    fn has(&self, wanted: &str) -> bool {
        self.entries.iter().any(|(entry, _)| entry.as_deref() == Some(wanted))
    }
}

/// The text with one more entry, in the way in which its list is written: on a line of its own where the others have lines.
fn with(text: String, procedure: Option<&str>, key: &str, entry: &str) -> Result<String, String> {
    let quoted = toml::Value::from(entry).to_string();
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let after = match List::find(&text, procedure, key)? {
        Some(list) if list.has(entry) => return Ok(text),
        Some(list) => in_list(&text, &list, &quoted, newline),
        None => in_section(&text, procedure, &format!("{key} = [{quoted}]{newline}"), newline),
    };
    // The places are found in lines as well, which may look like what they are not, in a text of several lines.
    match List::find(&after, procedure, key) {
        Ok(Some(list)) if list.has(entry) => Ok(after),
        _ => {
            Err(format!("`{key}` can't be changed in the way in which the file is written; add {quoted} to it by hand"))
        }
    }
}

fn in_list(text: &str, list: &List, quoted: &str, newline: &str) -> String {
    let closing = list.span.end - 1;
    let Some((_, last)) = list.entries.last() else {
        return format!("{}{quoted}{}", &text[..=list.span.start], &text[list.span.start + 1..]);
    };
    let (before, rest, end) = (&text[..last.end], &text[last.end..closing], &text[closing..]);
    // What stands before the bracket, on its line.
    let Some(line) = rest.rfind('\n').map(|at| at + 1) else {
        return format!("{before}, {quoted}{rest}{end}");
    };
    let start_of_last = text[..last.start].rfind('\n').map_or(0, |at| at + 1);
    let indent: String = text[start_of_last..].chars().take_while(|letter| matches!(letter, ' ' | '\t')).collect();
    let has_comma = rest.trim_start().starts_with(',');
    let (comma, last_comma) = if has_comma { ("", ",") } else { (",", "") };
    format!("{before}{comma}{}{indent}{quoted}{last_comma}{newline}{}{end}", &rest[..line], &rest[line..])
}

/// The text with one more line at the beginning of a section, which is made where it is not there.
fn in_section(text: &str, procedure: Option<&str>, line: &str, newline: &str) -> String {
    let header = procedure.map_or_else(|| "[policy]".to_owned(), |name| format!("[policy.procedures.{name}]"));
    let mut at = 0;
    for known in text.split_inclusive('\n') {
        at += known.len();
        let is_header = known.split('#').next().unwrap_or_default().trim() == header;
        if is_header {
            let (before, after) = text.split_at(at);
            let end = if before.ends_with('\n') { "" } else { newline };
            return format!("{before}{end}{line}{after}");
        }
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { newline };
    let gap = if text.is_empty() { "" } else { newline };
    format!("{text}{end}{gap}{header}{newline}{line}")
}

/// The text without one of the entries that say this; `None` where there is none.
fn without(text: &str, procedure: Option<&str>, key: &str, entry: &str) -> Result<Option<String>, String> {
    let Some(list) = List::find(text, procedure, key)? else { return Ok(None) };
    let Some(at) = list.entries.iter().position(|(known, _)| known.as_deref() == Some(entry)) else { return Ok(None) };
    let span = &list.entries[at].1;
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[span.end..].find('\n').map_or(text.len(), |at| span.end + at + 1);
    let is_alone = text[start..span.start].trim().is_empty() && matches!(text[span.end..end].trim(), "" | ",");
    let cut = match (list.entries.get(at + 1), at.checked_sub(1).and_then(|before| list.entries.get(before))) {
        _ if is_alone => start..end,
        (Some((_, next)), _) => span.start..next.start,
        (None, Some((_, before))) => before.end..span.end,
        (None, None) => list.span.start + 1..list.span.end - 1,
    };
    Ok(Some(format!("{}{}", &text[..cut.start], &text[cut.end..])))
}

/// Writes the file as a whole or not at all, where it really is.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = real.parent().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Ok(metadata) = fs::metadata(&real) {
        fs::set_permissions(file.path(), metadata.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&real).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Start;

    fn commands(entries: &[&str]) -> Permissions {
        Permissions { commands: entries.iter().map(|entry| (*entry).to_owned()).collect(), ..Permissions::default() }
    }

    fn load(home: &Path) -> Config {
        let start = Start { home: Some(home.to_owned()), user: Some("ada".to_owned()), tenant: None };
        Config::load(&start).unwrap()
    }

    fn after(text: &str, procedure: Option<&str>, entries: &[&str]) -> String {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("config.toml"), text).unwrap();
        load(home.path()).add_grants(procedure, &commands(entries)).unwrap();
        fs::read_to_string(home.path().join("config.toml")).unwrap()
    }

    #[test]
    fn what_is_around_a_grant_stays_as_it_is() {
        for (before, expected) in [
            (
                "# mine\n[policy] # all\nmodel = true\n",
                "# mine\n[policy] # all\ncommands = [\"git log\"]\nmodel = true\n",
            ),
            (
                "[policy]\ncommands = ['ls'] # few\nread = []\n",
                "[policy]\ncommands = ['ls', \"git log\"] # few\nread = []\n",
            ),
            (
                "[policy]\ncommands = [\n    'ls', # lists\n    'wc', # counts\n]\n\n[limits]\nseconds = 9\n",
                "[policy]\ncommands = [\n    'ls', # lists\n    'wc', # counts\n    \"git log\",\n]\n\n[limits]\nseconds = 9\n",
            ),
            ("[policy]\ncommands = [\n    'ls'\n]\n", "[policy]\ncommands = [\n    'ls',\n    \"git log\"\n]\n"),
            ("[policy]\ncommands = ['git log']\n", "[policy]\ncommands = ['git log']\n"),
            ("", "[policy]\ncommands = [\"git log\"]\n"),
        ] {
            assert_eq!(after(before, None, &["git log"]), expected);
        }
    }

    #[test]
    fn a_procedure_has_a_section_of_its_own_and_what_all_have() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config.toml");
        fs::write(&file, "[policy]\ncommands = ['ls']\n\n[limits]\nseconds = 9\n").unwrap();
        load(home.path()).add_grants(Some("changes"), &commands(&["git log"])).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("\n[policy.procedures.changes]\ncommands = [\"git log\"]\n"), "{text}");
        let config = load(home.path());
        assert_eq!(config.policy_for("changes").commands, ["ls", "git log"]);
        assert_eq!(config.policy_for("other").commands, ["ls"]);
        assert!(config.remove_grants(Some("changes"), &commands(&["git log"])).unwrap());
        assert!(!load(home.path()).remove_grants(Some("changes"), &commands(&["git log"])).unwrap());
        assert_eq!(load(home.path()).policy_for("changes").commands, ["ls"]);
    }

    #[test]
    fn a_file_that_is_not_there_begins_with_what_is_explained() {
        let home = tempfile::tempdir().unwrap();
        load(home.path()).add_grants(None, &commands(&["git log"])).unwrap();
        assert!(fs::read_to_string(home.path().join("config.toml")).unwrap().contains("You own this file"));
        assert_eq!(load(home.path()).policy.commands, ["git log"]);
    }

    #[test]
    fn what_would_not_be_valid_is_not_written() {
        let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let text = format!("[policy]\nwrite = ['{}']\n", inner.display());
        fs::write(home.path().join("config.toml"), &text).unwrap();
        let read = Permissions { read: vec![folder.path().display().to_string()], ..Permissions::default() };
        let refusal = load(home.path()).add_grants(None, &read).unwrap_err().to_string();
        assert!(refusal.contains("one lies in the other"), "{refusal}");
        assert_eq!(fs::read_to_string(home.path().join("config.toml")).unwrap(), text);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one_and_the_file_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt as _;
        let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (link, real) = (home.path().join("config.toml"), elsewhere.path().join("mine.toml"));
        fs::write(&real, "[policy]\n").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        load(home.path()).add_grants(None, &commands(&["git log"])).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&real).unwrap().contains("git log"));
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
