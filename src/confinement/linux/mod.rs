//! Walls on Linux: two stages of this program before the one that is confined.

mod calls;
mod first;
mod landlock;
mod limits;
mod mounts;
mod network;
mod overseer;
mod privileges;
mod stage;
mod table;

use std::process::ExitCode;

use crate::launch;

/// Does what the first argument says; `None` where it says nothing of confinement.
pub fn run(argument: &str) -> Option<ExitCode> {
    match argument {
        launch::CONFINE => Some(overseer::run()),
        stage::FIRST => Some(first::run()),
        _ => None,
    }
}
