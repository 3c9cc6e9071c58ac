//! What a tool is: data about it, and a handler over the services.

use std::{pin::Pin, sync::Arc};

use rmcp::model::{JsonObject, ToolAnnotations};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    answer::Answer,
    progress::CallContext,
    reply::{self, Reply},
    rounds, schema,
};
use crate::library::{LibraryError, Services};

/// Groups of tools that can be switched on and off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Toolset {
    /// Remembering and finding.
    Procedures,
    /// Code and its versions.
    Code,
    /// Executing and measuring.
    Runs,
    /// States of workflows that others run.
    Checkpoints,
    /// What runs teach.
    Learning,
}

impl Toolset {
    /// Its name in flags and documentation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Procedures => "procedures",
            Self::Code => "code",
            Self::Runs => "runs",
            Self::Checkpoints => "checkpoints",
            Self::Learning => "learning",
        }
    }
}

/// What a tool does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only reads.
    Reads,
    /// It adds; nothing is lost, and calling it again adds again.
    Adds,
    /// It replaces or ends something.
    Changes,
    /// It executes code, which may do anything that the policy allows.
    Executes,
}

/// A tool. One file each, registered in the catalogue.
pub trait Tool: 'static {
    /// Its name in the protocol.
    const NAME: &'static str;
    /// When to use it, in a sentence or two.
    const DESCRIPTION: &'static str;
    /// Its group.
    const TOOLSET: Toolset;
    /// What it does to the world.
    const EFFECT: Effect;
    /// Whether it is also of use where nothing may be executed. Then it only reads.
    const READS_WITHOUT_EXECUTING: bool = false;
    /// The argument that may hold a large object, which is then not made a value: it comes as the text that it is, and
    /// `verbatim::of_fields` takes it out.
    const LARGE_ARGUMENT: Option<&'static str> = None;
    /// Its arguments.
    type Params: DeserializeOwned + JsonSchema + Send;
    /// Its answer.
    type Output: Answer;

    /// Reads the arguments.
    ///
    /// # Errors
    /// [`LibraryError::Argument`] names the field that is wrong.
    fn parse(arguments: Map<String, Value>) -> Result<Self::Params, LibraryError> {
        parse(arguments)
    }

    /// Does it.
    fn call(
        services: &Services,
        params: Self::Params,
        context: &CallContext,
    ) -> impl Future<Output = Result<Self::Output, LibraryError>> + Send;
}

/// Takes the named fields out of `arguments`, to be read apart from the rest.
pub fn take_fields(arguments: &mut Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| arguments.remove_entry(*name)).collect()
}

type Handler =
    for<'a> fn(&'a Services, Map<String, Value>, &'a CallContext) -> Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// A tool as the catalogue holds it.
pub struct Entry {
    /// Its group.
    pub toolset: Toolset,
    /// What it does to the world.
    pub effect: Effect,
    /// Whether it only reads where nothing may be executed.
    pub reads_without_executing: bool,
    /// The argument that may hold a large object.
    pub large_argument: Option<&'static str>,
    /// What `tools/list` says of it.
    pub listed: rmcp::model::Tool,
    handler: Handler,
}

impl Entry {
    /// The entry of the tool `T`.
    #[must_use]
    pub fn of<T: Tool>() -> Self {
        let input: Arc<JsonObject> = Arc::new(schema::input::<T::Params>());
        let mut listed = rmcp::model::Tool::new(T::NAME, T::DESCRIPTION, input);
        listed.output_schema = Some(Arc::new(schema::output::<T::Output>()));
        listed.annotations = Some(annotations(T::EFFECT));
        Self {
            toolset: T::TOOLSET,
            effect: T::EFFECT,
            reads_without_executing: T::READS_WITHOUT_EXECUTING,
            large_argument: T::LARGE_ARGUMENT,
            listed,
            handler: |services, arguments, context| {
                Box::pin(async move {
                    match T::parse(arguments) {
                        Ok(params) => match T::call(services, params, context).await {
                            Ok(answer) => {
                                let question = rounds::question(services, context, T::NAME, answer.asked()).await;
                                reply::answer(answer).asking(question)
                            }
                            Err(error) => reply::refusal(&error),
                        },
                        Err(error) => reply::refusal(&error),
                    }
                })
            },
        }
    }

    /// The same on a server that may change nothing; `None` when it has no place there.
    #[must_use]
    pub fn reading(mut self) -> Option<Self> {
        if self.reads_without_executing {
            self.effect = Effect::Reads;
            self.listed.annotations = Some(annotations(Effect::Reads));
        }
        (self.effect == Effect::Reads).then_some(self)
    }

    /// Calls the tool.
    pub async fn call(&self, services: &Services, mut arguments: Map<String, Value>, context: &CallContext) -> Reply {
        if let Some((message, hint)) = schema::unknown_argument(&arguments, &self.listed.input_schema) {
            return reply::refusal(&LibraryError::invalid_with_hint(message, hint));
        }
        schema::unpack_stringified(&mut arguments, &self.listed.input_schema);
        (self.handler)(services, arguments, context).await
    }
}

fn annotations(effect: Effect) -> ToolAnnotations {
    let mut annotations = ToolAnnotations::new();
    let only_reads = effect == Effect::Reads;
    annotations.read_only_hint = Some(only_reads);
    // In MCP a tool that only reads is not destructive, and none is idempotent that does not say so.
    annotations.destructive_hint = (!only_reads).then_some(matches!(effect, Effect::Changes | Effect::Executes));
    annotations.open_world_hint = Some(effect == Effect::Executes);
    annotations
}

/// Arguments as a typed value.
///
/// # Errors
/// [`LibraryError::Argument`] names the field that is wrong.
pub fn parse<P: DeserializeOwned>(arguments: Map<String, Value>) -> Result<P, LibraryError> {
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        let path = error.path().to_string();
        let why = in_plain_words(&error.into_inner().to_string());
        LibraryError::invalid(if path == "." { why } else { format!("`{path}`: {why}") })
    })
}

/// What serde says of an argument, without the names that types have in Rust.
fn in_plain_words(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let plain = match expected.split([' ', ':']).next().unwrap_or_default() {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "struct" => "an object",
        _ => return message.to_owned(),
    };
    format!("{found}, expected {plain}")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Given {
        count: Option<u32>,
        share: Option<f64>,
        inner: Option<Box<Given>>,
        list: Option<Vec<String>>,
    }

    #[test]
    fn what_is_wrong_with_an_argument_is_said_in_plain_words() {
        for (given, said) in [
            (json!({"count": "x"}), "`count`: invalid type: string \"x\", expected a whole number from 0"),
            (json!({"count": -1}), "`count`: invalid value: integer `-1`, expected a whole number from 0"),
            (json!({"share": []}), "`share`: invalid type: sequence, expected a number"),
            (json!({"inner": 1}), "`inner`: invalid type: integer `1`, expected an object"),
            (json!({"list": 1}), "`list`: invalid type: integer `1`, expected a sequence"),
        ] {
            let Value::Object(given) = given else { panic!("an object") };
            assert_eq!(parse::<Given>(given).unwrap_err().to_string(), said);
        }
    }
}
