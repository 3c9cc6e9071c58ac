//! The command line.

mod changes;
pub mod commands;
#[cfg(target_os = "linux")]
mod daemon;
#[cfg(target_os = "linux")]
mod daemon_service;
mod exchange;
#[cfg(target_os = "linux")]
mod install;
#[cfg(unix)]
pub mod review;
mod skills;
