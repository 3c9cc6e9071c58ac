//! What procedures may touch: nothing by default, and what the owner of the home grants.
#![cfg(unix)]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::common::{Home, RawClient, execute_code, remember, text, toml_path};

/// Executes a body that may use the host functions and `Path`.
#[track_caller]
fn run(client: &mut RawClient, name: &str, body: &str) -> Value {
    let lines: String = body.lines().map(|line| format!("    {line}\n")).collect();
    let code = format!("from pathlib import Path\nfrom repertoire import run_command\n\ndef {name}():\n{lines}");
    execute_code(client, name, &code)
}

fn python(path: &Path) -> String {
    format!("{:?}", path.to_str().unwrap())
}

#[track_caller]
fn denied(answer: &Value, parts: &[&str]) {
    assert_eq!(answer["error_type"], json!("PermissionError"), "{answer}");
    for part in parts {
        assert!(text(answer, "error").contains(part), "`{part}` is not in {answer}");
    }
}

#[test]
fn no_command_runs_by_default_and_the_missing_grant_is_named() {
    let home = Home::new();
    let mut client = home.start();
    let marker = home.beside("files").join("marker");
    let body = format!("return run_command(['touch', {}])", python(&marker));
    let answer = run(&mut client, "touch", &body);
    denied(&answer, &["`touch ", "`commands`", "[policy]", "config.toml"]);
    assert!(!marker.exists());
    let declared = json!({"name": "declared", "steps": ["x"], "permissions": {"commands": ["touch"]},
        "code": "def declared() -> int:\n    return 1\n"});
    client.ok("remember_procedure", declared);
    let error = client.refused("execute_procedure", json!({"procedure_id": "declared"}), "permission_denied");
    assert!(error.contains("`touch` is not granted"), "{error}");
}

#[test]
fn granted_commands_run_without_a_shell() {
    let home = Home::with_config("[policy]\ncommands = ['echo', 'cat', 'sh -c exit', 'sleep']\n");
    let mut client = home.start();
    let body =
        "done = run_command(['echo', '$HOME; ls | cat', '*'])\nreturn [done.stdout, done.stderr, done.exit_code]";
    let answer = run(&mut client, "echo", body);
    assert_eq!(answer["result"], json!(["$HOME; ls | cat *\n", "", 0]), "{answer}");
    let answer = run(&mut client, "feed", "return run_command(['cat'], stdin='größer\\n').stdout");
    assert_eq!(answer["result"], json!("größer\n"), "{answer}");
    let answer = run(&mut client, "hungry", "return run_command(['cat']).stdout");
    assert_eq!(answer["result"], json!(""), "a command gets nothing of the protocol's stdin: {answer}");
    let answer = run(&mut client, "fails", "return run_command(['cat', '/no/such/file'])");
    assert_eq!(answer["error_type"], json!("RuntimeError"), "{answer}");
    assert!(text(&answer, "error").contains("exit code 1") && text(&answer, "error").contains("/no/such/file"));
    let answer = run(&mut client, "tolerates", "return run_command(['cat', '/no/such/file'], check=False).exit_code");
    assert_eq!(answer["result"], json!(1), "{answer}");
    let other = "return run_command(['sh', '-c', 'echo pwned'])";
    denied(&run(&mut client, "other_arguments", other), &["sh"]);
    let answer = run(&mut client, "empty", "return run_command([])");
    assert_eq!(answer["error_type"], json!("ValueError"), "{answer}");
    let answer = run(&mut client, "zero", "return run_command(['echo', 'a\\0b'])");
    assert_eq!(answer["error_type"], json!("ValueError"), "{answer}");
    let answer = run(&mut client, "unknown_option", "return run_command(['echo'], shell=True)");
    assert_eq!(answer["error_type"], json!("TypeError"), "{answer}");
}

#[test]
fn a_procedure_narrows_the_policy_for_itself() {
    let home = Home::with_config("[policy]\ncommands = ['echo']\n");
    let mut client = home.start();
    let code = "from repertoire import run_command\n\ndef narrow(word: str) -> str:\n    \
                return run_command(['echo', word]).stdout\n";
    let permissions = json!({"commands": ["echo yes"]});
    client
        .ok("remember_procedure", json!({"name": "narrow", "steps": ["x"], "permissions": permissions, "code": code}));
    let mut say =
        |word: &str| client.call("execute_procedure", json!({"procedure_id": "narrow", "parameters": {"word": word}}));
    assert_eq!(say("yes")["result"], json!("yes\n"));
    denied(&say("no"), &["own `permissions`", "update_procedure"]);
}

#[test]
fn a_command_that_takes_too_long_is_stopped() {
    let home = Home::with_config("[policy]\ncommands = ['sleep']\n[limits]\nseconds = 2\n");
    let mut client = home.start();
    let started = Instant::now();
    let answer = run(&mut client, "own_limit", "run_command(['sleep', '60'], timeout=0.2)");
    assert_eq!(answer["error_type"], json!("TimeoutError"), "{answer}");
    assert!(text(&answer, "error").contains("sleep 60"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(2));
    let answer = run(&mut client, "run_limit", "run_command(['sleep', '60'])");
    assert_eq!(answer["error_type"], json!("TimeoutError"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let answer = run(&mut client, "afterwards", "return 1");
    assert_eq!(answer["result"], json!(1), "{answer}");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let home = Home::with_config("[policy]\ncommands = ['no-such-program-here']\n");
    let mut client = home.start();
    let answer = run(&mut client, "absent", "run_command(['no-such-program-here'])");
    assert_eq!(answer["error_type"], json!("FileNotFoundError"), "{answer}");
    assert!(text(&answer, "error").contains("`no-such-program-here`"), "{answer}");
}

#[test]
fn commands_see_no_secret_of_the_servers_environment() {
    let home = Home::with_config("[policy]\ncommands = ['env']\n");
    let mut command = home.command(&["--no-starters", "serve"]);
    command.env("SECRET_TOKEN", "hunter2").env("AWS_SECRET_ACCESS_KEY", "hunter2").env("LANG", "C.UTF-8");
    let mut client = RawClient::spawn(command);
    client.open(crate::common::Protocol::V2025);
    let answer = run(&mut client, "environment", "return run_command(['env']).stdout");
    let environment = text(&answer, "result");
    assert!(environment.contains("PATH=") && environment.contains("LANG=C.UTF-8"), "{environment}");
    assert!(!environment.contains("hunter2"), "{environment}");
}

#[test]
fn much_output_of_a_command_is_kept_in_part() {
    let home = Home::with_config("[policy]\ncommands = ['head']\n");
    let mut client = home.start();
    let body = "text = run_command(['head', '-c', '5000000', '/dev/zero']).stdout\nreturn [len(text), text[-40:]]";
    let answer = run(&mut client, "flood", body);
    let kept = answer["result"][0].as_u64().unwrap();
    assert!((1_000_000..1_100_000).contains(&kept), "{answer}");
    assert!(answer["result"][1].as_str().unwrap().contains("left out"), "{answer}");
}

#[test]
fn commands_work_only_in_granted_directories() {
    let home = Home::new();
    let (granted, other) = (home.beside("granted"), home.beside("other"));
    home.configure(&format!("[policy]\ncommands = ['pwd']\nread = [{}]\n", toml_path(&granted)));
    let mut client = home.start();
    let pwd = |directory: &Path| format!("return run_command(['pwd'], cwd={}).stdout", python(directory));
    let answer = run(&mut client, "inside", &pwd(&granted));
    assert_eq!(answer["result"], json!(format!("{}\n", granted.display())), "{answer}");
    denied(&run(&mut client, "outside", &pwd(&other)), &["other", "config.toml"]);
    denied(&run(&mut client, "upwards", &pwd(&granted.join("../other"))), &["config.toml"]);
    std::os::unix::fs::symlink(&other, granted.join("link")).unwrap();
    denied(&run(&mut client, "through_a_link", &pwd(&granted.join("link"))), &["config.toml"]);
    let answer = run(&mut client, "nowhere", &pwd(&granted.join("missing")));
    assert_eq!(answer["error_type"], json!("FileNotFoundError"), "{answer}");
}

#[test]
fn files_outside_every_grant_are_out_of_reach() {
    let home = Home::new();
    let secret = home.beside("other").join("secret");
    fs::write(&secret, "hunter2").unwrap();
    let granted = home.beside("granted");
    std::os::unix::fs::symlink(&secret, granted.join("link")).unwrap();
    std::os::unix::fs::symlink(home.beside("other"), granted.join("folder")).unwrap();
    home.configure(&format!("[policy]\nread = [{}]\n", toml_path(&granted)));
    let mut client = home.start();
    let paths = [
        ("plain", secret.clone()),
        ("upwards", granted.join("../other/secret")),
        ("through_a_link", granted.join("link")),
        ("through_a_folder", granted.join("folder/secret")),
        ("passwords", "/etc/passwd".into()),
        ("own_policy", home.path().join("config.toml")),
    ];
    for (name, path) in paths {
        for (kind, read) in [
            ("open", format!("open({}).read()", python(&path))),
            ("path", format!("Path({}).read_text()", python(&path))),
        ] {
            let answer = run(&mut client, &format!("{name}_{kind}"), &format!("return {read}"));
            assert_eq!(answer["error_code"], json!("run_failed"), "{name} {kind}: {answer}");
            assert!(!answer.to_string().contains("hunter2"), "{name} {kind}: {answer}");
            let error = text(&answer, "error_type");
            assert!(["PermissionError", "FileNotFoundError", "OSError"].contains(&error), "{name} {kind}: {answer}");
        }
    }
    denied(&run(&mut client, "named", &format!("return open({}).read()", python(&secret))), &["`read`", "config.toml"]);
}

#[test]
fn granted_files_are_read_and_written_as_granted() {
    let home = Home::new();
    let (reading, writing) = (home.beside("to read"), home.beside("to write"));
    fs::write(reading.join("größe.txt"), "eins\nzwei\n").unwrap();
    home.configure(&format!("[policy]\nread = [{}]\nwrite = [{}]\n", toml_path(&reading), toml_path(&writing)));
    let mut client = home.start();
    let body = format!("return Path({}).read_text().splitlines()", python(&reading.join("größe.txt")));
    assert_eq!(run(&mut client, "read", &body)["result"], json!(["eins", "zwei"]));
    let body = format!("return sorted(path.name for path in Path({}).iterdir())", python(&reading));
    assert_eq!(run(&mut client, "list_folder", &body)["result"], json!(["größe.txt"]));
    let body = format!("Path({}).write_text('drei')\nreturn 1", python(&writing.join("new.txt")));
    assert_eq!(run(&mut client, "write", &body)["result"], json!(1));
    assert_eq!(fs::read_to_string(writing.join("new.txt")).unwrap(), "drei");
    for (name, path) in [("over", reading.join("größe.txt")), ("fresh", reading.join("new.txt"))] {
        let answer = run(&mut client, name, &format!("Path({}).write_text('gone')", python(&path)));
        assert_eq!(answer["error_code"], json!("run_failed"), "{name}: {answer}");
    }
    assert_eq!(fs::read_to_string(reading.join("größe.txt")).unwrap(), "eins\nzwei\n");
    assert!(!reading.join("new.txt").exists());
    let code = format!(
        "from pathlib import Path\n\ndef kept_out():\n    return Path({}).read_text()\n",
        python(&reading.join("größe.txt"))
    );
    let definition = json!({"name": "kept_out", "steps": ["x"], "permissions": {"write": ["*"]}, "code": code});
    client.ok("remember_procedure", definition);
    denied(&client.call("execute_procedure", json!({"procedure_id": "kept_out"})), &["permissions"]);
}

#[test]
fn the_sandbox_has_no_network_and_no_environment() {
    let home = Home::new();
    let mut command = home.command(&["--no-starters", "serve"]);
    command.env("SECRET_TOKEN", "hunter2");
    let mut client = RawClient::spawn(command);
    client.open(crate::common::Protocol::V2025);
    for (name, code) in [
        ("variable", "import os\n\ndef variable():\n    return os.getenv('SECRET_TOKEN')\n"),
        ("variables", "import os\n\ndef variables():\n    return dict(os.environ)\n"),
        ("socket", "import socket\n\ndef socket():\n    return 1\n"),
        ("request", "import urllib.request\n\ndef request():\n    return 1\n"),
    ] {
        let stored = client.call("remember_procedure", json!({"name": name, "steps": ["x"], "code": code}));
        if stored["success"] == json!(true) {
            let answer = client.call("execute_procedure", json!({"procedure_id": name}));
            assert_eq!(answer["error_code"], json!("run_failed"), "{name}: {answer}");
            assert!(!answer.to_string().contains("hunter2"), "{name}: {answer}");
        } else {
            assert_eq!(stored["error_code"], json!("code_rejected"), "{name}: {stored}");
        }
    }
    remember(&mut client, "fine", "def fine() -> int:\n    return 1\n");
}
