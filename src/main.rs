//! The `repertoire` program: an interpreter worker, the launcher of another program, or the command line.

use std::process::ExitCode;

use repertoire::{cli, confinement, launch, runtime::monty::worker};

/// Bounds the memory of a worker and turns running out of it into an exit code that the server understands. Only a
/// binary can choose the allocator; in the server no limit is set.
#[global_allocator]
static ALLOCATOR: monty_alloc::LimitedAllocator = monty_alloc::LimitedAllocator;

fn main() -> ExitCode {
    // Before anything else is started: a worker is nothing but an interpreter, and a launcher nothing but that.
    let argument = std::env::args_os().nth(1).unwrap_or_default();
    if argument == worker::ARGUMENT {
        return worker::run();
    }
    if let Some(code) = launch::run(&argument) {
        return code;
    }
    if let Some(code) = confinement::run(&argument) {
        return code;
    }
    launch::this_binary_launches();
    cli::run()
}
