//! `generate_procedure_code`

use std::time::Instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    arguments::ProcedureArgument,
    validate_procedure_code::Validation,
    views::{MAX_PART_CHARS, seconds, warned},
};
use crate::{
    domain::RuntimeKind,
    library::{Activity, GenerateRequest, LibraryError, ModelUsage, ProcedureRef, Services, Validated},
    server::{
        answer::Answer,
        progress::CallContext,
        reply::window,
        tool::{Effect, Tool, Toolset},
    },
    validation::Issue,
};

/// Gives a procedure its code.
pub struct GenerateProcedureCode;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    procedure_id: ProcedureArgument,
    /// One typed function named like the procedure; see the prompt `write_procedure_code`.
    code: Option<String>,
    /// PyPI packages.
    dependencies: Option<Vec<String>>,
    #[schemars(with = "Option<String>")]
    runtime: Option<RuntimeKind>,
    /// False: don't ask the configured model.
    use_llm: Option<bool>,
    /// Let it correct what the checks find.
    refine_on_low_confidence: Option<bool>,
    #[serde(default)]
    accept_failing_examples: bool,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    procedure_id: i64,
    code: String,
    /// 0 to 1. Checks alone give at most 0.9; outcomes of runs move it from there.
    confidence: f64,
    validation: Validation,
    issues: Vec<Issue>,
    /// `agent`: yours; `llm`: the model's; `heuristic`: compiled from the steps.
    source: &'static str,
    /// The version that has this code; absent when it was not stored.
    version: Option<u32>,
    /// How to write better code yourself, where the steps were compiled.
    guide: Option<String>,
    /// What the model took.
    usage: Option<Usage>,
    trigger_warning: Option<String>,
    duration_seconds: f64,
}

/// What the model took.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Usage {
    model: String,
    rounds: u32,
    input_tokens: u64,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<f64>,
}

impl From<ModelUsage> for Usage {
    fn from(usage: ModelUsage) -> Self {
        let ModelUsage { model, rounds, tokens, cost_usd } = usage;
        Self { model, rounds, input_tokens: tokens.input_tokens, output_tokens: tokens.output_tokens, cost_usd }
    }
}

impl Answer for Output {}

impl Tool for GenerateProcedureCode {
    const NAME: &'static str = "generate_procedure_code";
    const DESCRIPTION: &'static str = "Give a procedure its Python code: your `code`, or its steps compiled.";
    const TOOLSET: Toolset = Toolset::Code;
    const EFFECT: Effect = Effect::Adds;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, context: &CallContext) -> Result<Output, LibraryError> {
        let started = Instant::now();
        let wanted = ProcedureRef::from(params.procedure_id);
        let activity = Activity::default();
        let generated = context
            .consented(services, |by| {
                let request = GenerateRequest {
                    wanted: wanted.clone(),
                    code: params.code.clone(),
                    dependencies: params.dependencies.clone(),
                    runtime: params.runtime,
                    use_model: params.use_llm.unwrap_or(true),
                    refine: params.refine_on_low_confidence.unwrap_or(true),
                    by: by.accepting_failing(params.accept_failing_examples),
                };
                // Boxed, because the state of a conversation with a model is large and would be moved with every caller's
                // future.
                let work = Box::pin(services.generate(request, &activity));
                context.watch(&activity.cancel, || activity.doing(), work)
            })
            .await?;
        let Validated { checks, quality_score, issues, permissions_needed } = generated.validated;
        let (procedure, trigger_warning) = warned(services, generated.procedure).await?;
        let (mut code, rest) = window(&generated.code, 0, MAX_PART_CHARS);
        if rest.is_some() {
            code.push_str("\n# … get_procedure reads the rest");
        }
        Ok(Output {
            procedure_id: procedure.id,
            code,
            confidence: generated.confidence,
            validation: Validation { quality_score, checks, permissions_needed },
            issues,
            source: generated.source.as_str(),
            version: generated.version,
            guide: generated.guide,
            usage: generated.usage.map(Usage::from),
            trigger_warning,
            duration_seconds: seconds(started.elapsed().as_secs_f64() * 1000.0),
        })
    }
}
