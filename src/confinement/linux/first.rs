//! The first process of the new namespaces: it builds the walls around itself, executes the program within them, and takes
//! everything along when it ends. What it can do then is what the program can.

use std::{
    env,
    fs::{self, File},
    net::SocketAddr,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Command, ExitCode},
    thread,
};

use nix::sched::{CloneFlags, unshare};
use rustix::process::setsid;

use super::{
    calls, landlock, limits, mounts, network, privileges,
    stage::{Called, TOLD, USAGE, tell},
};
use crate::{
    confinement::{
        Layer, Network,
        confined::{ENDED, Ended, TEMPORARY, WALLS},
        plan::Walls,
    },
    launch,
};

pub fn run() -> ExitCode {
    let Some(called) = Called::by_overseer() else { return ExitCode::from(USAGE) };
    // Before nothing of the private folder is to be seen any more.
    let Ok(mut told) = File::create(called.folder.join(ENDED)) else { return ExitCode::from(USAGE) };
    let (walls, proxy) = match build(&called.folder) {
        Ok(built) => built,
        Err(what) => return tell(&mut told, &Ended::NoWall(what)),
    };
    execute(&walls, proxy, called, told)
}

/// Builds all walls; the error says which could not be, and why. With them comes where the proxy is, where there is one.
fn build(folder: &Path) -> Result<(Walls, Option<SocketAddr>), String> {
    let walls = fs::read(folder.join(WALLS)).and_then(|text| Ok(serde_json::from_slice::<Walls>(&text)?));
    let walls = walls.map_err(|error| format!("what was planned can't be read: {error}"))?;
    let has = |layer: Layer| !walls.bounds.without.contains(&layer);
    // Away from every terminal, and from the group of the launcher.
    let _ = setsid();
    let mut namespaces = CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWCGROUP;
    if has(Layer::Files) {
        namespaces |= CloneFlags::CLONE_NEWNS;
    }
    if has(Layer::Network) && walls.bounds.network != Network::Open {
        namespaces |= CloneFlags::CLONE_NEWNET;
    }
    unshare(namespaces).map_err(|error| format!("namespaces are refused: {error}"))?;
    // As long as the private folder is to be seen.
    let proxy =
        (walls.bounds.network == Network::Proxied).then(|| network::open(folder, has(Layer::Network))).transpose();
    let proxy = proxy.map_err(|error| format!("the network can't be prepared: {error}"))?;
    let mut temporary = folder.join(TEMPORARY);
    if has(Layer::Files) {
        mounts::build(&walls, folder).map_err(|error| format!("the file system can't be made: {error}"))?;
        temporary.clone_from(&walls.temporary);
    }
    if has(Layer::Limits) {
        limits::apply(walls.bounds.limits, 0).map_err(|error| format!("limits can't be set: {error}"))?;
    }
    if has(Layer::Privileges) {
        privileges::give_up().map_err(|error| format!("privileges can't be given up: {error}"))?;
    }
    if has(Layer::Landlock) {
        landlock::restrict(&walls, &temporary).map_err(|error| format!("Landlock can't be used: {error}"))?;
    }
    if has(Layer::Calls) {
        calls::filter(walls.bounds.network, walls.bounds.means)
            .map_err(|error| format!("system calls can't be filtered: {error}"))?;
    }
    Ok((walls, proxy))
}

/// Executes the program and waits for its end; then everything that it left ends, because this process does.
fn execute(walls: &Walls, proxy: Option<SocketAddr>, called: Called, mut told: File) -> ExitCode {
    let _ = env::set_current_dir(&walls.directory);
    let mut command = Command::new(called.program);
    command.args(called.arguments).envs(proxy.into_iter().flat_map(network::variables));
    let child = match command.spawn() {
        Ok(child) => child.id(),
        Err(error) => return launch::say_not_started(&error),
    };
    // Its ends of pipes are the program's alone now.
    launch::leave_streams();
    let has = |layer: Layer| !walls.bounds.without.contains(&layer);
    // What it would see else is not of this namespace alone.
    if has(Layer::Limits)
        && has(Layer::Processes)
        && has(Layer::Files)
        && let Ok(told) = told.try_clone()
    {
        watch(walls, told);
    }
    let status = launch::wait_for(child);
    match status.signal() {
        Some(signal) => tell(&mut told, &Ended::Signal(signal)),
        None => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(USAGE)),
    }
}

#[expect(clippy::exit, reason = "nothing in this namespace outlives it")]
fn watch(walls: &Walls, mut told: File) {
    let limits = walls.bounds.limits;
    let watching = move || {
        let exceeded = limits::watch(limits, limits::of_this_namespace);
        tell(&mut told, &Ended::Exceeded(exceeded));
        std::process::exit(TOLD.into());
    };
    // Without it the limits of each process hold.
    let _ = thread::Builder::new().name("limits".to_owned()).stack_size(128 * 1024).spawn(watching);
}
