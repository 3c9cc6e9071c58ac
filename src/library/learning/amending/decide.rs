//! A person's word on an amendment: what is approved is done as if they had asked for it.

use super::of_procedures::may_be_amended;
use crate::{
    domain::{
        Status,
        learning::amending::{Amending, AmendmentKind, Change},
    },
    library::{
        Actor, DefinitionPatch, Library, LibraryError, Naming, ProcedureRef, VersionRef,
        home::shown_code,
        learning::review::{Decided, Review},
        now_ms, rfc3339_ms,
    },
    storage::{AmendmentRow, CandidateStatus, Reader},
};

impl Library {
    /// Carries out what a reviewer says of an amendment; nothing where none has this number.
    pub(in crate::library::learning) fn review_amendment(
        &self,
        id: i64,
        review: &Review,
        by: &Actor,
    ) -> Result<Option<Decided>, LibraryError> {
        let Some((row, amending)) = self.database.read(|reader| self.open_amendment(reader, id))? else {
            return Ok(None);
        };
        let name = amending.procedure.definition.name.to_string();
        let procedure = Some((amending.procedure.id, name.clone()));
        let status = match review {
            Review::Skip => {
                self.database.write(|writer| writer.skip_amendment(id, now_ms()))?;
                return Ok(Some(Decided { procedure, ..Decided::status(CandidateStatus::Candidate) }));
            }
            Review::Edit(_) => {
                return Err(LibraryError::invalid_with_hint(
                    format!("candidate `{id}` is a change of `{name}`, which its evidence words"),
                    "decide `approve` (a fix with the corrected code as `edits.code`), `reject` or `skip`",
                ));
            }
            Review::Approve(given, patch) => {
                if given.is_some() || **patch != DefinitionPatch::default() {
                    return Err(LibraryError::invalid_with_hint(
                        format!("candidate `{id}` is a change of `{name}`, and takes no fields"),
                        "approve it without `edits`, or a fix with the corrected code as `edits.code`",
                    ));
                }
                self.amend(&row, &amending, None, by)?;
                CandidateStatus::Active
            }
            Review::ApproveWith(code) => {
                self.amend(&row, &amending, Some(code), by)?;
                CandidateStatus::Active
            }
            Review::Merge => {
                return Err(LibraryError::invalid_with_hint(
                    format!("candidate `{id}` is a change of `{name}`, and becomes a part of nothing"),
                    "decide `approve`, `reject` or `skip`",
                ));
            }
            Review::Reject(_) => {
                let question = format!("Reject candidate {id}? {}", amending.amendment.lesson.problem);
                self.want_word(id, question, by, "--reject")?;
                CandidateStatus::Rejected
            }
        };
        let whose = (self.user.as_str(), by.decider.is_agent());
        let decided = self.database.write_synced(|writer| {
            writer.decide_amendment(id, status, whose, now_ms())?;
            match review {
                Review::Reject(reason) => writer.give_reason(id, reason.as_deref(), now_ms()),
                _ => Ok(()),
            }
        });
        match decided {
            // What was done is done; it is withdrawn when the procedure is looked at next.
            Err(error) if status == CandidateStatus::Active => {
                tracing::warn!(candidate = id, %error, "an amendment was approved and still waits");
            }
            decided => decided?,
        }
        Ok(Some(Decided { procedure, ..Decided::status(status) }))
    }

    fn want_word(&self, id: i64, question: String, by: &Actor, flag: &str) -> Result<(), LibraryError> {
        self.want_person(by, &format!("on candidate {id}"), question, || {
            format!("ask them to run `repertoire review {id} {flag}` in a terminal")
        })
    }

    /// Does what an amendment says, with other code where some is given.
    fn amend(
        &self,
        row: &AmendmentRow,
        amending: &Amending,
        edited: Option<&str>,
        by: &Actor,
    ) -> Result<(), LibraryError> {
        let Amending { amendment, procedure } = amending;
        let (id, name) = (row.id, &procedure.definition.name);
        let is_about_code = amendment.code_version.is_some();
        if is_about_code && amendment.code_version != procedure.code_version {
            return Err(LibraryError::invalid_with_hint(
                format!("candidate `{id}` is about code that is not that of `{name}` any more"),
                "reject it; if the code of now does as badly, it is proposed again",
            ));
        }
        let change = &amendment.change;
        let takes_code = matches!(change.kind(), AmendmentKind::Fix | AmendmentKind::Automate);
        let code = match (edited, takes_code) {
            (Some(_), false) => {
                return Err(LibraryError::invalid_with_hint(
                    format!("candidate `{id}` takes no code: it is to {}", amendment.lesson.solution),
                    "approve it without `edits.code`",
                ));
            }
            (Some(code), true) => Some(code.to_owned()),
            (None, _) => change.code().map(str::to_owned),
        };
        if takes_code && code.is_none() {
            return Err(LibraryError::invalid_with_hint(
                format!("candidate `{id}` has no code yet"),
                "approve it with the corrected code as `edits.code`; the evidence has the parameters and where it failed",
            ));
        }
        if let Change::Merge { into, name: stays } = change
            && !self
                .database
                .read(|reader| reader.procedure(*into))?
                .is_some_and(|row| may_be_amended(&row, &self.user))
        {
            return Err(LibraryError::invalid_with_hint(
                format!("`{stays}`, which would take the place of `{name}`, is pinned or not in use any more"),
                "reject it",
            ));
        }
        let wanted = ProcedureRef::Id(procedure.id);
        let shown = match change {
            Change::RollBack { to } => self.procedure_at(&wanted, &VersionRef::Number(*to))?.code,
            _ => code.clone(),
        };
        let shown = shown.map_or_else(String::new, |code| format!("\nIts new code{}", shown_code(&code)));
        let lesson = &amendment.lesson;
        let question = format!("{} {} {}{shown}", lesson.problem, lesson.reasoning, lesson.solution);
        self.want_word(id, question, by, "--approve")?;
        // They have seen all of it.
        let by = &by.believed();
        match change {
            Change::RollBack { to } => {
                let reason = format!("candidate {id}");
                self.rollback(&wanted, &VersionRef::Number(*to), Some(&reason), by).map(drop)
            }
            Change::Fix { .. } | Change::Automate { .. } => {
                self.replace_code(procedure.id, &code.unwrap_or_default(), by).map(drop)
            }
            Change::Merge { into, .. } => self.take_over(*into, procedure.id, by),
            Change::Retire => {
                let patch = DefinitionPatch { status: Some(Status::Archived), ..DefinitionPatch::default() };
                self.change("Retire", &wanted, Some(procedure.version), &patch, &Naming::default(), by).map(drop)
            }
        }
    }

    /// The amendment with this number, if it waits and this user may decide on it.
    pub(in crate::library::learning) fn open_amendment(
        &self,
        reader: &Reader<'_>,
        id: i64,
    ) -> Result<Option<(AmendmentRow, Amending)>, LibraryError> {
        let Some(row) = reader.amendment(&self.user, id)? else { return Ok(None) };
        let Some(procedure) = reader.procedure(row.procedure_id)? else { return Ok(None) };
        let decision = match row.status {
            CandidateStatus::Candidate if may_be_amended(&procedure, &self.user) => {
                let amendment = row.amendment.clone();
                return Ok(Some((row, Amending { amendment, procedure })));
            }
            CandidateStatus::Candidate => return Ok(None),
            CandidateStatus::Active => "approved",
            CandidateStatus::Rejected => "rejected",
        };
        let mark = if row.decided_by_agent { " (an agent)" } else { "" };
        let by = format!("{}{mark}", row.decided_by.unwrap_or_default());
        let at = rfc3339_ms(row.decided_at.unwrap_or_default());
        let procedure = Some(procedure.definition.name.to_string());
        let reason = reader.reason(id)?;
        Err(LibraryError::CandidateReviewed { id, decision, by, at, procedure, reason })
    }
}
