//! The launcher of a confined program: it plans the walls, starts the first process of the new namespaces, and stays outside.

use std::{
    env, fs, io,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus},
};

use nix::sched::{CloneFlags, unshare};

use super::{
    privileges,
    stage::{FIRST, TEMPORARY_VARIABLES, TOLD, USAGE},
};
use crate::{
    confinement::{
        Bounds, Layer, closed,
        confined::{self, BOUNDS, ENDED, Ended, INVENTORY, WALLS},
        plan::{self, Walls},
    },
    launch::{self, Ending},
};

pub fn run() -> ExitCode {
    let mut arguments = env::args_os().skip(2);
    let (Some(owner), Some(folder), Some(program)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return ExitCode::from(USAGE);
    };
    let folder = PathBuf::from(folder);
    let walls = match plan(&folder, Path::new(&program)) {
        Ok(walls) => walls,
        Err(error) => return tell(&folder, &Ended::NoWall(error.to_string())),
    };
    if !walls.bounds.without.contains(&Layer::User)
        && let Err(error) = privileges::new_user_namespace()
    {
        return tell(&folder, &Ended::NoWall(format!("a user namespace is refused: {error}")));
    }
    let (itself, within) = (std::process::id().to_string(), folder.clone());
    let start = move || {
        // Not earlier: no thread can be started after this.
        if !walls.bounds.without.contains(&Layer::Processes) {
            unshare(CloneFlags::CLONE_NEWPID)?;
        }
        let mut first = Command::new(launch::this_binary()?);
        first.arg(FIRST).arg(itself).arg(&within).arg(program).args(arguments);
        for name in TEMPORARY_VARIABLES {
            first.env(name, temporary(&walls, &within));
        }
        first.spawn()
    };
    let left = folder.clone();
    let owner_gone = move || {
        let _ = confined::set_aside(&left);
        let _ = fs::remove_dir_all(&left);
    };
    let settle = |status: ExitStatus| match confined::ended(&folder) {
        Some(Ended::Signal(signal)) => ExitStatus::from_raw(signal),
        _ => status,
    };
    launch::oversee(&owner, start, Ending { settle, owner_gone })
}

/// The folder for temporary files as the program sees it.
fn temporary(walls: &Walls, folder: &Path) -> PathBuf {
    if walls.bounds.without.contains(&Layer::Files) {
        folder.join(confined::TEMPORARY)
    } else {
        walls.temporary.clone()
    }
}

/// Plans, and writes down what the other stages need of that.
fn plan(folder: &Path, program: &Path) -> io::Result<Walls> {
    let bounds: Bounds = serde_json::from_slice(&fs::read(folder.join(BOUNDS))?)?;
    if !bounds.startup_files && !bounds.without.contains(&Layer::Closed) {
        let inventory = closed::inventory(&plan::still_real(&bounds.write));
        fs::write(folder.join(INVENTORY), serde_json::to_vec(&inventory)?)?;
    }
    let mut walls = plan::plan(bounds, program, &env::current_dir()?)?;
    if walls.bounds.without.contains(&Layer::Closed) {
        walls.pins.clear();
    }
    fs::write(folder.join(WALLS), serde_json::to_vec(&walls)?)?;
    Ok(walls)
}

fn tell(folder: &Path, ended: &Ended) -> ExitCode {
    let _ = serde_json::to_vec(ended).map(|text| fs::write(folder.join(ENDED), text));
    ExitCode::from(TOLD)
}
