//! Runs that outlive their process: killed servers and workers, gathered calls, saved states that somebody changed.

use std::{fs, path::Path, time::Duration};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::{Home, RawClient, eventually, execute_code, remember, text, toml_path};

/// A home whose procedures may run `sh` in a folder that they may write.
fn setup() -> (Home, std::path::PathBuf) {
    let home = Home::new();
    let folder = home.beside("work");
    home.configure(&configuration(&folder, "auto"));
    (home, folder)
}

fn configuration(folder: &Path, resume: &str) -> String {
    format!("[policy]\ncommands = ['sh']\nwrite = [{}]\n[runs]\nresume = '{resume}'", toml_path(folder))
}

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn status(client: &mut RawClient, run: &str) -> String {
    client.ok("get_run", json!({"run_id": run}))["status"].as_str().unwrap().to_owned()
}

/// What a run returned.
fn result(client: &mut RawClient, run: &str) -> Value {
    let view = client.ok("get_run", json!({"run_id": run, "read": "result"}));
    serde_json::from_str(view["text"].as_str().unwrap_or_else(|| panic!("{view}"))).unwrap()
}

/// The run that was started last.
fn last_run(client: &mut RawClient) -> String {
    client.ok("list_runs", json!({}))["runs"][0]["run_id"].as_str().unwrap().to_owned()
}

/// Notes each of its steps in a file, and after the third waits as long as `hold` is there.
const STEPS: &str = r#"
import time
from repertoire import run_command


def walk(folder: str, where: str) -> dict:
    done = []
    for number in range(1, 6):
        hold = "while [ -e hold ]; do sleep 0.05; done"
        command = f"echo {number} >> steps"
        if number == 3 and where == "during":
            command = f"{command}; {hold}"
        done.append(run_command(["sh", "-c", f"{command}; echo {number}"], cwd=folder).stdout.strip())
        if number == 3 and where == "between":
            while open(f"{folder}/hold").read() == "hold":
                time.sleep(0.05)
    return {"done": done}
"#;

/// Starts the walk, kills the server when it has come to its third step, and starts another.
fn killed_in_the_third_step(home: &Home, folder: &Path, where_: &str) -> (RawClient, String) {
    fs::write(folder.join("hold"), "hold").unwrap();
    let mut client = home.start();
    remember(&mut client, "walk", STEPS);
    let parameters = json!({"folder": folder, "where": where_});
    client.send_call("execute_procedure", json!({"procedure_id": "walk", "parameters": parameters}));
    eventually("the third step has begun", || lines(&folder.join("steps")).len() == 3);
    // The answer of the third call is in the journal as soon as the run says that it goes on.
    let run = last_run(&mut client);
    if where_ == "between" {
        eventually("the third answer is there", || {
            client.ok("get_run", json!({"run_id": run}))["calls"].as_array().is_some_and(|calls| calls.len() == 3)
        });
    }
    client.kill();
    fs::write(folder.join("hold"), "go").unwrap();
    (home.start(), run)
}

#[test]
fn a_killed_run_goes_on_from_its_last_answer_by_itself() {
    let (home, folder) = setup();
    let (mut client, run) = killed_in_the_third_step(&home, &folder, "between");
    eventually("the run has ended", || status(&mut client, &run) == "succeeded");
    assert_eq!(lines(&folder.join("steps")), ["1", "2", "3", "4", "5"], "a completed call was made twice");
    assert_eq!(result(&mut client, &run), json!({"done": ["1", "2", "3", "4", "5"]}));
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "walk"}));
    assert_eq!((&stats["usage_count"], &stats["execution_stats"]["success"]), (&json!(1), &json!(1)), "{stats}");
}

#[test]
fn what_was_in_flight_is_asked_about_and_not_repeated() {
    for (answer, expected, result) in [
        // It took effect: this is what it returned.
        (json!({"value": {"stdout": "three", "stderr": "", "exit_code": 0}}), vec!["1", "2", "3", "4", "5"], "three"),
        // It did not: make it again.
        (json!({}), vec!["1", "2", "3", "3", "4", "5"], "3"),
    ] {
        let (home, folder) = setup();
        let (mut client, run) = killed_in_the_third_step(&home, &folder, "during");
        fs::remove_file(folder.join("hold")).unwrap();
        eventually("the run asks", || status(&mut client, &run) == "paused");
        let view = client.ok("get_run", json!({"run_id": run}));
        let question = text(&view, "waiting_for");
        assert!(question.contains("`run_command`") && question.contains("nobody knows"), "{question}");
        assert_eq!(lines(&folder.join("steps")).len(), 3);
        let mut arguments = json!({"run_id": run, "decision": "approve"});
        arguments.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
        let ended = client.ok("resume_run", arguments);
        assert_eq!(ended["result"]["done"][2], json!(result), "{ended}");
        assert_eq!(lines(&folder.join("steps")), expected);
    }
}

#[test]
fn a_rejected_doubt_is_an_error_of_the_code() {
    let (home, folder) = setup();
    let (mut client, run) = killed_in_the_third_step(&home, &folder, "during");
    eventually("the run asks", || status(&mut client, &run) == "paused");
    let refused = client.refused("resume_run", json!({"run_id": run, "decision": "reject"}), "run_failed");
    assert!(refused.contains("the server ended during this call"), "{refused}");
}

#[test]
fn a_call_that_is_declared_safe_is_made_again() {
    let (home, folder) = setup();
    fs::write(folder.join("hold"), "").unwrap();
    let mut client = home.start();
    let code = "from repertoire import run_command\n\ndef safe(folder: str) -> str:\n    return run_command(['sh', '-c', 'echo x >> tries; while [ -e hold ]; do sleep 0.05; done; echo done'], cwd=folder, idempotent=True).stdout\n";
    remember(&mut client, "safe", code);
    client.send_call("execute_procedure", json!({"procedure_id": "safe", "parameters": {"folder": folder}}));
    eventually("the call is under way", || lines(&folder.join("tries")).len() == 1);
    let run = last_run(&mut client);
    client.kill();
    fs::remove_file(folder.join("hold")).unwrap();
    let mut client = home.start();
    eventually("the run has ended", || status(&mut client, &run) == "succeeded");
    assert_eq!(lines(&folder.join("tries")).len(), 2);
}

#[test]
fn runs_go_on_by_hand_where_the_configuration_says_so() {
    let (home, folder) = setup();
    home.configure(&configuration(&folder, "manual"));
    let (mut client, run) = killed_in_the_third_step(&home, &folder, "between");
    assert_eq!(status(&mut client, &run), "interrupted");
    let ended = client.ok("resume_run", json!({"run_id": run}));
    assert_eq!(ended["result"], json!({"done": ["1", "2", "3", "4", "5"]}), "{ended}");
    assert_eq!(lines(&folder.join("steps")).len(), 5);
}

#[test]
fn a_server_that_ends_in_good_order_leaves_its_runs_as_a_killed_one_does() {
    let (home, folder) = setup();
    fs::write(folder.join("hold"), "hold").unwrap();
    let mut client = home.start();
    remember(&mut client, "walk", STEPS);
    let parameters = json!({"folder": folder, "where": "during"});
    client.send_call("execute_procedure", json!({"procedure_id": "walk", "parameters": parameters}));
    eventually("the third step has begun", || lines(&folder.join("steps")).len() == 3);
    let run = last_run(&mut client);
    client.close();
    fs::remove_file(folder.join("hold")).unwrap();
    let mut client = home.start();
    eventually("the run asks", || status(&mut client, &run) == "paused");
    let ended = client.ok("resume_run", json!({"run_id": run, "value": {"stdout": "3", "stderr": "", "exit_code": 0}}));
    assert_eq!(ended["result"], json!({"done": ["1", "2", "3", "4", "5"]}), "{ended}");
    assert_eq!(lines(&folder.join("steps")).len(), 5);
}

#[test]
fn a_procedure_that_another_one_called_goes_on_inside_it() {
    let (home, folder) = setup();
    fs::write(folder.join("hold"), "hold").unwrap();
    let mut client = home.start();
    remember(&mut client, "walk", STEPS);
    let outer = "from repertoire import call_procedure, run_command\n\ndef outer(folder: str) -> dict:\n    run_command(['sh', '-c', 'echo before >> order'], cwd=folder)\n    inner = call_procedure('walk', {'folder': folder, 'where': 'between'})\n    run_command(['sh', '-c', 'echo after >> order'], cwd=folder)\n    return {'inner': inner}\n";
    remember(&mut client, "outer", outer);
    client.send_call("execute_procedure", json!({"procedure_id": "outer", "parameters": {"folder": folder}}));
    eventually("the third step has begun", || lines(&folder.join("steps")).len() == 3);
    let run = last_run(&mut client);
    client.kill();
    fs::write(folder.join("hold"), "go").unwrap();
    let mut client = home.start();
    eventually("the run is decided", || ["succeeded", "paused"].contains(&&*status(&mut client, &run)));
    if status(&mut client, &run) == "paused" {
        // The kill came before the third answer was written.
        client.ok("resume_run", json!({"run_id": run, "value": {"stdout": "3", "stderr": "", "exit_code": 0}}));
    }
    assert_eq!(result(&mut client, &run), json!({"inner": {"done": ["1", "2", "3", "4", "5"]}}));
    assert_eq!(
        (lines(&folder.join("order")), lines(&folder.join("steps")).len()),
        (vec!["before".into(), "after".into()], 5)
    );
}

#[test]
fn a_procedure_that_had_called_nothing_yet_begins_again_inside_its_caller() {
    let (home, folder) = setup();
    fs::write(folder.join("hold"), "hold").unwrap();
    let mut client = home.start();
    let inner = "import time\n\ndef inner(folder: str) -> int:\n    open(f'{folder}/begun', 'a').write('x')\n    while open(f'{folder}/hold').read() == 'hold':\n        time.sleep(0.05)\n    return 7\n";
    remember(&mut client, "inner", inner);
    let outer = "from repertoire import call_procedure\n\ndef outer(folder: str) -> int:\n    return call_procedure('inner', {'folder': folder}) + 1\n";
    remember(&mut client, "outer", outer);
    client.send_call("execute_procedure", json!({"procedure_id": "outer", "parameters": {"folder": folder}}));
    eventually("it has begun", || folder.join("begun").exists());
    let run = last_run(&mut client);
    client.kill();
    fs::write(folder.join("hold"), "go").unwrap();
    let mut client = home.start();
    eventually("the run has ended", || status(&mut client, &run) == "succeeded");
    assert_eq!(result(&mut client, &run), json!(8));
    let runs = client.ok("get_procedure_stats", json!({"procedure_id": "inner"}));
    assert_eq!(runs["execution_stats"]["success"], json!(1), "{runs}");
}

const GATHER: &str = r#"
import asyncio
from repertoire import run_command


async def shout(folder: str, word: str) -> str:
    command = f"echo begin {word} >> order; while [ $(grep -c begin order) -lt 4 ]; do sleep 0.02; done; echo end {word} >> order; echo {word}"
    result = await run_command(["sh", "-c", command], cwd=folder)
    return result.stdout.strip().upper()


async def gather(folder: str) -> list[str]:
    calls = [run_command(["sh", "-c", f"echo begin {word} >> order; while [ $(grep -c begin order) -lt 4 ]; do sleep 0.02; done; echo end {word} >> order; echo {word}"], cwd=folder) for word in ["a", "b"]]
    first = await asyncio.gather(*calls, shout(folder, "c"), shout(folder, "d"))
    return [first[0].stdout.strip(), first[1].stdout.strip(), first[2], first[3]]
"#;

#[test]
fn gathered_calls_run_at_the_same_time() {
    let (home, folder) = setup();
    let mut client = home.start();
    remember(&mut client, "gather", GATHER);
    // None of them ends before all four have begun: one after the other they would wait for ever.
    let answer = client.ok("execute_procedure", json!({"procedure_id": "gather", "parameters": {"folder": folder}}));
    assert_eq!(answer["result"], json!(["a", "b", "C", "D"]), "{answer}");
    let order = lines(&folder.join("order"));
    assert!(order[..4].iter().all(|line| line.starts_with("begin")), "{order:?}");
}

#[test]
fn one_failure_among_gathered_calls_is_raised_where_it_is_awaited() {
    let (home, folder) = setup();
    let mut client = home.start();
    let code = "import asyncio\nfrom repertoire import run_command\n\nasync def mixed(folder: str) -> str:\n    good = run_command(['sh', '-c', 'echo fine'], cwd=folder)\n    bad = run_command(['sh', '-c', 'exit 3'], cwd=folder)\n    try:\n        await asyncio.gather(good, bad)\n    except RuntimeError as error:\n        return str(error)\n    return 'no error'\n";
    let answer = {
        remember(&mut client, "mixed", code);
        client.ok("execute_procedure", json!({"procedure_id": "mixed", "parameters": {"folder": folder}}))
    };
    assert!(text(&answer, "result").contains('3'), "{answer}");
}

#[test]
fn answers_of_gathered_calls_survive_a_kill_each_for_itself() {
    let (home, folder) = setup();
    fs::write(folder.join("hold"), "").unwrap();
    let mut client = home.start();
    let code = "import asyncio\nfrom repertoire import run_command\n\nasync def pair(folder: str) -> list[str]:\n    quick = run_command(['sh', '-c', 'echo quick >> order; echo q'], cwd=folder)\n    slow = run_command(['sh', '-c', 'echo slow >> order; while [ -e hold ]; do sleep 0.05; done; echo s'], cwd=folder)\n    both = await asyncio.gather(quick, slow)\n    return [both[0].stdout.strip(), both[1].stdout.strip()]\n";
    remember(&mut client, "pair", code);
    client.send_call("execute_procedure", json!({"procedure_id": "pair", "parameters": {"folder": folder}}));
    eventually("both have begun", || lines(&folder.join("order")).len() == 2);
    let run = last_run(&mut client);
    eventually("one answer is there", || {
        client.ok("get_run", json!({"run_id": run}))["calls"].as_array().is_some_and(|calls| calls.len() == 1)
    });
    client.kill();
    fs::remove_file(folder.join("hold")).unwrap();
    let mut client = home.start();
    eventually("the run asks about the other", || status(&mut client, &run) == "paused");
    let ended = client.ok("resume_run", json!({"run_id": run}));
    assert_eq!(ended["result"], json!(["q", "s"]), "{ended}");
    let mut order = lines(&folder.join("order"));
    order.sort();
    assert_eq!(order, ["quick", "slow", "slow"]);
}

/// A run that is paused, and the database that it is saved in.
fn paused(home: &Home) -> (String, Connection) {
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "look", "steps": ["Look at the sky"]}));
    client.ok("generate_procedure_code", json!({"procedure_id": "look"}));
    let run = client.ok("execute_procedure", json!({"procedure_id": "look"}));
    assert_eq!(run["outcome"], json!("paused"), "{run}");
    client.close();
    let database = Connection::open(home.path().join("repertoire.db")).unwrap();
    (run["run_id"].as_str().unwrap().to_owned(), database)
}

#[test]
fn a_saved_state_that_was_changed_is_refused() {
    for change in [
        "UPDATE frames SET snapshot = zeroblob(length(snapshot))",
        "UPDATE frames SET state = replace(state, 'Look at the sky', 'Look at the sea')",
        "UPDATE frames SET output = 'nothing to see'",
        "UPDATE frames SET seal = zeroblob(32)",
        "UPDATE frames SET depth = 1",
        "UPDATE runs SET version = 1",
    ] {
        let home = Home::new();
        let (run, database) = paused(&home);
        assert_eq!(database.execute(change, []).unwrap(), 1, "{change}");
        drop(database);
        let mut client = home.start();
        let error = client.refused("resume_run", json!({"run_id": run}), "state_refused");
        assert!(error.contains("execute the procedure again"), "{change}: {error}");
        // It can still be ended.
        client.ok("cancel_run", json!({"run_id": run}));
        assert_eq!(status(&mut client, &run), "cancelled");
    }
}

#[test]
fn the_key_of_another_home_does_not_fit() {
    let (home, other) = (Home::new(), Home::new());
    let (run, database) = paused(&home);
    drop(database);
    other.start().close();
    fs::copy(other.path().join("state.key"), home.path().join("state.key")).unwrap();
    home.start().refused("resume_run", json!({"run_id": run}), "state_refused");
}

#[test]
fn a_paused_run_needs_no_worker_and_any_process_goes_on_with_it() {
    let home = Home::new();
    let (run, _) = paused(&home);
    let (mut one, mut two) = (home.start(), home.start());
    #[cfg(target_os = "linux")]
    assert!(crate::common::processes::workers_of(one.process_id()).is_empty());
    let ended = two.ok("resume_run", json!({"run_id": run, "value": "blue"}));
    assert_eq!(ended["result"], json!({"step_1": "blue"}), "{ended}");
    one.refused("resume_run", json!({"run_id": run}), "run_not_paused");
}

#[test]
fn only_one_of_many_goes_on_with_a_run() {
    let home = Home::new();
    let (run, _) = paused(&home);
    let mut clients: Vec<RawClient> = (0..4).map(|_| home.start()).collect();
    let calls: Vec<i64> =
        clients.iter_mut().map(|client| client.send_call("resume_run", json!({"run_id": run, "value": 1}))).collect();
    let answers: Vec<Value> = clients.iter_mut().zip(calls).map(|(client, call)| client.call_answer(call)).collect();
    let succeeded = answers.iter().filter(|answer| answer["success"] == json!(true)).count();
    assert_eq!(succeeded, 1, "{answers:#?}");
}

#[test]
fn checkpoints_are_in_the_journal() {
    let home = Home::new();
    let mut client = home.start();
    let code = "from repertoire import checkpoint\n\ndef note() -> int:\n    checkpoint({'seen': 3}, 'halfway')\n    return 3\n";
    let run = execute_code(&mut client, "note", code);
    let view = client.ok("get_run", json!({"run_id": run["run_id"]}));
    assert_eq!(view["calls"][0]["arguments"], json!({"state": {"seen": 3}, "name": "halfway"}), "{view}");
}

#[test]
fn a_run_that_ends_its_server_each_time_is_given_up() {
    let (home, folder) = setup();
    let (client, run) = killed_in_the_third_step(&home, &folder, "during");
    client.kill();
    let database = Connection::open(home.path().join("repertoire.db")).unwrap();
    database.busy_timeout(Duration::from_secs(5)).unwrap();
    let sql = "UPDATE runs SET status = 'interrupted', attempts = 20, session = 'gone' WHERE id = ?1";
    assert_eq!(database.execute(sql, [&run]).unwrap(), 1);
    let mut client = home.start();
    eventually("it is given up", || status(&mut client, &run) == "failed");
    let view = client.ok("get_run", json!({"run_id": run}));
    assert!(text(&view, "error").contains("20 times"), "{view}");
}

#[test]
fn a_run_that_comes_no_further_rests_longer_each_time() {
    let (home, folder) = setup();
    let (client, run) = killed_in_the_third_step(&home, &folder, "during");
    client.kill();
    let database = Connection::open(home.path().join("repertoire.db")).unwrap();
    database.busy_timeout(Duration::from_secs(5)).unwrap();
    let rest = "SELECT due_at - finished_at FROM runs WHERE id = ?1 AND status = 'interrupted'";
    home.configure(&configuration(&folder, "manual"));
    for (attempts, expected) in [(0, 0), (1, 100), (4, 800), (10, 51_200), (11, 60_000), (19, 60_000)] {
        let sql = "UPDATE runs SET status = 'running', attempts = ?2, due_at = NULL, session = 'gone' WHERE id = ?1";
        assert_eq!(database.execute(sql, (&run, attempts)).unwrap(), 1);
        let client = home.start();
        let mut rests = None;
        eventually("it is known to be interrupted", || {
            rests = database.query_row(rest, [&run], |row| row.get::<_, i64>(0)).ok();
            rests.is_some()
        });
        assert_eq!(rests, Some(expected), "after {attempts} attempts");
        client.close();
    }
    // Its rest is not over: the server goes on with what came later, and leaves it alone until then.
    home.configure(&configuration(&folder, "auto"));
    let mut client = home.start();
    client.ok("list_runs", json!({}));
    assert_eq!(status(&mut client, &run), "interrupted");
    database.execute("UPDATE runs SET due_at = 0 WHERE id = ?1", [&run]).unwrap();
    eventually("it is taken up when its rest is over", || status(&mut client, &run) != "interrupted");
}
