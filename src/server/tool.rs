//! What a tool is: data about it, and a handler over the services.

use std::{pin::Pin, sync::Arc};

use rmcp::model::{JsonObject, ToolAnnotations};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    answer::Answer,
    consent,
    progress::CallContext,
    reply::{self, Reply},
    rounds, schema,
};
use crate::{
    domain::{
        json,
        reading::{self, Shape},
    },
    library::{LibraryError, Services},
};

/// Groups of tools that can be switched on and off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Procedures, Self::Code, Self::Runs, Self::Checkpoints, Self::Learning];

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
    /// Whether a server shows it that was not told what to show. What only programs that run workflows need is not: an agent
    /// pays for every tool that it could call.
    const BY_DEFAULT: bool = !matches!(Self::TOOLSET, Toolset::Checkpoints);
    /// Arguments that are taken wherever the tool is, and listed only where everything is: few agents need them.
    const RARE: &'static [&'static str] = &[];
    /// The argument that may hold a large object, which is then not made a value: it comes as the text that it is, and
    /// `verbatim::of_fields` takes it out.
    const LARGE_ARGUMENT: Option<&'static str> = None;
    /// Its arguments.
    type Params: DeserializeOwned + JsonSchema + Send;
    /// Its answer.
    type Output: Answer;

    /// Leaves out of the listed schema what clients need not pay for.
    fn shorten(_schema: &mut JsonObject) {}

    /// Leaves out of the listed arguments what only few agents need.
    fn abridge(properties: &mut Map<String, Value>) {
        properties.retain(|name, _| !Self::RARE.contains(&name.as_str()));
    }

    /// Types the arguments, which have been read as what the schema says.
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

/// Fields of an answer that are told of before there is one, where everything is listed and where it is not. The first are
/// those that matter; all of them show in the answer.
const MOST_ANSWERS: usize = 12;
const FIRST_ANSWERS: usize = 5;

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
    /// Whether it is shown by a server that was not told what to show.
    pub by_default: bool,
    /// The argument that may hold a large object.
    pub large_argument: Option<&'static str>,
    /// What `tools/list` says of it.
    pub listed: rmcp::model::Tool,
    /// What its arguments are: all that there is to know, of which clients see a part.
    shape: Shape,
    abridge: fn(&mut Map<String, Value>),
    handler: Handler,
}

impl Entry {
    /// The entry of the tool `T`.
    #[must_use]
    pub fn of<T: Tool>() -> Self {
        let full = schema::full::<T::Params>();
        let shape = Shape::of_schema(&full).closed();
        let mut input = schema::input(full);
        T::shorten(&mut input);
        let mut listed = rmcp::model::Tool::new(T::NAME, T::DESCRIPTION, Arc::new(input));
        listed.title = Some(title(T::NAME));
        let mut output = schema::output::<T::Output>();
        keep_first(&mut output, MOST_ANSWERS);
        listed.output_schema = Some(Arc::new(output));
        listed.annotations = Some(annotations(T::EFFECT));
        Self {
            toolset: T::TOOLSET,
            effect: T::EFFECT,
            reads_without_executing: T::READS_WITHOUT_EXECUTING,
            by_default: T::BY_DEFAULT,
            large_argument: T::LARGE_ARGUMENT,
            listed,
            shape,
            abridge: T::abridge,
            handler: |services, arguments, context| {
                Box::pin(async move {
                    let call = consent::Call::of(T::NAME, &arguments, context);
                    match T::parse(arguments) {
                        Ok(params) => match T::call(services, params, context).await {
                            Ok(answer) => {
                                let question = rounds::question(services, context, T::NAME, answer.asked()).await;
                                reply::answer(answer).asking(question)
                            }
                            Err(error) => {
                                let question = call.question(services, &error).await;
                                reply::refusal(&error).asking(question)
                            }
                        },
                        Err(error) => reply::refusal(&error),
                    }
                })
            },
        }
    }

    /// The same as it is listed for agents: without what few need. Everything else is taken and answered all the same.
    #[must_use]
    pub fn abridged(mut self) -> Self {
        if let Some(Value::Object(properties)) = Arc::make_mut(&mut self.listed.input_schema).get_mut("properties") {
            (self.abridge)(properties);
        }
        if let Some(output) = self.listed.output_schema.as_mut().map(Arc::make_mut) {
            keep_first(output, FIRST_ANSWERS);
        }
        self
    }

    /// Whether it executes runs, so that a client that knows tasks gets one for it.
    #[must_use]
    pub fn becomes_task(&self) -> bool {
        self.effect == Effect::Executes
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
    pub async fn call(&self, services: &Services, arguments: Map<String, Value>, context: &CallContext) -> Reply {
        let settled = fitted(arguments, &self.shape).and_then(|mut arguments| {
            json::settle_fields(&mut arguments).map_err(|unkept| LibraryError::invalid(unkept.to_string()))?;
            Ok(arguments)
        });
        match settled {
            Ok(arguments) => (self.handler)(services, arguments, context).await,
            Err(error) => reply::refusal(&error),
        }
    }
}

fn keep_first(schema: &mut JsonObject, most: usize) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        *properties = std::mem::take(properties).into_iter().take(most).collect();
    }
}

/// The name as people write it.
fn title(name: &str) -> String {
    let mut title = name.replace('_', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
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

/// Arguments that were read before as a typed value.
///
/// # Errors
/// [`LibraryError::Argument`] names the field that is wrong.
pub fn parse<P: DeserializeOwned>(arguments: Map<String, Value>) -> Result<P, LibraryError> {
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        let path = error.path().to_string();
        let why = reading::plain(&error.into_inner().to_string());
        LibraryError::invalid(if path == "." { why } else { format!("`{path}`: {why}") })
    })
}

/// Arguments as what they mean, and then as a typed value, for those that a tool takes within another.
///
/// # Errors
/// [`LibraryError::Argument`] names the field that is wrong.
pub fn read<P: DeserializeOwned + JsonSchema>(arguments: Map<String, Value>) -> Result<P, LibraryError> {
    parse(fitted(arguments, &Shape::of_schema(&schema::full::<P>()).closed())?)
}

fn fitted(arguments: Map<String, Value>, shape: &Shape) -> Result<Map<String, Value>, LibraryError> {
    match reading::fit(Value::Object(arguments), shape) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(LibraryError::internal("arguments became something else than an object")),
        Err(misfit) => Err(LibraryError::invalid_because(&misfit)),
    }
}
