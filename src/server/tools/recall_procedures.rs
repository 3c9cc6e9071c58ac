//! `recall_procedures`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    arguments::{limit, share},
    views::{ProcedureView, rounded},
};
use crate::{
    library::{LibraryError, RecallFilter, Services},
    server::{
        progress::CallContext,
        tool::{Answer, Effect, Tool, Toolset},
    },
};

/// Finds procedures by words.
pub struct RecallProcedures;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What you want to do, in a few words.
    query: String,
    /// 5 by default.
    limit: Option<u32>,
    category: Option<String>,
    tag: Option<String>,
    /// Of the code, 0 to 1.
    min_confidence: Option<f64>,
    /// False: only your own.
    include_shared: Option<bool>,
    #[serde(default)]
    include_code: bool,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    count: usize,
    procedures: Vec<ProcedureView>,
}

impl Answer for Output {}

impl Tool for RecallProcedures {
    const NAME: &'static str = "recall_procedures";
    const DESCRIPTION: &'static str = "Look for a known procedure before you work something out yourself. Best match \
        first; what has failed ranks lower.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let limit = limit(params.limit, 5, 50)? as usize;
        let min_confidence = params.min_confidence.map(|least| share("min_confidence", least)).transpose()?;
        let own_only = params.include_shared == Some(false);
        let filter = RecallFilter { category: params.category, tag: params.tag, min_confidence, own_only };
        let query = params.query;
        let found = services.blocking(move |library| library.recall(&query, limit, &filter)).await?;
        let procedures: Vec<ProcedureView> = found
            .into_iter()
            .map(|found| {
                let code = found.procedure.code.clone().filter(|_| params.include_code);
                ProcedureView { code, score: Some(rounded(found.score)), ..ProcedureView::from(found.procedure) }
            })
            .collect();
        Ok(Output { count: procedures.len(), procedures })
    }
}
