//! Files that other programs execute, or take commands from, without being asked to: a shell its start files, git its
//! hooks, an editor its tasks, an agent its servers.
//!
//! A grant to write in a folder is no grant to write these, or whoever may write there could run anything, later and
//! outside of every wall. Only a grant that names such a place itself opens it, so paths are judged from the granted
//! folder on. Nothing here looks at a disk: who asks follows symbolic links first.

use std::{
    path::{Component, Path},
    sync::LazyLock,
};

use unicode_normalization::UnicodeNormalization as _;

/// The list, as people read it.
const LIST: &str = include_str!("startup_files.txt");

/// The places that are closed with everything below them, wherever their first part stands: names, in parts where they
/// have several, in lower case.
pub static PLACES: LazyLock<Vec<Vec<&'static str>>> = LazyLock::new(|| {
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).map(|place| place.split('/').collect()).collect()
});

/// What a git directory has that git executes, or that leads it elsewhere: in `.git` itself, in `.git/modules/<path>` and
/// in `.git/worktrees/<name>`. A program that makes commits writes none of it.
pub const GIT_ENTRIES: &[&str] = &[
    "config",
    "config.lock",
    "config.worktree",
    "hooks",
    "commondir",
    "gitdir",
    "rebase-merge",
    "rebase-apply",
    "remotes",
    "branches",
];

/// The name of a repository's git directory.
const GIT: &str = ".git";
/// What holds git directories inside of one.
const GIT_NESTS: [&str; 2] = ["modules", "worktrees"];
/// What a git directory has whose names are anybody's: a branch may be called `hooks`.
const GIT_FREE: [&str; 3] = ["refs", "logs", "objects"];

/// What a folder has that git takes for one of its directories.
const GIT_MARKS: [&str; 2] = ["head", "commondir"];

/// Characters of a name in a short form, without the number: `GIT~1`.
const SHORT_NAME: usize = 6;
/// Characters of a name's end in a short form.
const SHORT_END: usize = 3;

/// How much of a git directory is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitDirectory {
    /// All of it.
    Closed,
    /// What [`GIT_ENTRIES`] names. `.git` itself stays closed where it is a file, or is to be made, moved or removed.
    OpenForCommits,
}

/// The part of `below`, a path from a granted folder on, that other programs execute or take commands from; `None` where
/// there is none.
///
/// Names count as file systems see them somewhere: without their case, with dots and spaces at their end, with characters
/// that are not seen, with the name of a stream, and in the short form of Windows.
#[must_use]
pub fn startup_file(below: &Path, git: GitDirectory) -> Option<String> {
    let parts = parts(below);
    (0..parts.len()).find_map(|index| {
        let here = &parts[index..];
        if is_git_directory(&here[0])
            && let Some(entry) = closed_in_git(&here[1..], git)
        {
            return Some(entry);
        }
        let place = PLACES.iter().find(|place| place.len() <= here.len() && begins_alike(here, place));
        place.map(|place| place.join("/"))
    })
}

/// Whether a file at `below` would be what git tells its directories by: with such a one beside others, any folder becomes
/// one, and its `config` is obeyed by who calls git there.
#[must_use]
pub fn makes_git_directory(below: &Path) -> bool {
    parts(below).last().is_some_and(|name| GIT_MARKS.iter().any(|mark| is_name(name, mark)))
}

/// Whether `below` is the beginning of one of [`PLACES`]: a folder that is renamed to it brings along what is closed.
#[must_use]
pub fn leads_to_startup_files(below: &Path) -> bool {
    let parts = parts(below);
    (0..parts.len()).any(|index| {
        let here = &parts[index..];
        PLACES.iter().any(|place| here.len() < place.len() && begins_alike(here, place))
    })
}

/// Whether the parts that both have are the same.
fn begins_alike(parts: &[String], place: &[&str]) -> bool {
    place.iter().zip(parts).all(|(name, part)| is_name(part, name))
}

/// Whether a folder of this name is a git directory: that of a repository with files, or by custom one without.
fn is_git_directory(part: &str) -> bool {
    part.ends_with(GIT) || is_name(part, GIT)
}

/// What is closed of a path inside of a git directory.
fn closed_in_git(inside: &[String], git: GitDirectory) -> Option<String> {
    let (GitDirectory::OpenForCommits, Some((first, rest))) = (git, inside.split_first()) else {
        return Some(GIT.to_owned());
    };
    let is_nest = GIT_NESTS.iter().any(|name| is_name(first, name));
    // The name of a submodule may have several parts, so that its git directory begins somewhere below.
    let searched = if is_nest { rest.get(1..).unwrap_or_default() } else { &inside[..1] };
    let mut owned = searched.iter().take_while(|part| !GIT_FREE.iter().any(|name| is_name(part, name)));
    let entry = owned.find_map(|part| GIT_ENTRIES.iter().find(|entry| is_name(part, entry)));
    entry.map(|entry| format!("{GIT}/{entry}"))
}

/// The parts of a path, each as [`plain`] has it, without those that lead nowhere.
fn parts(path: &Path) -> Vec<String> {
    let named = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy()),
        _ => None,
    });
    // What is one name here is several for Windows.
    named.flat_map(|name| name.split('\\').map(plain).collect::<Vec<_>>()).filter(|part| !part.is_empty()).collect()
}

/// A name without what some file system does not see in it.
fn plain(name: &str) -> String {
    let seen: String = name.chars().filter(|letter| !is_ignored(*letter)).collect();
    let folded = if seen.is_ascii() {
        seen.to_ascii_lowercase()
    } else {
        seen.nfkd().flat_map(char::to_lowercase).nfkc().filter(|letter| !is_ignored(*letter)).collect()
    };
    // NTFS: `name:stream`, and dots and spaces at the end of a name.
    let whole = folded.split(':').next().unwrap_or_default();
    whole.trim_end_matches(['.', ' ']).to_owned()
}

/// Characters that HFS+ and case-insensitive file systems leave out when they compare names.
const fn is_ignored(letter: char) -> bool {
    matches!(letter,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a plain name is this one, or may be its short form.
fn is_name(part: &str, name: &str) -> bool {
    part == name || is_short_form(part, name)
}

/// Whether `part` may be what Windows calls a file that is named `name`: `GIT~1` for `.git`, `BASH_P~1` for
/// `.bash_profile`, and with four digits of a hash in the place of the name where many are alike.
fn is_short_form(part: &str, name: &str) -> bool {
    let (stem, end) = part.rsplit_once('.').unwrap_or((part, ""));
    let Some((begin, number)) = stem.split_once('~') else { return false };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let bare = name.trim_start_matches('.');
    let (bare_stem, bare_end) = bare.rsplit_once('.').unwrap_or((bare, ""));
    let is_kept = |letter: &char| !matches!(letter, '.' | ' ');
    let kept: String = bare_stem.chars().filter(is_kept).collect();
    let short: String = kept.chars().take(SHORT_NAME).collect();
    let short_end: String = bare_end.chars().take(SHORT_END).collect();
    let is_hashed = begin.len() == SHORT_NAME
        && begin.get(..2).is_some_and(|two| kept.starts_with(two))
        && begin.get(2..).is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    end == short_end
        && (is_hashed || begin == short || (begin.len() < short.len() && short.starts_with(begin) && number.len() > 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(path: &str) -> Option<String> {
        startup_file(Path::new(path), GitDirectory::Closed)
    }

    fn closed_for_git(path: &str) -> Option<String> {
        startup_file(Path::new(path), GitDirectory::OpenForCommits)
    }

    #[test]
    fn what_other_programs_execute_is_closed_wherever_it_stands() {
        for (path, part) in [
            (".git", ".git"),
            (".git/config", ".git"),
            ("a/b/.git/hooks/pre-commit", ".git"),
            (".envrc", ".envrc"),
            ("deep/.vscode/tasks.json", ".vscode"),
            (".github/workflows/ci.yml", ".github/workflows"),
            ("x/.github/workflows", ".github/workflows"),
            ("Library/LaunchAgents/a.plist", "library/launchagents"),
            (".config/systemd/user/a.service", ".config"),
            ("./a/../.npmrc", ".npmrc"),
            ("mirror.git/config", ".git"),
        ] {
            assert_eq!(closed(path).as_deref(), Some(part), "{path}");
        }
    }

    #[test]
    fn a_name_is_recognised_in_every_form_that_some_file_system_takes_for_it() {
        for path in [
            ".GIT/config",
            ".Git",
            ".git.",
            ".git ",
            ".git . .",
            ".git::$INDEX_ALLOCATION/config",
            ".git:stream",
            "git~1/config",
            "GIT~2",
            "GI7EBA~1",
            ".g\u{200c}it/config",
            "\u{feff}.git",
            "a\\.git\\config",
            ".ｇｉｔ",
            ".bash\u{200d}rc",
            ".BASHRC",
            "BASH_P~1",
            "MCP~1.JSO",
            "SITECU~1.PY",
            ".hu\u{17f}\u{212a}y",
            ".ENVRC...",
        ] {
            assert!(closed(path).is_some(), "{path:?}");
        }
    }

    #[test]
    fn what_only_looks_like_it_stays_open() {
        for path in [
            "",
            ".",
            "notes.txt",
            "git",
            ".gitignore",
            ".gitattributes",
            "git/config",
            "config",
            "hooks/pre-commit",
            ".github",
            ".github/ISSUE_TEMPLATE.md",
            "workflows/ci.yml",
            "Library/books.txt",
            "documents/letter.txt",
            "envrc",
            ".envrc.example",
            ".env",
            "report~1.txt",
            "a~b",
            "package.json",
            "Makefile",
            ".venv/bin/python",
            "bashrc",
            "digit",
            "HEAD",
        ] {
            assert_eq!(closed(path), None, "{path}");
            assert_eq!(closed_for_git(path), None, "{path}");
        }
    }

    #[test]
    fn a_program_that_makes_commits_gets_what_that_takes() {
        for path in [
            ".git/index",
            ".git/index.lock",
            ".git/HEAD",
            ".git/COMMIT_EDITMSG",
            ".git/objects/ab/cdef",
            ".git/refs/heads/hooks",
            ".git/refs/heads/config",
            ".git/logs/refs/heads/hooks",
            ".git/logs/HEAD",
            ".git/modules/lib/index",
            ".git/modules/lib/refs/heads/config",
            ".git/worktrees/w/HEAD",
            ".git/info/exclude",
        ] {
            assert_eq!(closed_for_git(path), None, "{path}");
            assert!(closed(path).is_some(), "{path}");
        }
        for (path, entry) in [
            (".git", ".git"),
            ("sub/.git", ".git"),
            (".git/config", ".git/config"),
            (".git/CONFIG", ".git/config"),
            (".git/hooks", ".git/hooks"),
            (".git/hooks/pre-commit", ".git/hooks"),
            (".git/config.worktree", ".git/config.worktree"),
            (".git/commondir", ".git/commondir"),
            (".git/rebase-merge/git-rebase-todo", ".git/rebase-merge"),
            (".git/modules/lib/config", ".git/config"),
            (".git/modules/a/b/hooks/post-checkout", ".git/hooks"),
            (".git/modules/a/modules/b/config", ".git/config"),
            (".git/worktrees/w/config.worktree", ".git/config.worktree"),
            ("mirror.git/hooks", ".git/hooks"),
            (".git/refs/.git/config", ".git/config"),
        ] {
            assert_eq!(closed_for_git(path).as_deref(), Some(entry), "{path}");
        }
    }

    #[test]
    fn a_folder_that_would_bring_them_along_is_known() {
        for path in [".github", "a/.GitHub", "Library", ".gradle"] {
            assert!(leads_to_startup_files(Path::new(path)), "{path}");
        }
        for path in ["", "a", ".github/workflows", ".github/x", ".git", "a/library.txt"] {
            assert!(!leads_to_startup_files(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn what_makes_a_folder_a_git_directory_is_known() {
        for (path, is_mark) in
            [("a/HEAD", true), ("head", true), ("commondir.", true), ("HEAD/a", false), ("header", false)]
        {
            assert_eq!(makes_git_directory(Path::new(path)), is_mark, "{path}");
        }
    }

    #[test]
    fn the_lists_are_in_the_form_in_which_names_are_compared() {
        for name in PLACES.iter().flatten().chain(GIT_ENTRIES).chain(&GIT_MARKS) {
            assert_eq!(&plain(name), name);
        }
        for (index, place) in PLACES.iter().enumerate() {
            assert!(!PLACES[index + 1..].contains(place), "{place:?} twice");
        }
    }
}
