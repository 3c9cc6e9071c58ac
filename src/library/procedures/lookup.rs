//! Finding procedures: by handle or name, by words, by confidence.

use std::collections::BTreeSet;

use crate::{
    domain::{Procedure, ProcedureFilter, ProcedureName, Status},
    library::{Library, LibraryError},
    storage::{Reader, Words},
};

/// Names this similar (Jaro-Winkler) to a wrong one are proposed.
const SIMILAR_NAME: f64 = 0.75;
/// More of a question than this says nothing new.
const MAX_QUERY_CHARS: usize = 2000;
/// How many text matches are ranked anew by success.
const RANKED: u32 = 50;
const RANKED_UNDER_A_FILTER: u32 = 2000;

/// A procedure as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcedureRef {
    /// The local handle.
    Id(i64),
    /// The name, or what makes it.
    Name(String),
}

impl std::fmt::Display for ProcedureRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl From<&str> for ProcedureRef {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id)
    }
}

/// A recalled procedure with its score from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The procedure.
    pub procedure: Procedure,
    /// Text relevance times how well it has done.
    pub score: f64,
}

/// What a recall is narrowed to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecallFilter {
    /// Only this category.
    pub category: Option<String>,
    /// Only with this tag.
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
            && self.category.as_ref().is_none_or(|category| *category == definition.category)
            && self.tag.as_ref().is_none_or(|tag| definition.tags.contains(tag))
            && self
                .min_confidence
                .is_none_or(|least| procedure.code_confidence.is_some_and(|confidence| confidence >= least))
    }
}

impl Library {
    /// The procedure that `wanted` names.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`], with the closest name, or [`LibraryError::ProcedureDeleted`].
    pub fn procedure(&self, wanted: &ProcedureRef) -> Result<Procedure, LibraryError> {
        self.refresh()?;
        self.database.read(|reader| live(find(reader, &self.user, wanted)?))
    }

    /// The procedure that `wanted` names, also when it was removed.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`].
    pub fn procedure_or_removed(&self, wanted: &ProcedureRef) -> Result<Procedure, LibraryError> {
        self.refresh()?;
        self.database.read(|reader| find(reader, &self.user, wanted))
    }

    /// The procedure that `wanted` names, which this user may change.
    ///
    /// # Errors
    /// As [`Self::procedure`], and [`LibraryError::NotOwner`].
    pub(in crate::library) fn own_procedure(&self, wanted: &ProcedureRef) -> Result<Procedure, LibraryError> {
        self.refresh()?;
        self.database.read(|reader| self.find_own(reader, wanted))
    }

    pub(in crate::library) fn find_own(
        &self,
        reader: &Reader<'_>,
        wanted: &ProcedureRef,
    ) -> Result<Procedure, LibraryError> {
        let row = live(find(reader, &self.user, wanted)?)?;
        check_owner(&row, &self.user)?;
        Ok(row)
    }

    /// The procedures that match, latest change first (or best first, where a confidence is asked for), and how many
    /// there are in all.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn list(
        &self,
        filter: &ProcedureFilter<'_>,
        limit: u32,
        offset: u32,
    ) -> Result<(Vec<Procedure>, u64), LibraryError> {
        self.refresh()?;
        let filter = ProcedureFilter { user: Some(&self.user), ..filter.clone() };
        Ok(self.database.read(|reader| reader.list_procedures(&filter, limit, offset))?)
    }

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
        let mut found = self.ranked(&query, Words::All, ranked, filter)?;
        if found.len() < limit {
            found = self.ranked(&query, Words::Any, ranked, filter)?;
        }
        found.truncate(limit);
        Ok(found)
    }

    fn ranked(&self, query: &str, words: Words, most: u32, filter: &RecallFilter) -> Result<Vec<Found>, LibraryError> {
        let hits = self.database.read(|reader| reader.search_procedures(query, words, most))?;
        let best = hits.iter().map(|hit| hit.relevance).fold(f64::MIN_POSITIVE, f64::max);
        let mut found: Vec<Found> = hits
            .into_iter()
            .filter(|hit| {
                hit.procedure.definition.status == Status::Active && filter.admits(&hit.procedure, &self.user)
            })
            .map(|hit| Found { score: hit.relevance / best * track_record(&hit.procedure), procedure: hit.procedure })
            .collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.procedure.id.cmp(&b.procedure.id)));
        Ok(found)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(in crate::library) fn track_record(procedure: &Procedure) -> f64 {
    let finished = procedure.successes + procedure.failures;
    let expected = (procedure.successes as f64 + 1.0) / (finished as f64 + 2.0);
    0.5 + 0.5 * expected
}

/// What `user` may not read is not there.
pub(in crate::library) fn find(
    reader: &Reader<'_>,
    user: &str,
    wanted: &ProcedureRef,
) -> Result<Procedure, LibraryError> {
    let found = match wanted {
        ProcedureRef::Id(id) => reader.procedure(*id)?,
        ProcedureRef::Name(name) => match reader.procedure_named(name)? {
            Some(row) => Some(row),
            None => match ProcedureName::parse(name) {
                Ok(slug) if slug.as_str() != name => reader.procedure_named(slug.as_str())?,
                _ => None,
            },
        },
    };
    match found.filter(|row| row.definition.may_be_read_by(user)) {
        Some(row) => Ok(row),
        None => Err(LibraryError::ProcedureNotFound {
            given: wanted.to_string().chars().take(100).collect(),
            closest: match wanted {
                ProcedureRef::Name(name) => closest(name, &reader.procedure_names(user)?),
                ProcedureRef::Id(_) => None,
            },
        }),
    }
}

pub(in crate::library) fn live(row: Procedure) -> Result<Procedure, LibraryError> {
    if row.deleted_at.is_some() {
        Err(LibraryError::ProcedureDeleted(row.definition.name.to_string()))
    } else {
        Ok(row)
    }
}

pub(in crate::library) fn check_owner(row: &Procedure, user: &str) -> Result<(), LibraryError> {
    if row.definition.may_be_changed_by(user) {
        return Ok(());
    }
    let owner = row.definition.owner.clone().unwrap_or_default();
    Err(LibraryError::NotOwner { name: row.definition.name.to_string(), owner })
}

fn closest(name: &str, names: &[String]) -> Option<String> {
    names
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR_NAME)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate.clone())
}
