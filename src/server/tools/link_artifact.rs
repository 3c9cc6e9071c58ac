//! `link_artifact`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{arguments::ProcedureArgument, artifact_view::ArtifactView};
use crate::{
    domain::artifact::MemoryType,
    library::{Artifact, ArtifactDraft, LibraryError, ProcedureRef, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Links a file or an address to what is remembered.
pub struct LinkArtifact;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    memory_type: MemoryType,
    /// Number or name, or the other's id.
    memory_id: ProcedureArgument,
    /// `path` (absolute, granted) or `uri`; `content_hash`: `blake3:…` or `sha256:…`.
    artifact: ArtifactArgument,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ArtifactArgument {
    r#type: String,
    path: Option<String>,
    uri: Option<String>,
    content_hash: Option<String>,
    size_bytes: Option<u64>,
    metadata: Option<Map<String, Value>>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    artifact: ArtifactView,
}

impl Answer for Output {}

impl Tool for LinkArtifact {
    const NAME: &'static str = "link_artifact";
    const DESCRIPTION: &'static str = "Link a file or URI to a procedure, run, checkpoint or outcome.";
    const TOOLSET: Toolset = Toolset::Checkpoints;
    const EFFECT: Effect = Effect::Adds;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let ArtifactArgument { r#type: kind, path, uri, content_hash, size_bytes, metadata } = params.artifact;
        let draft = ArtifactDraft { kind, path, uri, content_hash, size_bytes, metadata };
        let memory_id = ProcedureRef::from(params.memory_id).to_string();
        let memory_type = params.memory_type;
        let linked = services.blocking(move |library| library.link_artifact(memory_type, &memory_id, draft)).await?;
        Ok(Output { artifact: Artifact { row: linked, status: None }.into() })
    }
}
