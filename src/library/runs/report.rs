//! What runs add up to, and what is known of single runs.

use super::outside::text_digest;
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
        let users = self.seen_users();
        let digest = text_digest(&row.definition)?;
        let stats = self.database.read(|reader| reader.stats(&users, row.id, &digest))?;
        Ok((row, stats))
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn runs(&self, filter: &RunFilter, limit: u32) -> Result<Vec<Run>, LibraryError> {
        let users = self.seen_users();
        Ok(self.database.read(|reader| reader.list_runs(&users, filter, limit))?)
    }

    /// One run with its journal. To others than who started it, it is not there.
    ///
    /// # Errors
    /// [`LibraryError::RunNotFound`].
    pub fn run(&self, id: &str) -> Result<(Run, Vec<HostCall>), LibraryError> {
        let users = self.seen_users();
        self.database.read(|reader| {
            let not_found = || LibraryError::RunNotFound(id.chars().take(60).collect());
            let run = reader.run(id)?.filter(|run| users.see(run)).ok_or_else(not_found)?;
            let calls = reader.host_calls(id)?;
            Ok((run, calls))
        })
    }
}
