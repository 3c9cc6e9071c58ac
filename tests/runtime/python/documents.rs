//! Procedures with the packages that people use for documents: a PDF is read, a picture made smaller, a table summarised.
//!
//! All have the same dependencies, so that there is one lock and one environment.

use std::{
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{has_python, packages::has_packages};
use crate::common::{Home, RawClient, text, toml_path};

const LONGEST_INSTALL: Duration = Duration::from_mins(4);

/// Makes a PDF, a PNG and a CSV in a folder.
const MAKE: &str = include_str!("../../fixtures/documents.py");

const INVOICE: &str = r#"
import re
from pypdf import PdfReader
from repertoire import approve


def invoice(folder: str) -> dict:
    """Read the total of an invoice, once somebody agrees."""
    page = PdfReader(f"{folder}/invoice.pdf").pages[0].extract_text()
    total = float(re.search(r"Total ([0-9.]+)", page).group(1))
    given = approve(f"Pay {total}?")
    return {"first": page.splitlines()[0], "total": total, "agreed": bool(given)}
"#;

const THUMBNAIL: &str = r#"
import io
from PIL import Image
from repertoire import approve


def thumbnail(folder: str) -> dict:
    """Make a picture smaller, and keep it once somebody agrees."""
    image = Image.open(f"{folder}/photo.png")
    before = image.size
    image.thumbnail((64, 64))
    made = io.BytesIO()
    image.save(made, "PNG")
    given = approve(f"Keep {len(made.getvalue())} bytes?")
    with open(f"{folder}/thumbnail.png", "wb") as file:
        file.write(made.getvalue())
    return {"before": list(before), "after": list(image.size), "agreed": bool(given)}
"#;

const SUMMARY: &str = r#"
import pandas as pd
from repertoire import approve


def summary(folder: str) -> dict:
    """Summarise sales by region, and say so once somebody agrees."""
    frame = pd.read_csv(f"{folder}/sales.csv")
    found = frame.groupby("region").agg({"units": "sum", "price": "mean"}).round(2)
    chance = int(frame.sample(3).units.sum())
    given = approve(f"Report {len(frame)} rows and {chance}?")
    return {"regions": found.to_dict("index"), "chance": chance, "agreed": bool(given)}
"#;

fn show(repository: &Path, path: &str) -> String {
    let shown = Command::new("git").arg("-C").arg(repository).args(["show", &format!("HEAD:{path}")]).output().unwrap();
    String::from_utf8_lossy(&shown.stdout).into_owned()
}

/// The run of a procedure once it is paused. Installing packages takes longer on a busy machine than answers may.
fn until_paused(client: &mut RawClient, procedure: &str) -> Value {
    let began = Instant::now();
    loop {
        let listed = client.ok("list_runs", json!({"procedure_id": procedure}));
        let run = listed["runs"][0]["run_id"].clone();
        if !run.is_null() {
            let view = client.ok("get_run", json!({"run_id": run}));
            if view["status"] == json!("paused") {
                return view;
            }
            assert!(view["status"] == json!("running") && began.elapsed() < LONGEST_INSTALL, "{view}");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn result(client: &mut RawClient, run: &str) -> Value {
    let view = client.ok("get_run", json!({"run_id": run, "read": "result"}));
    serde_json::from_str(view["text"].as_str().unwrap_or_else(|| panic!("{view}"))).unwrap()
}

#[test]
fn documents_are_worked_on_over_a_pause_and_a_killed_server() {
    if !has_python() || !has_packages() {
        return;
    }
    let home = Home::new();
    let folder = home.beside("work");
    home.configure(&format!(
        "[python]\nenabled = true\npackages = ['pypdf', 'pillow', 'pandas']\n[limits]\nseconds = 240\n[policy]\nwrite = [{}]\n",
        toml_path(&folder)
    ));
    let made = Command::new("python3").args(["-c", MAKE]).arg(&folder).status().unwrap();
    assert!(made.success());
    let mut client = home.start();
    let procedures = [("invoice", INVOICE), ("thumbnail", THUMBNAIL), ("summary", SUMMARY)];
    let mut runs = Vec::new();
    for (name, code) in procedures {
        let dependencies = json!(["pypdf", "pillow", "pandas"]);
        let arguments = json!({"name": name, "steps": ["Do it"], "code": code, "dependencies": dependencies});
        let answer = client.ok("remember_procedure", arguments);
        assert_eq!(answer["has_code"], json!(true), "{answer}");
        let arguments = json!({"procedure_id": name, "parameters": {"folder": folder}});
        client.send_call("execute_procedure", arguments);
        let paused = until_paused(&mut client, name);
        runs.push((text(&paused, "run_id").to_owned(), text(&paused, "waiting_for").to_owned()));
    }
    assert!(runs[0].1.contains("Pay 213.5?") && runs[2].1.contains("Report 300 rows"), "{runs:?}");
    assert!(!folder.join("thumbnail.png").exists());
    client.kill();
    for (run, _) in &runs {
        let approved = home.run(&["approve", run, "--yes"]);
        assert!(approved.status.success(), "{approved:?}");
    }
    let mut client = home.start();
    let results: Vec<Value> = runs.iter().map(|(run, _)| result(&mut client, run)).collect();
    assert_eq!(results[0], json!({"first": "Invoice 2024-017", "total": 213.5, "agreed": true}));
    assert_eq!(results[1], json!({"before": [320, 240], "after": [64, 48], "agreed": true}));
    assert_eq!(fs::read(folder.join("thumbnail.png")).unwrap()[1..4], *b"PNG");
    let regions = json!({"north": {"units": 30_000, "price": 225.0}, "south": {"units": 14_850, "price": 222.75}});
    assert_eq!((&results[2]["regions"], &results[2]["agreed"]), (&regions, &json!(true)));
    // What was drawn before the pause is what was shown then.
    assert!(runs[2].1.contains(&format!("and {}?", results[2]["chance"])), "{runs:?} {results:?}");
    // Whoever clones the history has all that is needed to execute it elsewhere.
    let clone = home.beside("clone");
    let cloned = Command::new("git").args(["clone", "--quiet"]).arg(home.repository()).arg(&clone).status().unwrap();
    assert!(cloned.success());
    let locks = procedures.map(|(name, code)| {
        let folder = format!("procedures/general/{name}");
        assert!(show(&clone, &format!("{folder}/procedure.py")).contains(code.trim()), "{name}");
        show(&clone, &format!("{folder}/procedure.lock"))
    });
    for package in ["pypdf==", "pillow==", "pandas==", "numpy==", "--hash=sha256:"] {
        assert!(locks[0].contains(package), "{package}: {}", locks[0]);
    }
    assert!(locks.iter().all(|lock| *lock == locks[0]));
    let environments = home.beside(".cache").join("repertoire").join("environments");
    // Elsewhere they are where the system has what can be made again.
    if cfg!(target_os = "linux") {
        assert_eq!(fs::read_dir(&environments).unwrap().count(), 1, "equal locks share one");
    }
}
