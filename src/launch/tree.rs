//! What a process started, directly or not, and ending it.
//!
//! On Linux it is found through `/proc`; elsewhere only groups are ended.

use std::{collections::BTreeSet, fs};

use rustix::process::{Pid, Signal, kill_process};

/// How often what is left is looked for: what is stopped starts nothing new, so that this is seldom needed twice.
const ROUNDS: usize = 100;

/// Ends everything below a process. Returns when there is nothing more, but for what the system keeps from ending.
pub fn end_below(root: u32) {
    for _ in 0..ROUNDS {
        let found = below(root);
        if found.is_empty() {
            return;
        }
        // All of it stands still before any of it ends, so that nothing gets away.
        for signal in [Signal::STOP, Signal::KILL] {
            for process in found.iter().filter_map(|process| Pid::from_raw(i32::try_from(*process).ok()?)) {
                // It may have ended meanwhile.
                let _ = kill_process(process, signal);
            }
        }
        std::thread::yield_now();
    }
}

/// The processes below one that have not ended.
pub fn below(root: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut left = vec![root];
    while let Some(process) = left.pop() {
        for child in children(process) {
            if is_alive(child) && found.insert(child) {
                left.push(child);
            }
        }
    }
    found
}

fn children(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

fn is_alive(process: u32) -> bool {
    field(process, 0).is_some_and(|state| state != "Z" && state != "X")
}

/// When a process was started, in the system's own count: no two of the same number have the same.
pub fn started_at(process: u32) -> Option<String> {
    field(process, 19)
}

/// A field of its status after the name, which is in parentheses and may contain anything.
fn field(process: u32, index: usize) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(index).map(str::to_owned)
}
