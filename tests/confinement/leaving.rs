//! What is left of a confined program when it, its server or its time has ended: nothing.

use std::fs;

use serde_json::json;

use crate::common::{
    Home, eventually,
    processes::{all_with, kill},
    remember, toml_path,
    walls::has_walls,
};

const CODE: &str = "from repertoire import run_command\n\ndef leave(script: str, timeout: float = 100.0):\n    \"\"\"Leave.\"\"\"\n    \
                    run_command(['sh', '-c', script], timeout=timeout)\n";

/// The private folders in the folder for temporary files of a test's own.
fn private_folders(temporary: &std::path::Path) -> usize {
    fs::read_dir(temporary)
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("repertoire-"))
        .count()
}

#[test]
fn nothing_is_left_however_it_ends() {
    if !has_walls() {
        return;
    }
    let home = Home::new();
    let (folder, temporary) = (home.beside("work"), home.beside("temporary"));
    home.configure(&format!("[policy]\ncommands = ['sh']\nwrite = [{}]\n", toml_path(&folder)));
    let start = || {
        let mut command = home.command(&["--no-starters", "serve"]);
        command.env("TMPDIR", &temporary);
        let mut client = crate::common::RawClient::spawn(command);
        client.open(crate::common::Protocol::V2025);
        client
    };
    let mut client = start();
    remember(&mut client, "leave", CODE);
    let sleep = format!("{}.5", 200_000 + std::process::id() % 100_000);
    let daemons = format!(
        "echo x > \"$TMPDIR/x\"; (setsid sh -c 'sleep {sleep} & (setsid sleep {sleep} &)' &); trap '' TERM; echo x > .envrc; echo > ready"
    );
    // By itself.
    let mut call = |script: &str, timeout: f64| {
        let parameters = json!({"script": script, "timeout": timeout});
        client.call("execute_procedure", json!({"procedure_id": "leave", "parameters": parameters}))
    };
    let answer = call(&daemons, 100.0);
    assert_eq!(answer["error_type"], json!("PermissionError"), "{answer}");
    assert_eq!(all_with(&sleep), Vec::<u32>::new());
    assert!(!folder.join(".envrc").exists());
    // When its time is up.
    let answer = call(&format!("{daemons}; sleep {sleep}"), 2.0);
    assert_eq!(answer["error_type"], json!("TimeoutError"), "{answer}");
    assert_eq!(all_with(&sleep), Vec::<u32>::new());
    assert!(!folder.join(".envrc").exists());
    eventually("the private folders are gone", || private_folders(&temporary) == 0);
    // With its server.
    fs::remove_file(folder.join("ready")).unwrap();
    let parameters = json!({"script": format!("{daemons}; sleep {sleep}")});
    client.send_call("execute_procedure", json!({"procedure_id": "leave", "parameters": parameters}));
    eventually("it has begun", || folder.join("ready").exists());
    assert_eq!(private_folders(&temporary), 1);
    kill(client.process_id());
    eventually("all of it has ended", || all_with(&sleep).is_empty());
    eventually("the private folder is gone", || private_folders(&temporary) == 0);
    assert!(!folder.join(".envrc").exists(), "what it left was set aside");
}
