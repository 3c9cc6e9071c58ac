//! `review_candidate`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    domain::reading::{self, Shape},
    library::{LibraryError, Review, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset, read},
    },
};

/// Decides on what was learned.
pub struct ReviewCandidate;

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Decision {
    Approve,
    Reject,
    Edit,
    Merge,
    Skip,
}

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// From `list_candidates`.
    candidate_id: i64,
    /// None: your user is asked. `merge`: into its nearest.
    decision: Option<Decision>,
    /// To reject.
    reason: Option<String>,
    /// As for `remember_procedure`.
    edits: Option<Map<String, Value>>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    candidate_id: i64,
    status: &'static str,
    procedure_id: Option<i64>,
    name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    similar_to: Vec<String>,
}

impl Answer for Output {}

impl Tool for ReviewCandidate {
    const NAME: &'static str = "review_candidate";
    const DESCRIPTION: &'static str = "Decide on a candidate as your user says.";
    const TOOLSET: Toolset = Toolset::Learning;
    const EFFECT: Effect = Effect::Changes;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, context: &CallContext) -> Result<Output, LibraryError> {
        let Params { candidate_id, decision, reason, edits } = params;
        let edits = edits.filter(|edits| !edits.is_empty());
        let decided = match decision {
            Some(decision) => {
                let review = review(decision, reason, edits)?;
                let decide = |by| {
                    let review = review.clone();
                    services.blocking(move |library| library.review_candidate(candidate_id, review, &by))
                };
                context.consented(services, decide).await?
            }
            None if edits.is_some() || reason.is_some() => {
                return Err(LibraryError::invalid("`edits` and `reason` go with a `decision`"));
            }
            None => {
                let dossier = services.blocking(move |library| library.dossier(candidate_id)).await?;
                let (review, by) = context.reviewed(services, &dossier).await?;
                services.blocking(move |library| library.review_candidate(candidate_id, review, &by)).await?
            }
        };
        let (procedure_id, name) = decided.procedure.unzip();
        let similar_to = decided.similar.into_iter().map(|similar| similar.name).collect();
        Ok(Output { candidate_id, status: decided.status.as_str(), procedure_id, name, similar_to })
    }
}

fn review(
    decision: Decision,
    reason: Option<String>,
    edits: Option<Map<String, Value>>,
) -> Result<Review, LibraryError> {
    let within = |error: LibraryError| LibraryError::invalid_in("`edits`", &error);
    if reason.is_some() && !matches!(decision, Decision::Reject) {
        return Err(LibraryError::invalid_with_hint("`reason` goes with `reject`", "leave it out otherwise"));
    }
    match (decision, edits) {
        (Decision::Approve, edits) => {
            let mut edits = edits.unwrap_or_default();
            let name = match edits.remove("name") {
                None | Some(Value::Null) => None,
                Some(name) => match reading::fit(name, &Shape::Text) {
                    Ok(Value::String(name)) => Some(name),
                    _ => return Err(LibraryError::invalid("`edits.name` must be a text")),
                },
            };
            match edits.remove("code") {
                Some(Value::String(code)) if name.is_none() && edits.is_empty() => Ok(Review::ApproveWith(code)),
                Some(_) => Err(LibraryError::invalid_with_hint(
                    "`edits.code` must be a text, and stand alone",
                    "it corrects the code of a candidate that changes a procedure",
                )),
                None => Ok(Review::Approve(name, Box::new(read(edits).map_err(within)?))),
            }
        }
        (Decision::Edit, Some(edits)) => Ok(Review::Edit(read(edits).map_err(within)?)),
        (Decision::Edit, None) => Err(LibraryError::invalid("`edit` needs `edits`: the fields with their new words")),
        (Decision::Reject, None) => Ok(Review::Reject(reason)),
        (Decision::Merge, None) => Ok(Review::Merge),
        (Decision::Skip, None) => Ok(Review::Skip),
        (Decision::Reject | Decision::Merge | Decision::Skip, Some(_)) => Err(LibraryError::invalid_with_hint(
            "`edits` go with `approve` or `edit`",
            "leave them out to reject, merge or skip",
        )),
    }
}
