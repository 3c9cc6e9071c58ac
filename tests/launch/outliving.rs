//! Nothing that a server started outlives it, however it ends; and nothing that a command started outlives the command.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::common::{
    Home, RawClient, eventually,
    processes::{all_with, is_alive, kill, signal, workers_of},
    remember, text, toml_path,
};

/// How the server is ended, and how long that may take.
const ENDS: [(&str, Duration); 4] = [
    ("KILL", Duration::from_secs(1)),
    ("TERM", Duration::from_secs(2)),
    ("INT", Duration::from_secs(2)),
    ("HUP", Duration::from_secs(2)),
];
/// After it has ended, everything else is gone within this.
const MOMENT: Duration = Duration::from_secs(1);

/// A number of seconds that is slept nowhere else, to find who sleeps.
fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{}.{:03}", 100_000 + std::process::id() % 100_000, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A script that starts sleepers of every kind: its own, that of a child, one in a group and one in a session of its own,
/// one that ignores what can be ignored, one whose parent is gone.
fn family(sleep: &str) -> String {
    format!(
        "sleep {sleep} & sh -c 'sleep {sleep} & sleep {sleep}' & setsid sleep {sleep} & setsid sh -c 'sleep {sleep} & sleep {sleep}' & \
         (trap '' TERM INT HUP; setsid sleep {sleep}) & (setsid sh -c 'sleep {sleep} & :' &) ; echo ready > ready; sleep {sleep}"
    )
}
const MEMBERS: usize = 8;

fn setup(more: &str) -> (Home, std::path::PathBuf) {
    let home = Home::new();
    let folder = home.beside("work");
    home.configure(&format!(
        "[policy]\ncommands = ['sh', 'true', 'no-such-program', './plain']\nwrite = [{}]\n{more}",
        toml_path(&folder)
    ));
    (home, folder)
}

const COMMAND: &str = "from repertoire import run_command\n\ndef work(folder: str, script: str, timeout: float = 300.0) -> dict:\n    \
                       \"\"\"Work.\"\"\"\n    done = run_command(['sh', '-c', script], cwd=folder, check=False, timeout=timeout)\n    \
                       return {'code': done.exit_code, 'stdout': done.stdout, 'stderr': done.stderr}\n";

fn sleepers(sleep: &str) -> Vec<u32> {
    all_with(sleep).into_iter().filter(|process| is_sleep(*process)).collect()
}

fn is_sleep(process: u32) -> bool {
    fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default().starts_with(b"sleep\0")
}

/// Ends the server, and says how long it took until nothing is left.
#[track_caller]
fn end(client: &mut RawClient, how: &str, patience: Duration, sleep: &str) {
    let server = client.process_id();
    let workers = workers_of(server);
    let started = Instant::now();
    signal(server, how);
    let status = client.wait_for_exit(patience + MOMENT);
    let took = started.elapsed();
    assert!(took < patience, "{how}: the server took {took:?}");
    assert_eq!(status.success(), how != "KILL", "{how}: {status}; {}", client.log());
    while !all_with(sleep).is_empty() || workers.iter().any(|worker| is_alive(*worker)) {
        let left = all_with(sleep).len();
        assert!(started.elapsed() < took + MOMENT, "{how}: {left} are left after {:?}", started.elapsed());
    }
}

fn call(client: &mut RawClient, folder: &Path, script: &str) -> Value {
    let parameters = json!({"folder": folder, "script": script});
    client.call("execute_procedure", json!({"procedure_id": "work", "parameters": parameters}))
}

#[test]
fn commands_and_all_that_they_started_end_with_the_server() {
    for (how, patience) in ENDS {
        let (home, folder) = setup("");
        let mut client = home.start();
        remember(&mut client, "work", COMMAND);
        let sleep = unique();
        let parameters = json!({"folder": folder, "script": family(&sleep)});
        client.send_call("execute_procedure", json!({"procedure_id": "work", "parameters": parameters}));
        eventually("all of the family sleep", || sleepers(&sleep).len() >= MEMBERS);
        end(&mut client, how, patience, &sleep);
        // The next server asks whether it took effect, and knows that nothing of it goes on.
        let mut client = home.start();
        let mut waits = Value::Null;
        eventually("the run waits", || {
            waits = client.ok("list_inbox", json!({}))["items"][0].clone();
            !waits.is_null()
        });
        assert!(text(&waits, "body").contains("ended with the server"), "{how}: {waits}");
    }
}

#[test]
fn servers_channels_and_workers_end_with_the_server() {
    for (how, patience) in ENDS {
        let sleep = unique();
        // Neither speaks: it is started, and waited for.
        let (home, folder) = setup("");
        let quoted = family(&sleep).replace("ready", "$0");
        let server = format!(
            "[mcp_servers.deaf]\ncommand = 'sh'\nargs = ['-c', \"{quoted}\", 'server']\ncwd = {}\nstart_timeout_seconds = 60\n\
             [channels.slow]\ncommand = ['/bin/sh', '-c', \"cd {}; {quoted}\", 'channel']\n",
            toml_path(&folder),
            folder.display(),
        );
        home.configure(&format!("[policy]\ntools = ['deaf']\n[limits]\nseconds = 60\n{server}"));
        let mut client = home.start();
        for (name, body) in [
            ("listing", "from repertoire import call_tool\n\ndef listing():\n    return call_tool('deaf/any', {})\n"),
            ("telling", "from repertoire import notify\n\ndef telling():\n    return notify('x', channel='slow')\n"),
            ("spinning", "def spinning():\n    while True:\n        pass\n"),
        ] {
            remember(&mut client, name, body);
            client.send_call("execute_procedure", json!({"procedure_id": name}));
        }
        eventually("both families sleep", || sleepers(&sleep).len() >= 2 * MEMBERS);
        eventually("a worker computes", || !workers_of(client.process_id()).is_empty());
        end(&mut client, how, patience, &sleep);
    }
}

#[test]
fn what_a_command_started_ends_with_it() {
    let (home, folder) = setup("");
    let mut client = home.start();
    remember(&mut client, "work", COMMAND);
    // By itself, with others that hold its stdout.
    let sleep = unique();
    let script = family(&sleep).replace(&format!("; sleep {sleep}"), "; echo done");
    let answer = call(&mut client, &folder, &script);
    assert_eq!(answer["result"]["stdout"], json!("done\n"), "{answer}");
    assert_eq!(all_with(&sleep), Vec::<u32>::new());
    // At its time limit.
    let sleep = unique();
    let parameters = json!({"folder": folder, "script": family(&sleep), "timeout": 1.5});
    let answer = client.call("execute_procedure", json!({"procedure_id": "work", "parameters": parameters}));
    assert_eq!(answer["error_type"], json!("TimeoutError"), "{answer}");
    assert_eq!(all_with(&sleep), Vec::<u32>::new());
    // When its launcher is killed, the program itself and what is in its group.
    let sleep = unique();
    let parameters = json!({"folder": folder, "script": format!("sleep {sleep} & exec sleep {sleep}")});
    let id = client.send_call("execute_procedure", json!({"procedure_id": "work", "parameters": parameters}));
    eventually("they sleep", || sleepers(&sleep).len() == 2);
    let launcher = all_with(&sleep).into_iter().find(|process| !is_sleep(*process)).unwrap();
    kill(launcher);
    assert_eq!(client.call_answer(id)["result"]["code"], json!(-9));
    eventually("it has ended", || all_with(&sleep).is_empty());
}

#[test]
fn a_program_ends_when_its_launcher_is_killed_together_with_the_server() {
    let (home, folder) = setup("");
    let mut client = home.start();
    remember(&mut client, "work", COMMAND);
    let sleep = unique();
    let parameters = json!({"folder": folder, "script": format!("exec sleep {sleep}")});
    client.send_call("execute_procedure", json!({"procedure_id": "work", "parameters": parameters}));
    eventually("it sleeps", || !sleepers(&sleep).is_empty());
    let launcher = all_with(&sleep).into_iter().find(|process| !is_sleep(*process)).unwrap();
    // Stopped, neither can do anything when the other is gone.
    signal(launcher, "STOP");
    kill(client.process_id());
    kill(launcher);
    eventually("the program has ended", || all_with(&sleep).is_empty());
}

#[test]
fn a_program_ends_as_it_does_without_a_launcher() {
    let (home, folder) = setup("");
    let mut client = home.start();
    remember(&mut client, "work", COMMAND);
    for (script, code) in [("exit 7", 7), ("exit 125", 125), ("exit 255", 255), (":", 0)] {
        assert_eq!(call(&mut client, &folder, script)["result"]["code"], json!(code), "{script}");
    }
    for (name, number) in [("KILL", 9), ("TERM", 15), ("INT", 2), ("HUP", 1), ("USR1", 10), ("SEGV", 11)] {
        let answer = call(&mut client, &folder, &format!("ulimit -c 0; kill -s {name} $$"));
        assert_eq!(answer["result"]["code"], json!(-number), "{name}: {answer}");
    }
    let answer = call(&mut client, &folder, "echo out; echo err >&2; pwd");
    assert_eq!(answer["result"]["stdout"], json!(format!("out\n{}\n", folder.display())), "{answer}");
    assert_eq!(answer["result"]["stderr"], json!("err\n"), "{answer}");
    // A program that closes its output is seen to have done so, and goes on.
    let answer = call(&mut client, &folder, "exec 1>&- 2>&-; sleep 0.2; exit 3");
    assert_eq!(answer["result"]["code"], json!(3), "{answer}");
    fs::write(folder.join("plain"), "no program").unwrap();
    for (program, kind) in [("no-such-program", "FileNotFoundError"), ("./plain", "PermissionError")] {
        let name = if program == "./plain" { "plain" } else { "missing" };
        let code = format!(
            "from repertoire import run_command\n\ndef {name}(folder: str):\n    return run_command(['{program}'], cwd=folder)\n"
        );
        remember(&mut client, name, &code);
        let answer = client.call("execute_procedure", json!({"procedure_id": name, "parameters": {"folder": folder}}));
        assert_eq!(answer["error_type"], json!(kind), "{answer}");
        assert!(text(&answer, "error").contains(program), "{answer}");
    }
}

#[test]
fn a_server_that_nobody_has_spoken_to_ends_when_it_is_asked() {
    for (how, patience) in ENDS {
        let home = Home::new();
        let mut client = home.spawn(&[]);
        // It is there when it answers.
        if how == "HUP" {
            client.open(crate::common::Protocol::V2025);
        } else {
            let server = client.process_id();
            eventually("it listens to signals", || {
                let status = fs::read_to_string(format!("/proc/{server}/status")).unwrap_or_default();
                let caught =
                    status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim().to_owned();
                // HUP, INT and TERM.
                u64::from_str_radix(&caught, 16).is_ok_and(|caught| caught & 0x4003 == 0x4003)
            });
        }
        end(&mut client, how, patience, "no such sleeper");
    }
}
