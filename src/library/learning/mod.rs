//! Learning from outcomes: what they have in common becomes a candidate, which waits for a person's word.
//!
//! [`learn`] is called in the transaction that stores an outcome. What is learned is decided in `domain::learning`, out of
//! outcomes that are read back; a candidate's evidence is every outcome of its user with its pattern.

mod amending;
mod describe;
mod dossier;
mod edits;
mod merge;
mod overheard;
mod own_runs;
mod proposals;
mod recorded;
mod review;
mod told;
mod wording;

pub use dossier::{Change, Dossier, Neighbour, Sign};
pub use edits::LessonEdits;
pub use overheard::{Heard, Overheard};
pub use recorded::Recorded;
pub use review::{CandidateView, Decided, Review, Source};
pub use told::{Concluded, MOST_LESSONS, Nearest, Submission};

use crate::{
    domain::learning::{self, Ended, Kind, Lesson, Trace, Way, lesson},
    library::LibraryError,
    storage::{CandidateRow, CandidateStatus, NewOutcome, Reader, StorageError, Wording, Writer},
};

/// Outcomes that a lesson is made of: the newest. Once there are more of a kind, a lesson is looked at again only every so
/// many of them, because a procedure may run a million times.
const MAX_SEEN: u32 = 20;
/// Open lessons of one workflow that a success may say something new to.
const MAX_OPEN: u32 = 10;
/// Ways of a workflow that are compared: those with most evidence.
const MAX_WAYS: u32 = 5;

/// Code was given for a candidate that takes none.
fn no_code_for(id: i64) -> LibraryError {
    LibraryError::invalid_with_hint(
        format!("candidate `{id}` takes no code: it is no change of code"),
        "approve it without `edits.code`; generate_procedure_code gives a procedure code",
    )
}

/// A short name for what outcomes that are alike share.
pub fn pattern(workflow_id: &str, ended: Ended, trace: &Trace, error: Option<&str>) -> Option<String> {
    let text = learning::pattern::of(workflow_id, ended, trace, error)?;
    Some(blake3::hash(text.as_bytes()).to_hex().chars().take(32).collect())
}

/// Learns from an outcome that was just stored; gives the candidates that it is evidence for.
pub fn learn(writer: &Writer<'_>, outcome: &NewOutcome, now: i64) -> Result<Vec<i64>, StorageError> {
    let Some(pattern) = &outcome.pattern else { return Ok(Vec::new()) };
    let (user, workflow) = (outcome.user.as_str(), outcome.workflow_id.as_str());
    let kind = outcome.ended.teaches();
    let most = u64::from(MAX_SEEN);
    let seen = writer.count_pattern(user, pattern, most + 1)?;
    // Whether there is little evidence yet, or the next handful of it.
    let mut is_telling = seen <= most;
    let candidate = match writer.candidate_of(user, kind, pattern)? {
        None => put_forward(writer, outcome, (kind, pattern), seen, now)?,
        Some(known) => {
            let evidence = writer.add_evidence(known.id)?;
            is_telling |= evidence.is_multiple_of(most);
            match known.status {
                CandidateStatus::Active => Some(known.id),
                CandidateStatus::Rejected => {
                    let comes_back = learning::comes_back(known.reviewed_evidence.unwrap_or(evidence), evidence);
                    if comes_back {
                        renew(writer, &known, now)?;
                    }
                    comes_back.then_some(known.id)
                }
                CandidateStatus::Candidate => {
                    if is_telling {
                        renew(writer, &known, now)?;
                    }
                    Some(known.id)
                }
            }
        }
    };
    // How it went well says more now.
    if outcome.ended == Ended::Failure
        && outcome.procedure_id.is_some()
        && let Some(pattern) = writer.newest_pattern(user, workflow, Ended::Success)?
        && writer.candidate_of(user, Kind::Strategy, &pattern)?.is_none()
    {
        let seen = writer.count_pattern(user, &pattern, most + 1)?;
        put_forward(writer, outcome, (Kind::Strategy, &pattern), seen, now)?;
    }
    if outcome.ended == Ended::Success && is_telling {
        // It may be what worked instead.
        for open in writer.candidates_of_workflow(user, workflow, CandidateStatus::Candidate, MAX_OPEN)? {
            if open.kind == Kind::AntiPattern {
                renew(writer, &open, now)?;
            }
        }
    }
    Ok(candidate.into_iter().collect())
}

/// Makes a candidate of outcomes that are alike, where there are enough of them.
fn put_forward(
    writer: &Writer<'_>,
    outcome: &NewOutcome,
    (kind, pattern): (Kind, &str),
    seen: u64,
    now: i64,
) -> Result<Option<i64>, StorageError> {
    let (user, workflow) = (outcome.user.as_str(), outcome.workflow_id.as_str());
    if seen < kind.threshold() {
        return Ok(None);
    }
    // That a procedure goes as it is written teaches nothing; that it does so where it could have gone otherwise may.
    let is_ours = outcome.procedure_id.is_some();
    if kind == Kind::Strategy && is_ours && !writer.ended_otherwise(user, workflow, pattern)? {
        return Ok(None);
    }
    match lesson_of(writer, user, workflow, kind, pattern)? {
        Some(lesson) => {
            let evidence = writer.count_pattern(user, pattern, u64::from(u32::MAX))?;
            Ok(Some(writer.add_candidate(outcome, (kind, pattern), &lesson, evidence, now)?))
        }
        None => Ok(None),
    }
}

/// Has a candidate say what its evidence teaches now, and wait for a person's word. The reviewer's own words stay,
/// whatever else is learned.
fn renew(writer: &Writer<'_>, known: &CandidateRow, now: i64) -> Result<(), StorageError> {
    let is_open = known.status == CandidateStatus::Candidate;
    let lesson = match known.wording {
        Wording::Edited => None,
        _ => lesson_of(writer, &known.user, &known.workflow_id, known.kind, &known.pattern)?,
    };
    match lesson {
        Some(lesson) if !is_open || serde_json::to_string(&lesson).is_ok_and(|basis| basis != known.basis) => {
            writer.renew_candidate(known.id, &lesson, now)
        }
        None if !is_open => writer.reopen_candidate(known.id, now),
        _ => Ok(()),
    }
}

fn lesson_of(
    reader: &Reader<'_>,
    user: &str,
    workflow: &str,
    kind: Kind,
    pattern: &str,
) -> Result<Option<Lesson>, StorageError> {
    let seen = reader.seen_with_pattern(user, pattern, MAX_SEEN)?;
    Ok(match kind {
        Kind::Strategy => lesson::strategy(workflow, &seen),
        Kind::AntiPattern => {
            let successes = reader.seen_of_workflow(user, workflow, Ended::Success, MAX_SEEN)?;
            let ways = reader.counted_ways(user, workflow, MAX_WAYS)?.into_iter().map(|(pattern, evidence)| {
                Ok(Way { seen: reader.seen_with_pattern(user, &pattern, MAX_SEEN)?, evidence })
            });
            lesson::anti_pattern(workflow, &seen, &successes, &ways.collect::<Result<Vec<_>, StorageError>>()?)
        }
    })
}
