//! The integration tests: they drive the real program as its clients do. One binary, so that it is linked once.
//!
//! A folder is named for the folder of `src/` that its tests speak of; what crosses everything stands beside this file.

// The helpers outside `#[test]` functions panic as the tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on has failed")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]
#![allow(clippy::needless_pass_by_value, reason = "`json!` literals read best as plain arguments")]

mod acceptance;
mod cli;
mod clock;
mod common;
mod compiler;
mod confinement;
mod defined_workflows;
mod downstream;
mod host;
mod hostile;
mod launch;
mod learned_workflows;
mod library;
mod lifecycle;
mod models;
mod orchestrator;
mod runtime;
mod server;
mod storage;
mod survival;
mod torture;
mod validation;
mod versions;
mod workflow_page;

use std::{
    fs,
    path::{Path, PathBuf},
};

#[test]
fn every_file_in_this_folder_is_part_of_the_suite() {
    check_declared(&crate_folder().join("tests"), "main.rs");
}

#[test]
fn every_folder_is_named_for_a_room_of_the_source() {
    let (tests, source) = (crate_folder().join("tests"), crate_folder().join("src"));
    let mut left = modules_in(&tests);
    while let Some(folder) = left.pop() {
        let room = folder.strip_prefix(&tests).unwrap();
        if room == Path::new("common") {
            continue;
        }
        assert!(source.join(room).is_dir(), "tests/{0} is about no folder of src: there is no src/{0}", room.display());
        left.extend(modules_in(&folder));
    }
}

fn crate_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A file that is declared nowhere is never compiled, and nobody notices.
fn check_declared(folder: &Path, root: &str) {
    let declared = fs::read_to_string(folder.join(root)).unwrap();
    let check = |path: &Path| {
        let module = path.file_stem().unwrap().to_str().unwrap();
        let is_declared = declared.lines().any(|line| line.ends_with(&format!("mod {module};")));
        assert!(is_declared, "{} is not declared in {}", path.display(), folder.join(root).display());
    };
    for path in entries(folder) {
        if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with(root) {
            check(&path);
        }
    }
    for module in modules_in(folder) {
        assert!(module.join("mod.rs").is_file(), "{} has no mod.rs", module.display());
        check(&module);
        check_declared(&module, "mod.rs");
    }
}

/// The folders with Rust files, but for those that are programs of their own.
fn modules_in(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| has_rust(path) && !path.join("main.rs").exists()).collect()
}

fn has_rust(folder: &Path) -> bool {
    folder.is_dir()
        && entries(folder)
            .iter()
            .any(|path| path.extension().is_some_and(|extension| extension == "rs") || has_rust(path))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
