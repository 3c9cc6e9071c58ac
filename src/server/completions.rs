//! What a client proposes while its user fills in an argument of a prompt or of an address.

use std::collections::HashMap;

use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo},
};

use crate::{
    domain::{Hinted as _, RunFilter},
    library::{Library, LibraryError, ProcedureRef, Services},
};

/// As many versions, runs and candidates as are looked at: nobody fills in an older one by its beginning.
const LOOKED_AT: u32 = 200;

/// What an argument stands for, by its name: the same word means the same everywhere.
#[derive(Clone, Copy)]
enum Subject {
    Procedure,
    Version,
    Run,
    Category,
}

impl Subject {
    fn of(argument: &str) -> Option<Self> {
        match argument {
            "procedure_id" | "name" => Some(Self::Procedure),
            "version" => Some(Self::Version),
            "run_id" => Some(Self::Run),
            "category" => Some(Self::Category),
            _ => None,
        }
    }
}

/// Proposals, the likeliest first.
pub async fn complete(services: &Services, request: CompleteRequestParams) -> Result<CompleteResult, ErrorData> {
    let known = request.context.and_then(|context| context.arguments).unwrap_or_default();
    let beginning = request.argument.value;
    let values = match Subject::of(&request.argument.name) {
        None => Ok(Vec::new()),
        Some(subject) => services.blocking(move |library| propose(library, subject, &beginning, &known)).await,
    };
    let mut values = values.map_err(|error| ErrorData::internal_error(error.in_full(), None))?;
    let total = values.len();
    values.truncate(CompletionInfo::MAX_VALUES);
    let has_more = total > values.len();
    let info = CompletionInfo::with_pagination(values, u32::try_from(total).ok(), has_more);
    info.map(CompleteResult::new).map_err(|error| ErrorData::internal_error(error, None))
}

fn propose(
    library: &Library,
    subject: Subject,
    beginning: &str,
    known: &HashMap<String, String>,
) -> Result<Vec<String>, LibraryError> {
    match subject {
        Subject::Procedure => library.complete_procedure(beginning),
        Subject::Category => library.complete_category(beginning),
        Subject::Run => {
            let runs = library.runs(&RunFilter::default(), LOOKED_AT)?;
            Ok(runs.into_iter().map(|run| run.id).filter(|id| id.starts_with(beginning.trim())).collect())
        }
        Subject::Version => {
            let of = ["name", "procedure_id"].iter().find_map(|argument| known.get(*argument));
            let Some(of) = of else { return Ok(Vec::new()) };
            match library.versions(&ProcedureRef::from(of.as_str()), LOOKED_AT) {
                Ok((_, versions)) => {
                    let numbers = versions.into_iter().map(|view| view.version.version.to_string());
                    Ok(numbers.filter(|number| number.starts_with(beginning.trim_start_matches('v'))).collect())
                }
                // What is not there has no versions.
                Err(LibraryError::ProcedureNotFound { .. }) => Ok(Vec::new()),
                Err(error) => Err(error),
            }
        }
    }
}
