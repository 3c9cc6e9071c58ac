//! How much a confined program may use, beyond the time that whoever started it gives it.

use std::{fs, io, path::Path, time::Duration};

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::confinement::ProgramLimits;

/// How often it is looked what all processes use together.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// A namespace has room for at least so many, says the system.
const FEWEST: u64 = 301;

/// For this process and each that it starts, beside so many that its user has already.
pub fn apply(limits: ProgramLimits, others: u64) -> io::Result<()> {
    let most = |value: u64| Rlimit { current: Some(value), maximum: Some(value) };
    setrlimit(Resource::Core, most(0))?;
    setrlimit(Resource::Fsize, most(limits.file()))?;
    // Not of addresses, which programs reserve for nothing, but of what they may write into.
    setrlimit(Resource::Data, most(limits.memory()))?;
    setrlimit(Resource::Nproc, most(limits.processes().saturating_add(others)))?;
    Ok(())
}

/// Of all processes of a namespace whose `/proc` is here: the limit above does not count for root. Older kernels have none.
pub fn of_namespace(processes: &Path, limits: ProgramLimits) {
    let _ = fs::write(processes.join("sys/kernel/pid_max"), limits.processes().max(FEWEST).to_string());
}

/// Looks at `processes` again and again; returns with what they exceed.
pub fn watch<P: IntoIterator<Item = u32>>(limits: ProgramLimits, processes: impl Fn() -> P) -> String {
    loop {
        std::thread::sleep(LOOK_AGAIN);
        let usage = usage(processes());
        if usage.threads > limits.processes() {
            return format!(
                "it had more than {} processes and threads (`processes` of its grant, `program_processes` under [limits])",
                limits.processes()
            );
        }
        if usage.memory > limits.memory() {
            return format!(
                "it and what it started took more than {} MiB of memory (`memory_mib` of its grant, `program_memory_mib` under \
                 [limits])",
                limits.memory() / (1024 * 1024)
            );
        }
    }
}

#[derive(Default)]
struct Usage {
    threads: u64,
    memory: u64,
}

/// All of this namespace but the first, which is this one.
pub fn of_this_namespace() -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    numbers.filter(|number| *number != std::process::id()).collect()
}

fn usage(processes: impl IntoIterator<Item = u32>) -> Usage {
    let mut usage = Usage::default();
    for process in processes {
        let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else { continue };
        for line in status.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value =
                || value.split_whitespace().next().and_then(|value| value.parse::<u64>().ok()).unwrap_or_default();
            match name {
                "RssAnon" | "RssShmem" => usage.memory += value() * 1024,
                "Threads" => usage.threads += value(),
                _ => {}
            }
        }
    }
    usage
}
