//! `get_procedure_versions`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::{ProcedureArgument, limit};
use crate::{
    domain::VersionKind,
    library::{self, LibraryError, ProcedureRef, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Lists the versions of a procedure.
pub struct GetProcedureVersions;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    procedure_id: ProcedureArgument,
    limit: Option<u32>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    procedure_id: i64,
    count: usize,
    versions: Vec<Version>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the fields are those of the interface")]
struct Version {
    version: u32,
    kind: VersionKind,
    commit: String,
    message: String,
    author: String,
    timestamp: String,
    /// In this code, with the runs of all versions that have it.
    code_confidence: Option<f64>,
    lines_added: u32,
    lines_removed: u32,
    is_current: bool,
}

impl Answer for Output {}

impl Tool for GetProcedureVersions {
    const NAME: &'static str = "get_procedure_versions";
    const DESCRIPTION: &'static str = "List a procedure's versions, newest first.";
    const TOOLSET: Toolset = Toolset::Code;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let wanted = ProcedureRef::from(params.procedure_id);
        let limit = limit(params.limit, 10, 100)?;
        let (row, views) = services.blocking(move |library| library.versions(&wanted, limit)).await?;
        let versions: Vec<Version> = views
            .into_iter()
            .map(|view| Version {
                version: view.version.version,
                kind: view.version.kind,
                commit: view.version.commit,
                message: view.version.message,
                author: view.version.author,
                timestamp: library::rfc3339(view.version.committed_at),
                code_confidence: view.confidence,
                lines_added: view.version.lines_added,
                lines_removed: view.version.lines_removed,
                is_current: view.is_current,
            })
            .collect();
        Ok(Output { procedure_id: row.id, count: versions.len(), versions })
    }
}
