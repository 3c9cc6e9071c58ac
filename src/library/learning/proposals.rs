//! Procedures that are candidates: remembered, pushed or brought from elsewhere as such. They are decided on as lessons are.

use super::{
    edits::{LessonEdits, edited},
    review::{CandidateView, Decided, Review, Source},
};
use crate::{
    domain::{Definition, Procedure, Status, learning::Lesson},
    library::{
        Actor, DefinitionPatch, Library, LibraryError, Naming, ProcedureRef, now_ms, procedures::similar, rfc3339,
        rfc3339_ms,
    },
    storage::{CandidateStatus, ProposalRow, Reader, StorageError},
};

/// Lessons that are shown as evidence.
const MAX_LESSONS: u32 = 5;

impl Library {
    pub(super) fn proposal_views(&self, reader: &Reader<'_>, most: u32) -> Result<Vec<CandidateView>, LibraryError> {
        let rows = reader.open_proposals(&self.user, most)?;
        let views = rows.into_iter().map(|row| {
            let Some(procedure) = reader.procedure(row.procedure_id)? else { return Ok(None) };
            self.proposal_view(reader, &row, procedure).map(Some)
        });
        views.filter_map(Result::transpose).collect()
    }

    pub(super) fn proposal_view(
        &self,
        reader: &Reader<'_>,
        row: &ProposalRow,
        procedure: Procedure,
    ) -> Result<CandidateView, LibraryError> {
        let definition = &procedure.definition;
        Ok(CandidateView {
            id: row.id,
            skipped_at: row.skipped_at,
            lesson: lesson(definition),
            similar: similar(reader, &self.user, Some(procedure.id), definition)?,
            recording: match reader.recording_of_procedure(&self.user, procedure.id)? {
                Some(row) => Some((row, self.missing(definition.permissions.as_ref())?)),
                None => None,
            },
            lessons: reader.lessons_of_procedure(&self.user, procedure.id, MAX_LESSONS)?,
            source: Source::Procedure(Box::new(procedure)),
        })
    }

    /// Carries out what a reviewer says of a procedure that is a candidate; nothing where no procedure has this number.
    pub(super) fn review_proposal(
        &self,
        id: i64,
        review: &Review,
        by: &Actor,
    ) -> Result<Option<Decided>, LibraryError> {
        let Some((row, procedure)) = self.database.read(|reader| self.open_proposal(reader, id))? else {
            return Ok(None);
        };
        let wanted = ProcedureRef::Id(row.procedure_id);
        let expected = Some(procedure.version);
        let name = procedure.definition.name.to_string();
        let (status, procedure) = match review {
            Review::Approve(given, patch) => {
                if let Some(given) = given.as_ref().filter(|given| **given != name) {
                    return Err(LibraryError::invalid_with_hint(
                        format!("candidate `{id}` is procedure `{name}`, and can't be approved as `{given}`"),
                        "approve it without a name; remember_procedure with `clone_of` makes a copy of another name",
                    ));
                }
                let patch = DefinitionPatch { status: Some(Status::Active), ..(**patch).clone() };
                (CandidateStatus::Active, self.change("Approve", &wanted, expected, &patch, &Naming::default(), by)?)
            }
            Review::ApproveWith(_) => return Err(super::no_code_for(id)),
            Review::Reject(reason) => {
                let patch = put_away();
                let put_away = self.change("Reject", &wanted, expected, &patch, &Naming::default(), by)?;
                let kept = self.database.write(|writer| writer.give_reason(id, reason.as_deref(), now_ms()));
                if let Err::<(), StorageError>(error) = kept {
                    tracing::warn!(candidate = id, %error, "why a candidate was put away is not kept");
                }
                (CandidateStatus::Rejected, put_away)
            }
            Review::Merge => return self.merge_proposal(id, &procedure, by).map(Some),
            Review::Edit(edits) => {
                let patch = patch_of(&procedure.definition, edits)?;
                (CandidateStatus::Candidate, self.change("Reword", &wanted, expected, &patch, &Naming::default(), by)?)
            }
            Review::Skip => {
                self.database.write(|writer| writer.skip_proposal(id, now_ms()))?;
                (CandidateStatus::Candidate, procedure)
            }
        };
        let similar =
            self.database.read(|reader| similar(reader, &self.user, Some(procedure.id), &procedure.definition))?;
        Ok(Some(Decided { status, procedure: Some((procedure.id, name)), similar }))
    }

    /// The candidate with this number, if it waits and this user may decide on it.
    pub(super) fn open_proposal(
        &self,
        reader: &Reader<'_>,
        id: i64,
    ) -> Result<Option<(ProposalRow, Procedure)>, LibraryError> {
        let Some(row) = reader.proposal(id)? else { return Ok(None) };
        let may_be_decided_by = |procedure: &Procedure| procedure.definition.may_be_changed_by(&self.user);
        let Some(procedure) = reader.procedure(row.procedure_id)?.filter(may_be_decided_by) else { return Ok(None) };
        let decision = match procedure.definition.status {
            _ if procedure.deleted_at.is_some() => return Ok(None),
            Status::Candidate => return Ok(Some((row, procedure))),
            Status::Active => "approved",
            Status::Archived => "put away",
        };
        let mark = if row.decided_by_agent { " (an agent)" } else { "" };
        let by = row.decided_by.map_or_else(|| "a push".to_owned(), |by| format!("{by}{mark}"));
        let at = row.decided_at.map_or_else(|| rfc3339(procedure.updated_at), rfc3339_ms);
        let reason = reader.reason(id)?.filter(|_| procedure.definition.status == Status::Archived);
        let procedure = Some(procedure.definition.name.to_string());
        Err(LibraryError::CandidateReviewed { id, decision, by, at, procedure, reason })
    }
}

/// What makes a procedure one that nobody uses.
pub(super) fn put_away() -> DefinitionPatch {
    DefinitionPatch { status: Some(Status::Archived), enabled: Some(false), ..DefinitionPatch::default() }
}

/// What a procedure would teach.
pub(super) fn lesson(definition: &Definition) -> Lesson {
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    let or = |text: &Option<String>, other: String| text.clone().unwrap_or(other);
    let steps: Vec<String> = definition.steps.iter().map(|step| step.words().trim().to_owned()).collect();
    let problem = match definition.description.trim() {
        "" => definition.name.to_string(),
        description => description.to_owned(),
    };
    Lesson {
        problem: or(&definition.problem, problem),
        solution: or(&definition.solution, steps.join("; ")),
        reasoning: said(&definition.reasoning),
        anti_patterns: definition.anti_patterns.clone(),
        tags: definition.tags.clone(),
        steps: Vec::new(),
    }
}

/// What a reviewer's words change in the definition: what they leave as it is stays unsaid where it was.
fn patch_of(definition: &Definition, edits: &LessonEdits) -> Result<DefinitionPatch, LibraryError> {
    let now = lesson(definition);
    let then = edited(&now, edits.clone())?;
    Ok(DefinitionPatch {
        problem: Some(then.problem).filter(|text| *text != now.problem),
        solution: Some(then.solution).filter(|text| *text != now.solution),
        reasoning: Some(then.reasoning).filter(|text| *text != now.reasoning),
        anti_patterns: Some(then.anti_patterns),
        tags: Some(then.tags),
        ..DefinitionPatch::default()
    })
}
