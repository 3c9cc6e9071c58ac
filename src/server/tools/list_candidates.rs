//! `list_candidates`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    library::{CandidateView, LibraryError, Services, rfc3339_ms},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Lists what was learned.
pub struct ListCandidates;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    count: usize,
    candidates: Vec<View>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct View {
    candidate_id: i64,
    problem: String,
    solution: String,
    reasoning: String,
    anti_patterns: Vec<String>,
    tags: Vec<String>,
    evidence: Map<String, Value>,
    /// Procedures.
    similar_to: Vec<String>,
}

impl From<CandidateView> for View {
    fn from(view: CandidateView) -> Self {
        let CandidateView { row, times, run_ids, successes, failures, similar } = view;
        let mut facts = Map::new();
        for (name, value) in [
            ("kind", json!(row.kind)),
            ("workflow_id", json!(row.workflow_id)),
            ("count", json!(row.evidence)),
            ("run_ids", json!(run_ids)),
            ("first_at", json!(rfc3339_ms(times.0))),
            ("last_at", json!(rfc3339_ms(times.1))),
            ("workflow_successes", json!(successes)),
            ("workflow_failures", json!(failures)),
        ] {
            facts.insert(name.to_owned(), value);
        }
        let lesson = row.lesson;
        Self {
            candidate_id: row.id,
            problem: lesson.problem,
            solution: lesson.solution,
            reasoning: lesson.reasoning,
            anti_patterns: lesson.anti_patterns,
            tags: lesson.tags,
            evidence: facts,
            similar_to: similar.into_iter().map(|similar| similar.name).collect(),
        }
    }
}

impl Answer for Output {}

impl Tool for ListCandidates {
    const NAME: &'static str = "list_candidates";
    const DESCRIPTION: &'static str = "List what was learned from runs and waits for review. Show it to your user.";
    const TOOLSET: Toolset = Toolset::Learning;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, _: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let views = services.blocking(|library| library.candidates()).await?;
        let candidates: Vec<View> = views.into_iter().map(View::from).collect();
        Ok(Output { count: candidates.len(), candidates })
    }
}
