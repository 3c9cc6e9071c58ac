//! Walls around granted programs: what gets out of them (nothing), and what works within them.
//!
//! An attack is made twice: by a granted program of a real server, where nothing may get out, and behind walls of which those
//! that are meant to hold it are left out, where it must: an attack that never gets out shows nothing.
#![cfg(target_os = "linux")]

mod alone;
mod attacks;
mod calls;
mod closed;
mod files;
mod leaving;
mod policy;
mod processes;
mod sockets;
mod works;
mod yard;
