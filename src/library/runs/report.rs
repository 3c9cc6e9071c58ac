//! What runs add up to, and what is known of single runs.

use crate::{
    domain::{HostCall, Procedure, Run, RunFilter, stats::Stats},
    library::{Library, LibraryError, ProcedureRef},
};

impl Library {
    /// Measured facts of a procedure, also of a removed one.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`].
    pub fn stats(&self, wanted: &ProcedureRef) -> Result<(Procedure, Stats), LibraryError> {
        let row = self.procedure_or_removed(wanted)?;
        let stats = self.database.read(|reader| reader.stats(row.id))?;
        Ok((row, stats))
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn runs(&self, filter: &RunFilter, limit: u32) -> Result<Vec<Run>, LibraryError> {
        Ok(self.database.read(|reader| reader.list_runs(&self.user, filter, limit))?)
    }

    /// One run with its journal.
    ///
    /// # Errors
    /// [`LibraryError::RunNotFound`].
    pub fn run(&self, id: &str) -> Result<(Run, Vec<HostCall>), LibraryError> {
        self.database.read(|reader| {
            let not_found = || LibraryError::RunNotFound(id.chars().take(60).collect());
            let run = reader.run(id)?.ok_or_else(not_found)?;
            let procedure = reader.procedure(run.procedure_id)?;
            if procedure.is_some_and(|row| !row.definition.may_be_read_by(&self.user)) {
                return Err(not_found());
            }
            let calls = reader.host_calls(id)?;
            Ok((run, calls))
        })
    }
}
