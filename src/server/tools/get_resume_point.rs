//! `get_resume_point`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::checkpoint_view::CheckpointView;
use crate::{
    library::{LibraryError, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Says where a run goes on.
pub struct GetResumePoint;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    run_id: String,
    /// For the latest of each.
    branch_ids: Option<Vec<String>>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    checkpoint: Option<CheckpointView>,
    branches: Option<BTreeMap<String, CheckpointView>>,
}

impl Answer for Output {
    const WHOLE: bool = true;

    fn into_content(self) -> serde_json::Result<Value> {
        let mut content = Map::new();
        if let Some(checkpoint) = self.checkpoint {
            content.insert("checkpoint".to_owned(), checkpoint.into_content()?);
        }
        if let Some(branches) = self.branches {
            let named = branches.into_iter().map(|(name, checkpoint)| Ok((name, checkpoint.into_content()?)));
            content.insert("branches".to_owned(), Value::Object(named.collect::<serde_json::Result<_>>()?));
        }
        Ok(Value::Object(content))
    }
}

impl Tool for GetResumePoint {
    const NAME: &'static str = "get_resume_point";
    const DESCRIPTION: &'static str = "Get the latest checkpoint of a run, to go on from.";
    const TOOLSET: Toolset = Toolset::Checkpoints;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let Params { run_id, branch_ids } = params;
        let is_by_branch = branch_ids.is_some();
        let run = run_id.clone();
        let found = services.blocking(move |library| library.resume_point(&run, branch_ids.as_deref())).await?;
        let workflow = found.workflow_id.unwrap_or_default();
        let (mut rows, artifacts) = (found.rows.into_iter(), found.artifacts);
        if !is_by_branch {
            let checkpoint = rows.next().map(|row| CheckpointView::new(row, &workflow, &run_id, &artifacts));
            return Ok(Output { checkpoint, branches: None });
        }
        let named = rows
            .filter_map(|row| Some((row.branch_id.clone()?, CheckpointView::new(row, &workflow, &run_id, &artifacts))));
        Ok(Output { checkpoint: None, branches: Some(named.collect()) })
    }
}
