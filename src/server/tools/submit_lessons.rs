//! `submit_lessons`

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    domain::learning::telling::{Told, Verdict},
    library::{Concluded, LibraryError, Services, Submission},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Takes lessons.
pub struct SubmitLessons;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Texts (when, what to do, why), or objects with `problem`, `solution`, `reasoning`, `steps`, …
    #[schemars(with = "Vec<Lesson>")]
    lessons: Vec<Value>,
    session_name: Option<String>,
    session_context: Option<String>,
}

/// A lesson, as schemas show it.
struct Lesson;

impl JsonSchema for Lesson {
    fn schema_name() -> Cow<'static, str> {
        "Lesson".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "string"}, {"type": "object"}]})
    }
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// One each: `verdict`, `candidate_id`, `nearest`.
    lessons: Vec<Map<String, Value>>,
}

impl Answer for Output {}

impl Tool for SubmitLessons {
    const NAME: &'static str = "submit_lessons";
    const DESCRIPTION: &'static str = "At the end of a session, hand in what it taught: candidates.";
    const TOOLSET: Toolset = Toolset::Learning;
    const EFFECT: Effect = Effect::Adds;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let lessons = (1..).zip(params.lessons).map(|(number, lesson)| {
            Told::read(lesson).map_err(|why| LibraryError::invalid(format!("lesson {number}: {why}")))
        });
        let submission = Submission {
            lessons: lessons.collect::<Result<_, _>>()?,
            session: params.session_name.filter(|name| !name.trim().is_empty()),
            context: params.session_context,
        };
        let concluded = services.submit_lessons(submission).await?;
        Ok(Output { lessons: concluded.into_iter().map(view).collect() })
    }
}

fn view(concluded: Concluded) -> Map<String, Value> {
    let note = note(&concluded);
    let Concluded { verdict, judged_by, confidence, candidate_id, procedure, nearest } = concluded;
    let nearest = nearest.map(|near| json!({"name": near.name, "status": near.status, "likeness": near.likeness}));
    let (procedure_id, name) = procedure.unzip();
    let fields = [
        ("verdict", Some(json!(verdict.as_str()))),
        ("judged_by", judged_by.map(Into::into)),
        ("confidence", confidence.map(Into::into)),
        ("candidate_id", candidate_id.map(Into::into)),
        ("procedure_id", procedure_id.map(Into::into)),
        ("name", name.map(Into::into)),
        ("nearest", nearest),
        ("note", note.map(Into::into)),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// What its caller can do about it.
fn note(concluded: &Concluded) -> Option<String> {
    let name = concluded.procedure.as_ref().map(|(_, name)| name.as_str()).unwrap_or_default();
    let status = concluded.nearest.as_ref().map(|near| near.status);
    match (concluded.verdict, status) {
        (Verdict::Twin, Some(crate::domain::Status::Archived)) => {
            Some(format!("`{name}` says the same and was put away; it counts as evidence there"))
        }
        (Verdict::Twin, _) => Some(format!(
            "`{name}` says the same; to merge what this one adds, update it, or `edit` it where it is a candidate"
        )),
        (Verdict::PassingFailure, _) => Some("a failure that passes says nothing about how it is done".to_owned()),
        (Verdict::Waiting, _) => Some("it is kept, and judged when the model answers".to_owned()),
        _ => None,
    }
}
