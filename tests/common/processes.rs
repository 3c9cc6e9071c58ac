//! Looking at processes, and ending them by hand. Linux only: it reads `/proc`.
#![cfg(target_os = "linux")]

use std::{fs, process::Command};

/// The interpreter workers of a server.
pub fn workers_of(server: u32) -> Vec<u32> {
    children_with(server, "subprocess")
}

/// The processes that a server started with this argument.
pub fn children_with(server: u32, argument: &str) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|process| parent_of(*process) == Some(server) && has_argument(*process, argument))
        .collect()
}

/// Whether a process is there and not merely waiting to be reaped.
pub fn is_alive(process: u32) -> bool {
    stat(process).is_some_and(|fields| fields.first().is_some_and(|state| state != "Z" && state != "X"))
}

/// `kill -9`.
pub fn kill(process: u32) {
    signal(process, "KILL");
}

/// `kill`, with the name of a signal.
pub fn signal(process: u32, name: &str) {
    let arguments = ["-c", "kill -s \"$1\" \"$0\"", &process.to_string(), name];
    let status = Command::new("sh").args(arguments).status().unwrap();
    assert!(status.success(), "process {process} can't be sent {name}");
}

/// All processes that live with this text in an argument.
pub fn all_with(text: &str) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let has_text = |process: &u32| {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(text)
    };
    processes.filter(|process| *process != std::process::id() && has_text(process) && is_alive(*process)).collect()
}

fn parent_of(process: u32) -> Option<u32> {
    stat(process)?.get(1)?.parse().ok()
}

fn has_argument(process: u32, wanted: &str) -> bool {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|argument| argument == wanted.as_bytes())
}

/// The fields after the program's name, which is in parentheses and may contain anything.
fn stat(process: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}
