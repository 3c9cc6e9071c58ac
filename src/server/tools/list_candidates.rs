//! `list_candidates`

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    domain::{
        learning::{Lesson, amending::Amending},
        recording::Recording,
        visible, visible_line,
    },
    library::{CandidateView, LibraryError, Services, Similar, Source, rfc3339, rfc3339_ms},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Calls of a recording that are shown.
const MAX_LINES: usize = 50;

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
    /// Of a procedure that is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    procedure_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
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
        let CandidateView { id, lesson, source, similar, lessons, recording, .. } = view;
        let (facts, procedure_id, name) = match source {
            Source::Outcomes(evidence) => {
                let facts = vec![
                    ("kind", json!(evidence.kind)),
                    ("workflow_id", json!(evidence.workflow_id)),
                    ("count", json!(evidence.count)),
                    ("run_ids", json!(evidence.run_ids)),
                    ("first_at", json!(rfc3339_ms(evidence.times.0))),
                    ("last_at", json!(rfc3339_ms(evidence.times.1))),
                    ("workflow_successes", json!(evidence.successes)),
                    ("workflow_failures", json!(evidence.failures)),
                ];
                (facts, None, None)
            }
            Source::Procedure(procedure) => {
                let mut facts = vec![
                    ("kind", json!("procedure")),
                    ("version", json!(procedure.version)),
                    ("created_by", json!(procedure.definition.created_by)),
                    ("first_at", json!(rfc3339(procedure.created_at))),
                    ("last_at", json!(rfc3339(procedure.updated_at))),
                ];
                let (count, first) = lessons;
                if count > 0 {
                    let sessions: BTreeSet<&str> = first.iter().filter_map(|told| told.session.as_deref()).collect();
                    let words = first.iter().map(|told| visible(&told.told.words()).into_owned());
                    facts[0] = ("kind", json!("lesson"));
                    facts.push(("count", json!(count)));
                    facts.push(("lessons", json!(words.collect::<Vec<_>>())));
                    facts.push(("sessions", json!(sessions)));
                }
                if let Some((row, missing)) = recording {
                    facts[0] = ("kind", json!("recorded"));
                    facts.push(("prompt", json!(visible(&row.recording.prompt))));
                    facts.push(("recorded", json!(lines(&row.recording))));
                    facts.push(("steps", json!(procedure.definition.steps)));
                    facts.push(("parameters", json!(procedure.definition.parameters)));
                    facts.push(("not_granted", json!(missing)));
                }
                (facts, Some(procedure.id), Some(procedure.definition.name.to_string()))
            }
            Source::Amendment(amending) => {
                let Amending { amendment, procedure } = *amending;
                let told = amendment.evidence.iter().map(|(name, value)| (name.as_str(), value.clone()));
                let mut facts = vec![("kind", json!(amendment.change.kind()))];
                facts.extend(told);
                facts.push(("change", json!(amendment.change)));
                let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                let evidence = (facts, Some(procedure.id), Some(procedure.definition.name.to_string()));
                return Self::of(id, lesson, evidence, Vec::new());
            }
        };
        let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self::of(id, lesson, (facts, procedure_id, name), similar)
    }
}

impl View {
    fn of(
        id: i64,
        lesson: Lesson,
        (evidence, procedure_id, name): (Map<String, Value>, Option<i64>, Option<String>),
        similar: Vec<Similar>,
    ) -> Self {
        Self {
            candidate_id: id,
            procedure_id,
            name,
            problem: visible(&lesson.problem).into_owned(),
            solution: visible(&lesson.solution).into_owned(),
            reasoning: visible(&lesson.reasoning).into_owned(),
            anti_patterns: lesson.anti_patterns.iter().map(|text| visible(text).into_owned()).collect(),
            tags: lesson.tags,
            evidence,
            similar_to: similar.into_iter().map(|similar| similar.name).collect(),
        }
    }
}

/// What was done, a line each.
fn lines(recording: &Recording) -> Vec<String> {
    recording.calls.iter().take(MAX_LINES).map(|call| visible_line(&call.line())).collect()
}

impl Answer for Output {}

impl Tool for ListCandidates {
    const NAME: &'static str = "list_candidates";
    const DESCRIPTION: &'static str = "List what waits for review. Show it to your user.";
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
