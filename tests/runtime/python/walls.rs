//! What the process of a procedure reaches: what was granted, and nothing else. Each attempt is shown to succeed without walls.

use std::{fs, net::TcpListener, path::Path};

use axum::{Router, routing::get};
use serde_json::{Value, json};

use super::{has_python, remember};
use crate::common::{Home, loopback::Loopback, text, toml_path};

/// What somebody would try who took a procedure over.
const ATTEMPTS: &str = r#"
import os
import signal
import socket
import subprocess


def reads(path):
    with open(path, "rb") as file:
        return len(file.read(1)) == 1


def writes(path):
    with open(path, "a") as file:
        file.write("")
    return True


def connects(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return True


def sees(process):
    return os.path.exists(f"/proc/{process}/cmdline") and b"serve" in open(f"/proc/{process}/cmdline", "rb").read()


def signals(process):
    os.kill(process, 0)
    return sees(process)


def by_program(path):
    return subprocess.run(["cat", path], capture_output=True).returncode == 0


def attempts(home: str, user: str, outside: str, port: int, server: int) -> dict:
    """Try everything."""
    tried = {
        "policy": lambda: reads(f"{home}/config.toml"),
        "policy changed": lambda: writes(f"{home}/config.toml"),
        "database": lambda: reads(f"{home}/repertoire.db"),
        "key of states": lambda: reads(f"{home}/state.key"),
        "ssh key": lambda: reads(f"{user}/.ssh/id_ed25519"),
        "ssh key by a program": lambda: by_program(f"{user}/.ssh/id_ed25519"),
        "other file": lambda: reads(f"{outside}/other"),
        "other file changed": lambda: writes(f"{outside}/other"),
        "link": lambda: os.symlink(f"{outside}/other", "/tmp/link") or reads("/tmp/link"),
        "this machine's network": lambda: connects(port),
        "server seen": lambda: sees(server),
        "server's files": lambda: bool(os.listdir(f"/proc/{server}/root{home}")),
        "signal": lambda: signals(server),
    }
    got_out = {}
    for name, attempt in tried.items():
        try:
            got_out[name] = bool(attempt())
        except (OSError, subprocess.SubprocessError):
            got_out[name] = False
        finally:
            if os.path.islink("/tmp/link"):
                os.unlink("/tmp/link")
    return got_out
"#;

fn attempt(confinement: &str) -> Value {
    let home = Home::new();
    let (user, outside) = (home.beside("."), home.beside("outside"));
    fs::create_dir_all(user.join(".ssh")).unwrap();
    fs::write(user.join(".ssh").join("id_ed25519"), "key").unwrap();
    fs::write(outside.join("other"), "other").unwrap();
    home.configure(&format!("[python]\nenabled = true\n[policy]\nconfinement = '{confinement}'\n"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = home.start();
    remember(&mut client, "attempts", ATTEMPTS);
    let parameters = json!({
        "home": fs::canonicalize(home.path()).unwrap(), "user": user, "outside": outside,
        "port": listener.local_addr().unwrap().port(), "server": client.process_id(),
    });
    client.ok("execute_procedure", json!({"procedure_id": "attempts", "parameters": parameters}))
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_gets_out() {
    if !has_python() {
        return;
    }
    let within = attempt("required");
    let got_out = within["result"].as_object().unwrap_or_else(|| panic!("{within}"));
    let out: Vec<&String> = got_out.iter().filter(|(_, out)| **out == json!(true)).map(|(name, _)| name).collect();
    assert!(out.is_empty(), "these got out: {out:?}");
    let without = attempt("none");
    let kept = without["result"].as_object().unwrap_or_else(|| panic!("{without}"));
    let kept: Vec<&String> = kept.iter().filter(|(_, out)| **out == json!(false)).map(|(name, _)| name).collect();
    assert!(kept.is_empty(), "these are no attempts, since they fail without walls, too: {kept:?}");
    assert!(text(&without, "output").contains("without walls around it"), "{without}");
}

#[test]
#[cfg(target_os = "linux")]
fn granted_folders_are_there_and_no_others() {
    if !has_python() {
        return;
    }
    let home = Home::new();
    let (read, write) = (home.beside("read"), home.beside("write"));
    fs::write(read.join("text"), "text").unwrap();
    let grants = format!("[policy]\nread = [{}]\nwrite = [{}]\n", toml_path(&read), toml_path(&write));
    home.configure(&format!("[python]\nenabled = true\n{grants}"));
    let mut client = home.start();
    let code = r#"
from pathlib import Path


def copy(read: str, write: str) -> list:
    """Copy, and try what is not granted."""
    Path(write, "copy").write_text(Path(read, "text").read_text())
    refused = []
    for path in (Path(read, "other"), Path(write).parent / "other", Path(write, ".envrc")):
        try:
            path.write_text("x")
        except OSError as error:
            refused.append(path.name)
    return refused
"#;
    remember(&mut client, "copy", code);
    let execute = |client: &mut crate::common::RawClient, write: &Path| {
        client.call("execute_procedure", json!({"procedure_id": "copy", "parameters": {"read": read, "write": write}}))
    };
    let answer = execute(&mut client, &write);
    assert_eq!(fs::read_to_string(write.join("copy")).unwrap(), "text", "{answer}");
    assert!(!read.join("other").exists() && !write.parent().unwrap().join("other").exists(), "{answer}");
    // What other programs would execute is either not written, or set aside when the process has ended.
    assert!(!write.join(".envrc").exists(), "{answer}");
}

#[test]
#[cfg(target_os = "linux")]
fn packages_reach_granted_hosts_through_the_proxy_and_no_others() {
    if !has_python() {
        return;
    }
    let (granted, other) = (
        Loopback::serve(Router::new().route("/", get(|| async { "hello" }))),
        Loopback::serve(Router::new().route("/", get(|| async { "other" }))),
    );
    let (port, other) = (granted.address().port(), other.address().port());
    let home = Home::with_config(&format!("[python]\nenabled = true\n[policy]\nnetwork = ['localhost:{port}']\n"));
    let mut client = home.start();
    let code = r#"
import socket
import urllib.request


def fetch(ports: list) -> list:
    """Fetch by name, and past the proxy."""
    told = []
    for port in ports:
        try:
            told.append(urllib.request.urlopen(f"http://localhost:{port}/", timeout=30).read().decode())
        except OSError as error:
            told.append(f"refused: {error}")
    try:
        socket.create_connection(("127.0.0.1", ports[0]), timeout=5)
        told.append("connected")
    except OSError:
        told.append("no way")
    return told
"#;
    remember(&mut client, "fetch", code);
    let answer =
        client.ok("execute_procedure", json!({"procedure_id": "fetch", "parameters": {"ports": [port, other]}}));
    assert_eq!((&answer["result"][0], &answer["result"][2]), (&json!("hello"), &json!("no way")), "{answer}");
    assert!(answer["result"][1].as_str().is_some_and(|told| told.starts_with("refused")), "{answer}");
}
