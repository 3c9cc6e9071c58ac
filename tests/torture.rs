//! Two hundred kills of servers and workers, anywhere, while workflows with side effects run. A loopback service counts
//! the effects: none may happen twice, none may be missing, and every run must end as it should.

#![cfg(target_os = "linux")]

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};

use crate::common::{Home, PATIENCE, RawClient, loopback::Loopback, processes, remember};

const KILLS: u32 = 200;
const STEPS: u64 = 7;
/// Runs that are open at the same time.
const AT_ONCE: usize = 6;

/// How long a run that was interrupted again and again is left alone.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// One torture after the other: each takes all that a small machine has.
static TURN: Mutex<()> = Mutex::new(());

/// What the service was asked to do, and how often.
type Effects = Arc<Mutex<HashMap<(u64, u64), u32>>>;

async fn effect(State(effects): State<Effects>, Json(body): Json<Value>) -> Json<Value> {
    let key = (body["run"].as_u64().unwrap(), body["step"].as_u64().unwrap());
    *effects.lock().unwrap().entry(key).or_default() += 1;
    // Long enough to be killed in.
    tokio::time::sleep(Duration::from_millis(3)).await;
    Json(answer_of(key.1))
}

fn answer_of(step: u64) -> Value {
    json!({"done": step * step})
}

fn serve(effects: Effects) -> Loopback {
    Loopback::serve(Router::new().route("/effect", post(effect)).with_state(effects))
}

/// Two branches and a procedure, side by side; half of the steps in procedures that they call.
fn workflow(address: SocketAddr) -> [(&'static str, String); 3] {
    let one = r#"
from repertoire import http_request


def one(run: int, step: int) -> int:
    answer = http_request("URL", method="POST", json={"run": run, "step": step})
    return answer.json["done"]
"#;
    let pair = r#"
from repertoire import call_procedure


def pair(run: int) -> list[int]:
    return [call_procedure("one", {"run": run, "step": step}) for step in (5, 6)]
"#;
    let all = r#"
import asyncio
from repertoire import call_procedure, http_request, log


async def branch(run: int, steps: list[int]) -> list[int]:
    done = []
    for step in steps:
        log(f"step {step}")
        if step % 2:
            done.append(await call_procedure("one", {"run": run, "step": step}))
        else:
            answer = await http_request("URL", method="POST", json={"run": run, "step": step})
            done.append(answer.json["done"])
        for _ in range(2000):
            pass
    return done


async def all_steps(run: int) -> list[list[int]]:
    return await asyncio.gather(
        branch(run, [0, 1, 2]), branch(run, [3, 4]), call_procedure("pair", {"run": run})
    )
"#;
    let url = format!("http://{address}/effect");
    [("one", one), ("pair", pair), ("all_steps", all)].map(|(name, code)| (name, code.replace("URL", &url)))
}

/// Small, and the same numbers every time that it is asked to be.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn open_runs(client: &mut RawClient) -> Vec<Value> {
    let mut open = Vec::new();
    for status in ["running", "paused", "interrupted"] {
        let runs = client.ok("list_runs", json!({"procedure_id": "all_steps", "status": status, "limit": 100}));
        open.extend(runs["runs"].as_array().unwrap().clone());
    }
    open
}

/// Decides on a run that asks whether a call took effect, as somebody would who can look: the service knows.
fn decide(client: &mut RawClient, run: &str, effects: &Effects) {
    let view = client.ok("get_run", json!({"run_id": run}));
    let Some(question) = view["waiting_for"].as_str() else { return };
    assert!(question.contains("nobody knows"), "{view}");
    let numbers = |name: &str| -> u64 {
        let (_, rest) = question.split_once(&format!("\"{name}\":")).unwrap();
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    let key = (numbers("run"), numbers("step"));
    let happened = effects.lock().unwrap().contains_key(&key);
    let mut arguments = json!({"run_id": run, "decision": "approve"});
    if happened {
        let answer = answer_of(key.1);
        arguments["value"] =
            json!({"status": 200, "headers": {}, "text": answer.to_string(), "json": answer, "url": ""});
    }
    client.send_call("resume_run", arguments);
}

#[test]
fn two_hundred_kills_lose_nothing_and_repeat_nothing() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let effects = Effects::default();
    let service = serve(Arc::clone(&effects));
    let address = service.address();
    let home = Home::with_config(&format!("[policy]\nnetwork = ['{address}']\n[limits]\nworkers = 4"));
    let mut client = home.start();
    for (name, code) in workflow(address) {
        remember(&mut client, name, &code);
    }
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    eprintln!("the seed is {seed}");
    let mut dice = Dice(u64::from(seed) | 1);
    let (mut started, mut kills, mut worker_kills) = (0_u64, 0, 0);
    while kills < KILLS {
        let open = open_runs(&mut client);
        for run in open.iter().filter(|run| run["status"] == json!("paused")) {
            decide(&mut client, run["run_id"].as_str().unwrap(), &effects);
        }
        for _ in open.len()..AT_ONCE {
            client.send_call("execute_procedure", json!({"procedure_id": "all_steps", "parameters": {"run": started}}));
            started += 1;
        }
        thread::sleep(Duration::from_millis(1 + dice.roll(80)));
        let workers = processes::workers_of(client.process_id());
        if !workers.is_empty() && dice.roll(3) == 0 {
            let victim = workers[usize::try_from(dice.roll(workers.len() as u64)).unwrap()];
            processes::kill(victim);
            worker_kills += 1;
        } else {
            client.kill();
            client = home.start();
        }
        kills += 1;
    }
    eprintln!("{started} runs, {kills} kills, {worker_kills} of them of workers");
    let began = Instant::now();
    loop {
        let open = open_runs(&mut client);
        if open.is_empty() {
            break;
        }
        assert!(began.elapsed() < LONGEST_REST + PATIENCE, "these never ended: {open:#?}");
        for run in open.iter().filter(|run| run["status"] == json!("paused")) {
            decide(&mut client, run["run_id"].as_str().unwrap(), &effects);
        }
        thread::sleep(Duration::from_millis(20));
    }
    for status in ["failed", "cancelled"] {
        let runs = client.ok("list_runs", json!({"procedure_id": "all_steps", "status": status}));
        assert_eq!(runs["count"], json!(0), "{runs:#}");
    }
    let effects = effects.lock().unwrap();
    let twice: Vec<_> = effects.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "these happened more than once: {twice:?}");
    // A run whose call never reached the server left no trace at all; every other one did all its steps.
    let seen: std::collections::HashSet<u64> = effects.keys().map(|(run, _)| *run).collect();
    for run in seen {
        for step in 0..STEPS {
            assert!(effects.contains_key(&(run, step)), "run {run} never did step {step}");
        }
    }
}

/// Steps of a `python` procedure, half of them gathered.
const PYTHON: &str = r#"
import asyncio
import random
from repertoire import http_request


class Steps(list):
    pass


async def take(run: int, step: int) -> int:
    answer = await http_request("URL", method="POST", json={"run": run, "step": step})
    return answer.json["done"]


async def python_steps(run: int) -> list:
    done = Steps()
    for step in range(4):
        random.shuffle(done)
        done.append(await take(run, step))
    return sorted(done) + await asyncio.gather(*[take(run, step) for step in range(4, 7)])
"#;

/// An interpreter takes longer to start than servers live in the test above, and executes its code again each time. So there are fewer
/// kills: not as many as a run may be taken up again without coming further.
#[test]
fn kills_lose_nothing_of_python_procedures() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let check = "import sys; sys.exit(sys.version_info < (3, 11))";
    let has_python =
        std::process::Command::new("python3").args(["-c", check]).status().is_ok_and(|status| status.success());
    if !has_python {
        eprintln!("skipped: there is no `python3` that is 3.11 or newer");
        return;
    }
    let effects = Effects::default();
    let service = serve(Arc::clone(&effects));
    let address = service.address();
    let home = Home::with_config(&format!("[python]\nenabled = true\n[policy]\nnetwork = ['{address}']\n"));
    let mut client = home.start();
    let code = PYTHON.replace("URL", &format!("http://{address}/effect"));
    let answer = client.ok(
        "remember_procedure",
        json!({"name": "python_steps", "steps": ["Take them"], "code": code, "runtime": "python"}),
    );
    assert_eq!(answer["has_code"], json!(true));
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    eprintln!("the seed is {seed}");
    let mut dice = Dice(u64::from(seed) | 1);
    for run in 0..2 {
        client.send_call("execute_procedure", json!({"procedure_id": "python_steps", "parameters": {"run": run}}));
    }
    // Both are on record before anything is killed.
    crate::common::eventually("both have begun", || {
        client.ok("list_runs", json!({"procedure_id": "python_steps"}))["count"] == json!(2)
    });
    let runs = |client: &mut RawClient| {
        let listed = client.ok("list_runs", json!({"procedure_id": "python_steps"}));
        listed["runs"].as_array().unwrap().clone()
    };
    let decide_all = |client: &mut RawClient| {
        let runs = runs(client);
        for run in runs.iter().filter(|run| run["status"] == json!("paused")) {
            decide(client, run["run_id"].as_str().unwrap(), &effects);
        }
        runs.iter().all(|run| run["status"] == json!("succeeded"))
    };
    for _ in 0..12 {
        decide_all(&mut client);
        thread::sleep(Duration::from_millis(50 + dice.roll(400)));
        client.kill();
        client = home.start();
    }
    crate::common::eventually("both have ended", || decide_all(&mut client));
    for run in runs(&mut client) {
        let view = client.ok("get_run", json!({"run_id": run["run_id"], "read": "result"}));
        assert_eq!(view["text"], json!("[0,1,4,9,16,25,36]"), "{view}");
    }
    let effects = effects.lock().unwrap();
    let twice: Vec<_> = effects.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty() && effects.len() == 14, "{effects:?}");
}
