//! The stage without namespaces: it builds what walls can be had around itself, and becomes the program.
//!
//! Its parent, the overseer, is behind no wall: it sees what the program uses, ends what it leaves, and puts back what it may
//! not have changed.

use std::{
    env,
    fs::{self, File},
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::Path,
    process::{Command, ExitCode},
};

use rustix::process::{geteuid, setsid};

use super::{
    calls, landlock, limits, privileges,
    stage::{Called, USAGE, tell},
};
use crate::{
    confinement::{
        Layer,
        confined::{ENDED, Ended, TEMPORARY, WALLS},
        plan::Walls,
    },
    launch,
};

pub fn run() -> ExitCode {
    let Some(Called { folder, program, arguments }) = Called::by_overseer() else { return ExitCode::from(USAGE) };
    let Ok(mut told) = File::create(folder.join(ENDED)) else { return ExitCode::from(USAGE) };
    if let Err(what) = build(&folder) {
        return tell(&mut told, &Ended::NoWall(what));
    }
    // What was opened for it goes with this.
    launch::say_not_started(&Command::new(program).args(arguments).exec())
}

/// Builds all walls that need no namespaces; the error says which could not be, and why.
fn build(folder: &Path) -> Result<(), String> {
    let walls = fs::read(folder.join(WALLS)).and_then(|text| Ok(serde_json::from_slice::<Walls>(&text)?));
    let walls = walls.map_err(|error| format!("what was planned can't be read: {error}"))?;
    let has = |layer: Layer| !walls.bounds.without.contains(&layer);
    let temporary = folder.join(TEMPORARY);
    // Away from every terminal, and from the group of the launcher.
    let _ = setsid();
    let directory = if walls.directory == walls.temporary { &temporary } else { &walls.directory };
    let _ = env::set_current_dir(directory);
    if has(Layer::Limits) {
        let others = threads_of_user();
        limits::apply(walls.bounds.limits, others).map_err(|error| format!("limits can't be set: {error}"))?;
    }
    if has(Layer::Privileges) {
        privileges::give_up().map_err(|error| format!("privileges can't be given up: {error}"))?;
    }
    if has(Layer::Landlock) {
        landlock::restrict_alone(&walls, &temporary).map_err(|error| format!("Landlock can't be used: {error}"))?;
    }
    if has(Layer::Calls) {
        let filtered = calls::filter(walls.bounds.network, walls.bounds.means);
        filtered.map_err(|error| format!("system calls can't be filtered: {error}"))?;
    }
    Ok(())
}

/// How many threads this user has already: the system counts the program's together with these.
fn threads_of_user() -> u64 {
    let user = geteuid().as_raw();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let own = processes.filter(|process| process.metadata().is_ok_and(|metadata| metadata.uid() == user));
    own.filter_map(|process| fs::read_dir(process.path().join("task")).ok()).map(|tasks| tasks.count() as u64).sum()
}
