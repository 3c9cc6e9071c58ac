//! Judging code: by its syntax tree and, when nothing speaks against it, by the interpreter.

use std::path::PathBuf;

use super::candidate::Validated;
use crate::{
    config::Limits,
    domain::{Definition, Procedure},
    host,
    library::{LibraryError, ProcedureRef, Services, runs},
    runtime,
    validation::{self, Analysis, Context},
};

/// Checks a source that belongs to no home: by its syntax tree and, when nothing speaks against it, by having the
/// interpreter compile it and check its types in a process of the program `worker`.
///
/// # Errors
/// [`LibraryError::Sandbox`]. Bad code is not an error here.
pub async fn check_source(
    code: &str,
    entry_name: &str,
    definition: Option<&Definition>,
    worker: PathBuf,
) -> Result<Validated, LibraryError> {
    let context = Context { entry_name: Some(entry_name), definition, grants: None };
    let mut analysis = validation::analyze(code, &context);
    if analysis.checks.runnable {
        let verdict =
            runs::check(&*runtime::sandbox(worker, 1, *host::MODULE), code, host::STUB, &Limits::default()).await?;
        analysis = analysis.with_verdict(&verdict);
    }
    Ok(Validated::from(analysis))
}

impl Services {
    /// Checks code, for a procedure where one is named. Stores nothing.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`]. Bad code is not an error here.
    pub async fn validate(
        &self,
        code: String,
        wanted: Option<ProcedureRef>,
    ) -> Result<(Validated, Option<i64>), LibraryError> {
        let (_, analysis, row) = self.check(code, wanted).await?;
        Ok((Validated::from(analysis), row.map(|row| row.id)))
    }

    /// What the syntax tree of `code` shows and, when nothing speaks against it, what the interpreter says.
    pub(in crate::library) async fn check(
        &self,
        code: String,
        wanted: Option<ProcedureRef>,
    ) -> Result<(String, Analysis, Option<Procedure>), LibraryError> {
        let analyzed = self.blocking(move |library| {
            let (analysis, row) = library.analyze(&code, wanted.as_ref())?;
            Ok((code, analysis, row))
        });
        let (code, mut analysis, row) = analyzed.await?;
        // What does not pass the checks is not shown to the interpreter at all.
        if analysis.checks.runnable {
            let verdict = self.engine().check(&code).await?;
            analysis = analysis.with_verdict(&verdict);
        }
        Ok((code, analysis, row))
    }
}
