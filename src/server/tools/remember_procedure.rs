//! `remember_procedure`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    library::{CloneRequest, DefinitionDraft, DefinitionPatch, Library, LibraryError, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset, parse, take_fields},
        tools::arguments::ProcedureArgument,
    },
};

/// Remembers a procedure.
pub struct RememberProcedure;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Params {
    #[serde(flatten)]
    own: Own,
    #[serde(flatten)]
    fields: DefinitionPatch,
}

/// What is not a field of the definition.
#[derive(Debug, Deserialize, JsonSchema)]
struct Own {
    /// Made into a unique slug. Optional with `clone_of`.
    name: Option<String>,
    /// A procedure to copy, with code and trigger; other fields override.
    clone_of: Option<ProcedureArgument>,
    /// Python, if you have it.
    code: Option<String>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    procedure_id: i64,
    name: String,
    version: u32,
    status: &'static str,
    category: String,
    has_code: bool,
    code_confidence: Option<f64>,
    /// Procedures that say nearly the same: consider updating one of them instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    similar: Vec<SimilarView>,
    next: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SimilarView {
    id: i64,
    name: String,
    similarity: f64,
}

impl Answer for Output {}

impl Tool for RememberProcedure {
    const NAME: &'static str = "remember_procedure";
    const DESCRIPTION: &'static str = "Store a procedure worth repeating, after you have worked out how to do something. \
        Then call generate_procedure_code.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Adds;
    type Params = Params;
    type Output = Output;

    fn parse(mut arguments: Map<String, Value>) -> Result<Params, LibraryError> {
        let own = parse(take_fields(&mut arguments, &["name", "clone_of", "code"]))?;
        Ok(Params { own, fields: parse(arguments)? })
    }

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let (Own { name, clone_of, code }, fields) = (params.own, params.fields);
        let remember = move |library: &Library| match (clone_of, name) {
            (Some(source), name) => {
                library.clone_procedure(&CloneRequest { source: source.into(), name, fields, code })
            }
            (None, Some(name)) => library.remember(DefinitionDraft { name, fields }, code.as_deref()),
            (None, None) => Err(LibraryError::invalid("missing field `name`")),
        };
        let remembered = services.blocking(remember).await?;
        let row = remembered.procedure;
        let has_code = row.code.is_some();
        Ok(Output {
            procedure_id: row.id,
            name: row.definition.name.to_string(),
            version: row.version,
            status: row.definition.status.as_str(),
            category: row.definition.category,
            has_code,
            code_confidence: row.code_confidence,
            similar: remembered
                .similar
                .into_iter()
                .map(|similar| SimilarView { id: similar.id, name: similar.name, similarity: similar.similarity })
                .collect(),
            next: (!has_code).then(|| "generate_procedure_code turns it into code".to_owned()),
        })
    }
}
