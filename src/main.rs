//! The `repertoire` program: an interpreter worker, or the command line.

use std::process::ExitCode;

use repertoire::{cli, runtime::monty::worker};

/// Bounds the memory of a worker and turns running out of it into an exit code that the server understands. Only a
/// binary can choose the allocator; in the server no limit is set.
#[global_allocator]
static ALLOCATOR: monty_alloc::LimitedAllocator = monty_alloc::LimitedAllocator;

fn main() -> ExitCode {
    // Before anything else is started: a worker is nothing but an interpreter.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == worker::ARGUMENT) {
        return worker::run();
    }
    cli::run()
}
