//! Learning from outcomes: what they have in common becomes a candidate, which waits for a person's word.
//!
//! [`learn`] is called in the transaction that stores an outcome. What is learned is decided in `domain::learning`, out of
//! outcomes that are read back; a candidate's evidence is every outcome of its user with its pattern.

mod own_runs;
mod review;
mod wording;

pub use review::{CandidateView, Decided, LessonEdits, Review};

use crate::{
    domain::learning::{self, Ended, Kind, Lesson, Trace, lesson},
    storage::{CandidateStatus, NewOutcome, Reader, StorageError, Wording, Writer},
};

/// Outcomes that a lesson is made of: the newest.
const MOST_SEEN: u32 = 50;
/// Open lessons of one workflow that a success may say something new to.
const MOST_OPEN: u32 = 20;

/// A short name for what outcomes that are alike share.
pub fn pattern(workflow_id: &str, ended: Ended, trace: &Trace, error: Option<&str>) -> Option<String> {
    let text = learning::pattern::of(workflow_id, ended, trace, error)?;
    Some(blake3::hash(text.as_bytes()).to_hex().chars().take(32).collect())
}

/// Learns from an outcome that was just stored; gives the candidates that it is evidence for.
pub fn learn(writer: &Writer<'_>, outcome: &NewOutcome, now: i64) -> Result<Vec<i64>, StorageError> {
    let Some(pattern) = &outcome.pattern else { return Ok(Vec::new()) };
    let (user, workflow) = (outcome.user.as_str(), outcome.workflow_id.as_str());
    let candidate = weigh(writer, user, workflow, outcome.ended.teaches(), pattern, now)?;
    if outcome.ended == Ended::Success {
        // It may be what worked instead.
        for open in writer.candidates_of_workflow(user, workflow, CandidateStatus::Candidate, MOST_OPEN)? {
            if open.kind == Kind::AntiPattern {
                weigh(writer, user, workflow, open.kind, &open.pattern, now)?;
            }
        }
    }
    Ok(candidate.into_iter().collect())
}

/// Makes a candidate of a pattern, or brings the one that there is up to date; gives it when its evidence counts.
fn weigh(
    writer: &Writer<'_>,
    user: &str,
    workflow: &str,
    kind: Kind,
    pattern: &str,
    now: i64,
) -> Result<Option<i64>, StorageError> {
    let count = writer.evidence(user, pattern)?.count;
    if count < kind.threshold() {
        return Ok(None);
    }
    let known = writer.candidate_of(user, kind, pattern)?;
    let is_waiting = match &known {
        None => true,
        Some(known) => match known.status {
            CandidateStatus::Active => return Ok(Some(known.id)),
            CandidateStatus::Rejected => learning::comes_back(known.reviewed_evidence.unwrap_or(count), count),
            CandidateStatus::Candidate => true,
        },
    };
    if !is_waiting {
        return Ok(None);
    }
    let Some(lesson) = lesson_of(writer, user, workflow, kind, pattern)? else { return Ok(None) };
    let Some(known) = known else {
        return writer.add_candidate(user, workflow, kind, pattern, &lesson, now).map(Some);
    };
    let says_something_new = serde_json::to_string(&lesson).is_ok_and(|basis| basis != known.basis);
    let is_open = known.status == CandidateStatus::Candidate;
    // The reviewer's own words stay, whatever else is learned.
    if known.wording != Wording::Edited && (says_something_new || !is_open) {
        writer.renew_candidate(known.id, &lesson, now)?;
    } else if !is_open {
        writer.reopen_candidate(known.id, now)?;
    }
    Ok(Some(known.id))
}

fn lesson_of(
    reader: &Reader<'_>,
    user: &str,
    workflow: &str,
    kind: Kind,
    pattern: &str,
) -> Result<Option<Lesson>, StorageError> {
    let seen = reader.seen_with_pattern(user, pattern, MOST_SEEN)?;
    Ok(match kind {
        Kind::Strategy => lesson::strategy(workflow, &seen),
        Kind::AntiPattern => {
            let successes = reader.seen_of_workflow(user, workflow, Ended::Success, MOST_SEEN)?;
            lesson::anti_pattern(workflow, &seen, &successes)
        }
    })
}
