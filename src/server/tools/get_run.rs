//! `get_run`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    artifact_view::{ArtifactView, views},
    views::{MAX_PART_CHARS, RunSummary, is_false},
};
use crate::{
    domain::{DecisionRecord, HostCall, artifact::MemoryType},
    library::{Artifact, LibraryError, Services, rfc3339_ms, runs::RunView},
    server::{
        answer::Answer,
        progress::CallContext,
        reply::window,
        tool::{Effect, Tool, Toolset},
    },
};

const MAX_CALLS: usize = 50;

/// Shows one run.
pub struct GetRun;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    run_id: String,
    /// Read this part as `text`, a piece at a time.
    read: Option<Part>,
    /// `next_offset` of the last answer.
    #[serde(default)]
    offset: u32,
}

/// A long part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Part {
    Output,
    Result,
    Parameters,
    Traceback,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    #[serde(flatten)]
    run: RunSummary,
    /// Share of the steps that are completed, 0 to 1.
    progress: f64,
    steps_completed: u32,
    steps_failed: u32,
    steps_skipped: u32,
    steps_total: u32,
    current_step: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    step_outputs: Vec<StepView>,
    expires_at: Option<String>,
    /// Of a report.
    notes: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<DecisionView>,
    /// The journal of host calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<HostCall>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    artifacts: Vec<ArtifactView>,
    /// The part that `read` asks for.
    text: Option<String>,
    next_offset: Option<usize>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DecisionView {
    question: String,
    decision: String,
    by: String,
    #[serde(skip_serializing_if = "is_false")]
    by_agent: bool,
    at: String,
}

impl From<DecisionRecord> for DecisionView {
    fn from(row: DecisionRecord) -> Self {
        let DecisionRecord { question, decision, decided_by, by_agent, decided_at, .. } = row;
        Self { question, decision, by: decided_by, by_agent, at: rfc3339_ms(decided_at) }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
struct StepView {
    step: u32,
    output: Value,
}

impl Answer for Output {}

impl Tool for GetRun {
    const NAME: &'static str = "get_run";
    const DESCRIPTION: &'static str = "See how a run stands, what it waits for, or read long parts.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let view = services.engine().view(&params.run_id).await?;
        let id = view.run.id.clone();
        let artifacts = services.blocking(move |library| library.artifacts_of(MemoryType::Run, &id)).await?;
        let text = params.read.map(|part| {
            let text = match part {
                Part::Output => view.run.output.as_deref(),
                Part::Result => view.run.result.as_deref(),
                Part::Parameters => Some(view.run.parameters.as_str()),
                Part::Traceback => view.run.traceback.as_deref(),
            };
            window(text.unwrap_or_default(), params.offset as usize, MAX_PART_CHARS)
        });
        let next_offset = text.as_ref().and_then(|(_, next)| *next);
        let output = Output::of(view, artifacts, params.read.is_none());
        Ok(Output { text: text.map(|(part, _)| part), next_offset, ..output })
    }
}

impl Output {
    /// A run, with its journal or without.
    pub fn of(view: RunView, artifacts: Vec<Artifact>, journal: bool) -> Self {
        Self {
            progress: view.progress(),
            steps_completed: view.steps_completed,
            steps_failed: view.steps_failed,
            steps_skipped: view.steps_skipped,
            steps_total: view.steps_total,
            current_step: view.current_step,
            step_outputs: view
                .step_outputs
                .into_iter()
                .filter(|_| journal)
                .map(|output| StepView { step: output.step, output: output.output })
                .collect(),
            expires_at: view.run.expires_at.map(rfc3339_ms),
            notes: view.run.output.clone().filter(|notes| view.run.is_reported && !notes.is_empty()),
            decisions: view.decisions.into_iter().filter(|_| journal).map(DecisionView::from).collect(),
            calls: view.calls.into_iter().filter(|_| journal).take(MAX_CALLS).collect(),
            artifacts: views(artifacts),
            next_offset: None,
            text: None,
            run: view.run.into(),
        }
    }
}
