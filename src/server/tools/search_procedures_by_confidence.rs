//! `search_procedures_by_confidence`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    arguments::{limit, share},
    views::ProcedureView,
};
use crate::{
    domain::{ProcedureFilter, Status},
    library::{LibraryError, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Finds procedures with trusted code.
pub struct SearchProceduresByConfidence;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// 0 to 1; 0.7 by default.
    min_confidence: Option<f64>,
    limit: Option<u32>,
    /// False: only your own.
    include_shared: Option<bool>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    count: usize,
    procedures: Vec<ProcedureView>,
}

impl Answer for Output {}

impl Tool for SearchProceduresByConfidence {
    const NAME: &'static str = "search_procedures_by_confidence";
    const DESCRIPTION: &'static str = "List procedures by confidence in their code, best first.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Reads;
    const RARE: &'static [&'static str] = &["include_shared"];
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let least = share("min_confidence", params.min_confidence.unwrap_or(0.7))?;
        let limit = limit(params.limit, 10, 100)?;
        let own_only = params.include_shared == Some(false);
        let status = Some(Status::Active);
        let filter = ProcedureFilter { min_confidence: Some(least), own_only, status, ..ProcedureFilter::default() };
        let (rows, _) = services.blocking(move |library| library.list(&filter, limit, 0)).await?;
        Ok(Output { count: rows.len(), procedures: rows.into_iter().map(ProcedureView::from).collect() })
    }
}
