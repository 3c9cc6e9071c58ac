//! What code gathers goes on side by side: procedures, branches, sleeping; each as soon as it can.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::common::{Home, RawClient, eventually, remember, text, toml_path};

fn setup() -> (Home, std::path::PathBuf) {
    let home = Home::new();
    let folder = home.beside("work");
    home.configure(&format!(
        "[policy]\ncommands = ['sh']\nwrite = [{}]\n[limits]\nseconds = 60\nworkers = 2\n",
        toml_path(&folder)
    ));
    (home, folder)
}

fn lines(folder: &Path) -> Vec<String> {
    fs::read_to_string(folder.join("order")).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn execute(client: &mut RawClient, name: &str, folder: &Path) -> Value {
    client.call("execute_procedure", json!({"procedure_id": name, "parameters": {"folder": folder}}))
}

/// Says that it begins, waits until another has come to its end or `others` have begun, and says that it ends.
const MEET: &str = r#"
from repertoire import run_command


def meet(folder: str, name: str, others: int) -> str:
    """Wait for the others."""
    script = f"echo begin {name} >> order; while [ $(grep -c begin order) -lt {others} ]; do sleep 0.02; done; echo end {name} >> order"
    run_command(["sh", "-c", script], cwd=folder)
    return name.upper()
"#;

#[test]
fn gathered_procedures_run_at_the_same_time_also_more_than_there_are_workers() {
    let (home, folder) = setup();
    let mut client = home.start();
    remember(&mut client, "meet", MEET);
    let all = r#"
import asyncio
from repertoire import call_procedure


async def all(folder: str) -> list:
    """Call five at once."""
    names = ["a", "b", "c", "d", "e"]
    return await asyncio.gather(*[call_procedure("meet", {"folder": folder, "name": name, "others": 5}) for name in names])
"#;
    remember(&mut client, "all", all);
    // None ends before all have begun. There are two workers: whoever waits for a program holds one, so five of them can
    // only meet when their workers are free while they wait.
    let answer = execute(&mut client, "all", &folder);
    assert_eq!(answer["result"], json!(["A", "B", "C", "D", "E"]), "{answer}");
}

#[test]
fn a_branch_goes_on_while_another_is_still_busy() {
    let (home, folder) = setup();
    let mut client = home.start();
    remember(&mut client, "meet", MEET);
    let script =
        |text: &str| json!(["sh", "-c", format!("cd {} && {text}", folder.display().to_string().replace(' ', "\\ "))]);
    let steps = json!([
        {"step_id": "quick", "command": script("echo quick >> order")},
        {"step_id": "slow", "command": script("while ! grep -q then order; do sleep 0.02; done; echo slow >> order")},
        {"step_id": "then", "command": script("echo then >> order"), "depends_on": ["quick"]},
        {"step_id": "skill", "action_type": "run_skill", "depends_on": ["slow"],
            "config": {"skill_id": "meet", "folder": folder, "name": "x", "others": 2}},
        {"step_id": "skill2", "action_type": "run_skill", "depends_on": ["then"],
            "config": {"skill_id": "meet", "folder": folder, "name": "y", "others": 2}},
    ]);
    client.ok("remember_procedure", json!({"name": "branches", "steps": steps}));
    client.ok("generate_procedure_code", json!({"procedure_id": "branches", "use_llm": false}));
    // `slow` ends only when `then` has run, which follows `quick`; and the two procedures wait for each other.
    let answer = client.call("execute_procedure", json!({"procedure_id": "branches"}));
    assert_eq!(answer["outcome"], json!("success"), "{answer}");
    assert_eq!(lines(&folder)[..2], ["quick", "then"].map(str::to_owned));
}

#[test]
fn sleeping_holds_up_nobody_else() {
    let home = Home::with_config("[limits]\nseconds = 8\n");
    let mut client = home.start();
    let code = r#"
import asyncio
from repertoire import notify


async def nap(number: int) -> int:
    await asyncio.sleep(1)
    await notify(f"awake {number}")
    return number


async def naps() -> list:
    """Sleep twenty seconds in all."""
    return await asyncio.gather(*[nap(number) for number in range(20)])
"#;
    remember(&mut client, "naps", code);
    let answer = client.call("execute_procedure", json!({"procedure_id": "naps"}));
    assert_eq!(answer["result"], json!((0..20).collect::<Vec<i32>>()), "{answer}");
    assert_eq!(client.ok("list_inbox", json!({}))["items"].as_array().map(Vec::len), Some(20));
}

/// Asks, then notes who agreed.
const CONSENT: &str = r#"
from repertoire import approve, run_command


def consent(folder: str, name: str) -> str:
    """Ask first."""
    run_command(["sh", "-c", f"echo asks {name} >> order"], cwd=folder)
    approve(f"{name}?")
    run_command(["sh", "-c", f"echo did {name} >> order"], cwd=folder)
    return name.upper()
"#;

const BOTH: &str = r#"
import asyncio
from repertoire import call_procedure, run_command


async def both(folder: str) -> list:
    """Call two that ask, and do something else."""
    calls = [call_procedure("consent", {"folder": folder, "name": name}) for name in ["a", "b"]]
    return await asyncio.gather(*calls, call_procedure("free", {"folder": folder}))
"#;

const FREE: &str = r#"
from repertoire import run_command


def free(folder: str) -> str:
    """Ask nobody."""
    run_command(["sh", "-c", "echo free >> order"], cwd=folder)
    return "FREE"
"#;

#[test]
fn procedures_that_wait_for_decisions_wait_together_and_survive_their_server() {
    let (home, folder) = setup();
    let mut client = home.start();
    for (name, code) in [("consent", CONSENT), ("both", BOTH), ("free", FREE)] {
        remember(&mut client, name, code);
    }
    let paused = execute(&mut client, "both", &folder);
    assert_eq!((&paused["outcome"], &paused["waiting_for"]), (&json!("paused"), &json!("a?")), "{paused}");
    let mut done = lines(&folder);
    done.sort();
    assert_eq!(done, ["asks a", "asks b", "free"], "everything else has been done");
    client.kill();
    let mut client = home.start();
    let approve = json!({"run_id": paused["run_id"], "decision": "approve"});
    let paused = client.ok("resume_run", approve.clone());
    assert_eq!(paused["waiting_for"], json!("b?"), "{paused}");
    assert_eq!(lines(&folder)[3..], ["did a".to_owned()]);
    client.kill();
    let mut client = home.start();
    let ended = client.ok("resume_run", approve);
    assert_eq!(ended["result"], json!(["A", "B", "FREE"]), "{ended}");
    assert_eq!(lines(&folder)[4..], ["did b".to_owned()]);
    let run = client.ok("get_run", json!({"run_id": ended["run_id"]}));
    assert_eq!(run["decisions"].as_array().map(Vec::len), Some(2), "{run}");
}

#[test]
fn gathered_procedures_go_on_after_a_kill_each_where_it_was() {
    let (home, folder) = setup();
    fs::write(folder.join("hold"), "").unwrap();
    let mut client = home.start();
    let step = r#"
from repertoire import run_command


def step(folder: str, name: str) -> str:
    """Do something, then something that can be done again."""
    run_command(["sh", "-c", f"echo first {name} >> order"], cwd=folder)
    run_command(["sh", "-c", f"echo second {name} >> begun; while [ -e hold ]; do sleep 0.02; done"], cwd=folder, idempotent=True)
    run_command(["sh", "-c", f"echo third {name} >> order"], cwd=folder)
    return name
"#;
    let outer = r#"
import asyncio
from repertoire import call_procedure


async def outer(folder: str) -> list:
    """Call three at once."""
    return await asyncio.gather(*[call_procedure("step", {"folder": folder, "name": name}) for name in ["a", "b", "c"]])
"#;
    remember(&mut client, "step", step);
    remember(&mut client, "outer", outer);
    client.send_call("execute_procedure", json!({"procedure_id": "outer", "parameters": {"folder": folder}}));
    let begun = || fs::read_to_string(folder.join("begun")).unwrap_or_default().lines().count();
    eventually("all three are busy", || begun() == 3);
    let run = client.ok("list_runs", json!({}))["runs"][0]["run_id"].as_str().unwrap().to_owned();
    client.kill();
    let mut client = home.start();
    eventually("all three are busy again", || begun() == 6);
    fs::remove_file(folder.join("hold")).unwrap();
    eventually("the run has ended", || client.ok("get_run", json!({"run_id": run}))["status"] == json!("succeeded"));
    let mut done = lines(&folder);
    done.sort();
    assert_eq!(done, ["first a", "first b", "first c", "third a", "third b", "third c"]);
}

#[test]
fn what_was_gathered_with_a_failure_is_not_cut_off() {
    let (home, folder) = setup();
    let mut client = home.start();
    let code = r#"
import asyncio
from repertoire import run_command


async def mixed(folder: str) -> str:
    """Fail early."""
    slow = run_command(["sh", "-c", "while [ ! -e failed ]; do sleep 0.02; done; echo slow >> order; echo done"], cwd=folder)
    bad = run_command(["sh", "-c", "exit 3"], cwd=folder)
    try:
        await asyncio.gather(slow, bad)
    except RuntimeError:
        run_command(["sh", "-c", "touch failed"], cwd=folder)
        raise
    return "no error"
"#;
    remember(&mut client, "mixed", code);
    // The failure is handled while the other is under way, and the run ends when that has.
    let answer = execute(&mut client, "mixed", &folder);
    assert_eq!(answer["outcome"], json!("failure"), "{answer}");
    assert!(text(&answer, "error").contains('3'), "{answer}");
    assert_eq!(lines(&folder), ["slow"]);
    let run = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    let calls = run["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 3, "{run}");
    assert!(calls.iter().any(|call| call["result"]["stdout"] == json!("done\n")), "{run}");
}

#[test]
fn steps_of_branches_are_counted_by_what_is_done() {
    let home = Home::new();
    let mut client = home.start();
    let note = |step_id: &str, more: Value| {
        let mut step = json!({"step_id": step_id, "action_type": "send_notification", "config": {"message": step_id}});
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        step
    };
    let steps = json!([
        note("ask", json!({"requires_approval": true})),
        note("after", json!({"depends_on": ["ask"]})),
        note("free", json!({})),
        note("freer", json!({"depends_on": ["free"]})),
    ]);
    client.ok("remember_procedure", json!({"name": "graph", "steps": steps}));
    client.ok("generate_procedure_code", json!({"procedure_id": "graph", "use_llm": false}));
    let paused = client.call("execute_procedure", json!({"procedure_id": "graph"}));
    let run = client.ok("get_run", json!({"run_id": paused["run_id"]}));
    assert_eq!((&run["steps_completed"], &run["current_step"]), (&json!(2), &json!(1)), "{run}");
    assert_eq!(run["progress"], json!(0.5));
}

#[test]
fn a_procedure_that_waits_ends_with_a_caller_that_does_not_wait_for_it_any_more() {
    let (home, folder) = setup();
    let mut client = home.start();
    remember(&mut client, "consent", CONSENT);
    remember(&mut client, "free", &FREE.replace("return \"FREE\"", "raise ValueError(\"no\")"));
    let either = r#"
import asyncio
from repertoire import call_procedure


async def either(folder: str) -> str:
    """Give up when one fails."""
    try:
        asks = call_procedure("consent", {"folder": folder, "name": "a"})
        await asyncio.gather(asks, call_procedure("free", {"folder": folder}))
    except ValueError:
        return "one failed"
    return "none failed"
"#;
    remember(&mut client, "either", either);
    let answer = execute(&mut client, "either", &folder);
    assert_eq!(answer["result"], json!("one failed"), "{answer}");
    let database = rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap();
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM runs WHERE status = 'cancelled'"), 1);
    assert_eq!(count("SELECT count(*) FROM runs WHERE status IN ('running', 'paused', 'interrupted')"), 0);
    assert_eq!(count("SELECT (SELECT count(*) FROM frames) + (SELECT count(*) FROM answers)"), 0);
}

#[test]
fn a_procedure_that_another_called_is_not_cancelled_alone() {
    let (home, folder) = setup();
    let mut client = home.start();
    for (name, code) in [("consent", CONSENT), ("both", BOTH), ("free", FREE)] {
        remember(&mut client, name, code);
    }
    let paused = execute(&mut client, "both", &folder);
    let database = rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap();
    let paused_runs = || {
        let mut statement =
            database.prepare("SELECT id FROM runs WHERE status = 'paused' AND parent_run_id IS NOT NULL").unwrap();
        statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    let called = paused_runs();
    assert_eq!(called.len(), 2);
    let refusal = client.refused("cancel_run", json!({"run_id": called[0]}), "invalid_argument");
    assert!(refusal.contains(text(&paused, "run_id")), "{refusal}");
    assert_eq!(paused_runs(), called, "nothing has changed");
}
