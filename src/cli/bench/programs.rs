//! What starting programs takes: a granted command with and without walls, and procedures of the second runtime.
//!
//! Each figure needs something of the machine; where that is not there, its row says what is missing.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::figures::{Budget, Figure, Samples};
use crate::{
    cli::{error::CliError, programs::this_program},
    client::{Client, Opening},
    config,
};

/// How much longer than without walls a program within them may take, in milliseconds.
const MOST_FOR_WALLS: f64 = 5.0;
/// Long enough for an interpreter to be started ahead.
const REST: Duration = Duration::from_millis(250);
/// Most samples of one figure: each starts a process.
const MOST_ROUNDS: usize = 40;

const COMMAND: &str =
    "from repertoire import run_command\n\n\ndef bench_true() -> int:\n    return run_command(['true']).exit_code\n";

/// The figures, from servers and homes of their own.
pub async fn measure(rounds: usize) -> Result<Vec<Figure>, CliError> {
    let rounds = (rounds / 10).clamp(5, MOST_ROUNDS);
    let (without, within) = ("run `true`, without walls", "run `true`, within walls");
    let unconfined = command(without, "none", rounds, None).await?;
    let budget = unconfined.median().map(|least| Budget::P50(least + MOST_FOR_WALLS));
    let confined = command(within, "required", rounds, budget).await?;
    let mut figures = vec![unconfined, confined];
    figures.extend(python(rounds).await?);
    Ok(figures)
}

/// A home and its server.
struct Server {
    client: Client,
    #[expect(dead_code, reason = "it is removed when this is dropped")]
    home: TempDir,
}

impl Server {
    async fn start(config: &str) -> Result<Self, CliError> {
        let home = tempfile::tempdir().map_err(CliError::io("no temporary folder can be made"))?;
        let written = std::fs::write(home.path().join(config::FILE_NAME), config);
        written.map_err(CliError::io("the home of the benchmark can't be written"))?;
        let client = Client::start(&this_program()?, home.path(), &["--no-starters"], Opening::Initialize).await?;
        Ok(Self { client, home })
    }

    /// Remembers a procedure; why not, where that is refused.
    async fn remember(&self, arguments: Value) -> Result<Option<String>, CliError> {
        let answer = self.client.call("remember_procedure", arguments).await?;
        Ok(failure(&answer))
    }

    /// How long executing it takes; why it failed, where it did.
    async fn time(&self, procedure: &str) -> Result<Result<Duration, String>, CliError> {
        let began = Instant::now();
        let answer = self.client.call("execute_procedure", json!({"procedure_id": procedure})).await?;
        let time = began.elapsed();
        Ok(failure(&answer).map_or(Ok(time), Err))
    }
}

fn failure(answer: &Value) -> Option<String> {
    let has_failed = answer["success"] != true || answer.get("outcome").is_some_and(|outcome| outcome != "success");
    has_failed.then(|| answer["error"].as_str().unwrap_or("it failed").to_owned())
}

async fn command(what: &str, confinement: &str, rounds: usize, budget: Option<Budget>) -> Result<Figure, CliError> {
    let server = Server::start(&format!("[policy]\ncommands = ['true']\nconfinement = '{confinement}'\n")).await?;
    let arguments = json!({"name": "bench_true", "steps": ["Run it"], "code": COMMAND});
    let mut why = server.remember(arguments).await?;
    let mut samples = Samples::default();
    for round in 0..=if why.is_none() { rounds } else { 0 } {
        match server.time("bench_true").await? {
            // The first opens the home and starts a worker.
            Ok(time) if round > 0 => samples.add(time),
            Ok(_) => {}
            Err(error) => why = why.or(Some(error)),
        }
    }
    server.client.close().await;
    Ok(match (why, budget) {
        (Some(why), _) => Figure::absent(what, &why),
        (None, Some(budget)) => samples.figure(what, budget),
        (None, None) => samples.without_budget(what),
    })
}

/// A trivial function of the second runtime: in an interpreter that was started ahead, in one that was not, and one call after
/// the other.
async fn python(rounds: usize) -> Result<Vec<Figure>, CliError> {
    let [ahead, cold, at_once] = ["python, started ahead", "python, cold", "python, back to back"];
    let folder = tempfile::tempdir().map_err(CliError::io("no temporary folder can be made"))?;
    let seen = std::fs::canonicalize(folder.path()).map_err(CliError::io("no temporary folder can be used"))?;
    let server = Server::start(&format!("[python]\nenabled = true\n[policy]\nread = [{}]\n", json!(seen))).await?;
    let mut why = None;
    // Those of the second see a folder, so that no interpreter that is ready for the first is for them.
    for (name, permissions) in [("bench_plain", json!({})), ("bench_reads", json!({"read": [seen]}))] {
        let code = format!("def {name}(number: int = 1) -> int:\n    return number * 2\n");
        let arguments = json!({
            "name": name, "steps": ["Double it"], "code": code, "runtime": "python", "permissions": permissions,
        });
        why = why.or(server.remember(arguments).await?);
    }
    let (mut of_ahead, mut of_cold, mut of_at_once) = (Samples::default(), Samples::default(), Samples::default());
    if why.is_none() {
        why = server.time("bench_plain").await?.err();
    }
    'rounds: for _ in 0..if why.is_none() { rounds } else { 0 } {
        // Only the newest kind is kept ready: that of the one before.
        for (procedure, is_ahead) in [("bench_plain", true), ("bench_reads", false), ("bench_plain", false)] {
            tokio::time::sleep(REST).await;
            match server.time(procedure).await? {
                Ok(time) => (if is_ahead { &mut of_ahead } else { &mut of_cold }).add(time),
                Err(error) => {
                    why = Some(error);
                    break 'rounds;
                }
            }
        }
    }
    for _ in 0..if why.is_none() { rounds } else { 0 } {
        match server.time("bench_plain").await? {
            Ok(time) => of_at_once.add(time),
            Err(error) => why = Some(error),
        }
    }
    server.client.close().await;
    if let Some(why) = why {
        return Ok([ahead, cold, at_once].map(|what| Figure::absent(what, &why)).into());
    }
    Ok(vec![
        of_ahead.figure(ahead, Budget::P50(5.0)),
        of_cold.figure(cold, Budget::P50(80.0)),
        of_at_once.without_budget(at_once),
    ])
}
