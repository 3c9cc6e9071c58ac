//! Landlock: the same files once more, by another part of the system, and what namespaces say nothing of. It takes what the
//! kernel has of it.

use std::{
    io,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};

use super::shares::{self, Share, Uses};
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
    let Uses { reading, writing } = uses();
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
    let mut ruleset = ruleset(walls)?.create()?;
    for (path, access) in rules {
        // What is not there can't be reached either.
        let Ok(place) = PathFd::new(&path) else { continue };
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(NEWEST) };
        ruleset = ruleset.add_rule(PathBeneath::new(place, access))?;
    }
    Ok(ruleset.restrict_self()?.ruleset)
}

/// The same where nothing else holds files: what is not to be reached is in no rule. Fails where the kernel has no Landlock.
pub fn restrict_alone(walls: &Walls, temporary: &Path) -> io::Result<()> {
    let mut ruleset = ruleset(walls).and_then(Ruleset::create).map_err(io::Error::other)?;
    for Share { place, is_folder, access } in shares::all(walls, temporary, uses()) {
        let access = if is_folder { access } else { access & AccessFs::from_file(NEWEST) };
        ruleset = ruleset.add_rule(PathBeneath::new(place, access)).map_err(io::Error::other)?;
    }
    match ruleset.restrict_self().map_err(io::Error::other)?.ruleset {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => {
            Err(io::Error::other("this kernel has none, and there are no namespaces here either"))
        }
    }
}

fn uses() -> Uses {
    let all = AccessFs::from_all(NEWEST);
    Uses { reading: AccessFs::from_read(NEWEST), writing: all & !(AccessFs::MakeChar | AccessFs::MakeBlock) }
}

/// What is restricted at all.
fn ruleset(walls: &Walls) -> Result<Ruleset, RulesetError> {
    let ruleset = Ruleset::default().handle_access(AccessFs::from_all(NEWEST))?.scope(Scope::from_all(NEWEST))?;
    if walls.bounds.network == Network::None {
        return ruleset.handle_access(AccessNet::from_all(NEWEST));
    }
    Ok(ruleset)
}
