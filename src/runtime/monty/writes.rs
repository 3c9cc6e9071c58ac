//! Changes of files on which the rules of the user have a say: refused, or put before a person first.
//!
//! What is compared is where a path really leads, and folders by what they are rather than by how they are called: another
//! name, a link or another case leads to the same.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use monty_types::CallArgs;
use serde_json::{Map, Value};

use super::values;
use crate::{
    domain::{Rule, Rules, rule},
    runtime::Mount,
};

/// The most of what is written that is kept for whoever decides.
const SHOWN_CHARS: usize = 8000;

/// The calls by which code changes files, beside `open`.
const CHANGES: [&str; 8] = [
    "Path.write_text",
    "Path.append_text",
    "Path.write_bytes",
    "Path.append_bytes",
    "Path.mkdir",
    "Path.unlink",
    "Path.rmdir",
    "Path.rename",
];

/// What the rules say of a call.
#[derive(Debug, PartialEq)]
pub enum Judged {
    /// Nothing.
    Free,
    /// It is never made; why.
    Denied(String),
    /// A person decides; what the call is made with.
    Asked(Map<String, Value>),
}

/// What the rules say of a call of the operating system. Looks at the disk, if there are such rules at all.
pub async fn judge(rules: &Arc<Rules>, mounts: &[Mount], function: &str, args: &CallArgs) -> Judged {
    if rule::written(&rules.ask).chain(rule::written(&rules.deny)).next().is_none() || !is_change(function, args) {
        return Judged::Free;
    }
    let text = |index| args.arg(index).map(values::to_text);
    let paths: Vec<PathBuf> =
        [text(0), text(1).filter(|_| function == "Path.rename")].into_iter().flatten().map(PathBuf::from).collect();
    // What is refused anyway is nobody's decision.
    let is_writable = |path: &PathBuf| mounts.iter().any(|mount| mount.writable && path.starts_with(&mount.path));
    if !paths.iter().any(is_writable) {
        return Judged::Free;
    }
    let (rules, known) = (Arc::clone(rules), paths.clone());
    let judged = tokio::task::spawn_blocking(move || {
        let about = |list: &[Rule]| known.iter().find_map(|path| about(list, path)).map(|rule| rule.text.clone());
        (about(&rules.deny), about(&rules.ask))
    });
    match judged.await {
        Ok((Some(rule), _)) => Judged::Denied(format!(
            "this change is denied: the user has `{rule}` in `deny` under [policy] in config.toml"
        )),
        Ok((None, Some(asked))) => Judged::Asked(arguments(function, asked, args)),
        Ok((None, None)) => Judged::Free,
        // Nobody knows what it would have changed.
        Err(error) => Judged::Denied(format!("it can't be told what this would change: {error}")),
    }
}

/// Whether a call of the operating system changes files.
pub fn is_change(function: &str, args: &CallArgs) -> bool {
    if function == "open" {
        // By default for reading; what is not understood here may be for writing.
        return args.arg(1).is_none_or(|mode| values::to_text(mode).contains(['w', 'a', 'x', '+']));
    }
    CHANGES.contains(&function)
}

/// The first rule about a path.
fn about<'r>(rules: &'r [Rule], path: &Path) -> Option<&'r Rule> {
    // Where a link leads, and the link itself.
    let itself = path.parent().zip(path.file_name()).map(|(parent, name)| real(parent).join(name));
    let places: Vec<PathBuf> = [Some(real(path)), itself].into_iter().flatten().collect();
    let concerns = |place: &PathBuf, named: &Path| {
        // In it; or around it, where a folder is moved with all that it has.
        place.ancestors().any(|above| is_same(above, named)) || named.ancestors().any(|above| is_same(above, place))
    };
    rule::written(rules).find(|(named, _)| places.iter().any(|place| concerns(place, named))).map(|(_, rule)| rule)
}

/// Where a path leads: what of it is there is made real.
fn real(path: &Path) -> PathBuf {
    let found = path.ancestors().find_map(|above| Some((above, fs::canonicalize(above).ok()?)));
    match found {
        Some((above, real)) => path.strip_prefix(above).map_or_else(|_| real.clone(), |rest| real.join(rest)),
        None => path.to_owned(),
    }
}

#[cfg(unix)]
fn is_same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    one == other || identity(one).is_some_and(|known| identity(other) == Some(known))
}

#[cfg(not(unix))]
fn is_same(one: &Path, other: &Path) -> bool {
    let folded = |path: &Path| path.to_string_lossy().to_lowercase();
    folded(one) == folded(other)
}

/// What a person reads of the call.
fn arguments(function: &str, rule: String, args: &CallArgs) -> Map<String, Value> {
    let text = |index| args.arg(index).map(values::to_text);
    let mut shown = Map::new();
    shown.insert("operation".to_owned(), Value::from(function));
    shown.insert("rule".to_owned(), Value::from(rule));
    shown.insert("path".to_owned(), Value::from(text(0)));
    let second = match function {
        "open" => Some("mode"),
        "Path.rename" => Some("to"),
        _ => Some("content"),
    };
    if let Some((name, text)) = second.zip(text(1)) {
        let length = text.chars().count();
        let kept: String = text.chars().take(SHOWN_CHARS).collect();
        shown.insert(name.to_owned(), Value::from(kept));
        if length > SHOWN_CHARS {
            shown.insert("characters_in_all".to_owned(), Value::from(length));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(folder: &Path) -> Vec<Rule> {
        vec![Rule::parse(&format!("write:{}", folder.display())).unwrap()]
    }

    #[test]
    fn a_rule_is_about_what_is_in_a_folder_and_what_moves_it() {
        let home = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(home.path()).unwrap();
        let notes = home.join("notes");
        fs::create_dir_all(notes.join("deep")).unwrap();
        fs::create_dir(home.join("other")).unwrap();
        let rules = rules(&notes);
        for path in ["notes", "notes/a.md", "notes/deep/new/b.md", "other/../notes/a.md", ""] {
            assert!(about(&rules, &home.join(path)).is_some(), "{path}");
        }
        for path in ["other", "other/a.md", "notes.md", "notesx/a"] {
            assert!(about(&rules, &home.join(path)).is_none(), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_into_a_folder_and_are_part_of_theirs() {
        use std::os::unix::fs::symlink;
        let home = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(home.path()).unwrap();
        let (notes, other) = (home.join("notes"), home.join("other"));
        fs::create_dir(&notes).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(other.join("file"), "").unwrap();
        symlink(&notes, other.join("in")).unwrap();
        symlink(other.join("file"), notes.join("out")).unwrap();
        let rules = rules(&notes);
        for path in [other.join("in"), other.join("in/new"), notes.join("out")] {
            assert!(about(&rules, &path).is_some(), "{}", path.display());
        }
        assert!(about(&rules, &other.join("file")).is_none());
    }
}
