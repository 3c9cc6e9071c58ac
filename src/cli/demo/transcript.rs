//! How the demo looks: titles, calls, answers.

use std::path::Path;

use serde_json::Value;

use crate::{
    cli::{
        error::CliError,
        output::{BOLD, CYAN, DIM, GREEN, Output, RED, YELLOW, short},
    },
    client::Client,
};

const MAX_ARGUMENT_CHARS: usize = 92;

/// Prints the story as it happens.
pub struct Transcript {
    out: Output,
    /// The temporary folder, whose long name is not worth reading.
    root: String,
}

/// A text without its quotes; anything else as JSON.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Transcript {
    pub fn new(out: Output, root: &Path) -> Self {
        Self { out, root: root.display().to_string() }
    }

    pub fn title(&mut self, text: &str) {
        self.out.line(format_args!("\n{BOLD}{text}{BOLD:#}\n"));
    }

    pub fn note(&mut self, text: &str) {
        self.out.line(format_args!("  {text}"));
    }

    /// Makes the call and shows it.
    pub async fn call(&mut self, client: &Client, tool: &str, arguments: Value) -> Result<Value, CliError> {
        let shown = shortened(&arguments).to_string().replace(&self.root, "…");
        let shown = short(&shown, MAX_ARGUMENT_CHARS);
        self.out.line(format_args!("  {CYAN}→ {tool}{CYAN:#} {DIM}{shown}{DIM:#}"));
        Ok(client.call(tool, arguments).await?)
    }

    pub fn result(&mut self, text: &str) {
        self.out.line(format_args!("  {GREEN}←{GREEN:#} {text}"));
    }

    pub fn failure(&mut self, answer: &Value) {
        let error = answer["error"].as_str().unwrap_or("no error was given").replace(&self.root, "…");
        self.out.line(format_args!("  {RED}←{RED:#} {error}"));
    }

    pub fn traceback(&mut self, answer: &Value) {
        for line in answer["traceback"].as_str().unwrap_or_default().lines() {
            self.out.line(format_args!("  {RED}│{RED:#} {line}"));
        }
    }

    pub fn lines(&mut self, lines: &[String]) {
        for line in lines {
            self.out.line(format_args!("    {DIM}│{DIM:#} {line}"));
        }
    }

    pub fn versions(&mut self, answer: &Value) {
        for version in answer["versions"].as_array().into_iter().flatten() {
            let current = if version["is_current"] == true { " (current)" } else { "" };
            self.out.line(format_args!(
                "    {DIM}│{DIM:#} {YELLOW}v{}{YELLOW:#} {:<10} {:>8}  {}{current}",
                version["version"],
                version["kind"].as_str().unwrap_or_default(),
                format!("+{} -{}", version["lines_added"], version["lines_removed"]),
                version["message"].as_str().unwrap_or_default(),
            ));
        }
    }

    pub fn end(&mut self, text: &str) {
        self.out.line(format_args!("\n  {text}"));
    }
}

/// Long texts such as code would bury the call.
fn shortened(arguments: &Value) -> Value {
    match arguments {
        Value::String(text) if text.contains('\n') => Value::String(format!("… {} lines …", text.lines().count())),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), shortened(value))).collect(),
        other => other.clone(),
    }
}
