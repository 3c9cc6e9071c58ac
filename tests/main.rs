//! The integration tests: they drive the real program as its clients do. One binary, so that it is linked once.

// The helpers outside `#[test]` functions panic as the tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on has failed")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]
#![allow(clippy::needless_pass_by_value, reason = "`json!` literals read best as plain arguments")]

mod acceptance;
mod approvals;
mod approvals_later;
mod artifacts;
mod channels;
mod checkpoints;
mod cli;
mod clones;
mod common;
mod confidence;
mod conversions;
mod downstream;
mod downstream_processes;
mod downstream_remote;
mod durable;
mod follow_ups;
mod gathered;
mod generation;
mod grants;
mod held_out;
mod hostile;
mod http;
mod inbox;
mod learning;
mod learning_words;
mod lifecycle;
mod limits;
mod llm;
mod merge_states;
mod merges;
mod migrations;
mod models;
mod orchestrator;
mod outcomes;
mod ownership;
mod procedures;
mod prompts;
mod protocol;
mod recall_scope;
mod runs;
mod schemas;
mod starters;
mod stopping;
mod survival;
mod tenants;
mod tenants_apart;
mod torture;
mod triggers;
mod types;
mod workflow_page;
mod workflow_starters;
mod workflows;

use std::{fs, path::Path};

#[test]
fn every_file_in_this_folder_is_part_of_the_suite() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for (folder, root) in [(tests.clone(), "main.rs"), (tests.join("common"), "mod.rs")] {
        let declared = fs::read_to_string(folder.join(root)).unwrap();
        for entry in fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let Some(module) = name.strip_suffix(".rs").filter(|_| name != root) else { continue };
            let is_declared = declared.lines().any(|line| line.ends_with(&format!("mod {module};")));
            assert!(is_declared, "{} is not declared in {root}", folder.join(name).display());
        }
    }
}
