//! `repertoire bench`: figures over the real protocol, beside the budgets of the design.
//!
//! `bench recall` measures whether the right procedures are found. Each other figure is taken with a real server process on a home of the given size, through a real MCP client.

mod answer;
mod figures;
mod fit;
mod lines;
mod population;
mod programs;
mod recall;
mod workflows;

use std::{path::Path, process::ExitCode, sync::Arc, time::Instant};

use serde_json::{Value, json};

use super::{context::Context, error::CliError, output::BOLD, programs::this_program};
use crate::{
    client::{Client, Opening},
    library::LibraryError,
};
use answer::expect_success;
use figures::{Budget, Figure, Samples};
use population::{COMMITTED, HOT, JOURNALLED};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// How many procedures the home has.
    #[arg(long, default_value_t = 1000)]
    procedures: usize,
    /// How often each operation is repeated.
    #[arg(long, default_value_t = 300)]
    rounds: usize,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Part {
    /// How well procedures are found: questions in other words, mistyped ones, and ones that nothing fits.
    Recall(recall::Arguments),
}

/// Calls in flight at the same time when throughput is measured.
const IN_FLIGHT: usize = 16;
const STARTS: usize = 30;
/// Host calls of one run that makes many.
const CALLS: u32 = 100;

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    if let Some(Part::Recall(arguments)) = &arguments.part {
        return recall::run(arguments, context);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let folder = tempfile::tempdir().map_err(CliError::io("no temporary folder can be made"))?;
    let out = context.output;
    if !arguments.json {
        out.line(format_args!("{BOLD}{} procedures, over stdio{BOLD:#}", arguments.procedures));
    }
    population::fill(folder.path(), arguments.procedures)?;
    let figures = runtime.block_on(measure(folder.path(), arguments))?;
    if arguments.json {
        out.line(serde_json::to_string_pretty(&figures).unwrap_or_default());
    } else {
        figures::print(out, &figures);
        if cfg!(debug_assertions) {
            out.line("This is a debug build; the budgets are for `--release`.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One call that is repeated.
struct Operation<'o> {
    what: &'static str,
    budget: Budget,
    tool: &'static str,
    /// The arguments of each round.
    arguments: &'o dyn Fn(usize) -> Value,
}

async fn measure(home: &Path, arguments: &Arguments) -> Result<Vec<Figure>, CliError> {
    let mut figures = vec![start(home).await?];
    let client = Arc::new(Client::start(&this_program()?, home, &["--no-starters"], Opening::Initialize).await?);
    let tools = serde_json::to_vec(&client.tools().await?).map_or(0, |text| text.len());
    // Before the load: what an idle server takes that has opened its home.
    expect_success("list", &client.call("list_procedures", json!({"limit": 1})).await?)?;
    let idle = client.process_id().and_then(figures::resident_bytes);
    let idle = idle.map(|resident| Figure::size("memory of the server, idle", resident, 40 * 1024 * 1024));
    let rounds = arguments.rounds;
    let middle = population::name(arguments.procedures / 2);
    let operations = [
        Operation {
            what: "read a procedure",
            budget: Budget::P50(0.2),
            tool: "get_procedure",
            arguments: &|_| json!({"procedure_id": middle}),
        },
        Operation {
            what: "recall",
            budget: Budget::P95(5.0),
            tool: "recall_procedures",
            arguments: &|round| json!({"query": population::question(round), "limit": 5}),
        },
        Operation {
            what: "validate 100 lines, with types",
            budget: Budget::P50(40.0),
            tool: "validate_procedure_code",
            arguments: &|_| json!({"code": population::HUNDRED_LINES}),
        },
        Operation {
            what: "commit a new version",
            budget: Budget::P50(6.0),
            tool: "update_procedure",
            arguments: &|round| json!({"procedure_id": COMMITTED, "description": format!("changed {round} times")}),
        },
        Operation {
            what: "list versions",
            budget: Budget::P50(0.5),
            tool: "get_procedure_versions",
            arguments: &|_| json!({"procedure_id": COMMITTED}),
        },
        Operation {
            what: "execute, trivial function",
            budget: Budget::P50(1.0),
            tool: "execute_procedure",
            arguments: &|round| json!({"procedure_id": HOT, "parameters": {"number": round}}),
        },
    ];
    for operation in &operations {
        figures.push(repeat(&client, rounds, operation).await?);
    }
    figures.push(throughput(&client, rounds * 4).await?);
    figures.push(host_calls(&client, rounds / 10).await?);
    figures.extend(workflows::measure(home, rounds).await?);
    figures.extend(programs::measure(rounds).await?);
    figures.push(Figure::size("tools/list", tools, 30 * 1024));
    figures.extend(idle);
    if let Ok(client) = Arc::try_unwrap(client) {
        client.close().await;
    }
    Ok(figures)
}

/// What one host call takes, with the interpreter saved before it and its answer after it.
async fn host_calls(client: &Client, rounds: usize) -> Result<Figure, CliError> {
    let what = "host call, journalled";
    let mut samples = Samples::default();
    for _ in 0..rounds.max(5) {
        let began = Instant::now();
        let arguments = json!({"procedure_id": JOURNALLED, "parameters": {"calls": CALLS}});
        expect_success(what, &client.call("execute_procedure", arguments).await?)?;
        samples.add(began.elapsed() / CALLS);
    }
    Ok(samples.figure(what, Budget::P50(0.4)))
}

/// From the start of the process to the answer to `initialize`.
async fn start(home: &Path) -> Result<Figure, CliError> {
    let mut samples = Samples::default();
    for _ in 0..STARTS {
        let began = Instant::now();
        let client = Client::start(&this_program()?, home, &[], Opening::Initialize).await?;
        samples.add(began.elapsed());
        client.close().await;
    }
    Ok(samples.figure("start to `initialize`", Budget::P50(8.0)))
}

async fn repeat(client: &Client, rounds: usize, operation: &Operation<'_>) -> Result<Figure, CliError> {
    let Operation { what, budget, tool, arguments } = operation;
    // The first calls open the home, start a worker and fill caches.
    for round in 0..rounds.min(20) {
        expect_success(what, &client.call(tool, arguments(rounds + round)).await?)?;
    }
    let mut samples = Samples::default();
    for round in 0..rounds {
        let arguments = arguments(round);
        let began = Instant::now();
        let answer = client.call(tool, arguments).await?;
        samples.add(began.elapsed());
        expect_success(what, &answer)?;
    }
    Ok(samples.figure(what, *budget))
}

async fn throughput(client: &Arc<Client>, calls: usize) -> Result<Figure, CliError> {
    let began = Instant::now();
    let mut lanes = tokio::task::JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let client = Arc::clone(client);
        lanes.spawn(async move {
            for number in 0..calls / IN_FLIGHT {
                let arguments = json!({"procedure_id": HOT, "parameters": {"number": number}});
                expect_success("execute", &client.call("execute_procedure", arguments).await?)?;
            }
            Ok::<_, CliError>(())
        });
    }
    while let Some(lane) = lanes.join_next().await {
        lane.map_err(|error| LibraryError::lost_task("calling in parallel", &error))??;
    }
    Ok(Figure::rate(&format!("executions, {IN_FLIGHT} in flight"), calls, began.elapsed(), 1500.0))
}
