//! `repertoire daemon install | status | uninstall`: what the system's service manager is given. Nothing of this machine is
//! touched: the tests have folders and a service manager of their own.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::common::{Home, has_program, processes};

/// A user with a home and a service manager that notes what it is asked.
struct Desk {
    home: Home,
    settings: PathBuf,
    programs: PathBuf,
    notes: PathBuf,
}

impl Desk {
    /// `answer`: what `systemctl` does after it has noted its arguments; `None`: there is none.
    fn new(answer: Option<&str>) -> Self {
        let home = Home::new();
        let (settings, programs) = (home.beside("settings"), home.beside("programs"));
        let notes = home.beside("files").join("notes");
        if let Some(answer) = answer {
            let script = format!("#!/bin/sh\necho \"$@\" >> '{}'\n{answer}\n", notes.display());
            let path = programs.join("systemctl");
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { home, settings, programs, notes }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(&["--user", "ada", "daemon"]);
        command.env("XDG_CONFIG_HOME", &self.settings).env("PATH", &self.programs).args(arguments);
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        succeeded(self.command(arguments).output().unwrap())
    }

    fn units(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.settings.join("systemd/user")).into_iter().flatten().flatten();
        let mut units: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        units.sort();
        units
    }

    /// What the service manager was asked since the last time.
    fn asked(&self) -> Vec<String> {
        let notes = fs::read_to_string(&self.notes).unwrap_or_default();
        let _ = fs::remove_file(&self.notes);
        notes.lines().map(str::to_owned).collect()
    }
}

#[track_caller]
fn succeeded(output: Output) -> String {
    let (out, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{out}{error}");
    out
}

/// What a reader of the format makes of a text, as JSON. None where Python is missing.
fn read_by_python(program: &str, text: &str) -> Option<Value> {
    if !has_program("python3") {
        return None;
    }
    use std::io::Write as _;
    let mut child =
        Command::new("python3").args(["-c", program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Some(serde_json::from_str(&succeeded(child.wait_with_output().unwrap())).unwrap())
}

#[track_caller]
fn verify(unit: &Path) {
    if !has_program("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--user"]).arg(unit).env("HOME", folder.path()).env("XDG_RUNTIME_DIR", folder.path());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // Of other units of the machine there may be things to say, too.
    let name = unit.file_name().unwrap().to_str().unwrap();
    assert!(output.status.success() && !said.contains(name), "{said}\n{}", fs::read_to_string(unit).unwrap());
}

#[test]
fn installing_writes_a_unit_that_systemd_accepts_and_enables_it() {
    let desk = Desk::new(Some("test \"$2\" = is-active && echo active; exit 0"));
    let home = desk.home.path();
    assert!(desk.run(&["status"]).contains("Not installed"));
    let said = desk.run(&["install"]);
    let [unit] = &desk.units()[..] else { panic!("{:?}", desk.units()) };
    assert!(unit.ends_with("systemd/user/repertoire.service") && said.contains(unit.to_str().unwrap()), "{said}");
    assert!(said.contains("The daemon runs") && said.contains("enable-linger"), "{said}");
    verify(unit);
    let text = fs::read_to_string(unit).unwrap();
    let start = format!("\"--home\" \"{}\" \"--user\" \"ada\" \"daemon\"\n", home.display());
    assert!(text.contains(&start) && text.contains(&format!("\"PATH={}\"", desk.programs.display())), "{text}");
    assert_eq!(desk.asked(), ["--user daemon-reload", "--user enable --now repertoire.service"]);
    // Again: the same unit, and what runs is started anew.
    desk.run(&["install"]);
    assert_eq!(desk.units().len(), 1);
    assert_eq!(desk.asked().last().unwrap(), "--user restart repertoire.service");
    let said = desk.run(&["status"]);
    assert!(said.contains(unit.to_str().unwrap()) && said.contains("systemctl: active"), "{said}");
    desk.asked();
    let said = desk.run(&["uninstall"]);
    assert!(said.contains("Removed") && desk.units().is_empty(), "{said}");
    assert_eq!(desk.asked(), ["--user disable --now repertoire.service", "--user daemon-reload"]);
    assert!(desk.run(&["uninstall"]).contains("No daemon is installed"));
    assert!(desk.asked().is_empty());
}

#[test]
fn each_home_tenant_and_user_has_a_service_of_its_own() {
    let desk = Desk::new(Some(""));
    desk.run(&["install"]);
    desk.run(&["--tenant", "acme", "install"]);
    let another = desk.home.beside("another 100% $HOME home");
    let mut other = crate::common::clean(Command::new(crate::common::PROGRAM));
    other.arg("--home").arg(another).args(["--user", "ada", "daemon", "install"]);
    succeeded(other.env("XDG_CONFIG_HOME", &desk.settings).env("PATH", &desk.programs).output().unwrap());
    let units = desk.units();
    assert_eq!(units.len(), 3, "{units:?}");
    units.iter().for_each(|unit| verify(unit));
    let all: String = units.iter().map(|unit| fs::read_to_string(unit).unwrap()).collect();
    assert!(all.contains("another 100%% $$HOME home\"") && all.contains("\"--tenant\" \"acme\" \"daemon\""), "{all}");
    desk.run(&["--tenant", "acme", "uninstall"]);
    assert_eq!(desk.units().len(), 2);
    assert!(desk.run(&["status"]).contains("Installed"));
    assert!(desk.run(&["--tenant", "acme", "status"]).contains("Not installed"));
}

#[test]
fn what_installing_can_not_do_it_tells_the_commands_for() {
    let desk = Desk::new(None);
    let said = desk.run(&["install"]);
    assert_eq!(desk.units().len(), 1);
    assert!(said.contains("It was not started: there is no `systemctl` here"), "{said}");
    for command in ["systemctl --user daemon-reload", "systemctl --user enable --now repertoire.service"] {
        assert!(said.contains(command), "{said}");
    }
    let said = desk.run(&["uninstall"]);
    assert!(desk.units().is_empty() && said.contains("systemctl --user disable --now repertoire.service"), "{said}");
    let desk = Desk::new(Some(
        "test \"$2\" = daemon-reload && exit 0\necho 'Failed to connect to bus: no medium' >&2; exit 1",
    ));
    let said = desk.run(&["install"]);
    assert!(said.contains("It was not started: Failed to connect to bus") && !said.contains("daemon-reload"), "{said}");
    assert!(said.contains("systemctl --user enable --now repertoire.service"), "{said}");
    // What would keep the daemon from starting keeps it from being installed.
    let desk = Desk::new(Some(""));
    desk.home.configure("[limits]\nseconds = 0\n");
    let output = desk.command(&["install"]).output().unwrap();
    assert!(!output.status.success() && desk.units().is_empty());
}

#[test]
fn an_agent_for_launchd_is_one_that_readers_of_property_lists_accept() {
    let desk = Desk::new(None);
    let text = desk.run(&["install", "--print=launchd"]);
    assert!(desk.units().is_empty(), "it was only printed");
    let program = "import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";
    let Some(agent) = read_by_python(program, &text) else { return };
    let home = desk.home.path().display().to_string();
    let words = agent["ProgramArguments"].as_array().unwrap();
    assert!(words[0].as_str().unwrap().ends_with("repertoire"), "{agent}");
    assert_eq!(words[1..], [json!("--home"), json!(home), json!("--user"), json!("ada"), json!("daemon")]);
    assert_eq!((&agent["Label"], &agent["RunAtLoad"]), (&json!("repertoire"), &json!(true)));
    assert_eq!(agent["KeepAlive"], json!({"SuccessfulExit": false}));
    assert_eq!(agent["EnvironmentVariables"]["PATH"], json!(desk.programs.display().to_string()));
    assert!(agent["StandardErrorPath"].as_str().unwrap().ends_with("Library/Logs/repertoire.log"), "{agent}");
}

#[test]
fn a_task_for_windows_is_xml_with_the_command_in_its_place() {
    let desk = Desk::new(None);
    let text = desk.run(&["install", "--print=task-scheduler"]);
    let program = "import json, sys, xml.etree.ElementTree as tree\n\
                   task = tree.fromstring(sys.stdin.buffer.read())\n\
                   print(json.dumps({node.tag.split('}')[1]: node.text for node in task.iter()}))";
    let Some(task) = read_by_python(program, &text) else { return };
    assert!(task["Command"].as_str().unwrap().ends_with("repertoire"), "{task}");
    let expected = format!("--home \"{}\" --user ada daemon", desk.home.path().display());
    assert_eq!(task["Arguments"], json!(expected));
    assert_eq!((&task["ExecutionTimeLimit"], &task["MultipleInstancesPolicy"]), (&json!("PT0S"), &json!("IgnoreNew")));
    let unit = desk.run(&["install", "--print"]);
    assert!(unit.contains("[Service]") && unit == desk.run(&["install", "--print=systemd"]), "{unit}");
}

/// What the unit says is started as it is said, by something that reads it as systemd does.
#[test]
fn the_command_of_the_unit_is_a_daemon_of_that_home() {
    let desk = Desk::new(None);
    let unit = desk.run(&["install", "--print"]);
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let words = shlex::split(&line.replace("%%", "%").replace("$$", "\\$")).unwrap();
    let mut command = crate::common::clean(Command::new(&words[0]));
    command.args(&words[1..]);
    let mut daemon = crate::common::RawClient::spawn(command);
    crate::common::eventually("it keeps the home", || {
        daemon.log().contains("keeping") && daemon.log().contains("ada") && desk.home.path().join("sessions").exists()
    });
    processes::signal(daemon.process_id(), "TERM");
    assert!(daemon.wait_for_exit(crate::common::PATIENCE).success());
}
