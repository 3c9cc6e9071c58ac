//! What a step calls: a procedure, by its name, or a tool of another MCP server, as `server/tool`.

use super::{Hinted as _, ProcedureName};

/// Whether a skill is a tool of another server, not a procedure.
#[must_use]
pub fn is_tool(skill: &str) -> bool {
    skill.contains('/')
}

/// The server and its tool that `path` names; `None` when it does not name both.
#[must_use]
pub fn server_and_tool(path: &str) -> Option<(&str, &str)> {
    path.split_once('/').filter(|(server, tool)| !server.trim().is_empty() && !tool.trim().is_empty())
}

pub(super) fn check(skill: &str) -> Result<(), String> {
    if is_tool(skill) {
        return server_and_tool(skill)
            .map(drop)
            .ok_or_else(|| format!("the skill in `config` is `{skill}`; write `server/tool`"));
    }
    let name = ProcedureName::parse(skill);
    name.map(drop).map_err(|error| format!("the skill in `config` is the name of a procedure: {}", error.in_full()))
}
