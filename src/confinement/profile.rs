//! Walls on macOS: a profile for `sandbox-exec`, in the language of the system's own sandboxes. Its text is tested; that the
//! system holds it has been tried by nobody yet.

use std::path::Path;

use super::{
    Network,
    plan::{Place, Walls},
};
use crate::domain::startup_files::{GIT_ENTRIES, PLACES};

/// What programs need in order to run at all: to start others, to ask about the machine, and to look up users.
const BASE: &str = "(version 1)
(deny default)
(allow process-exec process-fork)
(allow process-info* signal (target same-sandbox))
(allow sysctl-read)
(allow file-read-metadata)
(allow mach-lookup (global-name \"com.apple.system.opendirectoryd.libinfo\") (global-name \"com.apple.system.notification_center\"))
(allow ipc-posix-shm* ipc-posix-sem)
(allow pseudo-tty)
(allow file-read* file-write-data file-ioctl (literal \"/dev/null\") (literal \"/dev/zero\") (literal \"/dev/random\") \
(literal \"/dev/urandom\"))
(allow file-read* (literal \"/\"))
";

/// The profile for these walls; later rules win over earlier ones.
pub fn profile(walls: &Walls, temporary: &Path) -> String {
    let mut text = BASE.to_owned();
    let mut rule = |effect: &str, filter: &str, path: &Path| {
        text.push_str(&format!("({effect} ({filter} {}))\n", quoted(path)));
    };
    for (path, place) in &walls.places {
        match place {
            Place::Read => rule("allow file-read*", "subpath", path),
            Place::Write => rule("allow file-read* file-write*", "subpath", path),
            Place::Hidden => rule("deny file-read* file-write*", "subpath", path),
            Place::Empty | Place::Link(_) => {}
        }
    }
    rule("allow file-read* file-write*", "subpath", temporary);
    if !walls.bounds.startup_files {
        for pin in &walls.pins {
            if pin.writable {
                rule("deny file-write-unlink", "literal", &pin.path);
            } else {
                rule("deny file-write*", "subpath", &pin.path);
            }
        }
        closed_names().for_each(|name| text.push_str(&format!("(deny file-write* (regex #\"{name}\"))\n")));
    }
    if walls.bounds.network == Network::Open {
        text.push_str("(allow network* system-socket)\n");
    }
    text
}

/// What other programs execute, also where it is not there yet. File systems there take a name in any case.
fn closed_names() -> impl Iterator<Item = String> {
    let places = PLACES.iter().map(|place| {
        let parts: Vec<String> = place.iter().map(|part| any_case(part)).collect();
        format!("/{}(/|$)", parts.join("/"))
    });
    let git = any_case(".git");
    let entries: Vec<String> = GIT_ENTRIES.iter().map(|entry| any_case(entry)).collect();
    places.chain([format!("{git}$"), format!("{git}/(.*/)?({})(/|$)", entries.join("|"))])
}

fn any_case(name: &str) -> String {
    name.chars()
        .map(|letter| match letter {
            letter if letter.is_ascii_alphabetic() => format!("[{letter}{}]", letter.to_ascii_uppercase()),
            letter if letter.is_ascii_alphanumeric() || letter == '-' || letter == '_' => letter.to_string(),
            letter => format!("\\{letter}"),
        })
        .collect()
}

/// A path as a text of the profile.
fn quoted(path: &Path) -> String {
    let plain = path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{plain}\"")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::confinement::{Bounds, closed::Pin};

    fn walls(bounds: Bounds) -> Walls {
        let places = [("/a \"b\"", Place::Read), ("/w", Place::Write), ("/w/home", Place::Hidden)];
        Walls {
            bounds,
            places: places.map(|(path, place)| (PathBuf::from(path), place)).into(),
            pins: vec![
                Pin { path: PathBuf::from("/w/.git"), writable: true },
                Pin { path: PathBuf::from("/w/.git/config"), writable: false },
            ],
            temporary: PathBuf::from("/tmp"),
            directory: PathBuf::from("/w"),
        }
    }

    #[test]
    fn a_profile_denies_everything_but_what_it_names() {
        let text = profile(&walls(Bounds::default()), Path::new("/private/tmp/x"));
        assert!(text.starts_with("(version 1)\n(deny default)\n"), "{text}");
        let rest = text.strip_prefix(BASE).unwrap();
        let lines: Vec<&str> = rest.lines().take(6).collect();
        assert_eq!(
            lines,
            [
                "(allow file-read* (subpath \"/a \\\"b\\\"\"))",
                "(allow file-read* file-write* (subpath \"/w\"))",
                "(deny file-read* file-write* (subpath \"/w/home\"))",
                "(allow file-read* file-write* (subpath \"/private/tmp/x\"))",
                "(deny file-write-unlink (literal \"/w/.git\"))",
                "(deny file-write* (subpath \"/w/.git/config\"))",
            ]
        );
        assert!(text.contains("(deny file-write* (regex #\"/\\.[eE][nN][vV][rR][cC](/|$)\"))"), "{text}");
        assert!(text.contains("(deny file-write* (regex #\"\\.[gG][iI][tT]$\"))"), "{text}");
        assert!(!text.contains("network"), "{text}");
    }

    #[test]
    fn a_profile_lets_through_what_the_bounds_say() {
        let bounds = Bounds { startup_files: true, network: Network::Open, ..Bounds::default() };
        let text = profile(&walls(bounds), Path::new("/t"));
        assert!(text.ends_with("(allow network* system-socket)\n") && !text.contains("regex"), "{text}");
    }
}
