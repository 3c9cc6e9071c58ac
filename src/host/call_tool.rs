//! `call_tool`: a tool of a downstream MCP server.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    action::Action,
    context::{HostContext, deadline, parse},
    function::{Fallible, GrantKind, HostFunction, Perform, as_declared, as_given, as_said},
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
    said: as_said,
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
    let Some((server, tool)) = named(&path) else {
        let message = format!("call_tool(): `{path}` names no tool; write \"server/tool\"");
        return Err(PythonError::new("ValueError", message));
    };
    context.grants.check_tool(server, tool)?;
    let called = context
        .downstream
        .call(
            &context.config.mcp_servers,
            server,
            tool,
            arguments.unwrap_or_default(),
            deadline(timeout, context.budget),
            &context.budget.cancel,
        )
        .await;
    called.map(|value| Action::Reply(Reply::Value(value))).map_err(|error| raised(&error))
}

/// The server and its tool that a path names.
pub fn named(path: &str) -> Option<(&str, &str)> {
    path.split_once('/').filter(|(server, tool)| !server.trim().is_empty() && !tool.trim().is_empty())
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
