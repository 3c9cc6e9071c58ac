//! `validate_procedure_code`

use std::time::Instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{arguments::ProcedureArgument, views::seconds};
use crate::{
    domain::Permissions,
    library::{LibraryError, ProcedureRef, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
    validation::{Checks, Issue},
};

/// Checks code.
pub struct ValidateProcedureCode;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    code: String,
    /// Number or name: also checks its parameters.
    procedure_id: Option<ProcedureArgument>,
}

/// The checks of a piece of code.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Validation {
    /// 0 to 1.
    pub quality_score: f64,
    pub checks: Checks,
    /// What the code is seen to need.
    pub permissions_needed: Permissions,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    procedure_id: Option<i64>,
    #[serde(flatten)]
    validation: Validation,
    issues: Vec<Issue>,
    duration_seconds: f64,
}

impl Answer for Output {}

impl Tool for ValidateProcedureCode {
    const NAME: &'static str = "validate_procedure_code";
    const DESCRIPTION: &'static str = "Check Python code: syntax, security, quality, what the sandbox lacks.";
    const TOOLSET: Toolset = Toolset::Code;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let started = Instant::now();
        let wanted = params.procedure_id.map(ProcedureRef::from);
        let (validated, procedure_id) = services.validate(params.code, wanted).await?;
        Ok(Output {
            procedure_id,
            validation: Validation {
                quality_score: validated.quality_score,
                checks: validated.checks,
                permissions_needed: validated.permissions_needed,
            },
            issues: validated.issues,
            duration_seconds: seconds(started.elapsed().as_secs_f64() * 1000.0),
        })
    }
}
