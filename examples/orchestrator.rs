//! An orchestrator in one file: a graph with parallel branches that can be killed at any moment and goes on from there.
//!
//! It reviews a contract: `read`, three branches side by side, `join`, `decide`, `report`. `Memory` is all that knows the
//! server, `Run` drives the graph. Let it crash, then start it again; three runs teach a strategy, two with `--fail
//! liability` what to avoid.
//!
//! ```text
//! cargo run --example orchestrator -- --home /tmp/review --crash-after 3
//! cargo run --example orchestrator -- --home /tmp/review
//! ```

#![expect(clippy::print_stdout, reason = "it shows what happens")]

use std::{
    cell::Cell,
    collections::BTreeSet,
    env::{self, consts::EXE_EXTENSION},
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Parser;
use futures_util::future::join_all;
use jiff::Timestamp;
use rmcp::{
    RoleClient, ServiceExt as _,
    model::{CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation},
    service::RunningService,
    transport::TokioChildProcess,
};
use serde_json::{Map, Value, json};
use tokio::process::Command;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type State = Map<String, Value>;

const WORKFLOW: &str = "contract-review";
/// What comes before and after the branches is one too, so that one call says where everything stands.
const TRUNK: &str = "trunk";
const BRANCHES: [(&str, &[&str]); 3] =
    [("language", &["spelling", "style"]), ("legal", &["dates", "liability"]), ("layout", &["headings"])];
const NODES: usize = 9;
const CONTRACT: &str = "\
1. Subject. The supplier delivers fifty pumps. Both parties recieve a copy.
2. Payment. The customer pays in advance and without any deduction whatsoever, irrespective of defects that may show.
4. Liability. The supplier accepts unlimited liability.";

#[derive(Parser)]
struct Arguments {
    /// Folder of the data, made when it is not there.
    #[arg(long)]
    home: PathBuf,
    /// The server. [default: the one that was built with this example, else the one on the PATH]
    #[arg(long)]
    program: Option<PathBuf>,
    /// Aborts this process after so many nodes.
    #[arg(long, value_name = "N")]
    crash_after: Option<usize>,
    /// Lets this node fail.
    #[arg(long, value_name = "NODE")]
    fail: Option<String>,
    /// How long each node takes.
    #[arg(long, value_name = "MS", default_value_t = 200)]
    node_ms: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let reports = prepare(&arguments.home)?;
    let memory = Memory::start(&arguments).await?;
    let id = next_run(&memory).await?;
    let run = Run { id, memory, arguments, reports, saved: Cell::new(0) };
    match run.drive().await {
        Ok(state) => run.complete(&state, None).await?,
        // Anything else, such as a server that is gone, is no end of the run: the next start goes on with it.
        Err(error) => run.fail(*error.downcast::<NodeFailed>()?).await?,
    }
    run.memory.0.cancel().await?;
    Ok(())
}

/// A node gave up, and with it the run.
#[derive(Debug, thiserror::Error)]
#[error("{node}: {why}")]
struct NodeFailed {
    branch: &'static str,
    node: &'static str,
    position: Position,
    why: String,
}

/// Files are linked where the policy grants it. The policy is the user's, so it is written only where there is none.
fn prepare(home: &Path) -> Result<PathBuf> {
    let reports = std::path::absolute(home)?.join("reports");
    fs::create_dir_all(&reports)?;
    if !home.join("config.toml").exists() {
        fs::write(home.join("config.toml"), format!("[policy]\nread = ['{}']\n", reports.display()))?;
    }
    Ok(reports)
}

/// The run that was not completed, or a new one. Your orchestrator has ids of its own.
async fn next_run(memory: &Memory) -> Result<String> {
    let newest = memory.call("recall_outcomes", json!({"workflow_id": WORKFLOW, "limit": 1})).await?;
    let last = newest["outcomes"][0]["run_id"].as_str().and_then(|id| id.rsplit_once('-')?.1.parse().ok());
    Ok(format!("{WORKFLOW}-{}", last.unwrap_or(0_u64) + 1))
}

/// The server, as a child process that ends with this one.
struct Memory(RunningService<RoleClient, ClientConfig>);

impl Memory {
    async fn start(arguments: &Arguments) -> Result<Self> {
        let beside = env::current_exe()?.with_file_name("../repertoire").with_extension(EXE_EXTENSION);
        let found = if beside.exists() { beside } else { PathBuf::from("repertoire") };
        let program = arguments.program.as_ref().unwrap_or(&found);
        let mut command = Command::new(program);
        command.env("REPERTOIRE_LOG", "warn,rmcp=off").arg("--home").arg(&arguments.home).arg("serve");
        let process = TokioChildProcess::new(command)
            .map_err(|error| format!("`{}` can't be started: {error}; name it with --program", program.display()))?;
        let who = Implementation::new("orchestrator-example", env!("CARGO_PKG_VERSION"));
        Ok(Self(ClientConfig::new(ClientCapabilities::default(), who).serve(process).await?))
    }

    /// Calls a tool. What it refuses is an error with its own words, which say what to do.
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value> {
        let mut request = CallToolRequestParams::new(tool);
        request.arguments = arguments.as_object().cloned();
        let answer = self.0.call_tool(request).await?.structured_content.unwrap_or_default();
        if answer["success"] == true { Ok(answer) } else { Err(format!("{tool}: {}", answer["error"]).into()) }
    }
}

/// Where a branch stands: its state, and the checkpoint that has it.
#[derive(Debug, Clone, Default)]
struct Position {
    state: State,
    checkpoint: Value,
}

impl Position {
    fn of(checkpoint: &Value) -> Option<Self> {
        Some(Self { state: checkpoint["state"].as_object()?.clone(), checkpoint: checkpoint["checkpoint_id"].clone() })
    }

    fn is_past(&self, node: &str) -> bool {
        self.state.get("done").and_then(Value::as_array).is_some_and(|done| done.contains(&json!(node)))
    }
}

struct Run {
    id: String,
    memory: Memory,
    arguments: Arguments,
    reports: PathBuf,
    saved: Cell<usize>,
}

impl Run {
    /// Drives the graph from wherever it stands to its end.
    async fn drive(&self) -> Result<State> {
        let names: Vec<&str> = [TRUNK].into_iter().chain(BRANCHES.map(|(name, _)| name)).collect();
        let found = self.memory.call("get_resume_point", json!({"run_id": self.id, "branch_ids": names})).await?;
        let position = |branch: &str| Position::of(&found["branches"][branch]);
        println!("{} {}", if position(TRUNK).is_none() { "start " } else { "resume" }, self.id);
        let mut trunk = self.walk(TRUNK, &["read"], position(TRUNK).unwrap_or_default()).await?;
        if !trunk.is_past("join") {
            // A branch without a checkpoint begins where the trunk stands, with a state of its own: what all branches
            // had before the fork would be appended and added up once for each of them.
            let fork = Position { state: State::new(), checkpoint: trunk.checkpoint.clone() };
            let walks =
                BRANCHES.map(|(name, nodes)| self.walk(name, nodes, position(name).unwrap_or_else(|| fork.clone())));
            // Those beside one that fails come to their ends: what a dropped call has sent may be saved after the failure.
            let ends: Vec<Position> = join_all(walks).await.into_iter().collect::<Result<_>>()?;
            let states: Vec<&State> = [&trunk.state].into_iter().chain(ends.iter().map(|end| &end.state)).collect();
            let rules =
                json!({"done": "union", "issues": "append", "owners": "merge_dict", "risk": "max", "minutes": "sum"});
            let merge = json!({"states": states, "field_reducers": rules, "default_reducer": "first_value"});
            let merged = self.memory.call("merge_states", merge).await?;
            trunk.state = merged["state"].as_object().cloned().unwrap_or_default();
            println!("merged {}", Value::Object(trunk.state.clone()));
            self.save(TRUNK, "join", "done", &mut trunk).await?;
        }
        Ok(self.walk(TRUNK, &["decide", "report"], trunk).await?.state)
    }

    /// Runs the nodes of a branch that are not behind it yet.
    async fn walk(&self, branch: &'static str, nodes: &[&'static str], mut position: Position) -> Result<Position> {
        for &node in nodes {
            if position.is_past(node) {
                println!("skip   {branch}/{node}");
                continue;
            }
            println!("run    {branch}/{node}");
            if let Err(why) = self.execute(node, &mut position.state).await {
                return Err(NodeFailed { branch, node, position, why }.into());
            }
            self.save(branch, node, "done", &mut position).await?;
        }
        Ok(position)
    }

    /// Saves where a branch stands after a node. `field` of the state says that too: a node that found nothing would leave
    /// the state as it was, no checkpoint would be written, and the node would run again.
    async fn save(&self, branch: &str, node: &str, field: &str, position: &mut Position) -> Result<()> {
        let nodes = position.state.entry(field).or_insert_with(|| json!([]));
        nodes.as_array_mut().ok_or("this field is no list")?.push(json!(node));
        let arguments = json!({
            "workflow_id": WORKFLOW, "run_id": self.id, "node_id": node, "branch_id": branch, "state": position.state,
            "parent_checkpoint_id": position.checkpoint,
        });
        let saved = self.memory.call("save_checkpoint", arguments).await?;
        position.checkpoint = saved["checkpoint_id"].clone();
        println!("saved  {branch}/{node} as checkpoint {}", saved["sequence_number"]);
        self.saved.set(self.saved.get() + 1);
        if self.arguments.crash_after == Some(self.saved.get()) {
            std::process::abort();
        }
        Ok(())
    }

    /// A failure is learned from by its last node, so that node is saved too, after the other branches came to their ends.
    async fn fail(&self, mut failed: NodeFailed) -> Result<()> {
        println!("failed {failed}");
        self.save(failed.branch, failed.node, "failed", &mut failed.position).await?;
        self.complete(&failed.position.state, Some(&failed.to_string())).await
    }

    /// Stores how the run ended and shows what was learned. Killed in here, the next start does it again without harm.
    async fn complete(&self, state: &State, error: Option<&str>) -> Result<()> {
        let saved = self.memory.call("list_checkpoints", json!({"run_id": self.id})).await?;
        let started = saved["checkpoints"][0]["created_at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let saved = saved["checkpoints"].as_array().into_iter().flatten();
        let nodes: BTreeSet<&str> = saved.filter_map(|checkpoint| checkpoint["node_id"].as_str()).collect();
        let failed = usize::from(error.is_some());
        let mut outcome = json!({
            "workflow_id": WORKFLOW, "run_id": self.id, "outcome": if error.is_some() { "failure" } else { "success" },
            "error_message": error, "node_count": NODES, "nodes_succeeded": nodes.len() - failed, "nodes_failed": failed,
            "duration_ms": started.map_or(0, |at| at.duration_until(Timestamp::now()).as_millis().max(0)),
        });
        if let Some(report) = state.get("report") {
            let artifact = json!({"type": "report", "path": report});
            let link = json!({"memory_type": "run", "memory_id": self.id, "artifact": artifact});
            // The user's policy may not grant the folder. The review is worth no less.
            let linked = self.memory.call("link_artifact", link).await;
            println!("linked {}", linked.map_or_else(|refused| refused.to_string(), |it| it["artifact"].to_string()));
            outcome["artifacts"] = json!([report]);
        }
        let completed = self.memory.call("complete_workflow", outcome).await?;
        println!("ended  {} {}", self.id, state.get("verdict").unwrap_or(&Value::Null));
        let past = json!({"workflow_id": WORKFLOW, "limit": 5, "as_prompt": true, "max_tokens": 500});
        let past = self.memory.call("recall_outcomes", past).await?;
        println!("\nfor the prompt of the next run:\n{}", past["prompt"].as_str().unwrap_or_default().trim_end());
        let listed = self.memory.call("list_candidates", json!({})).await?;
        let learned = listed["candidates"].as_array().into_iter().flatten();
        for candidate in learned.filter(|candidate| completed["candidate_ids"][0] == candidate["candidate_id"]) {
            println!("\nlearned, for review:\n{}\n{}", candidate["problem"], candidate["solution"]);
        }
        Ok(())
    }

    /// The nodes. One that is killed before its checkpoint is saved runs again, so each must do no harm twice: `report`
    /// writes the same file again.
    async fn execute(&self, node: &str, state: &mut State) -> std::result::Result<(), String> {
        tokio::time::sleep(Duration::from_millis(self.arguments.node_ms)).await;
        let verdict = if state.get("risk").and_then(Value::as_i64) > Some(3) { "send it back" } else { "sign it" };
        let is_numbered = CONTRACT.lines().zip(1..).all(|(line, number)| line.starts_with(&format!("{number}.")));
        match node {
            _ if self.arguments.fail.as_deref() == Some(node) => return Err("the law firm does not answer".to_owned()),
            "read" => drop(state.insert("words".to_owned(), json!(CONTRACT.split_whitespace().count()))),
            "spelling" if CONTRACT.contains("recieve") => note(state, node, 1, "`recieve` is misspelt"),
            "style" if CONTRACT.lines().any(|line| line.len() > 100) => note(state, node, 1, "a sentence is too long"),
            "dates" if !CONTRACT.contains("20") => note(state, node, 3, "no date is named"),
            "liability" if CONTRACT.contains("unlimited") => note(state, node, 5, "liability is unlimited"),
            "headings" if !is_numbered => note(state, node, 2, "a section is missing"),
            "decide" => drop(state.insert("verdict".to_owned(), json!(verdict))),
            "report" => {
                let path = self.reports.join(format!("{}.json", self.id));
                fs::write(&path, Value::Object(state.clone()).to_string()).map_err(|error| error.to_string())?;
                state.insert("report".to_owned(), json!(path));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Adds what a node found to the state of its branch.
fn note(state: &mut State, node: &str, risk: i64, issue: &str) {
    let number = |field: &str| state.get(field).and_then(Value::as_i64).unwrap_or(0);
    let (worst, minutes) = (number("risk").max(risk), number("minutes") + 5);
    state.extend([("risk".to_owned(), json!(worst)), ("minutes".to_owned(), json!(minutes))]);
    state.entry("owners").or_insert_with(|| json!({}))[node] = json!(if risk > 2 { "lawyer" } else { "editor" });
    if let Value::Array(issues) = state.entry("issues").or_insert_with(|| json!([])) {
        issues.push(json!(issue));
    }
}
