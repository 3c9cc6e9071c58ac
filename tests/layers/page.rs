//! The tables of `docs/architecture.md` that the source is held against.

use std::{collections::BTreeSet, fs, path::Path};

/// What the page says.
pub struct Page {
    /// The folders of `src/` from top to bottom, and what each may import.
    pub folders: Vec<(String, BTreeSet<String>)>,
    /// The rooms of `library` from top to bottom.
    pub rooms: Vec<String>,
}

impl Page {
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let folders = rows(&text, "| folder |").into_iter().map(|cells| (name(&cells[0]), names(&cells[2])));
        let rooms = rows(&text, "| room |").into_iter().map(|cells| name(&cells[0]));
        Self { folders: folders.collect(), rooms: rooms.collect() }
    }

    pub fn may_import(&self, folder: &str) -> Option<&BTreeSet<String>> {
        self.folders.iter().find(|(name, _)| name == folder).map(|(_, may)| may)
    }
}

/// The cells of the table whose first line begins with `head`.
fn rows(text: &str, head: &str) -> Vec<Vec<String>> {
    let table = text.split(head).nth(1).unwrap_or_else(|| panic!("the page has no table that begins with `{head}`"));
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands in back-ticks.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn name(cell: &str) -> String {
    names(cell).into_iter().next().expect("a row begins with a name in back-ticks")
}
