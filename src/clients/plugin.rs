//! The server, its hooks and its skill as a plugin of Claude Code: a folder that can be shared.

use serde_json::{Value, json};

use super::table::{Client, SERVER, Start, System};

/// What an agent reads of when to look and when to remember.
const SKILL: &str = include_str!("plugin_skill.md");

/// A file below the folder of the plugin, and what is in it.
pub type PluginFile = (&'static str, String);

/// All of them.
pub fn files(client: &Client, start: &Start, system: System) -> Vec<PluginFile> {
    let manifest = json!({
        "name": SERVER,
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Procedural memory: procedures that are remembered as code, checked, versioned and run.",
        "license": env!("CARGO_PKG_LICENSE"),
    });
    vec![
        (".claude-plugin/plugin.json", text(&manifest)),
        (".mcp.json", text(&start.servers())),
        ("hooks/hooks.json", text(&client.hooks_file(start, system))),
        ("skills/procedural-memory/SKILL.md", SKILL.to_owned()),
    ]
}

fn text(value: &Value) -> String {
    format!("{value:#}\n")
}
