//! `list_checkpoints`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    arguments::limit,
    artifact_view::{ArtifactView, views},
    checkpoint_view::CheckpointView,
};
use crate::{
    domain::artifact::MemoryType,
    library::{Library, LibraryError, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Lists the checkpoints of a run.
pub struct ListCheckpoints;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    run_id: String,
    limit: Option<u32>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    count: usize,
    checkpoints: Vec<CheckpointView>,
    /// Linked to the run itself or its outcome.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    artifacts: Vec<ArtifactView>,
}

impl Answer for Output {
    const WHOLE: bool = true;
}

impl Tool for ListCheckpoints {
    const NAME: &'static str = "list_checkpoints";
    const DESCRIPTION: &'static str = "List a run's newest checkpoints, oldest first, without states.";
    const TOOLSET: Toolset = Toolset::Checkpoints;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let limit = limit(params.limit, 100, 10_000)?;
        let run_id = params.run_id;
        let run = run_id.clone();
        let read = move |library: &Library| {
            let found = library.list_checkpoints(&run, limit)?;
            let mut artifacts = library.artifacts_of(MemoryType::Run, &run)?;
            artifacts.extend(library.artifacts_of(MemoryType::Outcome, &run)?);
            Ok((found, artifacts))
        };
        let (found, artifacts) = services.blocking(read).await?;
        let workflow = found.workflow_id.unwrap_or_default();
        let rows = found.rows.into_iter();
        let checkpoints: Vec<_> =
            rows.map(|row| CheckpointView::new(row, &workflow, &run_id, &found.artifacts)).collect();
        Ok(Output { count: checkpoints.len(), checkpoints, artifacts: views(artifacts) })
    }
}
