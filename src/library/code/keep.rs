//! Runs that are kept as examples, and the examples that there are, tried anew.

use serde_json::{Map, Value};

use crate::{
    domain::{
        Definition, Example, FailingExample, HostCall, Procedure, Run, RunStatus, VersionNumber,
        example::{RecordedCall, Verdict},
        secrets::{scrubbed, scrubbed_fields, scrubbed_value},
    },
    host,
    library::{Actor, DefinitionPatch, Library, LibraryError, Naming, ProcedureRef, home::Trial},
};

/// An example that is larger than this, as JSON, is data and belongs in a file.
const MAX_BYTES: usize = 64 * 1024;
/// How the journal ends values that it keeps only the beginning of.
const CUT: &str = " bytes in all)";
/// What the journal says of a call whose run ended before it was answered.
const UNANSWERED: &str = "Ended: ";

/// How the examples of a procedure do.
#[derive(Debug, Clone, PartialEq)]
pub struct TriedExamples {
    pub name: String,
    pub version: VersionNumber,
    /// One for each, in their order; none where there is no code or no example.
    pub verdicts: Vec<Verdict>,
    pub failing: Vec<FailingExample>,
}

impl Library {
    /// Tries the examples of a procedure with its current code.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`], or when nothing can be executed.
    pub fn try_examples_of(&self, wanted: &ProcedureRef) -> Result<TriedExamples, LibraryError> {
        let Procedure { definition, code, lock, version, .. } = self.procedure(wanted)?;
        let name = definition.name.to_string();
        let Some(code) = code.filter(|_| !definition.examples.is_empty()) else {
            return Ok(TriedExamples { name, version, verdicts: Vec::new(), failing: Vec::new() });
        };
        let trial = Trial { definition, code, lock };
        let verdicts = self.try_examples(&trial)?;
        let verdicts = verdicts.ok_or_else(|| LibraryError::internal("nothing can be executed here"))?;
        Ok(TriedExamples { name, version, failing: trial.failing(verdicts.clone()), verdicts })
    }

    /// Adds a finished run to the examples of its procedure, without the secrets in it, with what else `patch` changes. With
    /// `of`, only if that is its procedure. Gives the number of the example.
    ///
    /// # Errors
    /// [`LibraryError::RunNotFound`], why the run can't be one, or as [`Library::update`].
    pub fn keep_run(
        &self,
        run_id: &str,
        of: Option<&ProcedureRef>,
        (patch, naming): (&DefinitionPatch, &Naming),
        expected: Option<VersionNumber>,
        by: &Actor,
    ) -> Result<(Procedure, usize), LibraryError> {
        let (run, calls) = self.run(run_id)?;
        let row = self.procedure(&ProcedureRef::Id(run.procedure_id))?;
        if let Some(wanted) = of
            && self.procedure(wanted)?.id != row.id
        {
            let message = format!("run `{run_id}` executed `{}`", row.definition.name);
            return Err(LibraryError::invalid_with_hint(message, "pass that procedure, or a run of this one"));
        }
        let example = example_of(&run, calls, &row.definition)?;
        let mut patch = patch.clone();
        let mut examples = patch.examples.take().unwrap_or_else(|| row.definition.examples.clone());
        if let Some(at) = examples.iter().position(|known| *known == example) {
            return Err(LibraryError::invalid(format!(
                "run `{run_id}` is example {} of `{}` already",
                at + 1,
                run.procedure_name
            )));
        }
        examples.push(example);
        let number = examples.len();
        patch.examples = Some(examples);
        let expected = expected.or(Some(row.version));
        let row =
            self.change("Keep a run as an example of", &ProcedureRef::Id(row.id), expected, &patch, naming, by)?;
        Ok((row, number))
    }
}

fn example_of(run: &Run, calls: Vec<HostCall>, definition: &Definition) -> Result<Example, LibraryError> {
    let refused = |why: String, hint: &str| {
        LibraryError::invalid_with_hint(format!("run `{}` can't be kept as an example: {why}", run.id), hint)
    };
    let (result, error) = match run.status {
        RunStatus::Succeeded => {
            let result = run.result.as_deref().map(serde_json::from_str::<Value>).transpose();
            let result = result.map_err(|_| refused("its result was not kept whole".to_owned(), "keep another run"))?;
            (Some(scrubbed_value(result.unwrap_or_default())), None)
        }
        RunStatus::Failed => {
            let kind = run.error_type.as_deref().unwrap_or("RuntimeError");
            let message = run.error.as_deref().unwrap_or_default();
            let first = scrubbed(message.lines().next().unwrap_or_default());
            (None, Some(if first.is_empty() { kind.to_owned() } else { format!("{kind}: {first}") }))
        }
        status => return Err(refused(format!("it is {}", status.as_str()), "keep one that succeeded or failed")),
    };
    if definition.examples.len() >= 100 {
        return Err(refused("its procedure has 100 examples".to_owned(), "remove one with update_procedure"));
    }
    let parameters: Map<String, Value> = serde_json::from_str(&run.parameters).unwrap_or_default();
    let mut recorded = Vec::new();
    for call in calls.into_iter().filter(|call| !host::is_within_run(&call.function)) {
        if call.error.as_deref().is_some_and(|error| error.starts_with(UNANSWERED)) {
            continue;
        }
        if call.result.iter().any(is_cut) || is_cut(&call.arguments) {
            let why = format!("the journal does not have all that `{}` was given or gave", call.function);
            return Err(refused(why, "keep a run with less data"));
        }
        let Value::Object(arguments) = call.arguments else { continue };
        recorded.push(RecordedCall {
            function: call.function,
            arguments: scrubbed_fields(arguments),
            result: call.result.map(scrubbed_value),
            error: call.error.as_deref().map(scrubbed),
        });
    }
    let example =
        Example { parameters: scrubbed_fields(parameters).into_iter().collect(), result, error, calls: Some(recorded) };
    let size = serde_json::to_string(&example).map_or(0, |text| text.len());
    if size > MAX_BYTES {
        return Err(refused(
            format!("it is {size} bytes of JSON, and at most {MAX_BYTES} are kept"),
            "keep a smaller run",
        ));
    }
    Ok(example)
}

/// Whether somewhere in a value there is only the beginning of what was there.
fn is_cut(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() < 5000 && text.contains("… (") && text.ends_with(CUT))
}
