//! What a lesson may be a twin of: procedures in use, candidates, and what was rejected.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        Definition, Status,
        learning::telling::{
            Told,
            likeness::{self, Fingerprint, Texts},
        },
    },
    library::{Library, LibraryError},
    storage::Words,
};

/// Lessons that others are compared with: the newest.
const MAX_LESSONS: u32 = 2000;
/// Procedures that are looked at besides, because they have words of the lesson.
const FOUND: u32 = 60;
const LOOKED_AT: usize = 12;

/// What is near a lesson.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour {
    pub id: i64,
    pub name: String,
    pub status: Status,
    pub likeness: f64,
    /// What it says.
    pub words: String,
}

/// The nearest neighbour, as callers are told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    pub name: String,
    pub status: Status,
    /// 0 to 1.
    pub likeness: f64,
}

/// The neighbours of a lesson.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Neighbours {
    /// Nearest first.
    pub nearest: Vec<Neighbour>,
    /// Whether the nearest says the same, as far as words tell.
    pub is_same: bool,
}

/// What is known, as far as it was looked at.
#[derive(Debug, Default)]
pub(super) struct Known {
    texts: Texts,
    /// Whose text is at each place.
    owners: Vec<i64>,
    /// Those whose own words are among the texts.
    read: BTreeSet<i64>,
}

impl Known {
    /// The words of lessons that led to something.
    pub(super) fn read(library: &Library) -> Result<Self, LibraryError> {
        let lessons = library.database.read(|reader| reader.lesson_words(&library.user, MAX_LESSONS))?;
        let mut known = Self::default();
        for lesson in lessons {
            known.add(lesson.procedure_id, Fingerprint::of(&lesson.told.words()));
        }
        Ok(known)
    }

    /// Adds a text of a procedure.
    pub(super) fn add(&mut self, id: i64, text: Fingerprint) {
        self.texts.push(text);
        self.owners.push(id);
    }

    /// What is nearest to a lesson.
    pub(super) fn neighbours(
        &mut self,
        library: &Library,
        told: &Told,
        text: &Fingerprint,
    ) -> Result<Neighbours, LibraryError> {
        let words = told.words();
        library.database.read(|reader| {
            for hit in reader.answering(&words, Words::Any, FOUND)?.found {
                if self.read.insert(hit.id)
                    && !self.owners.contains(&hit.id)
                    && let Some(found) = reader.procedure(hit.id)?
                    && found.definition.may_be_read_by(&library.user)
                {
                    self.add(hit.id, Fingerprint::of(&said(&found.definition)));
                }
            }
            let near = likeness::nearest_owners(&self.texts.nearest(text), |place| self.owners[place]);
            let only: Vec<_> = near.iter().map(|(_, near)| *near).collect();
            let is_same = likeness::is_same(&only);
            let mut read: BTreeMap<i64, Option<Neighbour>> = BTreeMap::new();
            for (id, near) in near.iter().take(LOOKED_AT) {
                let row = reader.procedure(*id)?.filter(|row| row.deleted_at.is_none());
                read.insert(
                    *id,
                    row.map(|row| Neighbour {
                        id: row.id,
                        name: row.definition.name.to_string(),
                        status: row.definition.status,
                        likeness: (near.likeness * 100.0).round() / 100.0,
                        words: said(&row.definition),
                    }),
                );
            }
            let nearest = near.iter().filter_map(|(id, _)| read.remove(id).flatten()).collect();
            Ok(Neighbours { nearest, is_same })
        })
    }
}

/// What a procedure says, for comparison: where it was made of a lesson, that lesson.
fn said(definition: &Definition) -> String {
    if let Some(lesson) = &definition.source_lesson {
        return lesson.clone();
    }
    let name = definition.name.as_str().replace(['_', '-'], " ");
    let own = [&definition.problem, &definition.solution].into_iter().flatten().cloned();
    let steps = definition.steps.iter().map(crate::domain::Step::words);
    [name, definition.description.clone()].into_iter().chain(own).chain(steps).collect::<Vec<_>>().join("\n")
}
