//! Packages: resolved into a lock that is a part of the version, and there for the code alone.

use std::{fs, process::Command};

use serde_json::json;

use super::{has_python, remember};
use crate::common::{Home, text};

/// Whether there is `uv`, and it reaches an index of packages.
pub fn has_packages() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("requirements.in");
    fs::write(&list, "six\n").unwrap();
    let resolved = Command::new("uv").args(["pip", "compile", "--quiet", "--no-build"]).arg(&list).output();
    let is_there = resolved.is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("skipped: there is no `uv`, or it reaches no index of packages");
    }
    is_there
}

fn home(uv: &str, packages: &str) -> Home {
    Home::with_config(&format!("[python]\nenabled = true\nuv = '{uv}'\npackages = [{packages}]\n"))
}

#[test]
fn packages_are_locked_with_the_version_and_installed_for_it_alone() {
    if !has_python() || !has_packages() {
        return;
    }
    let home = home("uv", "'six'");
    let mut client = home.start();
    let code = "import six\n\n\ndef version() -> list:\n    return [six.__version__, six.ensure_str(b'x')]\n";
    let arguments = json!({"name": "version", "steps": ["Do it"], "code": code, "dependencies": ["six==1.16.0"]});
    let answer = client.ok("remember_procedure", arguments);
    assert!(text(&answer, "next").contains("a `python` procedure"), "{answer}");
    let answer = client.ok("execute_procedure", json!({"procedure_id": "version"}));
    assert_eq!(answer["result"], json!(["1.16.0", "x"]), "{answer}");
    // Another version of the procedure has other packages; going back brings back what it had.
    let generate =
        |code: &str, dependency: &str| json!({"procedure_id": "version", "code": code, "dependencies": [dependency]});
    client.ok("generate_procedure_code", generate(code, "six==1.17.0"));
    let answer = client.ok("execute_procedure", json!({"procedure_id": "version"}));
    assert_eq!(answer["result"][0], json!("1.17.0"), "{answer}");
    client.ok("rollback_procedure_code", json!({"procedure_id": "version", "target_version": 1}));
    let answer = client.ok("execute_procedure", json!({"procedure_id": "version"}));
    assert_eq!(answer["result"][0], json!("1.16.0"), "{answer}");
    // A change of the definition leaves them.
    client.ok("update_procedure", json!({"procedure_id": "version", "description": "Say which."}));
    // Whoever clones the history has the lock beside the code.
    let show = Command::new("git")
        .arg("--git-dir")
        .arg(home.repository())
        .args(["show", "main:procedures/general/version/procedure.lock"])
        .output();
    if let Ok(shown) = show {
        let lock = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(lock.contains("six==1.16.0") && lock.contains("--hash=sha256:"), "{lock}");
    }
    drop(client);
    // What is built anew from the history has them as well.
    assert!(home.run(&["doctor", "--rebuild"]).status.success());
    let mut client = home.start();
    let answer = client.ok("execute_procedure", json!({"procedure_id": "version"}));
    assert_eq!(answer["result"][0], json!("1.16.0"), "{answer}");
    // Two locks, two environments; without packages none.
    #[cfg(target_os = "linux")]
    assert_eq!(fs::read_dir(home.beside(".cache").join("repertoire").join("environments")).unwrap().count(), 2);
    let plain = "import importlib.util\n\n\ndef plain() -> bool:\n    return importlib.util.find_spec('six') is None\n";
    remember(&mut client, "plain", plain);
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "plain"}))["result"], json!(true));
}

#[test]
fn what_is_not_granted_or_not_there_is_refused() {
    if !has_python() || !has_packages() {
        return;
    }
    let home = home("uv", "'six'");
    let mut client = home.start();
    let with = |dependency: &str| json!({"name": "tidy", "steps": ["Do it"], "code": "def tidy():\n    return 1\n", "dependencies": [dependency]});
    let message = client.refused("remember_procedure", with("more-itertools"), "permission_denied");
    assert!(
        message.contains("`more-itertools` is not granted") && message.contains("`packages` under [python]"),
        "{message}"
    );
    let message = client.refused("remember_procedure", with("six>=100"), "packages_unavailable");
    assert!(message.contains("can't be resolved") && message.contains("six>=100"), "{message}");
    let message = client.refused("remember_procedure", with("six @ https://example.org/six.whl"), "invalid_argument");
    assert!(message.contains("names no package"), "{message}");
}

#[test]
fn without_uv_the_answer_says_how_to_get_it() {
    if !has_python() {
        return;
    }
    let home = home("/nonexistent/uv", "'*'");
    let mut client = home.start();
    let code = "# /// script\n# dependencies = [\"six\"]\n# ///\n\n\ndef tidy():\n    return 1\n";
    let arguments = json!({"name": "tidy", "steps": ["Do it"], "code": code});
    let message = client.refused("remember_procedure", arguments, "packages_unavailable");
    assert!(message.contains("`/nonexistent/uv`") && message.contains("docs.astral.sh/uv"), "{message}");
    let said = home.run(&["doctor"]);
    let said = String::from_utf8_lossy(&said.stdout);
    assert!(said.contains("by 3.") && said.contains("install uv"), "{said}");
}

/// What resolves packages is behind no walls, and would execute whatever it is told is a Python.
#[cfg(unix)]
#[test]
fn code_names_no_program_that_is_executed_for_its_packages() {
    use std::os::unix::fs::PermissionsExt as _;
    if !has_python() || !has_packages() {
        return;
    }
    let home = home("uv", "'six'");
    let folder = home.beside("work");
    let (program, mark) = (folder.join("evil"), folder.join("executed"));
    fs::write(&program, format!("#!/bin/sh\necho x > '{}'\nexec python3 \"$@\"\n", mark.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let code = format!(
        "# /// script\n# requires-python = \"{}\"\n# dependencies = [\"six\"]\n# ///\nimport six\n\n\ndef it() -> int:\n    return 1\n",
        program.display()
    );
    let mut client = home.start();
    let answer = client.call("remember_procedure", json!({"name": "it", "steps": ["Do it"], "code": code}));
    client.call("execute_procedure", json!({"procedure_id": "it"}));
    assert!(!mark.exists(), "{answer}");
    assert!(answer.to_string().contains("names no versions"), "{answer}");
    // Such a program is executed where it is asked for.
    let asked = Command::new("uv").args(["pip", "compile", "-", "--python"]).arg(&program).output().unwrap();
    assert!(mark.exists(), "{asked:?}");
    for dependency in ["six\n-e ./local", "six\n--index-url https://example.org/simple"] {
        let arguments = json!({"name": "more", "steps": ["Do it"], "code": "def more() -> int:\n    return 1\n",
            "runtime": "python", "dependencies": [dependency]});
        let answer = client.call("remember_procedure", arguments);
        assert_eq!(answer["success"], json!(false), "{answer}");
    }
}
