//! Judging code: by its syntax tree and, when nothing speaks against it, by the interpreter.

use std::path::PathBuf;

use super::candidate::Validated;
use crate::{
    config::Limits,
    domain::{Definition, Procedure, RuntimeKind},
    host,
    library::{LibraryError, ProcedureRef, Services, procedures::runtime_choice::Choice, runs},
    runtime::{self, Verdict},
    validation::{self, Context, rules},
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
    let runtime = definition.map_or_else(RuntimeKind::default, |definition| definition.runtime);
    let context = Context { entry_name: Some(entry_name), definition, grants: None, runtime };
    let mut analysis = validation::analyze(code, &context);
    if analysis.checks.runnable {
        let verdict =
            runs::check(&*runtime::sandbox(worker, 1, *host::MODULE), code, host::STUB, &Limits::default()).await?;
        analysis = analysis.with_verdict(&counted(verdict, runtime));
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
        let (_, choice, row) = self.check(code, wanted, None).await?;
        let mut validated = Validated::from(choice.analysis);
        let has_note = validated.issues.iter().any(|issue| issue.code == rules::GENERATION_NOTE.code);
        validated.issues.extend(choice.note.filter(|_| !has_note).map(|note| rules::GENERATION_NOTE.issue(note)));
        Ok((validated, row.map(|row| row.id)))
    }

    /// What the syntax tree of `code` shows and, when nothing speaks against it, what the interpreter says; for the runtime
    /// that is wanted, or that fits.
    pub(in crate::library) async fn check(
        &self,
        code: String,
        wanted: Option<ProcedureRef>,
        runtime: Option<RuntimeKind>,
    ) -> Result<(String, Choice, Option<Procedure>), LibraryError> {
        let analyzed = self.blocking(move |library| {
            let (choice, row) = library.analyze(&code, wanted.as_ref(), runtime)?;
            Ok((code, choice, row))
        });
        let (code, mut choice, row) = analyzed.await?;
        // What does not pass the checks is not shown to the interpreter at all.
        if choice.analysis.checks.runnable {
            let verdict = counted(self.engine().check(&code).await?, choice.runtime);
            choice.analysis = choice.analysis.with_verdict(&verdict);
        }
        Ok((code, choice, row))
    }
}

/// What counts of what the sandbox says of code that `runtime` would execute.
fn counted(verdict: Verdict, runtime: RuntimeKind) -> Verdict {
    match runtime {
        RuntimeKind::Sandbox => verdict,
        RuntimeKind::Python => validation::of_other_python(verdict),
    }
}
