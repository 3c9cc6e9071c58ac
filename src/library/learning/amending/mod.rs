//! What runs say about the procedures that they executed: amendments, which wait for a person's word.
//!
//! A procedure is looked at when a run of it was counted, or when it has a new version; once a day those that nobody uses. That
//! is noted in a list, so that whoever serves the home does it later, for all users, and nothing is looked at twice. What is
//! found takes the place of what was found before: an amendment that nothing speaks for any more is withdrawn.
//!
//! What is about code is found in `of_code`, what is about whole procedures in `of_procedures`; `decide` carries out what a
//! reviewer says, and `fixes` asks the model for code.

mod decide;
mod describe;
mod fixes;
mod of_code;
mod of_procedures;

use crate::{
    domain::{
        Procedure,
        learning::amending::{Amending, Amendment, RETIRE_AFTER_DAYS},
    },
    library::{Library, LibraryError, now_ms},
    storage::{AmendmentRow, Reader, StorageError},
};

use super::review::{CandidateView, Source};
use of_procedures::{DAY_MS, may_be_amended};

/// Procedures that are looked at in one go.
const BATCH: u32 = 8;
/// Procedures that nobody uses, of those that are looked at in one day.
const UNUSED: u32 = 200;

/// What is to be proposed for a procedure, where that is known, and which others have to be looked at because of it.
type Looked = (Option<Vec<Amendment>>, Vec<i64>);

impl Library {
    /// Looks at the next procedures that something has happened to; whether there may be more, and how many amendments wait
    /// that did not before.
    pub(super) fn look_for_amendments(&self) -> Result<(bool, usize), LibraryError> {
        let next = self.database.read(|reader| reader.looks(BATCH))?;
        let mut is_new = 0;
        for (procedure_id, noted, marks) in &next {
            let user = if noted.is_empty() { &self.user } else { noted };
            let (found, others) = self.amendments_for(user, *procedure_id).unwrap_or_else(|error| {
                // The others are looked at all the same; this one is when it is executed again.
                tracing::warn!(procedure_id, %error, "a procedure can't be learned from");
                (None, Vec::new())
            });
            is_new += self.database.write::<_, StorageError>(|writer| {
                writer.end_look(*procedure_id, noted, *marks)?;
                others.iter().try_for_each(|other| writer.look_at(*other, Some(user)))?;
                found.as_ref().map_or(Ok(0), |found| writer.put_amendments(user, *procedure_id, found))
            })?;
        }
        Ok((!next.is_empty(), is_new))
    }

    /// Has procedures looked at that nobody uses.
    pub(super) fn look_at_unused(&self) -> Result<(), LibraryError> {
        let days = i64::try_from(RETIRE_AFTER_DAYS).unwrap_or(i64::MAX);
        let before = now_ms().saturating_sub(days.saturating_mul(DAY_MS));
        Ok(self.database.write::<_, StorageError>(|writer| writer.look_at_unused(before, UNUSED))?)
    }

    fn amendments_for(&self, user: &str, procedure_id: i64) -> Result<Looked, LibraryError> {
        self.database.read(|reader| {
            let mut others = Vec::new();
            let Some(row) = reader.procedure(procedure_id)?.filter(|row| may_be_amended(row, user)) else {
                return Ok((Some(Vec::new()), others));
            };
            // What others rely on is for nobody to change.
            if row.definition.is_template() && reader.has_other_users(user)? {
                return Ok((Some(Vec::new()), others));
            }
            let mut found = of_code::amendments_of_code(reader, user, &row)?;
            // One that does what another does need not be put away for itself.
            let whole = match of_procedures::merge(reader, user, &row, &mut others)? {
                Some(merge) => Some(merge),
                None => of_procedures::retire(reader, user, &row)?,
            };
            found.extend(whole);
            Ok((Some(found), others))
        })
    }

    /// The user's amendments that wait.
    pub(super) fn amendment_views(&self, reader: &Reader<'_>, most: u32) -> Result<Vec<CandidateView>, LibraryError> {
        let rows = reader.open_amendments(&self.user, most)?.into_iter();
        let views = rows.map(|row| {
            let procedure = reader.procedure(row.procedure_id)?.filter(|row| may_be_amended(row, &self.user));
            Ok(procedure.map(|procedure| Self::amendment_view(row, procedure)))
        });
        views.filter_map(Result::transpose).collect()
    }

    pub(super) fn amendment_view(row: AmendmentRow, procedure: Procedure) -> CandidateView {
        let AmendmentRow { id, amendment, skipped_at, .. } = row;
        CandidateView {
            id,
            skipped_at,
            lesson: amendment.lesson.clone(),
            source: Source::Amendment(Box::new(Amending { amendment, procedure })),
            similar: Vec::new(),
            lessons: (0, Vec::new()),
            recording: None,
        }
    }
}
