//! Recall: ranking what answers a question.

use std::collections::BTreeSet;

use crate::{
    domain::{Procedure, folded},
    library::{Library, LibraryError},
    storage::Words,
};

use super::relevance::{self, Ranked};

/// More of a question than this says nothing new.
const MAX_QUERY_CHARS: usize = 2000;
/// How many text matches are ranked.
pub(super) const RANKED: u32 = 150;
const RANKED_UNDER_A_FILTER: u32 = 2000;
/// So many of the best share the likelihood that one of them is meant.
const COMPARED: usize = 10;
/// Procedures are about equally relevant within steps of this much, from the best on: one of the same step is at least two thirds as
/// likely to be meant.
const STEP_OF_RELEVANCE: f64 = 0.4;

/// A recalled procedure with its score from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub procedure: Procedure,
    /// How likely it is that this is the procedure that is meant.
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

/// A procedure that was looked at for a question, with what is known of it: what weights are fitted to.
#[derive(Debug, Clone, PartialEq)]
pub struct LookedAt {
    pub name: String,
    /// In the order of [`signals_of_relevance`].
    pub signals: Vec<f64>,
}

/// What was looked at for a question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Looked {
    pub procedures: Vec<LookedAt>,
    /// What speaks for it that anything fits, in the order of [`signals_of_likelihood`]; `None` where nothing was found.
    pub likely: Option<Vec<f64>>,
}

/// What relevance is made of, with its weights.
#[must_use]
pub fn signals_of_relevance() -> &'static [(&'static str, f64)] {
    &relevance::SIGNALS
}

/// What tells that anything fits, with its weights.
#[must_use]
pub fn signals_of_likelihood() -> &'static [(&'static str, f64)] {
    &relevance::LIKELY
}

impl Library {
    /// What is looked at for a question before it is decided whether to answer.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn look_for(&self, query: &str) -> Result<Looked, LibraryError> {
        let limit = relevance::LOOKED_AT;
        let looked = self.admitted(query, Words::Any, RANKED, limit, &RecallFilter::default())?;
        let (ranked, procedures): (Vec<Ranked>, Vec<Procedure>) = looked.into_iter().unzip();
        let compared = ranked.get(..COMPARED).unwrap_or(&ranked);
        let likely = relevance::strongest(compared).map(|evidence| evidence.signals().to_vec());
        let names = procedures.into_iter().map(|procedure| procedure.definition.name.to_string());
        let signals = ranked.into_iter().map(|ranked| ranked.signals.to_vec());
        let procedures = names.zip(signals).map(|(name, signals)| LookedAt { name, signals }).collect();
        Ok(Looked { procedures, likely })
    }

    /// The active procedures that answer `query` best; none where it is not likely that any does.
    ///
    /// Those that have all telling words of the query come alone where they are enough; otherwise any word counts. How often a
    /// procedure succeeded, and when it ran last, decide among those that answer about equally well.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn recall(&self, query: &str, limit: usize, filter: &RecallFilter) -> Result<Vec<Found>, LibraryError> {
        self.refresh()?;
        let query: String = query.chars().take(MAX_QUERY_CHARS).collect();
        // What the filter leaves out must not use up the places of what it admits.
        let is_filtered =
            *filter != RecallFilter::default() || self.database.read(|reader| reader.has_other_owners(&self.user))?;
        let most = if is_filtered { RANKED_UNDER_A_FILTER } else { RANKED };
        let most = most.max(u32::try_from(limit).unwrap_or(RANKED));
        let admitted = self.admitted(&query, Words::All, most, limit, filter)?;
        let admitted =
            if admitted.len() < limit { self.admitted(&query, Words::Any, most, limit, filter)? } else { admitted };
        let (ranked, procedures): (Vec<Ranked>, Vec<Procedure>) = admitted.into_iter().unzip();
        let likely = relevance::likelihoods(&ranked);
        if likely.iter().sum::<f64>() < relevance::LEAST_LIKELY {
            return Ok(Vec::new());
        }
        let found = procedures.into_iter().zip(likely).map(|(procedure, score)| Found { procedure, score });
        Ok(found.take(limit).collect())
    }

    /// The best of the `most` whose text answers best: `limit`, and a few more to compare with. Those that are looked at are read,
    /// and no others.
    fn admitted(
        &self,
        query: &str,
        words: Words,
        most: u32,
        limit: usize,
        filter: &RecallFilter,
    ) -> Result<Vec<(Ranked, Procedure)>, LibraryError> {
        self.database.read(|reader| {
            // What is left out by a filter must not use up the places of what is looked at, either.
            let looked_at = if most > RANKED { most as usize } else { relevance::LOOKED_AT };
            let mut ranked = relevance::ranked(reader.answering(query, words, most)?, looked_at);
            ranked.retain(|ranked| ranked.text.is_active);
            in_order(&mut ranked);
            let most = limit.max(COMPARED);
            let mut admitted = Vec::with_capacity(most.min(ranked.len()));
            for ranked in ranked {
                if admitted.len() == most {
                    break;
                }
                let id = ranked.text.id;
                if filter.only.as_ref().is_none_or(|only| only.contains(&id))
                    && let Some(procedure) = reader.procedure(id)?.filter(|row| filter.admits(row, &self.user))
                {
                    admitted.push((ranked, procedure));
                }
            }
            Ok(admitted)
        })
    }
}

/// The most relevant first. Of those that are about equally so, what succeeds more, then what is more relevant by a little, then
/// what ran last.
fn in_order(ranked: &mut [Ranked]) {
    let best = ranked.iter().map(|ranked| ranked.relevance).fold(f64::MIN, f64::max);
    // Of the two zeros there are, the one.
    let about = |ranked: &Ranked| ((ranked.relevance - best) / STEP_OF_RELEVANCE).ceil() + 0.0;
    let record = |ranked: &Ranked| track_record(ranked.text.successes, ranked.text.failures);
    ranked.sort_by(|a, b| {
        about(b)
            .total_cmp(&about(a))
            .then(record(b).total_cmp(&record(a)))
            .then(b.relevance.total_cmp(&a.relevance))
            .then(b.text.last_run_at.cmp(&a.text.last_run_at))
            .then(a.text.id.cmp(&b.text.id))
    });
}

/// From 0.5 to 1: what keeps failing sinks, what was never tried stays in the middle.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(super) fn track_record(successes: u64, failures: u64) -> f64 {
    let finished = successes + failures;
    let expected = (successes as f64 + 1.0) / (finished as f64 + 2.0);
    0.5 + 0.5 * expected
}
