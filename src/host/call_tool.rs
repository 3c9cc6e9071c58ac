//! `call_tool`: a tool of a downstream MCP server.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    action::Action,
    context::{HostContext, parse},
    function::{Fallible, GrantKind, HostFunction, Perform, as_declared, as_given},
};
use crate::{
    downstream::DownstreamError,
    runtime::{PythonError, Reply},
};

const NAME: &str = "call_tool";

pub const FUNCTION: HostFunction = HostFunction {
    name: NAME,
    nature: as_declared,
    grant: Some(GrantKind::Tool),
    fallible: Fallible::Yes,
    shown: as_given,
    perform: Perform::Waiting(|arguments, context| Box::pin(call(arguments, context))),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "they are named as in Python")]
struct Arguments {
    tool: String,
    #[serde(default)]
    arguments: Option<Map<String, Value>>,
    timeout: Option<f64>,
    /// Read by [`as_declared`].
    #[serde(default, rename = "idempotent")]
    _idempotent: bool,
}

async fn call(arguments: Map<String, Value>, context: &HostContext<'_>) -> Result<Action, PythonError> {
    let Arguments { tool: path, arguments, timeout, .. } = parse(NAME, arguments)?;
    let named = path.split_once('/').filter(|(server, tool)| !server.trim().is_empty() && !tool.trim().is_empty());
    let Some((server, tool)) = named else {
        let message = format!("call_tool(): `{path}` names no tool; write \"server/tool\"");
        return Err(PythonError::new("ValueError", message));
    };
    context.grants.check_tool(server, tool)?;
    let deadline = match timeout {
        Some(seconds) => deadline(seconds)?.min(context.budget.deadline),
        None => context.budget.deadline,
    };
    let called = context
        .downstream
        .call(
            &context.config.mcp_servers,
            server,
            tool,
            arguments.unwrap_or_default(),
            deadline,
            &context.budget.cancel,
        )
        .await;
    called.map(|value| Action::Reply(Reply::Value(value))).map_err(|error| raised(&error))
}

fn deadline(seconds: f64) -> Result<Instant, PythonError> {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|limit| !limit.is_zero())
        .and_then(|limit| Instant::now().checked_add(limit))
        .ok_or_else(|| {
            let message = format!("call_tool(): `timeout` is {seconds}; it is a number of seconds above 0");
            PythonError::new("ValueError", message)
        })
}

fn raised(error: &DownstreamError) -> PythonError {
    let kind = if error.is_timeout() {
        "TimeoutError"
    } else if error.is_unknown_name() {
        "LookupError"
    } else {
        "RuntimeError"
    };
    PythonError::new(kind, error.to_string())
}
