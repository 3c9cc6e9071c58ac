//! `record_outcome`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{arguments::ProcedureArgument, views::rounded};
use crate::{
    domain::{Report, Reported},
    library::{LibraryError, ProcedureRef, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Counts what was done without executing anything here.
pub struct RecordOutcome;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    procedure_id: ProcedureArgument,
    /// `skipped` counts neither way.
    outcome: Reported,
    duration_ms: Option<f64>,
    /// In words.
    notes: Option<String>,
    /// What shows it.
    evidence: Option<Map<String, Value>>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// For `get_run` and `link_artifact`.
    run_id: String,
    procedure_id: i64,
    usage_count: u64,
    success_rate: Option<f64>,
}

impl Answer for Output {}

impl Tool for RecordOutcome {
    const NAME: &'static str = "record_outcome";
    const DESCRIPTION: &'static str = "Say how it went when a procedure was carried out by reading it.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Adds;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let Params { procedure_id, outcome, duration_ms, notes, evidence } = params;
        let evidence = evidence.map(Value::Object);
        let (wanted, report) = (ProcedureRef::from(procedure_id), Report { outcome, duration_ms, notes, evidence });
        let (row, run_id) = services.blocking(move |library| library.record_outcome(&wanted, &report)).await?;
        Ok(Output {
            run_id,
            procedure_id: row.id,
            usage_count: row.uses,
            success_rate: row.success_rate().map(rounded),
        })
    }
}
