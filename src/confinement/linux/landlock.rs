//! Landlock: the same files once more, by another part of the system, and what namespaces say nothing of. It takes what the
//! kernel has of it.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};

use crate::confinement::{
    Network,
    plan::{Place, Walls},
};

/// The newest that is known here; older kernels hold what they can.
const NEWEST: ABI = ABI::V10;
/// Devices that are none, and where programs share memory and have terminals.
const DEVICES: [&str; 7] =
    ["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero", "/dev/ptmx", "/dev/pts"];

/// Restricts this process and whatever it starts; says how far that went.
pub fn restrict(walls: &Walls, temporary: &Path) -> Result<RulesetStatus, RulesetError> {
    let all = AccessFs::from_all(NEWEST);
    let reading = AccessFs::from_read(NEWEST);
    let writing = all & !(AccessFs::MakeChar | AccessFs::MakeBlock);
    let mut ruleset = Ruleset::default().handle_access(all)?.scope(Scope::from_all(NEWEST))?;
    if walls.bounds.network == Network::None {
        ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST))?;
    }
    let mut rules: Vec<(PathBuf, BitFlags<AccessFs>)> = vec![
        (PathBuf::from("/"), AccessFs::ReadDir.into()),
        (PathBuf::from("/proc"), reading),
        (PathBuf::from("/dev/shm"), writing),
        (temporary.to_owned(), writing),
    ];
    rules.extend(DEVICES.map(|device| (PathBuf::from(device), reading | AccessFs::WriteFile | AccessFs::IoctlDev)));
    rules.extend(walls.places.iter().filter_map(|(path, place)| match place {
        Place::Read => Some((path.clone(), reading)),
        Place::Write => Some((path.clone(), writing)),
        Place::Hidden | Place::Empty | Place::Link(_) => None,
    }));
    let mut ruleset = ruleset.create()?;
    for (path, access) in rules {
        // What is not there can't be reached either.
        let Ok(place) = PathFd::new(&path) else { continue };
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(NEWEST) };
        ruleset = ruleset.add_rule(PathBeneath::new(place, access))?;
    }
    Ok(ruleset.restrict_self()?.ruleset)
}
