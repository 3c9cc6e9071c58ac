//! Code that somebody agreed to, in the place of the current one; and code of a model that waits for that.

use super::{
    candidate::{Candidate, CodeSource, Making},
    generate::Activity,
};
use crate::{
    domain::Procedure,
    library::{Actor, Library, LibraryError, ProcedureRef, Services},
};

impl Library {
    /// Makes code the next version of a procedure, with the runtime and the packages of the one before.
    ///
    /// # Errors
    /// [`LibraryError::CodeRejected`], [`LibraryError::ExamplesFail`], or that it is the current code already.
    pub(in crate::library) fn replace_code(&self, id: i64, code: &str, by: &Actor) -> Result<Procedure, LibraryError> {
        let wanted = ProcedureRef::Id(id);
        let row = self.own_procedure(&wanted)?;
        let name = row.definition.name.to_string();
        let (choice, _) = self.analyze(code, Some(&wanted), Some(row.definition.runtime))?;
        let candidate = Candidate::new(code.to_owned(), CodeSource::Agent, choice, &row.definition);
        let candidate = Candidate { lock: row.lock, ..candidate };
        let made = self.commit_candidate(id, candidate, Making::default(), by)?;
        if !made.failing.is_empty() {
            return Err(LibraryError::ExamplesFail { name, failing: made.failing });
        }
        if made.procedure.version == row.version {
            return Err(LibraryError::invalid_with_hint(
                format!("this is already the code of `{name}`"),
                "pass code that differs",
            ));
        }
        Ok(made.procedure)
    }
}

impl Services {
    /// Code that the configured model writes for a procedure after it saw how the current code failed, where it is sound and no
    /// example speaks against it. Nothing is stored.
    pub(in crate::library) async fn code_of_model(
        &self,
        id: i64,
        activity: &Activity,
    ) -> Result<Option<String>, LibraryError> {
        let (row, config) =
            self.blocking(move |library| Ok((library.procedure(&ProcedureRef::Id(id))?, library.config()?))).await?;
        let Some(settings) = &config.model else { return Ok(None) };
        let candidate = self.ask_model(&row, settings, true, activity, &mut Making::default()).await?;
        let is_good =
            candidate.is_sound() && candidate.failing.is_empty() && row.code.as_ref() != Some(&candidate.code);
        Ok(is_good.then_some(candidate.code))
    }
}
