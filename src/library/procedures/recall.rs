//! Recall: ranking what answers a question.

use std::collections::BTreeSet;

use crate::{
    domain::{Procedure, folded},
    library::{Library, LibraryError},
    storage::{FoundText, Words},
};

use super::relevance;

/// More of a question than this says nothing new.
const MAX_QUERY_CHARS: usize = 2000;
/// How many text matches are ranked.
pub(super) const RANKED: u32 = 150;
const RANKED_UNDER_A_FILTER: u32 = 2000;

/// A recalled procedure with its score from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub procedure: Procedure,
    /// Text relevance times how well it has done.
    pub score: f64,
}

/// What a recall is narrowed to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecallFilter {
    pub category: Option<String>,
    pub tag: Option<String>,
    /// Only with at least this confidence in the code.
    pub min_confidence: Option<f64>,
    /// Only the user's own.
    pub own_only: bool,
    /// Only these, by their handles.
    pub only: Option<BTreeSet<i64>>,
}

impl RecallFilter {
    pub(in crate::library) fn admits(&self, procedure: &Procedure, user: &str) -> bool {
        let definition = &procedure.definition;
        (if self.own_only { definition.is_own_of(user) } else { definition.may_be_read_by(user) })
            && self.only.as_ref().is_none_or(|only| only.contains(&procedure.id))
            && self.category.as_ref().is_none_or(|category| folded(category) == folded(&definition.category))
            && self.tag.as_ref().is_none_or(|tag| {
                let wanted = folded(tag);
                definition.tags.iter().any(|tag| folded(tag) == wanted)
            })
            && self
                .min_confidence
                .is_none_or(|least| procedure.code_confidence.is_some_and(|confidence| confidence >= least))
    }
}

impl Library {
    /// The active procedures that answer `query` best.
    ///
    /// Those that have all telling words of the query come alone where they are enough; otherwise any word counts.
    ///
    /// The score is text relevance (1 for the best match) times a factor from 0.5 to 1 that grows with the share of
    /// executions that succeeded, counted with one success and one failure in advance: what keeps failing sinks, what
    /// was never tried stays in the middle.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn recall(&self, query: &str, limit: usize, filter: &RecallFilter) -> Result<Vec<Found>, LibraryError> {
        self.refresh()?;
        let query: String = query.chars().take(MAX_QUERY_CHARS).collect();
        // What the filter leaves out must not use up the places of what it admits.
        let is_filtered =
            *filter != RecallFilter::default() || self.database.read(|reader| reader.has_other_owners(&self.user))?;
        let ranked = if is_filtered { RANKED_UNDER_A_FILTER } else { RANKED };
        let ranked = ranked.max(u32::try_from(limit).unwrap_or(RANKED));
        let found = self.ranked(&query, Words::All, ranked, limit, filter)?;
        if found.len() < limit { self.ranked(&query, Words::Any, ranked, limit, filter) } else { Ok(found) }
    }

    /// The best `limit` of the `most` whose text answers best. Those that are looked at are read, and no others.
    fn ranked(
        &self,
        query: &str,
        words: Words,
        most: u32,
        limit: usize,
        filter: &RecallFilter,
    ) -> Result<Vec<Found>, LibraryError> {
        self.database.read(|reader| {
            let hits = relevance::ranked(reader.answering(query, words, most)?);
            let best = hits.first().map_or(f64::MIN_POSITIVE, |(_, relevance)| relevance.max(f64::MIN_POSITIVE));
            let score = |hit: &FoundText, relevance: f64| relevance / best * track_record(hit.successes, hit.failures);
            let mut scored: Vec<(f64, i64)> = hits
                .iter()
                .filter(|(hit, _)| hit.is_active)
                .map(|(hit, relevance)| (score(hit, *relevance), hit.id))
                .collect();
            scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let mut found = Vec::with_capacity(limit.min(scored.len()));
            for (score, id) in scored {
                if found.len() == limit {
                    break;
                }
                if filter.only.as_ref().is_none_or(|only| only.contains(&id))
                    && let Some(procedure) = reader.procedure(id)?.filter(|row| filter.admits(row, &self.user))
                {
                    found.push(Found { procedure, score });
                }
            }
            Ok(found)
        })
    }
}

/// From 0.5 to 1: what keeps failing sinks, what was never tried stays in the middle.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(super) fn track_record(successes: u64, failures: u64) -> f64 {
    let finished = successes + failures;
    let expected = (successes as f64 + 1.0) / (finished as f64 + 2.0);
    0.5 + 0.5 * expected
}
