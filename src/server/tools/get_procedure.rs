//! `get_procedure`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    arguments::ProcedureArgument,
    artifact_view::{ArtifactView, views},
    views::{BrokenView, MAX_PART_CHARS, rounded},
};
use crate::{
    domain::artifact::MemoryType,
    library::{self, Library, LibraryError, ProcedureRef, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        reply::window,
        tool::{Effect, Tool, Toolset},
    },
};

/// Shows one procedure.
pub struct GetProcedure;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    procedure_id: ProcedureArgument,
    /// `code_next_offset` of the last answer.
    #[serde(default)]
    code_offset: u32,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    procedure_id: i64,
    name: String,
    version: u32,
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    trigger: Option<Value>,
    owner: Option<String>,
    is_shared: bool,
    /// Every other field that is set.
    #[schemars(with = "serde_json::Map<String, Value>")]
    definition: Value,
    code: Option<String>,
    code_next_offset: Option<usize>,
    code_version: Option<u32>,
    code_language: &'static str,
    code_confidence: Option<f64>,
    success_rate: Option<f64>,
    usage_count: u64,
    run_count: u64,
    last_run_at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    artifacts: Vec<ArtifactView>,
    /// Why the newest commit is not this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<BrokenView>,
    created_at: String,
    updated_at: String,
}

impl Answer for Output {}

impl Tool for GetProcedure {
    const NAME: &'static str = "get_procedure";
    const DESCRIPTION: &'static str = "Read one procedure: definition, code and how well it does.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let wanted = ProcedureRef::from(params.procedure_id);
        let read = move |library: &Library| {
            let row = library.procedure(&wanted)?;
            // A query of its own takes as long as all the rest, and few have any.
            let artifacts = if row.has_artifacts {
                library.artifacts_of(MemoryType::Procedure, row.definition.name.as_str())?
            } else {
                Vec::new()
            };
            let broken = if row.is_broken { library.broken(row.definition.name.as_str())? } else { None };
            Ok((row, artifacts, broken))
        };
        let (row, artifacts, broken) = services.blocking(read).await?;
        let success_rate = row.success_rate().map(rounded);
        let offset = params.code_offset as usize;
        let code = row.code.map(|code| window(&code, offset, MAX_PART_CHARS));
        let mut definition = serde_json::to_value(&row.definition).unwrap_or_default();
        if let Value::Object(fields) = &mut definition {
            ["name", "trigger", "owner", "is_shared"].iter().for_each(|field| drop(fields.remove(*field)));
        }
        Ok(Output {
            procedure_id: row.id,
            name: row.definition.name.to_string(),
            version: row.version,
            trigger: row.definition.trigger.and_then(|trigger| serde_json::to_value(trigger).ok()),
            owner: row.definition.owner,
            is_shared: row.definition.is_shared,
            definition,
            code_next_offset: code.as_ref().and_then(|(_, next)| *next),
            code: code.map(|(part, _)| part),
            code_version: row.code_version,
            code_language: "python",
            code_confidence: row.code_confidence,
            success_rate,
            usage_count: row.uses,
            run_count: row.uses,
            last_run_at: row.last_run_at.map(library::rfc3339_ms),
            artifacts: views(artifacts),
            broken: broken.map(BrokenView::from),
            created_at: library::rfc3339(row.created_at),
            updated_at: library::rfc3339(row.updated_at),
        })
    }
}
