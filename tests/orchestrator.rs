//! The example `orchestrator` as a process of its own: crashed, killed, its server killed; then it goes on.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::LazyLock,
};

use serde_json::{Value, json};

use crate::common::{Home, PROGRAM, clean, text};

const NODES: [&str; 9] = [
    "trunk/read",
    "language/spelling",
    "language/style",
    "legal/dates",
    "legal/liability",
    "layout/headings",
    "trunk/join",
    "trunk/decide",
    "trunk/report",
];

/// The program; only a whole `cargo test` has built it already.
static EXAMPLE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_owned();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet", "--locked", "--example", "orchestrator"]);
    cargo.arg("--target-dir").arg(folder.parent().unwrap());
    if let Some(profile) = folder.file_name().and_then(|name| name.to_str()).filter(|name| *name != "debug") {
        cargo.args(["--profile", profile]);
    }
    assert!(cargo.status().unwrap().success(), "the example can't be built");
    folder.join("examples").join("orchestrator").with_extension(std::env::consts::EXE_EXTENSION)
});

/// What a process of it said, and whether it ended well.
struct Said {
    lines: Vec<String>,
    is_success: bool,
}

impl Said {
    /// The nodes in lines that begin with this word.
    fn nodes(&self, word: &str) -> BTreeSet<&str> {
        let nodes = self.lines.iter().filter_map(|line| line.strip_prefix(word)?.split_whitespace().next());
        nodes.filter(|node| NODES.contains(node)).collect()
    }
}

fn start(home: &Home, arguments: &[&str]) -> Child {
    let mut command = clean(Command::new(&*EXAMPLE));
    command.args(["--program", PROGRAM, "--node-ms", "5"]).arg("--home").arg(home.path()).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Follows a process to its end; `act` sees each line when it comes.
fn follow(mut child: Child, mut act: impl FnMut(&mut Child, &str)) -> Said {
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut lines = Vec::new();
    for line in stdout.lines() {
        let line = line.unwrap();
        act(&mut child, &line);
        lines.push(line);
    }
    Said { lines, is_success: child.wait().unwrap().success() }
}

fn run(home: &Home, arguments: &[&str]) -> Said {
    follow(start(home, arguments), |_, _| {})
}

fn report(home: &Home) -> Value {
    let path = home.path().join("reports").join("contract-review-1.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Starts it again after `first` and checks that it went on exactly where it stood, and came to the same end as a run that
/// nobody disturbed.
fn goes_on(home: &Home, first: &Said, wanted: &Value) {
    let second = run(home, &[]);
    assert!(second.is_success, "{:?}", second.lines);
    let (saved, ran) = (first.nodes("saved "), second.nodes("run "));
    assert!(saved.is_disjoint(&ran), "ran twice: {saved:?} and {ran:?}");
    assert!(second.nodes("skip ").is_disjoint(&ran));
    let known: BTreeSet<&str> = [saved, second.nodes("saved "), second.nodes("skip ")].into_iter().flatten().collect();
    // One that was saved when its process died, before that could say so, is skipped or lies before the join.
    let joined = first.lines.iter().any(|line| line.starts_with("merged"));
    assert!(joined || known == BTreeSet::from(NODES), "{known:?}");
    assert_eq!(&report(home), wanted, "the end is that of an undisturbed run");
    let mut client = home.start();
    let outcomes = client.ok("recall_outcomes", json!({"workflow_id": "contract-review"}));
    let [outcome] = &outcomes["outcomes"].as_array().unwrap()[..] else { panic!("{outcomes}") };
    assert_eq!((&outcome["outcome"], &outcome["nodes_succeeded"]), (&json!("success"), &json!(9)), "{outcome}");
    let left = client.ok("list_checkpoints", json!({"run_id": outcome["run_id"]}));
    assert_eq!(left["count"], json!(0), "the checkpoints are gone: {left}");
    let linked = client.request("resources/read", json!({"uri": left["artifacts"][0]["uri"]}));
    let content: Value = serde_json::from_str(text(&linked["result"]["contents"][0], "text")).unwrap();
    assert_eq!(&content, wanted, "the report can be read back");
}

fn undisturbed() -> Value {
    let home = Home::new();
    let said = run(&home, &[]);
    assert!(said.is_success && said.nodes("saved ") == BTreeSet::from(NODES), "{:?}", said.lines);
    let report = report(&home);
    assert_eq!((&report["risk"], &report["minutes"]), (&json!(5), &json!(25)), "{report}");
    assert_eq!(report["issues"].as_array().unwrap().len(), 5);
    report
}

#[test]
fn it_crashes_after_any_node_and_goes_on_from_there() {
    let wanted = undisturbed();
    for count in 1..=NODES.len() {
        let home = Home::new();
        let first = run(&home, &["--crash-after", &count.to_string()]);
        assert!(!first.is_success);
        assert_eq!(first.nodes("saved ").len(), count, "{:?}", first.lines);
        goes_on(&home, &first, &wanted);
    }
}

/// Runs it and has `kill` called once it is in this node. It may come to its end before that is done; then it is done again.
fn interrupted(node: &str, kill: impl Fn(&mut Child)) -> (Home, Said) {
    loop {
        let home = Home::new();
        let said = follow(start(&home, &[]), |child, line| {
            if line.strip_prefix("run ").is_some_and(|rest| rest.trim() == node) {
                kill(child);
            }
        });
        if !said.is_success {
            return (home, said);
        }
    }
}

#[test]
fn it_is_killed_in_any_node_and_goes_on_from_there() {
    let wanted = undisturbed();
    for node in NODES.into_iter().filter(|node| *node != "trunk/join") {
        let (home, first) = interrupted(node, |child| child.kill().unwrap());
        goes_on(&home, &first, &wanted);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn its_server_is_killed_in_any_node_and_it_goes_on_with_the_next() {
    use crate::common::processes;

    let wanted = undisturbed();
    for node in NODES.into_iter().filter(|node| *node != "trunk/join") {
        // It may have come to its end meanwhile; then there is nothing to kill.
        let kill = |child: &mut Child| {
            for server in processes::children_with(child.id(), "serve") {
                drop(Command::new("kill").args(["-9", &server.to_string()]).stderr(Stdio::null()).status());
            }
        };
        let (home, first) = interrupted(node, kill);
        goes_on(&home, &first, &wanted);
    }
}

#[test]
fn it_learns_from_successes_and_failures() {
    let home = Home::new();
    let learned = |said: &Said| said.lines.iter().any(|line| line.starts_with("learned"));
    let successes: Vec<bool> = (0..3).map(|_| learned(&run(&home, &[]))).collect();
    assert_eq!(successes, [false, false, true]);
    let failures: Vec<bool> = (0..2).map(|_| learned(&run(&home, &["--fail", "liability"]))).collect();
    assert_eq!(failures, [false, true]);
    let last = run(&home, &[]);
    let shown = last.lines.join("\n");
    assert!(shown.contains("run contract-review-6): succeeded, 9/9 nodes"), "{shown}");
    assert!(shown.contains("run contract-review-5): failed, 5/9 nodes"), "{shown}");
    assert!(shown.contains("error: liability: the law firm does not answer"), "{shown}");
}

#[test]
fn it_stays_within_what_the_user_grants() {
    let home = Home::with_config("[policy]\n");
    let said = run(&home, &[]);
    assert!(said.is_success, "{:?}", said.lines);
    let linked = said.lines.iter().find(|line| line.starts_with("linked")).unwrap();
    assert!(linked.contains("config.toml"), "the refusal says what to do: {linked}");
    assert_eq!(fs::read_to_string(home.path().join("config.toml")).unwrap(), "[policy]\n");
}
