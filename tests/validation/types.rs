//! Types, as the interpreter's checker sees them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::common::{Home, PROGRAM, clean, downstream::Setup};

const HEAD: &str = "from repertoire import log, run_command\n\n\ndef look(path: str, depth: int = 1) -> dict[str, str]:\n    \"\"\"Look.\n\n    Args:\n        path: Where.\n        depth: How deep.\n\n    Returns:\n        What was found.\n    \"\"\"\n";

fn validate(body: &str) -> Value {
    Home::new().start().ok("validate_procedure_code", json!({"code": format!("{HEAD}{body}")}))
}

/// Code, line and column of the issues about types.
fn found(answer: &Value) -> Vec<(String, u64, u64)> {
    let issues = answer["issues"].as_array().unwrap().iter().filter(|issue| issue["category"] == json!("types"));
    issues
        .map(|issue| {
            let number = |field: &str| issue[field].as_u64().unwrap();
            (issue["code"].as_str().unwrap().to_owned(), number("line"), number("column"))
        })
        .collect()
}

#[test]
fn what_does_not_fit_is_found_where_it_stands() {
    let cases = [
        ("    log(depth)\n    return {path: path}\n", ("RPT501", 14, 9)),
        ("    return depth\n", ("RPT502", 14, 12)),
        ("    found: int = path.upper()\n    return {path: str(found)}\n", ("RPT502", 14, 18)),
        ("    return {path: path.uper()}\n", ("RPT503", 14, 19)),
        ("    return {path: path + depth}\n", ("RPT504", 14, 19)),
        ("    # ü ein Kommentar\n    return {\"ü\": path.uper()}\n", ("RPT503", 15, 18)),
    ];
    for (body, (code, line, column)) in cases {
        let answer = validate(body);
        assert_eq!(found(&answer), [(code.to_owned(), line, column)], "{body}\n{answer}");
        assert_eq!(
            (&answer["checks"]["types"], &answer["checks"]["runnable"]),
            (&json!(false), &json!(true)),
            "{answer}"
        );
        let score = answer["quality_score"].as_f64().unwrap();
        assert!(score < 1.0, "{answer}");
    }
}

#[test]
fn calls_of_host_functions_are_checked_against_their_stub() {
    let body = "    try:\n        status = run_command([\"git\", \"status\"], cwd=depth)\n    except RuntimeError as error:\n        raise RuntimeError(f\"no status: {error}\")\n    return {path: status.stdot}\n";
    let answer = validate(body);
    assert_eq!(found(&answer), [("RPT501".to_owned(), 15, 49), ("RPT503".to_owned(), 18, 19)], "{answer}");
    assert!(answer["issues"].to_string().contains("Argument to function `run_command`"), "{answer}");
}

#[test]
fn what_fits_is_not_complained_about() {
    let body = "    import os\n    from pathlib import Path\n\n    lines: list[str] = []\n    try:\n        for folder, _, names in os.walk(path):\n            lines.extend(names[:depth])\n        with open(Path(path) / \"notes.txt\", encoding=\"utf-8\") as notes:\n            lines.extend(notes.readlines())\n    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:\n        log(f\"nothing there: {error}\")\n    return {path: \"\".join(lines)}\n";
    let answer = validate(body);
    assert_eq!((found(&answer), &answer["checks"]["types"]), (vec![], &json!(true)), "{answer}");
}

#[test]
fn the_starters_have_no_type_issue() {
    let output = clean(Command::new(PROGRAM)).arg("validate").arg("--json").args(starters()).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.lines().count() >= 15, "{lines}");
    for line in lines.lines() {
        let answer: Value = serde_json::from_str(line).unwrap();
        assert_eq!((found(&answer), &answer["checks"]["types"]), (vec![], &json!(true)), "{answer}");
    }
}

fn starters() -> Vec<PathBuf> {
    let folders = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let categories = folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("procedures"));
    let procedures = categories.iter().filter(|path| path.is_dir()).flat_map(|category| folders(category));
    procedures.map(|procedure| procedure.join("procedure.py")).filter(|path| path.exists()).collect()
}

#[test]
fn the_command_line_points_at_the_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("look.py");
    fs::write(&file, format!("{HEAD}    return {{path: path.uper()}}\n")).unwrap();
    let output = clean(Command::new(PROGRAM)).arg("validate").arg(&file).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("warning[RPT503]") && shown.contains("look.py:14:19"), "{shown}");
}

#[test]
fn calls_of_tools_are_checked_against_what_their_servers_say() {
    let Some(setup) = Setup::new(&[], "") else { return };
    let mut client = setup.home.start();
    let head = HEAD.replace("import log, run_command", "import call_tool");
    let body = "    try:\n        answer = call_tool(\"test/add\", {\"a\": 1, \"c\": 2})\n        call_tool(\"test/ad\", {\"a\": depth})\n    except RuntimeError as error:\n        raise RuntimeError(f\"no sum: {error}\") from error\n    return {path: str(answer)}\n";
    let answer = client.ok("validate_procedure_code", json!({"code": format!("{head}{body}")}));
    let lines: Vec<u64> = found(&answer).into_iter().map(|(_, line, _)| line).collect();
    assert!(lines.contains(&15) && lines.contains(&16), "{answer:#}");
    let body =
        body.replace("\"c\": 2", "\"b\": 2").replace("test/ad\", {\"a\": depth}", "test/echo\", {\"text\": path}");
    let answer = client.ok("validate_procedure_code", json!({"code": format!("{head}{body}")}));
    assert_eq!(found(&answer), vec![], "{answer:#}");
}
