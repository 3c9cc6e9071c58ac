//! `rollback_procedure_code`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::{ProcedureArgument, VersionArgument};
use crate::{
    library::{LibraryError, ProcedureRef, Services, VersionRef},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Goes back to the code of an earlier version.
pub struct RollbackProcedureCode;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    procedure_id: ProcedureArgument,
    /// A number, `v3`, or 7 digits of a commit.
    target_version: VersionArgument,
    /// Why; kept in the history.
    reason: Option<String>,
    #[serde(default)]
    accept_failing_examples: bool,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    procedure_id: i64,
    target_version: u32,
    /// The new version that has the old code.
    version: u32,
    procedure: Restored,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Restored {
    name: String,
    code_version: Option<u32>,
}

impl Answer for Output {}

impl Tool for RollbackProcedureCode {
    const NAME: &'static str = "rollback_procedure_code";
    const DESCRIPTION: &'static str = "Make the code of an earlier version current again, as a new version.";
    const TOOLSET: Toolset = Toolset::Code;
    const EFFECT: Effect = Effect::Changes;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, context: &CallContext) -> Result<Output, LibraryError> {
        let wanted = ProcedureRef::from(params.procedure_id);
        let accepts = params.accept_failing_examples;
        let (target, reason) = (VersionRef::from(params.target_version), params.reason);
        let (row, target_version) = context
            .consented(services, |by| {
                let by = by.accepting_failing(accepts);
                let (wanted, target, reason) = (wanted.clone(), target.clone(), reason.clone());
                services.blocking(move |library| library.rollback(&wanted, &target, reason.as_deref(), &by))
            })
            .await?;
        Ok(Output {
            procedure_id: row.id,
            target_version,
            version: row.version,
            procedure: Restored { name: row.definition.name.to_string(), code_version: row.code_version },
        })
    }
}
