//! Another time for programs: `libfaketime`, which is loaded into them. The program itself knows nothing of it.
#![cfg(target_os = "linux")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use jiff::Timestamp;

use super::{Home, RawClient, eventually};

/// Names the library where it is not at one of the usual places.
const VARIABLE: &str = "REPERTOIRE_FAKETIME";
const FILE: &str = "faketime/libfaketime.so.1";

/// A clock that goes as fast as the real one and shows what it is set to. What runs for so long is measured with the real one.
pub struct FakeClock {
    library: PathBuf,
    file: PathBuf,
}

impl FakeClock {
    /// None where the library is missing.
    pub fn beside(home: &Home) -> Option<Self> {
        let Some(library) = library() else {
            eprintln!("skipped: `libfaketime` is not installed, and {VARIABLE} does not name it");
            return None;
        };
        Some(Self { library, file: home.beside("clock").join("offset") })
    }

    /// Sets it, for what runs as well.
    pub fn set(&self, instant: &str) {
        let instant: Timestamp = instant.parse().unwrap();
        let offset = instant.as_second() - Timestamp::now().as_second();
        // In one piece: whoever reads half of it has no clock.
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{offset:+}\n")).unwrap();
        fs::rename(next, &self.file).unwrap();
    }

    fn shown_to(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1");
        for flag in ["FAKETIME_DONT_FAKE_MONOTONIC", "DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"] {
            command.env(flag, "1");
        }
    }

    /// A daemon that sees this clock, once it keeps the home.
    pub fn daemon(&self, home: &Home) -> RawClient {
        let mut command = home.command(&["--no-starters", "daemon"]);
        self.shown_to(&mut command);
        let daemon = RawClient::spawn(command);
        eventually("the daemon keeps the home", || daemon.log().contains("keeping"));
        daemon
    }

    /// A server that sees this clock, and that nobody has spoken to.
    pub fn server(&self, home: &Home) -> RawClient {
        let mut command = home.command(&["--no-starters", "serve"]);
        self.shown_to(&mut command);
        RawClient::spawn(command)
    }
}

fn library() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Some(named.into());
    }
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let folders =
        folders.chain(["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(|folder| Path::new(folder).to_owned()));
    folders.map(|folder| folder.join(FILE)).find(|file| file.exists())
}
