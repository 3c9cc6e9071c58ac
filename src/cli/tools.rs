//! `repertoire tools`

use std::{collections::BTreeMap, process::ExitCode};

use serde_json::{Value, json};

use super::{
    context::Context,
    error::CliError,
    output::{BOLD, DIM, RED, printable, short},
};
use crate::{
    config::ServerSettings,
    downstream::{DownstreamError, ToolInfo},
    library,
};

const DESCRIPTION_CHARS: usize = 100;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only these servers. [default: all that config.toml names]
    #[arg(value_name = "SERVER")]
    servers: Vec<String>,
    /// Print everything as JSON, with the schemas.
    #[arg(long)]
    json: bool,
}

/// What one server has, or why that is not known.
type Listed = (String, Result<Vec<ToolInfo>, DownstreamError>);

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let config = context.config()?;
    let servers = wanted(&arguments.servers, &config.mcp_servers)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let listed = runtime.block_on(async {
        let downstream = library::downstream();
        let listed = downstream.list(&servers, |_| true).await;
        downstream.close().await;
        listed
    });
    if arguments.json {
        let shown: Vec<Value> = listed.iter().map(as_json).collect();
        let text = serde_json::to_string_pretty(&json!({"servers": shown})).unwrap_or_default();
        context.output.line(text);
    } else if listed.is_empty() {
        context.output.line(format_args!(
            "no MCP servers are configured; add them as [mcp_servers.NAME] to {}",
            config.file().display()
        ));
    } else {
        listed.iter().for_each(|server| show(server, context));
    }
    let all_reached = listed.iter().all(|(_, tools)| !matches!(tools, Err(error) if !is_disabled(error)));
    Ok(if all_reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn wanted(
    names: &[String],
    servers: &BTreeMap<String, ServerSettings>,
) -> Result<BTreeMap<String, ServerSettings>, CliError> {
    if names.is_empty() {
        return Ok(servers.clone());
    }
    let find = |name: &String| {
        let settings = servers.get(name).cloned();
        settings.map(|settings| (name.clone(), settings)).ok_or_else(|| {
            let known: Vec<String> = servers.keys().map(|known| format!("`{known}`")).collect();
            let known = if known.is_empty() { "no server".to_owned() } else { known.join(", ") };
            CliError::Wrong {
                what: format!("no MCP server `{name}` is configured"),
                hint: format!("config.toml names {known}"),
            }
        })
    };
    names.iter().map(find).collect()
}

const fn is_disabled(error: &DownstreamError) -> bool {
    matches!(error, DownstreamError::Disabled { .. })
}

fn show((name, tools): &Listed, context: &Context) {
    let out = context.output;
    match tools {
        Ok(tools) => {
            let count = if tools.len() == 1 { "1 tool".to_owned() } else { format!("{} tools", tools.len()) };
            out.line(format_args!("{BOLD}{name}{BOLD:#}  {DIM}{count}{DIM:#}"));
            for tool in tools {
                out.line(format_args!("  {}", tool.signature()));
                let description = printable(&short(tool.description.trim(), DESCRIPTION_CHARS));
                if !description.is_empty() {
                    out.line(format_args!("      {DIM}{description}{DIM:#}"));
                }
            }
        }
        Err(error) if is_disabled(error) => {
            out.line(format_args!("{BOLD}{name}{BOLD:#}  {DIM}switched off{DIM:#}"));
        }
        Err(error) => {
            let error = printable(&error.to_string());
            out.line(format_args!("{BOLD}{name}{BOLD:#}  {RED}error{RED:#}: {error}"));
        }
    }
}

fn as_json((name, tools): &Listed) -> Value {
    match tools {
        Ok(tools) => json!({"server": name, "tools": tools.iter().map(tool_as_json).collect::<Vec<_>>()}),
        Err(error) => json!({"server": name, "enabled": !is_disabled(error), "error": error.to_string()}),
    }
}

fn tool_as_json(tool: &ToolInfo) -> Value {
    json!({
        "tool": tool.path(),
        "signature": tool.signature(),
        "description": tool.description,
        "input_schema": tool.input_schema,
        "output_schema": tool.output_schema,
        "read_only": tool.read_only,
        "idempotent": tool.idempotent,
    })
}
