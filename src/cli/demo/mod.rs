//! `repertoire demo`: the whole life of a procedure, over the real protocol, on real input.
//!
//! It starts this program as a server in a temporary home, makes a git repository, and drives the server as any MCP
//! client would. Nothing in it is prepared beforehand but the questions.

mod repository;
mod transcript;

use std::{fs, path::Path, process::ExitCode, time::Instant};

use serde_json::{Value, json};

use super::{context::Context, error::CliError, programs::this_program};
use crate::client::{Client, Opening};
use transcript::{Transcript, plain};

const RELEASE_NOTES: &str = include_str!("release_notes.py");
const HOSTILE: &str = include_str!("hostile.py");

#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub fn run(_: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let folder = tempfile::tempdir().map_err(CliError::io("no temporary folder can be made"))?;
    // The sandbox shows directories under their real names, and a temporary folder may be reached through a link.
    let root = folder.path().canonicalize().map_err(CliError::io("the temporary folder is not there"))?;
    let result = runtime.block_on(story(&root, Transcript::new(context.output, &root)));
    result.map(|()| ExitCode::SUCCESS)
}

async fn story(root: &Path, mut say: Transcript) -> Result<(), CliError> {
    let (home, project) = (root.join("home"), root.join("weather-station"));
    repository::create(&project)?;
    let git = repository::git_is_installed();
    write_policy(&home, &project, git)?;
    let started = Instant::now();

    say.title("An agent connects");
    let client = Client::start(&this_program()?, &home, &[], Opening::Discover).await?;
    let tools = client.tools().await?;
    say.note(&format!(
        "A real MCP server, started over stdio in a temporary home: {} tools, ready after {:.0} ms.",
        tools.len(),
        started.elapsed().as_secs_f64() * 1000.0
    ));

    remember(&client, &mut say).await?;
    give_code(&client, &mut say).await?;
    execute(&client, &mut say, &project).await?;
    break_and_mend(&client, &mut say, &project).await?;
    hand_over(&client, &mut say).await?;
    starter(&client, &mut say, &project, git).await?;
    client.close().await;

    say.title("What is left");
    let commits = repository::subjects(&home.join("procedures.git"))?;
    say.note("The history is a plain git repository. You can clone it, edit it and push back:");
    say.lines(&commits);
    say.end(&format!(
        "All of this took {:.1} s. `repertoire list` shows the procedures you start with; README.md connects your agent.",
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// Grants exactly what the story needs.
fn write_policy(home: &Path, project: &Path, git: bool) -> Result<(), CliError> {
    let commands: &[&str] = if git { &["git status", "git diff"] } else { &[] };
    let policy = format!("[policy]\ncommands = {}\nread = {}\n", json!(commands), json!([project]));
    fs::create_dir_all(home).map_err(CliError::io("the home can't be made"))?;
    fs::write(home.join(crate::config::FILE_NAME), policy).map_err(CliError::io("the policy can't be written"))
}

async fn remember(client: &Client, say: &mut Transcript) -> Result<(), CliError> {
    say.title("1. Look first, then remember");
    let arguments = json!({"query": "write release notes from commits", "limit": 2});
    let found = say.call(client, "recall_procedures", arguments).await?;
    say.result(&format!("{} known so far: {}", found["count"], names(&found)));
    let arguments = json!({
        "name": "release notes",
        "description": "Draft release notes from the commits of a git repository, before a release.",
        "category": "git",
        "steps": ["Read the latest commits of {{repository}}", "Group them by kind", "Write the notes"],
        "permissions": {"read": ["*"]},
    });
    let remembered = say.call(client, "remember_procedure", arguments).await?;
    say.result(&format!("{} is version {}, a definition", plain(&remembered["name"]), remembered["version"]));
    Ok(())
}

async fn give_code(client: &Client, say: &mut Transcript) -> Result<(), CliError> {
    say.title("2. Code is judged before it is stored");
    say.note("Code that hides what it does is refused, with the line and the reason:");
    let arguments = json!({"procedure_id": "release_notes", "code": HOSTILE});
    let refused = say.call(client, "generate_procedure_code", arguments).await?;
    say.failure(&refused);
    say.note("What the agent wrote properly is checked, scored and committed:");
    let arguments = json!({"procedure_id": "release_notes", "code": RELEASE_NOTES});
    let generated = say.call(client, "generate_procedure_code", arguments).await?;
    let checks = &generated["validation"]["checks"];
    say.result(&format!(
        "version {}, confidence {}; syntax {}, security {}, type hints {}, docstring {}",
        generated["version"],
        generated["confidence"],
        mark(&checks["syntax"]),
        mark(&checks["security"]),
        mark(&json!(checks["type_hints"] == 1.0)),
        mark(&checks["docstring"]),
    ));
    Ok(())
}

async fn execute(client: &Client, say: &mut Transcript, project: &Path) -> Result<(), CliError> {
    say.title("3. It runs, in a sandbox, and is measured");
    let arguments = json!({"procedure_id": "release_notes", "parameters": {"repository": project}});
    let run = say.call(client, "execute_procedure", arguments.clone()).await?;
    say.result(&format!("{} in {:.1} ms, from a real git repository:", plain(&run["outcome"]), milliseconds(&run)));
    say.lines(&lines(&run["result"]["notes"]));
    client.call("execute_procedure", arguments).await?;
    let outside = json!({"procedure_id": "release_notes", "parameters": {"repository": "/etc"}});
    say.note("The policy grants this one folder. Anything else is refused:");
    let refused = say.call(client, "execute_procedure", outside).await?;
    say.failure(&refused);
    Ok(())
}

async fn break_and_mend(client: &Client, say: &mut Transcript, project: &Path) -> Result<(), CliError> {
    say.title("4. A bad change is undone");
    let broken = RELEASE_NOTES.replace("line.split(\"\\t\", 1)[1]", "line.split(\"\\t\", 1)[7]");
    let arguments = json!({"procedure_id": "release_notes", "code": broken});
    let generated = client.call("generate_procedure_code", arguments).await?;
    say.note(&format!("Somebody commits version {}, which has a bug:", generated["version"]));
    let arguments = json!({"procedure_id": "release_notes", "parameters": {"repository": project}});
    let run = say.call(client, "execute_procedure", arguments.clone()).await?;
    say.traceback(&run);
    let rollback = json!({"procedure_id": "release_notes", "target_version": 2, "reason": "wrong field"});
    let restored = say.call(client, "rollback_procedure_code", rollback).await?;
    let run = client.call("execute_procedure", arguments).await?;
    say.result(&format!("version {} has the code of version 2 again: {}", restored["version"], plain(&run["outcome"])));
    let versions = say.call(client, "get_procedure_versions", json!({"procedure_id": "release_notes"})).await?;
    say.versions(&versions);
    let stats = say.call(client, "get_procedure_stats", json!({"procedure_id": "release_notes"})).await?;
    say.result(&format!(
        "{} uses, success rate {:.0}%, median {:.1} ms, last error: {}",
        stats["usage_count"],
        stats["success_rate"].as_f64().unwrap_or_default() * 100.0,
        stats["execution_stats"]["p50_ms"].as_f64().unwrap_or_default(),
        plain(&stats["execution_stats"]["last_error"]),
    ));
    Ok(())
}

async fn hand_over(client: &Client, say: &mut Transcript) -> Result<(), CliError> {
    say.title("5. What can't be automated is handed over");
    say.note("No code was written for this one: its steps were compiled.");
    let arguments = json!({
        "name": "publish release",
        "description": "Publish a release and tell people.",
        "steps": ["Ask {{reviewer}} to approve the release notes", "Post the announcement"],
    });
    client.call("remember_procedure", arguments).await?;
    client.call("generate_procedure_code", json!({"procedure_id": "publish_release"})).await?;
    let arguments = json!({"procedure_id": "publish_release", "parameters": {"reviewer": "Maria"}});
    let run = say.call(client, "execute_procedure", arguments).await?;
    say.result(&format!("{}; waiting for: {}", plain(&run["outcome"]), plain(&run["waiting_for"])));
    let resume = |value: &str| json!({"run_id": run["run_id"], "value": value});
    let next = say.call(client, "resume_run", resume("approved by Maria")).await?;
    say.result(&format!("{}; waiting for: {}", plain(&next["outcome"]), plain(&next["waiting_for"])));
    let done = say.call(client, "resume_run", resume("posted")).await?;
    say.result(&format!("{}: {}", plain(&done["outcome"]), done["result"]));
    Ok(())
}

async fn starter(client: &Client, say: &mut Transcript, project: &Path, git: bool) -> Result<(), CliError> {
    say.title("6. A new home starts with procedures people want");
    let listed = say.call(client, "list_procedures", json!({"limit": 50})).await?;
    say.result(&names(&listed));
    if !git {
        say.note("(git is not installed here, so the ones that call it are not shown.)");
        return Ok(());
    }
    let arguments = json!({"procedure_id": "summarise_git_changes", "parameters": {"path": project}});
    let run = say.call(client, "execute_procedure", arguments).await?;
    if run["success"] == true {
        say.result(run["result"]["summary"].as_str().unwrap_or_default());
    } else {
        say.failure(&run);
    }
    Ok(())
}

fn names(answer: &Value) -> String {
    let procedures = answer["procedures"].as_array();
    let names: Vec<&str> =
        procedures.into_iter().flatten().filter_map(|procedure| procedure["name"].as_str()).collect();
    names.join(", ")
}

fn mark(check: &Value) -> &'static str {
    if check == &Value::Bool(true) { "✓" } else { "✗" }
}

fn milliseconds(run: &Value) -> f64 {
    run["duration_seconds"].as_f64().unwrap_or_default() * 1000.0
}

fn lines(text: &Value) -> Vec<String> {
    text.as_str().unwrap_or_default().lines().map(str::to_owned).collect()
}
