//! A candidate that says what is known already becomes a part of that: what it was told and recorded for leads there, and it adds
//! what is not said there yet.

use super::{
    dossier::Neighbour,
    proposals::{lesson, put_away},
    review::{Decided, drafted},
};
use crate::{
    domain::{Procedure, learning::Lesson},
    library::{Actor, DefinitionPatch, Library, LibraryError, Naming, ProcedureRef},
    storage::{CandidateStatus, StorageError},
};

impl Library {
    /// Has a lesson that was learned from outcomes become a part of what is nearest to it.
    pub(super) fn merge_lesson(&self, id: i64, by: &Actor) -> Result<Decided, LibraryError> {
        self.make_of(id, by, |row, _| {
            let definition = drafted(row)?;
            let near = self.database.read(|reader| self.neighbour(reader, None, &definition))?;
            let near = self.own_neighbour(id, near)?;
            let known = self.take_in(id, &row.workflow_id, &row.lesson, &near, by)?;
            Ok(Decided { procedure: Some((known.id, near.name)), ..Decided::status(CandidateStatus::Active) })
        })
    }

    /// Has a procedure that waits become a part of what is nearest to it; it is put away itself.
    pub(super) fn merge_proposal(&self, id: i64, procedure: &Procedure, by: &Actor) -> Result<Decided, LibraryError> {
        let definition = &procedure.definition;
        let near = self.database.read(|reader| self.neighbour(reader, Some(procedure.id), definition))?;
        let near = self.own_neighbour(id, near)?;
        let known = self.take_in(id, definition.name.as_str(), &lesson(definition), &near, by)?;
        self.database.write_synced::<_, StorageError>(|writer| {
            writer.move_lessons(&self.user, procedure.id, known.id)?;
            writer.move_recordings(&self.user, procedure.id, known.id)?;
            let merged = format!("it is a part of `{}`", near.name);
            writer.give_reason(id, Some(&merged), crate::library::now_ms())
        })?;
        let (wanted, expected) = (ProcedureRef::Id(procedure.id), Some(procedure.version));
        // What was asked above was about both.
        self.change("Merge", &wanted, expected, &put_away(), &Naming::default(), &by.believed())?;
        Ok(Decided { procedure: Some((known.id, near.name)), ..Decided::status(CandidateStatus::Rejected) })
    }

    fn own_neighbour(&self, id: i64, near: Option<Neighbour>) -> Result<Neighbour, LibraryError> {
        let near = near.ok_or(LibraryError::NothingNear(id))?;
        // Says whose it is.
        self.own_procedure(&ProcedureRef::Id(near.id))?;
        Ok(near)
    }

    /// Adds to a procedure what a lesson says and it does not: when it helps, what to avoid, labels.
    fn take_in(
        &self,
        id: i64,
        title: &str,
        lesson: &Lesson,
        near: &Neighbour,
        by: &Actor,
    ) -> Result<Procedure, LibraryError> {
        let wanted = ProcedureRef::Id(near.id);
        let known = self.own_procedure(&wanted)?;
        let definition = &known.definition;
        let said = definition.problem.as_ref().unwrap_or(&definition.description);
        let contexts = (lesson.problem != *said).then(|| lesson.problem.clone());
        let patch = DefinitionPatch {
            applicable_contexts: more(&definition.applicable_contexts, contexts.as_slice()),
            anti_patterns: more(&definition.anti_patterns, &lesson.anti_patterns),
            tags: more(&definition.tags, &lesson.tags),
            ..DefinitionPatch::default()
        };
        let adds = [&patch.applicable_contexts, &patch.anti_patterns, &patch.tags];
        let adds: String = adds.into_iter().flatten().flatten().map(|text| format!("\n{text}")).collect();
        let question =
            format!("Have candidate {id} (`{title}`) become a part of `{}`, which then says:{adds}", near.name);
        self.want_person(by, &format!("on candidate {id}"), question, || {
            format!("ask them to run `repertoire review {id} --merge` in a terminal")
        })?;
        let is_said = patch.applicable_contexts.is_none() && patch.anti_patterns.is_none() && patch.tags.is_none();
        if is_said {
            return Ok(known);
        }
        let verb = format!("Merge {title} into");
        self.change(&verb, &wanted, Some(known.version), &patch, &Naming::default(), &by.believed())
    }
}

/// A list with what it does not have yet; nothing where it has all.
fn more(known: &[String], others: &[String]) -> Option<Vec<String>> {
    let mut list = known.to_vec();
    for other in others {
        if !list.contains(other) {
            list.push(other.clone());
        }
    }
    (list.len() > known.len()).then_some(list)
}
