//! A person's word on what was learned: nothing becomes a procedure without it.

use super::edits::{LessonEdits, edited};
use crate::{
    domain::{
        CreatedBy, Definition, Permissions, Procedure, ProcedureName,
        learning::{Ended, Kind, Lesson, amending::Amending, lesson::plain},
        name::{MAX_NAME_CHARS, slugify},
    },
    library::{
        Actor, DefinitionDraft, DefinitionPatch, Library, LibraryError, ProcedureRef, Similar, now_ms,
        procedures::similar, rfc3339_ms,
    },
    storage::{CandidateRow, CandidateStatus, LessonWords, Reader, RecordingRow, StorageError, Wording, Writer},
};

const MAX_LISTED: u32 = 50;
/// Runs that are named as evidence.
const MAX_RUNS: u32 = 20;
/// Of those, what a procedure's definition names.
const RUNS_NAMED: usize = 5;
/// Names that are tried for a procedure.
const MAX_NAMES: u32 = 100;
const CATEGORY: &str = "learned";

/// A candidate with what speaks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateView {
    pub id: i64,
    /// When it was put behind the others, in milliseconds since 1970.
    pub skipped_at: Option<i64>,
    /// What it says.
    pub lesson: Lesson,
    pub source: Source,
    /// Procedures that say nearly the same.
    pub similar: Vec<Similar>,
    /// Where it was told: in how many lessons, and the first of them.
    pub lessons: (u64, Vec<LessonWords>),
    /// What it was made of, where it was recorded, and what of its needs the policy does not grant.
    pub recording: Option<(RecordingRow, Permissions)>,
}

/// What makes a candidate.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Outcomes that are alike.
    Outcomes(Box<Evidence>),
    /// A procedure that was stored as one.
    Procedure(Box<Procedure>),
    /// Runs that speak for changing a procedure.
    Amendment(Box<Amending>),
}

/// Outcomes that a lesson was learned from.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    pub kind: Kind,
    pub workflow_id: String,
    /// How many there are.
    pub count: u64,
    /// When the first and the latest were stored; milliseconds since 1970.
    pub times: (i64, i64),
    /// The newest runs among them.
    pub run_ids: Vec<String>,
    /// How often the workflow succeeded, in whatever way.
    pub successes: u64,
    pub failures: u64,
}

/// What a reviewer says.
#[derive(Debug, Clone)]
pub enum Review {
    /// It becomes a procedure, under this name and with these fields where they are given.
    Approve(Option<String>, Box<DefinitionPatch>),
    /// It is done with this code in the place of the proposed one.
    ApproveWith(String),
    /// It is put away until there is twice the evidence; why, where that is said.
    Reject(Option<String>),
    /// It stays, in other words.
    Edit(LessonEdits),
    /// It becomes a part of what is nearest to it.
    Merge,
    /// It stays, behind the others.
    Skip,
}

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    pub status: CandidateStatus,
    /// The procedure that was made of it or that it is a part of, by handle and name.
    pub procedure: Option<(i64, String)>,
    /// Procedures that say nearly the same as that one.
    pub similar: Vec<Similar>,
}

impl Decided {
    pub(super) const fn status(status: CandidateStatus) -> Self {
        Self { status, procedure: None, similar: Vec::new() }
    }
}

impl Library {
    /// The user's candidates that wait, lessons and procedures: oldest first, those that were skipped after the others.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn candidates(&self) -> Result<Vec<CandidateView>, LibraryError> {
        self.refresh()?;
        self.database.read(|reader| {
            let rows = reader.open_candidates(&self.user, MAX_LISTED)?;
            let learned = rows.into_iter().map(|row| self.candidate_view(reader, row));
            let mut views = learned.collect::<Result<Vec<_>, _>>()?;
            views.extend(self.proposal_views(reader, MAX_LISTED)?);
            views.extend(self.amendment_views(reader, MAX_LISTED)?);
            views.sort_by_key(|view| (view.skipped_at, view.id));
            views.truncate(MAX_LISTED as usize);
            Ok(views)
        })
    }

    /// A candidate that waits, whatever it is.
    pub(super) fn open_view(&self, reader: &Reader<'_>, id: i64) -> Result<CandidateView, LibraryError> {
        match self.open_proposal(reader, id)? {
            Some((row, procedure)) => self.proposal_view(reader, &row, procedure),
            None => match self.open_amendment(reader, id)? {
                Some((row, amending)) => Ok(Self::amendment_view(row, amending.procedure)),
                None => self.candidate_view(reader, self.open_candidate(reader, id)?),
            },
        }
    }

    fn candidate_view(&self, reader: &Reader<'_>, row: CandidateRow) -> Result<CandidateView, LibraryError> {
        let times = reader.times_of_pattern(&row.user, &row.pattern)?;
        let run_ids = reader.runs_with_pattern(&row.user, &row.pattern, MAX_RUNS)?;
        let count = |ended| reader.count_outcomes(&row.user, &row.workflow_id, ended);
        let (successes, failures) = (count(Ended::Success)?, count(Ended::Failure)?);
        let draft = draft(&row, &run_ids, default_name(&row, 1), DefinitionPatch::default());
        let similar = match draft.build() {
            Ok(definition) => similar(reader, &self.user, None, &definition)?,
            Err(_) => Vec::new(),
        };
        let (kind, workflow_id, count) = (row.kind, row.workflow_id, row.evidence);
        let evidence = Evidence { kind, workflow_id, count, times, run_ids, successes, failures };
        let source = Source::Outcomes(Box::new(evidence));
        let lessons = (0, Vec::new());
        Ok(CandidateView {
            id: row.id,
            skipped_at: row.skipped_at,
            lesson: row.lesson,
            source,
            similar,
            lessons,
            recording: None,
        })
    }

    /// Carries out what a reviewer says of a candidate.
    ///
    /// # Errors
    /// [`LibraryError::CandidateNotFound`], [`LibraryError::CandidateReviewed`], [`LibraryError::CandidateBusy`], or what
    /// keeps the procedure from being stored; the candidate waits on then.
    pub fn review_candidate(&self, id: i64, review: Review, by: &Actor) -> Result<Decided, LibraryError> {
        self.refresh()?;
        let by = &self.believed(id, by)?;
        if let Some(decided) = self.review_proposal(id, &review, by)? {
            return Ok(decided);
        }
        if let Some(decided) = self.review_amendment(id, &review, by)? {
            return Ok(decided);
        }
        let whose = (self.user.as_str(), by.decider.is_agent());
        self.check_reviewer(id, &review, by)?;
        match review {
            Review::Approve(name, patch) => self.approve(id, name.as_deref(), &patch, by),
            Review::ApproveWith(_) => Err(super::no_code_for(id)),
            Review::Reject(reason) => self.database.write_synced(|writer| {
                let row = self.open_candidate(writer, id)?;
                writer.review_candidate(id, CandidateStatus::Rejected, whose, now_ms(), row.evidence, None)?;
                writer.give_reason(id, reason.as_deref(), now_ms())?;
                Ok(Decided::status(CandidateStatus::Rejected))
            }),
            Review::Edit(edits) => self.database.write(|writer| {
                let row = self.open_candidate(writer, id)?;
                let lesson = edited(&row.lesson, edits)?;
                writer.reword_candidate(id, row.wording, &row.basis, &lesson, Wording::Edited, now_ms())?;
                Ok(Decided::status(CandidateStatus::Candidate))
            }),
            Review::Merge => self.merge_lesson(id, by),
            Review::Skip => self.database.write(|writer| {
                self.open_candidate(writer, id)?;
                writer.skip_candidate(id, now_ms())?;
                Ok(Decided::status(CandidateStatus::Candidate))
            }),
        }
    }

    /// A candidate is for people to decide on, where the policy leaves decisions to them. Putting it behind the others
    /// decides nothing.
    fn check_reviewer(&self, id: i64, review: &Review, by: &Actor) -> Result<(), LibraryError> {
        let (verb, flag) = match review {
            Review::Approve(..) | Review::ApproveWith(_) => ("Make a procedure of", " --approve"),
            Review::Reject(_) => ("Reject", " --reject"),
            Review::Edit(_) => ("Reword", ""),
            Review::Merge | Review::Skip => return Ok(()),
        };
        let (row, run_ids) = self.database.read(|reader| {
            let row = self.open_candidate(reader, id)?;
            let run_ids = reader.runs_with_pattern(&self.user, &row.pattern, MAX_RUNS)?;
            Ok::<_, LibraryError>((row, run_ids))
        })?;
        let shown = match review {
            Review::Approve(name, patch) => {
                let name = name.clone().unwrap_or_else(|| default_name(&row, 1));
                let definition = draft(&row, &run_ids, name, (**patch).clone()).build()?;
                serde_json::to_string_pretty(&definition).unwrap_or_default()
            }
            Review::Edit(edits) => {
                serde_json::to_string_pretty(&edited(&row.lesson, edits.clone())?).unwrap_or_default()
            }
            Review::ApproveWith(_) | Review::Reject(_) | Review::Merge | Review::Skip => {
                serde_json::to_string_pretty(&row.lesson).unwrap_or_default()
            }
        };
        let question = format!("{verb} candidate {id}, learned from `{}`?\n{shown}", row.workflow_id);
        let what = format!("on candidate {id}");
        self.want_person(by, &what, question, || {
            format!("ask them to run `repertoire review {id}{flag}` in a terminal")
        })
    }

    /// The user's candidate, if it waits and no other call is about to approve it.
    fn open_candidate(&self, reader: &Reader<'_>, id: i64) -> Result<CandidateRow, LibraryError> {
        let row = reader.candidate(&self.user, id)?.ok_or(LibraryError::CandidateNotFound(id))?;
        let decision = match row.status {
            CandidateStatus::Candidate => {
                let is_busy = row.claimed_by.as_ref().is_some_and(|session| !self.session.is_dead(session));
                return if is_busy { Err(LibraryError::CandidateBusy(id)) } else { Ok(row) };
            }
            CandidateStatus::Active => "approved",
            CandidateStatus::Rejected => "rejected",
        };
        let mark = if row.reviewed_by_agent { " (an agent)" } else { "" };
        let by = format!("{}{mark}", row.reviewed_by.unwrap_or_default());
        let at = rfc3339_ms(row.reviewed_at.unwrap_or_default());
        let reason = reader.reason(id)?.filter(|_| row.status == CandidateStatus::Rejected);
        Err(LibraryError::CandidateReviewed { id, decision, by, at, procedure: row.procedure_name, reason })
    }

    /// Git and the database can't be written at once. So the candidate is kept for this process while the procedure is
    /// stored; if the process dies in between, the next approval finds the procedure.
    fn approve(
        &self,
        id: i64,
        name: Option<&str>,
        patch: &DefinitionPatch,
        by: &Actor,
    ) -> Result<Decided, LibraryError> {
        self.make_of(id, by, |row, run_ids| {
            self.store_lesson(row, name, by, |name| draft(row, run_ids, name, patch.clone()))
        })
    }

    /// Has `make` put a candidate into use, and notes that it is.
    pub(super) fn make_of(
        &self,
        id: i64,
        by: &Actor,
        make: impl FnOnce(&CandidateRow, &[String]) -> Result<Decided, LibraryError>,
    ) -> Result<Decided, LibraryError> {
        let (row, run_ids) = self.database.write(|writer| {
            let row = self.open_candidate(writer, id)?;
            writer.claim_candidate(id, Some(self.session.id()))?;
            let run_ids = writer.runs_with_pattern(&self.user, &row.pattern, MAX_RUNS)?;
            Ok::<_, LibraryError>((row, run_ids))
        })?;
        let decided = match make(&row, &run_ids) {
            Ok(decided) => decided,
            Err(error) => {
                let release = |writer: &Writer<'_>| writer.claim_candidate(id, None);
                if let Err(error) = self.database.write::<_, StorageError>(release) {
                    tracing::warn!(candidate = id, %error, "a candidate stays with this process until it ends");
                }
                return Err(error);
            }
        };
        let made = decided.procedure.as_ref().map(|(_, name)| name.as_str());
        let marked = self.database.write_synced::<_, StorageError>(|writer| {
            let whose = (self.user.as_str(), by.decider.is_agent());
            writer.review_candidate(id, CandidateStatus::Active, whose, now_ms(), row.evidence, made)
        });
        if let Err(error) = marked {
            // Kept for this process, so that nobody makes a second procedure of it; the next one finds the first.
            tracing::warn!(candidate = id, %error, "a candidate was approved and still waits");
        }
        Ok(decided)
    }

    /// Stores the procedure, under the given name or the first that is free.
    fn store_lesson(
        &self,
        row: &CandidateRow,
        given: Option<&str>,
        by: &Actor,
        draft: impl Fn(String) -> DefinitionDraft,
    ) -> Result<Decided, LibraryError> {
        let mut attempt = 1;
        loop {
            let name = given.map_or_else(|| default_name(row, attempt), str::to_owned);
            let definition = draft(name).build()?;
            let owner = Some(self.user.clone());
            let definition = Definition { owner, created_by: CreatedBy::Learned, ..definition };
            match self.store(definition.clone(), None, None, by) {
                Ok(remembered) => {
                    let made = &remembered.procedure;
                    let procedure = Some((made.id, made.definition.name.to_string()));
                    return Ok(Decided { status: CandidateStatus::Active, procedure, similar: remembered.similar });
                }
                Err(LibraryError::NameTaken { .. }) if row.claimed_by.is_some() && self.is_made(&definition)? => {
                    let made = self.procedure(&ProcedureRef::Name(definition.name.to_string()))?;
                    let procedure = Some((made.id, made.definition.name.to_string()));
                    return Ok(Decided { procedure, ..Decided::status(CandidateStatus::Active) });
                }
                Err(LibraryError::NameTaken { .. } | LibraryError::NameHidden(_) | LibraryError::NotOwner { .. })
                    if given.is_none() && attempt < MAX_NAMES =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether a process that died while it approved a candidate had stored this.
    fn is_made(&self, wanted: &Definition) -> Result<bool, LibraryError> {
        let made = self.procedure(&ProcedureRef::Name(wanted.name.to_string()))?.definition;
        Ok(made.created_by == CreatedBy::Learned
            && made.owner == wanted.owner
            && (made.problem, made.solution) == (wanted.problem.clone(), wanted.solution.clone()))
    }
}

/// The procedure that a candidate becomes, with a reviewer's changes. Its steps are sentences: what was read in states
/// and messages never becomes a command.
fn draft(row: &CandidateRow, run_ids: &[String], name: String, edits: DefinitionPatch) -> DefinitionDraft {
    let lesson = &row.lesson;
    let named = run_ids.iter().take(RUNS_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if row.evidence > RUNS_NAMED as u64 { " and others" } else { "" };
    let solution = edits.solution.as_ref().unwrap_or(&lesson.solution);
    let steps = match row.kind {
        Kind::Strategy => lesson.steps.iter().map(|step| plain(step)).collect(),
        Kind::AntiPattern => vec![plain(solution)],
    };
    let fields = DefinitionPatch {
        description: edits
            .description
            .or_else(|| Some(edits.problem.clone().unwrap_or_else(|| lesson.problem.clone()))),
        category: edits.category.or_else(|| Some(CATEGORY.to_owned())),
        tags: edits.tags.or_else(|| Some(lesson.tags.clone())),
        steps: edits.steps.or_else(|| Some(steps.into_iter().map(crate::domain::Step::Sentence).collect())),
        problem: edits.problem.or_else(|| Some(lesson.problem.clone())),
        solution: edits.solution.or_else(|| Some(lesson.solution.clone())),
        reasoning: edits.reasoning.or_else(|| {
            let count = row.evidence;
            Some(format!("{} Evidence: {count} runs ({named}{more}).", lesson.reasoning))
        }),
        anti_patterns: edits.anti_patterns.or_else(|| Some(lesson.anti_patterns.clone())),
        source_session: edits.source_session.or_else(|| Some(format!("{}: {named}{more}", row.workflow_id))),
        ..edits
    };
    DefinitionDraft { name, fields }
}

/// The procedure that a candidate becomes where nobody says otherwise.
pub(super) fn drafted(row: &CandidateRow) -> Result<Definition, LibraryError> {
    draft(row, &[], default_name(row, 1), DefinitionPatch::default()).build()
}

/// The name that a candidate's procedure gets unless the reviewer names it.
fn default_name(row: &CandidateRow, attempt: u32) -> String {
    let end = match row.kind {
        Kind::Strategy => "strategy",
        Kind::AntiPattern => "pitfall",
    };
    let end = if attempt == 1 { end.to_owned() } else { format!("{end}_{attempt}") };
    let start: String = slugify(&row.workflow_id).chars().take(MAX_NAME_CHARS - end.len() - 1).collect();
    let name = format!("{start}_{end}");
    if ProcedureName::parse(&name).is_ok() { name } else { format!("workflow_{end}") }
}
