//! The launcher of a confined program: it plans the walls, starts the first process of the new namespaces, and stays outside.

use std::{
    env, fs, io,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus},
    thread,
};

use nix::sched::{CloneFlags, unshare};

use super::{
    limits, privileges,
    stage::{ALONE, FIRST, TEMPORARY_VARIABLES, TOLD, USAGE},
};
use crate::{
    confinement::{
        Bounds, Layer, Means, ProgramLimits, closed,
        confined::{self, BOUNDS, ENDED, Ended, INVENTORY, WALLS},
        kept,
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
    let is_alone = walls.bounds.means == Means::Landlock;
    if !is_alone
        && !walls.bounds.without.contains(&Layer::User)
        && let Err(error) = privileges::new_user_namespace()
    {
        return tell(&folder, &Ended::NoWall(format!("a user namespace is refused: {error}")));
    }
    let (itself, within) = (std::process::id().to_string(), folder.clone());
    let start = move || {
        // Not earlier: no thread can be started after this.
        if !is_alone && !walls.bounds.without.contains(&Layer::Processes) {
            unshare(CloneFlags::CLONE_NEWPID)?;
        }
        let mut first = Command::new(launch::this_binary()?);
        first.arg(if is_alone { ALONE } else { FIRST }).arg(itself).arg(&within).arg(program).args(arguments);
        for name in TEMPORARY_VARIABLES {
            first.env(name, temporary(&walls, &within));
        }
        let child = first.spawn()?;
        if is_alone && !walls.bounds.without.contains(&Layer::Limits) {
            watch(walls.bounds.limits, within);
        }
        Ok(child)
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
    if walls.bounds.means == Means::Landlock || walls.bounds.without.contains(&Layer::Files) {
        folder.join(confined::TEMPORARY)
    } else {
        walls.temporary.clone()
    }
}

/// Plans, and writes down what the other stages need of that.
fn plan(folder: &Path, program: &Path) -> io::Result<Walls> {
    let bounds: Bounds = serde_json::from_slice(&fs::read(folder.join(BOUNDS))?)?;
    let mut pins = Vec::new();
    if !bounds.startup_files && !bounds.without.contains(&Layer::Closed) {
        let inventory;
        (inventory, pins) = closed::take_stock(&plan::still_real(&bounds.write))?;
        fs::write(folder.join(INVENTORY), serde_json::to_vec(&inventory)?)?;
        if bounds.means == Means::Landlock {
            kept::keep(&pins, folder)?;
        }
    }
    let walls = plan::plan(bounds, pins, program, &env::current_dir()?);
    fs::write(folder.join(WALLS), serde_json::to_vec(&walls)?)?;
    Ok(walls)
}

/// Watches what the program and all that it started use, from outside: there is no namespace whose first process could.
fn watch(limits: ProgramLimits, folder: PathBuf) {
    let watching = move || {
        let own = std::process::id();
        let exceeded = limits::watch(limits, || launch::below(own));
        tell(&folder, &Ended::Exceeded(exceeded));
        launch::end_below(own);
    };
    // Without it the limits of each process hold.
    let _ = thread::Builder::new().name("limits".to_owned()).stack_size(128 * 1024).spawn(watching);
}

fn tell(folder: &Path, ended: &Ended) -> ExitCode {
    let _ = serde_json::to_vec(ended).map(|text| fs::write(folder.join(ENDED), text));
    ExitCode::from(TOLD)
}
