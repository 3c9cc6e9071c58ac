//! `remember_procedure`

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    library::{
        CloneRequest, DefinitionDraft, DefinitionPatch, LibraryError, NewCode, ProcedureRef, Services,
        with_dependencies,
    },
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset, parse, take_fields},
        tools::{arguments::ProcedureArgument, views::warned},
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
    /// Optional with `clone_of`.
    name: Option<String>,
    /// A procedure to copy; other fields override.
    clone_of: Option<ProcedureArgument>,
    /// Python, if you have it.
    code: Option<String>,
    /// PyPI packages.
    dependencies: Option<Vec<String>>,
    #[serde(default)]
    accept_failing_examples: bool,
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
    trigger_warning: Option<String>,
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
    const DESCRIPTION: &'static str =
        "Store a procedure once you worked out how to do something. Then call generate_procedure_code.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Adds;
    const RARE: &'static [&'static str] = &[
        "problem",
        "solution",
        "reasoning",
        "anti_patterns",
        "source_session",
        "source_lesson",
        "icon",
        "color",
        "is_shared",
    ];
    type Params = Params;
    type Output = Output;

    /// What permissions and examples are made of is said in their descriptions.
    fn shorten(schema: &mut JsonObject) {
        let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
        if let Some(Value::Object(permissions)) = properties.get_mut("permissions") {
            permissions.remove("properties");
        }
        if let Some(Value::Object(examples)) = properties.get_mut("examples") {
            examples.insert("items".to_owned(), json!({"type": "object"}));
        }
        let fields =
            properties.get_mut("parameters").and_then(|parameters| parameters.pointer_mut("/items/properties"));
        if let Some(Value::Object(fields)) = fields {
            fields.insert("choices".to_owned(), json!({"type": "array", "items": {"type": "string"}}));
            if let Some(Value::Array(kinds)) = fields.get_mut("default").and_then(|default| default.get_mut("anyOf")) {
                kinds.retain(|kind| kind["type"] != "array");
            }
        }
    }

    /// A step that is no sentence is described in words as well.
    fn abridge(properties: &mut Map<String, Value>) {
        properties.retain(|name, _| !Self::RARE.contains(&name.as_str()));
        if let Some(Value::Array(kinds)) =
            properties.get_mut("steps").and_then(|steps| steps.pointer_mut("/items/anyOf"))
        {
            *kinds = vec![json!({"type": "string"}), json!({"type": "object"})];
        }
    }

    fn parse(mut arguments: Map<String, Value>) -> Result<Params, LibraryError> {
        let own = parse(take_fields(
            &mut arguments,
            &["name", "clone_of", "code", "dependencies", "accept_failing_examples"],
        ))?;
        Ok(Params { own, fields: parse(arguments)? })
    }

    async fn call(services: &Services, params: Params, context: &CallContext) -> Result<Output, LibraryError> {
        let (Own { name, clone_of, code, dependencies, accept_failing_examples }, fields) = (params.own, params.fields);
        let code = code.map(|code| with_dependencies(&code, dependencies.as_deref())).transpose()?;
        let lock = match &code {
            Some(code) => services.lock_packages(code, fields.runtime).await?,
            None => None,
        };
        let source = clone_of.map(ProcedureRef::from);
        let remembered = context
            .consented(services, |by| {
                let by = by.accepting_failing(accept_failing_examples);
                let (source, name, fields, code, lock) =
                    (source.clone(), name.clone(), fields.clone(), code.clone(), lock.clone());
                services.blocking(move |library| match (source, name) {
                    (Some(source), name) => {
                        library.clone_procedure(&CloneRequest { source, name, fields, code, lock }, &by)
                    }
                    (None, Some(name)) => {
                        let code = code.as_deref().map(|text| NewCode { text, lock: lock.as_deref() });
                        library.remember(DefinitionDraft { name, fields }, code, &by)
                    }
                    (None, None) => Err(LibraryError::invalid("`name` is missing; it must be a text")),
                })
            })
            .await?;
        let (row, note) = (remembered.procedure, remembered.note);
        let (row, trigger_warning) = warned(services, row).await?;
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
            trigger_warning,
            next: note.or_else(|| (!has_code).then(|| "generate_procedure_code turns it into code".to_owned())),
        })
    }
}
