//! Which procedure a change of the history is about, where procedures were renamed.
//!
//! A commit that removes the folder of one procedure and adds one that says it was called so has renamed it, whoever made
//! it: the program, which writes `former_names`, or a person with `git mv`, after which the file still has the old name.
//! The index calls a procedure by its newest name from the beginning on, so that building it anew finds the same rows.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::{
    library::{Library, LibraryError},
    storage::Writer,
    versions::{CommitRecord, RecordedChange},
};

/// A change as the index takes it.
#[derive(Debug)]
pub(super) struct Followed {
    /// What the index calls the procedure: its name after the last of the commits.
    pub row: String,
    /// The change, compared with where the procedure stood before.
    pub change: RecordedChange,
    /// The name that it had until this commit.
    pub renamed_from: Option<String>,
}

/// The names of one procedure in the order in which it had them; what the index calls it is the last.
struct Line(Vec<String>);

impl Line {
    fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }
}

/// All procedures that commits change.
#[derive(Default)]
struct Lines {
    all: Vec<Line>,
    by_name: HashMap<String, usize>,
    /// How many procedures have given up a name to others.
    given_up: HashMap<String, u32>,
}

impl Lines {
    fn of(&mut self, name: &str) -> usize {
        if let Some(line) = self.by_name.get(name) {
            return *line;
        }
        self.all.push(Line(vec![name.to_owned()]));
        self.by_name.insert(name.to_owned(), self.all.len() - 1);
        self.all.len() - 1
    }

    fn rename(&mut self, from: &str, to: &str) -> usize {
        let line = self.of(from);
        self.by_name.remove(from);
        // A removed procedure gives its name up. What it is called from then on is no name that anybody can say.
        if let Some(removed) = self.by_name.remove(to) {
            let count = self.given_up.entry(to.to_owned()).or_default();
            *count += 1;
            self.all[removed].0.push(format!("{to}#{count}"));
        }
        self.by_name.insert(to.to_owned(), line);
        self.all[line].0.push(to.to_owned());
        line
    }
}

/// What a definition says of its names, whatever else is in it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Names {
    name: String,
    former_names: Vec<String>,
}

impl Library {
    /// The changes of each commit, by the procedures that they are about, which have their newest names in the index
    /// afterwards. `is_anew`: the commits are the whole history, and rows that are there are what they made before.
    pub(super) fn follow(
        &self,
        writer: &Writer<'_>,
        records: &[CommitRecord],
        is_anew: bool,
    ) -> Result<Vec<Vec<Followed>>, LibraryError> {
        let mut lines = Lines::default();
        let mut found = Vec::with_capacity(records.len());
        for record in records {
            let moves = self.moves(record);
            let mut of_record = Vec::with_capacity(record.changes.len());
            for change in &record.changes {
                if let Some(from) = moves.get(change.name.as_str()) {
                    if !is_anew && !lines.given_up.contains_key(&change.name) {
                        lines.given_up.insert(change.name.clone(), writer.names_given_up(&change.name)?);
                        if writer.procedure_named(&change.name)?.is_some() {
                            lines.of(&change.name);
                        }
                    }
                    let moved = RecordedChange { before: from.before.clone(), ..change.clone() };
                    of_record.push((lines.rename(&from.name, &change.name), moved, Some(from.name.clone())));
                } else if !moves.values().any(|from| from.name == change.name) {
                    of_record.push((lines.of(&change.name), change.clone(), None));
                }
            }
            found.push(of_record);
        }
        writer.rename_procedures(&renames(writer, &lines, is_anew)?)?;
        let follow = |(line, change, renamed_from): (usize, RecordedChange, Option<String>)| Followed {
            row: lines.all[line].last().to_owned(),
            change,
            renamed_from,
        };
        Ok(found.into_iter().map(|of_record| of_record.into_iter().map(follow).collect()).collect())
    }

    /// The procedures that a commit has moved: the new names, with what was removed for each.
    fn moves<'r>(&self, record: &'r CommitRecord) -> HashMap<&'r str, &'r RecordedChange> {
        let is_gone = |change: &&RecordedChange| change.state.is_none() && change.broken.is_none();
        let mut gone: Vec<&RecordedChange> = record.changes.iter().filter(is_gone).collect();
        let mut moves = HashMap::new();
        for new in &record.changes {
            let (Some(state), None, false) = (&new.state, &new.before, gone.is_empty()) else { continue };
            let names = self.names_in(&state.definition);
            let said = names.former_names.iter().rev().chain([&names.name]);
            let mut found = said.filter_map(|name| gone.iter().position(|gone| gone.name == *name));
            // Going back to an earlier state of the file takes the name of that state again.
            let is_back = |gone: &&RecordedChange| {
                let before = gone.before.as_ref().map(|before| self.names_in(&before.definition)).unwrap_or_default();
                before.former_names.contains(&new.name)
            };
            if let Some(at) = found.next().or_else(|| gone.iter().position(is_back)) {
                moves.insert(new.name.as_str(), gone.swap_remove(at));
            }
        }
        moves
    }

    fn names_in(&self, definition: &str) -> Names {
        let text = self.versions.read(definition).ok();
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }
}

/// The rows that are called otherwise than the commits leave them, and what they are to be called.
fn renames(writer: &Writer<'_>, lines: &Lines, is_anew: bool) -> Result<Vec<(String, String)>, LibraryError> {
    let lasts: HashSet<&str> = lines.all.iter().map(Line::last).collect();
    let mut renames = Vec::new();
    for Line(names) in lines.all.iter().filter(|line| line.0.len() > 1) {
        let (Some(first), Some(last)) = (names.first(), names.last()) else { continue };
        let row = if !is_anew {
            Some(first)
        } else if writer.procedure_named(last)?.is_some() {
            None
        } else {
            // The index was behind when it was thrown away: it has the procedure under an earlier name.
            let mut earlier = names.iter().rev().filter(|name| !lasts.contains(name.as_str()));
            earlier.find(|name| writer.procedure_named(name).is_ok_and(|row| row.is_some()))
        };
        renames.extend(row.filter(|row| *row != last).map(|row| (row.clone(), last.clone())));
    }
    Ok(renames)
}
