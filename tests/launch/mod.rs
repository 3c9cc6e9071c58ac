//! Programs that are started, and what is left of them.

#[cfg(target_os = "linux")]
mod outliving;
