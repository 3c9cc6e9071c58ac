//! What the root of a program's file system is made of: worked out before any wall stands.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Bounds, Network, closed, readable};

/// Where a program's temporary files are.
const TEMPORARY: &str = "/tmp";
/// The same, where `/tmp` itself is granted.
const OTHER_TEMPORARY: &str = "/run/tmp";

/// Everything that is needed to build the walls.
#[derive(Debug, Serialize, Deserialize)]
pub struct Walls {
    /// What they are for.
    pub bounds: Bounds,
    /// What the root has, outer folders first.
    pub places: Vec<(PathBuf, Place)>,
    /// What stays as it is in writable folders.
    pub pins: Vec<closed::Pin>,
    /// The private folder for temporary files, as the program sees it.
    pub temporary: PathBuf,
    /// Where the program runs.
    pub directory: PathBuf,
}

/// What is at a place of the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// What is there outside, to be read.
    Read,
    /// What is there outside, to be read and written.
    Write,
    /// Nothing, although there is something outside.
    Hidden,
    /// A folder with nothing in it but what else is shown.
    Empty,
    /// A link to another place.
    Link(PathBuf),
}

/// Works out the walls for `program`, which would run in `directory` if that is to be seen; `pins` are of the writable folders.
pub fn plan(bounds: Bounds, pins: Vec<closed::Pin>, program: &Path, directory: &Path) -> Walls {
    let hidden: Vec<PathBuf> = bounds.hidden.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    let mut places = BTreeMap::new();
    for path in readable::system() {
        place_system(&mut places, path);
    }
    for path in readable::own(program, directory, &hidden) {
        places.entry(path).or_insert(Place::Read);
    }
    if bounds.network == Network::Open {
        places.extend(readable::for_names().into_iter().map(|path| (path, Place::Read)));
    }
    let (read, write) = (still_real(&bounds.read), still_real(&bounds.write));
    let granted: Vec<&PathBuf> = read.iter().chain(&write).collect();
    for path in &read {
        places.insert(path.clone(), Place::Read);
    }
    for path in &write {
        places.insert(path.clone(), Place::Write);
    }
    for secret in readable::secrets() {
        if !granted.iter().any(|grant| **grant == secret) && is_below_any(&secret, &places) {
            places.insert(secret, Place::Hidden);
        }
    }
    places.retain(|path, _| !hidden.iter().any(|hidden| path.starts_with(hidden)));
    for path in hidden {
        if is_below_any(&path, &places) {
            places.insert(path, Place::Hidden);
        }
    }
    let is_taken = granted.iter().any(|grant| Path::new(TEMPORARY).starts_with(grant));
    let temporary = PathBuf::from(if is_taken { OTHER_TEMPORARY } else { TEMPORARY });
    let directory = fs::canonicalize(directory)
        .ok()
        .filter(|directory| shows(&places, directory))
        .unwrap_or_else(|| temporary.clone());
    if let Some(home) = readable::home().filter(|home| !shows(&places, home)) {
        places.entry(home).or_insert(Place::Empty);
    }
    // A path is greater than what it lies in.
    Walls { bounds, places: places.into_iter().collect(), pins, temporary, directory }
}

/// The paths without those that are links by now: a program that may write around a granted folder could make it one, and so
/// be granted what the link leads to.
pub fn still_real(paths: &[PathBuf]) -> Vec<PathBuf> {
    paths.iter().filter(|path| fs::canonicalize(path).is_ok_and(|real| real == **path)).cloned().collect()
}

/// A folder of the system, or what leads there: `/bin` is a link on most.
fn place_system(places: &mut BTreeMap<PathBuf, Place>, path: PathBuf) {
    match fs::read_link(&path) {
        Ok(target) => {
            places.insert(path, Place::Link(target));
        }
        Err(_) if path.exists() => {
            places.insert(path, Place::Read);
        }
        Err(_) => {}
    }
}

/// Whether something that is shown has `path` in it.
fn is_below_any(path: &Path, places: &BTreeMap<PathBuf, Place>) -> bool {
    path.ancestors().skip(1).any(|outer| matches!(places.get(outer), Some(Place::Read | Place::Write)))
}

/// Whether `path` is to be seen.
fn shows(places: &BTreeMap<PathBuf, Place>, path: &Path) -> bool {
    let nearest = path.ancestors().find_map(|outer| places.get(outer));
    matches!(nearest, Some(Place::Read | Place::Write))
}
