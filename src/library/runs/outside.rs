//! Work that was done outside: somebody read a procedure, carried it out, and reports how it went.

use serde_json::Value;

use crate::{
    domain::{Definition, Procedure, Report, RunId},
    library::{Library, LibraryError, ProcedureRef, digest, now_ms},
    storage::{NewReport, StorageError},
};

const MAX_NOTES_CHARS: usize = 20_000;
const MAX_EVIDENCE_BYTES: usize = 64 * 1024;
/// Ten years.
const MAX_DURATION_MS: f64 = 10.0 * 366.0 * 86_400_000.0;

/// What somebody reads who carries a procedure out: the same steps and the same text are the same, whatever else changes.
pub(in crate::library) fn text_digest(definition: &Definition) -> Result<String, LibraryError> {
    let text = serde_json::to_string(&(&definition.steps, &definition.template))
        .map_err(|error| LibraryError::internal_because("the steps can't be written", &error))?;
    Ok(digest(&text))
}

impl Library {
    /// Counts what was done by reading the procedure, whoever's it is, as long as this user may read it. Gives the run that
    /// keeps the report, and the procedure as it stands now.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`], [`LibraryError::ProcedureDeleted`], or what is wrong with the report.
    pub fn record_outcome(&self, wanted: &ProcedureRef, report: &Report) -> Result<(Procedure, RunId), LibraryError> {
        let (notes, evidence) = (notes(report)?, evidence(report)?);
        let duration_ms = report.duration_ms;
        if duration_ms.is_some_and(|duration| !(0.0..=MAX_DURATION_MS).contains(&duration)) {
            return Err(LibraryError::invalid_with_hint(
                format!("`duration_ms` is {}, which no work takes", duration_ms.unwrap_or_default()),
                "give milliseconds, from 0 to ten years, or leave it out",
            ));
        }
        let row = self.procedure(wanted)?;
        let (id, at) = (uuid::Uuid::now_v7().to_string(), now_ms());
        #[expect(clippy::cast_possible_truncation, reason = "at most ten years")]
        let started_at = at - duration_ms.unwrap_or_default() as i64;
        let digest = text_digest(&row.definition)?;
        self.database.write::<_, StorageError>(|writer| {
            writer.add_report(&NewReport {
                id: &id,
                procedure_id: row.id,
                version: row.version,
                digest: &digest,
                outcome: report.outcome,
                notes,
                evidence: evidence.as_deref(),
                user: &self.user,
                session: self.session.id(),
                steps_total: u32::try_from(row.definition.steps.len()).unwrap_or(u32::MAX),
                duration_ms,
                started_at,
                at,
            })
        })?;
        Ok((self.procedure_or_removed(&ProcedureRef::Id(row.id))?, id))
    }
}

fn notes(report: &Report) -> Result<&str, LibraryError> {
    let notes = report.notes.as_deref().unwrap_or_default().trim();
    let length = notes.chars().count();
    if length > MAX_NOTES_CHARS {
        return Err(LibraryError::invalid_with_hint(
            format!("`notes` has {length} characters, at most {MAX_NOTES_CHARS} are kept"),
            "say it shorter, and link what is long with `link_artifact`",
        ));
    }
    Ok(notes)
}

fn evidence(report: &Report) -> Result<Option<String>, LibraryError> {
    let text = report.evidence.as_ref().filter(|evidence| **evidence != Value::Null).map(ToString::to_string);
    if let Some(text) = &text
        && text.len() > MAX_EVIDENCE_BYTES
    {
        return Err(LibraryError::invalid_with_hint(
            format!("`evidence` has {} bytes of JSON, at most {MAX_EVIDENCE_BYTES} are kept", text.len()),
            "link files and addresses with `link_artifact` and the `run_id` of the answer",
        ));
    }
    Ok(text)
}
