//! Walls on Linux: two stages of this program before the one that is confined.

mod alone;
mod calls;
mod calls_alone;
mod conditions;
mod first;
mod landlock;
mod limits;
mod mounts;
mod network;
mod overseer;
mod privileges;
mod shares;
mod stage;
mod table;

use std::process::ExitCode;

use crate::launch;

/// Does what the first argument says; `None` where it says nothing of confinement.
pub fn run(argument: &str) -> Option<ExitCode> {
    match argument {
        launch::CONFINE => Some(overseer::run()),
        stage::FIRST => Some(first::run()),
        stage::ALONE => Some(alone::run()),
        _ => None,
    }
}
