//! `remember_procedure`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Example, Parameter, Permissions, Status, Step},
    library::{DefinitionDraft, DefinitionPatch, LibraryError, Services},
    server::{
        progress::CallContext,
        tool::{Answer, Effect, Tool, Toolset},
    },
};

/// Remembers a procedure.
pub struct RememberProcedure;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Short name; made into a unique slug.
    name: String,
    /// In order. A sentence (one `back-ticked` command in it is run; without one it is handed to you), a command
    /// (program and arguments, run without a shell) or a call of another procedure. `{{variables}}` are filled in.
    #[serde(default)]
    steps: Vec<Step>,
    /// What it does and when to use it; recall searches this.
    description: Option<String>,
    /// Group, e.g. `git`.
    category: Option<String>,
    tags: Option<Vec<String>>,
    /// What a caller passes; required unless there is a default. `{{variables}}` of the steps that are not listed
    /// become text parameters.
    parameters: Option<Vec<Parameter>>,
    /// Text with `{{variables}}` to render.
    template: Option<String>,
    examples: Option<Vec<Example>>,
    preconditions: Option<Vec<String>>,
    postconditions: Option<Vec<String>>,
    /// Situations in which it helps.
    applicable_contexts: Option<Vec<String>>,
    /// The most it may touch, within the user's policy: `commands` as prefixes (`git status`), directories to `read` or
    /// `write` (`*`: all that the policy grants). Left out: whatever the policy allows.
    permissions: Option<Permissions>,
    status: Option<Status>,
    problem: Option<String>,
    solution: Option<String>,
    reasoning: Option<String>,
    anti_patterns: Option<Vec<String>>,
    source_session: Option<String>,
    source_lesson: Option<String>,
    icon: Option<String>,
    color: Option<String>,
    /// Python code, if you have it already.
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

impl Params {
    fn split(self) -> (DefinitionDraft, Option<String>) {
        let fields = DefinitionPatch {
            description: self.description,
            category: self.category,
            tags: self.tags,
            steps: Some(self.steps),
            parameters: self.parameters,
            template: self.template,
            examples: self.examples,
            preconditions: self.preconditions,
            postconditions: self.postconditions,
            applicable_contexts: self.applicable_contexts,
            permissions: self.permissions,
            status: self.status,
            enabled: None,
            problem: self.problem,
            solution: self.solution,
            reasoning: self.reasoning,
            anti_patterns: self.anti_patterns,
            source_session: self.source_session,
            source_lesson: self.source_lesson,
            icon: self.icon,
            color: self.color,
        };
        (DefinitionDraft { name: self.name, fields }, self.code)
    }
}

impl Tool for RememberProcedure {
    const NAME: &'static str = "remember_procedure";
    const DESCRIPTION: &'static str = "Store a procedure worth repeating, after you have worked out how to do something. \
        Then call generate_procedure_code.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Adds;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let (draft, code) = params.split();
        let remembered = services.blocking(move |library| library.remember(draft, code.as_deref())).await?;
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
