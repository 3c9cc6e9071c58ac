//! The rules of the house, read from the source: who may import whom, and that no files import each other in a circle.
//!
//! What each folder of `src/` may import, and the order of the rooms of `library`, are tables in `docs/architecture.md`;
//! these tests keep page and source together. `just layers` prints the figures.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on has failed")]
#![allow(clippy::print_stdout, reason = "the figures are for whoever asks for them")]

mod graph;
mod page;
mod source;

use std::{collections::BTreeSet, path::PathBuf};

use graph::{Arrows, arrows, arrows_within, circles};
use page::Page;
use source::{Import, imports};

/// Every import between two files of the project.
fn all_imports() -> Vec<Import> {
    imports(&project().join("src"))
}

/// The project. Cargo names it also when a test is run, so that the figures of another checkout can be had.
#[expect(clippy::disallowed_methods, reason = "no setting of the program")]
fn project() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("cargo names the folder of the project"))
}

fn page() -> Page {
    Page::read(&project().join("docs/architecture.md"))
}

fn inside_library(imports: &[Import]) -> Vec<Import> {
    imports.iter().filter_map(|import| import.within("library")).collect()
}

/// The arrows that run from a lower to a higher row of a table.
fn upward(arrows: &Arrows, order: &[String]) -> Vec<String> {
    let place = |name: &str| order.iter().position(|row| row == name);
    let is_up = |(from, to): &(String, String)| place(from) > place(to);
    let up = arrows.iter().filter(|(arrow, _)| is_up(arrow));
    up.map(|((from, to), examples)| format!("`{from}` imports `{to}`: {}", examples.join(", "))).collect()
}

#[test]
fn folders_import_only_what_the_page_on_architecture_says() {
    let (page, arrows) = (page(), arrows(&all_imports()));
    let mut wrong = Vec::new();
    for ((from, to), examples) in &arrows {
        let Some(may) = page.may_import(from) else { panic!("docs/architecture.md has no row for `{from}`") };
        if !may.contains(to) {
            wrong.push(format!("`{from}` imports `{to}`: {}", examples.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "docs/architecture.md does not allow these:\n{}", wrong.join("\n"));
    let allowed = page.folders.iter().flat_map(|(from, may)| may.iter().map(move |to| (from.clone(), to.clone())));
    let unused: Vec<_> = allowed.filter(|arrow| !arrows.contains_key(arrow)).collect();
    assert!(unused.is_empty(), "docs/architecture.md allows what nothing needs: {unused:?}");
}

#[test]
fn imports_between_folders_run_downwards_on_the_page() {
    let order: Vec<String> = page().folders.into_iter().map(|(folder, _)| folder).collect();
    let up = upward(&arrows(&all_imports()), &order);
    assert!(up.is_empty(), "against the order in docs/architecture.md:\n{}", up.join("\n"));
}

#[test]
fn imports_between_the_rooms_of_the_library_run_downwards_on_the_page() {
    let (rooms, arrows) = (page().rooms, arrows(&inside_library(&all_imports())));
    let unknown: BTreeSet<&String> =
        arrows.keys().flat_map(|(from, to)| [from, to]).filter(|room| !rooms.contains(room)).collect();
    assert!(unknown.is_empty(), "docs/architecture.md has no row for these rooms of `library`: {unknown:?}");
    let up = upward(&arrows, &rooms);
    assert!(up.is_empty(), "against the order in docs/architecture.md:\n{}", up.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let imports = all_imports();
    let found: Vec<_> = circles(&imports).iter().map(|circle| arrows_within(circle, &imports)).collect();
    assert!(found.is_empty(), "these files import each other: {found:#?}");
}

#[test]
fn only_one_folder_knows_each_outside_world() {
    let doors = [
        ("git2", &["versions", "cli/demo"][..]),
        ("rusqlite", &["storage"]),
        ("monty_pool", &["runtime/monty"]),
        ("monty_types", &["runtime/monty"]),
        ("monty_proto", &["runtime/monty"]),
        ("rmcp", &["server", "client", "downstream"]),
        ("ruff_linter", &["validation"]),
        ("clap", &["cli"]),
    ];
    let uses = source::crates(&project().join("src"));
    for (name, allowed) in doors {
        let users: Vec<&String> =
            uses.iter().filter(|(_, crates)| crates.contains(name)).map(|(file, _)| file).collect();
        assert!(!users.is_empty(), "nothing uses `{name}`");
        let wrong: Vec<_> = users.iter().filter(|file| !allowed.iter().any(|door| file.starts_with(door))).collect();
        assert!(wrong.is_empty(), "`{name}` is for {allowed:?} alone, and is used by {wrong:?}");
    }
}

#[test]
fn nobody_knows_which_runtime_executes_code() {
    let is_monty = |path: &[String]| path.starts_with(&["runtime".to_owned(), "monty".to_owned()]);
    let imports = all_imports();
    assert!(imports.iter().any(|import| is_monty(&import.to)), "runtime/monty is not where it was");
    let outside = imports.iter().filter(|import| is_monty(&import.to) && import.from[0] != "runtime");
    let wrong: Vec<String> = outside.map(|import| format!("{} ({})", import.from.join("/"), import.name)).collect();
    assert!(wrong.is_empty(), "only `runtime` and the worker in main.rs know Monty: {wrong:?}");
}

/// Not a check: what a review of the house wants to know.
#[test]
#[ignore = "prints figures, for `just layers`"]
fn figures() {
    let imports = all_imports();
    let folders: BTreeSet<&str> = imports.iter().map(|import| import.from[0].as_str()).collect();
    let between = arrows(&imports);
    println!("{} folders in src, {} arrows between them", folders.len(), between.len());
    for folder in folders {
        let to = between.keys().filter(|(from, _)| from == folder).map(|(_, to)| to.as_str());
        println!("  {folder} -> {}", to.collect::<Vec<_>>().join(" "));
    }
    let inside = inside_library(&imports);
    let rooms: BTreeSet<&str> = inside.iter().flat_map(|import| [&*import.from[0], &*import.to[0]]).collect();
    let between = arrows(&inside);
    println!("{} rooms and single files in library, {} arrows between them", rooms.len(), between.len());
    for room in rooms {
        let to = between.keys().filter(|(from, _)| from == room).map(|(_, to)| to.as_str());
        println!("  {room} -> {}", to.collect::<Vec<_>>().join(" "));
    }
    for circle in circles(&inside.iter().map(Import::by_folder).collect::<Vec<_>>()) {
        println!("  {} in a circle: {}", circle.len(), circle.join(" "));
    }
    let found = circles(&imports);
    println!("{} circles of files", found.len());
    for circle in found {
        println!("  {} files: {}", circle.len(), circle.join(" "));
        arrows_within(&circle, &imports).iter().for_each(|arrow| println!("    {arrow}"));
    }
}
