//! `repertoire install`, with a home of the user's own in which the clients keep their settings.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{PROGRAM, Protocol, RawClient, clean};

/// A user: home, settings, a project.
struct User {
    folder: TempDir,
}

impl User {
    fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("user of clients ").tempdir().unwrap() }
    }

    fn home(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.home().join(path)
    }

    /// Writes a file, with the folders above it.
    fn write(&self, path: &str, text: &str) -> PathBuf {
        let file = self.path(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = clean(Command::new(PROGRAM));
        let project = self.path("project");
        fs::create_dir_all(&project).unwrap();
        command.env("HOME", self.home()).current_dir(project).arg("install").args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    #[track_caller]
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{error}");
        out.into_owned()
    }

    #[track_caller]
    fn fail(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Everything in a folder but the home of Repertoire: paths, and what is in them.
fn everything(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path.clone());
                found.push((path, Vec::new()));
            } else {
                found.push((path.clone(), fs::read(&path).unwrap()));
            }
        }
    }
    found.retain(|(path, _)| !path.ends_with("clients.json"));
    found.sort();
    found
}

const CLIENTS: [&str; 8] =
    ["claude-code", "claude-desktop", "cursor", "vscode", "codex", "gemini-cli", "windsurf", "zed"];

const FILES: [&str; 8] = [
    ".claude.json",
    ".config/Claude/claude_desktop_config.json",
    ".cursor/mcp.json",
    ".config/Code/User/mcp.json",
    ".codex/config.toml",
    ".gemini/settings.json",
    ".codeium/windsurf/mcp_config.json",
    ".config/zed/settings.json",
];

#[test]
fn every_client_is_connected_and_as_it_was_afterwards() {
    let user = User::new();
    // The home of Repertoire, and the project.
    user.succeed(&["cursor"]);
    user.succeed(&["cursor", "--uninstall"]);
    let before = everything(&user.home());
    for (client, file) in CLIENTS.into_iter().zip(FILES) {
        let shown = user.succeed(&[client, "--dry-run"]);
        assert!(shown.contains("+++ ") && shown.contains(PROGRAM), "{shown}");
        assert_eq!(everything(&user.home()), before, "a dry run of {client} changed something");
        user.succeed(&[client]);
        let text = fs::read_to_string(user.path(file)).unwrap();
        assert!(text.contains(PROGRAM) && text.contains("serve"), "{text}");
        let after = everything(&user.home());
        assert!(user.succeed(&[client]).contains("is set up already"));
        assert_eq!(everything(&user.home()), after, "a second run of {client} changed something");
        user.succeed(&[client, "--uninstall"]);
        assert_eq!(everything(&user.home()), before, "{client} is not as it was");
        assert!(user.succeed(&[client, "--uninstall"]).contains("nothing to take out"));
    }
}

#[test]
fn what_a_client_starts_is_this_server() {
    let user = User::new();
    let home = user.path("a home");
    let arguments =
        ["claude-code", "--home", home.to_str().unwrap(), "--user", "kim", "--no-hooks", "--", "--read-only"];
    user.succeed(&arguments);
    let settings: Value = serde_json::from_str(&fs::read_to_string(user.path(".claude.json")).unwrap()).unwrap();
    let entry = &settings["mcpServers"]["repertoire"];
    let words: Vec<&str> = entry["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words, ["--home", home.to_str().unwrap(), "--user", "kim", "serve", "--read-only"]);
    let mut command = clean(Command::new(entry["command"].as_str().unwrap()));
    command.args(words).env("HOME", user.home());
    let mut client = RawClient::spawn(command);
    client.open(Protocol::V2025);
    client.ok("list_procedures", json!({}));
    assert!(home.join("procedures.git").is_dir());
}

/// Files as people have them; each with a client that reads it.
const ODD: &[(&str, &str)] = &[
    (".cursor/mcp.json", ""),
    (".cursor/mcp.json", "\n"),
    (".cursor/mcp.json", "{}"),
    (".cursor/mcp.json", "{\"mcpServers\":{}}"),
    (".cursor/mcp.json", "{\"mcpServers\":{\"a\":{\"command\":\"a\"}}}"),
    (".cursor/mcp.json", "{\n\t\"mcpServers\": {\n\t\t\"a\": {\"command\": \"a\"}\n\t}\n}"),
    (".cursor/mcp.json", "\u{feff}{\r\n  \"mcpServers\": {\r\n    \"a\": {}\r\n  }\r\n}\r\n"),
    (
        ".cursor/mcp.json",
        "{\n  \"mcpServers\": {\n    \"repertoire\": {\"command\": \"old\", \"env\": {\"A\": \"b\"}}\n  }\n}\n",
    ),
    (".cursor/mcp.json", "{\n  \"mcpServers\": {\n    \"repertoire\": {\"url\": \"http://127.0.0.1:1\"}\n  }\n}\n"),
    (".config/Code/User/mcp.json", "{\n    // mine\n    \"servers\": {},\n    \"inputs\": [],\n}\n"),
    (
        ".config/Code/User/mcp.json",
        "{\n    \"servers\": {\n        \"a\": {}, // first\n        /* last */\n    }\n}\n",
    ),
    (".config/zed/settings.json", "// Zed settings\n//\n{\n  \"theme\": \"One\", // dark\n}\n"),
    (
        ".config/zed/settings.json",
        "{\n  \"context_servers\": {\n    \"a\": {\n      \"command\": \"a\", // why\n    },\n  },\n}\n",
    ),
    (".gemini/settings.json", "{\n  \"mcpServers\": {\n  }\n}\n\n\n"),
    (
        ".claude.json",
        "{\n  \"numStartups\": 12345678901234567890,\n  \"projects\": {\"/a b\": {\"mcpServers\": {}}}\n}",
    ),
    (".codex/config.toml", "# mine\nmodel = \"x\""),
    (".codex/config.toml", "model = \"x\"\r\n\r\n[mcp_servers.a]\r\ncommand = 'a'\r\n"),
    (".codex/config.toml", "mcp_servers = { a = { command = \"a\" } }\n\n[tui]\n"),
    (
        ".codex/config.toml",
        "[mcp_servers.repertoire]\ncommand = \"old\" # by hand\n\n[mcp_servers.repertoire.env]\nA = 'b'\n",
    ),
    (".codex/config.toml", "[projects.\"/a b\"]\ntrust_level = \"trusted\"\n\n\n"),
    (".codeium/windsurf/mcp_config.json", "{ }\n"),
];

fn client_of(file: &str) -> &'static str {
    CLIENTS[FILES.iter().position(|known| *known == file).unwrap()]
}

#[test]
fn odd_files_are_edited_and_restored_to_the_byte() {
    let user = User::new();
    for (path, text) in ODD {
        let file = user.write(path, text);
        let client = client_of(path);
        user.succeed(&[client, "--no-hooks"]);
        let after = fs::read_to_string(&file).unwrap();
        assert!(after.contains(PROGRAM), "{after}");
        assert!(user.succeed(&[client, "--no-hooks"]).contains("is set up already"));
        assert_eq!(fs::read_to_string(&file).unwrap(), after);
        let copy = file.with_file_name(format!("{}.before-repertoire", file.file_name().unwrap().to_str().unwrap()));
        assert_eq!(fs::read_to_string(&copy).unwrap(), *text, "the copy of {path}");
        user.succeed(&[client, "--uninstall", "--no-hooks"]);
        assert_eq!(fs::read_to_string(&file).unwrap(), *text, "{path} by way of\n{after}");
        assert!(!copy.exists(), "a copy of what is there again is left");
    }
}

#[test]
fn what_can_not_be_edited_safely_is_left_as_it_is() {
    let user = User::new();
    let invalid = user.write(".cursor/mcp.json", "{\n  \"mcpServers\": {\n");
    let error = user.fail(&["cursor"]);
    assert!(error.contains("was left as it is: it is no valid JSON") && error.contains("hint"), "{error}");
    assert_eq!(fs::read_to_string(&invalid).unwrap(), "{\n  \"mcpServers\": {\n");
    fs::write(&invalid, b"\xff\xfe{\0}\0").unwrap();
    assert!(user.fail(&["cursor"]).contains("it is no UTF-8 text"));
    fs::write(&invalid, "{\"mcpServers\": []}").unwrap();
    assert!(user.fail(&["cursor"]).contains("`mcpServers` in it is no object"));
    user.write(".codex/config.toml", "model = \n");
    assert!(user.fail(&["codex"]).contains("no valid TOML"));
    user.write(".codex/config.toml", "[mcp_servers.repertoire]\nurl = 'http://127.0.0.1:1'\n");
    assert!(user.fail(&["codex"]).contains("`mcp_servers.repertoire"));
    let file = user.write(".codeium/windsurf/mcp_config.json", "{}");
    let mut rights = fs::metadata(&file).unwrap().permissions();
    rights.set_readonly(true);
    fs::set_permissions(&file, rights).unwrap();
    assert!(user.fail(&["windsurf"]).contains("it is read-only"));
    fs::create_dir_all(user.path(".gemini/settings.json")).unwrap();
    assert!(user.fail(&["gemini-cli"]).contains("can't be read"));
    for copies in everything(&user.home()) {
        assert!(!copies.0.to_string_lossy().contains("before-repertoire"), "{copies:?}");
    }
    assert!(user.fail(&["windsurf", "--scope", "project"]).contains("has no settings of projects"));
    assert!(user.fail(&["zed", "--hooks"]).contains("has no hooks"));
}

#[test]
fn links_stay_and_rights_are_kept() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let user = User::new();
    let real = user.write("dot files/cursor.json", "{\n  \"a\": 1\n}");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir_all(user.path(".cursor")).unwrap();
    let link = user.path(".cursor/mcp.json");
    symlink("../dot files/cursor.json", &link).unwrap();
    user.succeed(&["cursor"]);
    assert!(link.is_symlink() && fs::read_to_string(&real).unwrap().contains(PROGRAM));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    let copy = user.path(".cursor/mcp.json.before-repertoire");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o640);
    user.succeed(&["cursor", "--uninstall"]);
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), "{\n  \"a\": 1\n}");
    fs::remove_file(&real).unwrap();
    assert!(user.fail(&["cursor"]).contains("can't be read"), "a link that leads nowhere");
}

#[test]
fn what_the_user_changes_in_between_stays_and_copies_are_never_written_over() {
    let user = User::new();
    let file = user.write(".cursor/mcp.json", "{\n  \"mcpServers\": {\n    \"a\": {}\n  }\n}\n");
    let kept = user.write(".cursor/mcp.json.before-repertoire", "somebody's own");
    user.succeed(&["cursor"]);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "somebody's own");
    assert!(user.path(".cursor/mcp.json.before-repertoire-2").exists());
    let mine = |text: String| text.replace("\"a\": {}", "\"a\": {\"command\": \"new\"}") + "// mine\n";
    fs::write(&file, mine(fs::read_to_string(&file).unwrap())).unwrap();
    user.succeed(&["cursor", "--uninstall"]);
    let expected = mine("{\n  \"mcpServers\": {\n    \"a\": {}\n  }\n}\n".to_owned());
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    assert!(user.path(".cursor/mcp.json.before-repertoire-2").exists(), "the copy is the only one of that");

    // Without the record it is found by what it says.
    user.succeed(&["cursor"]);
    fs::remove_file(user.path(".local/share/repertoire/clients.json")).unwrap();
    user.succeed(&["cursor", "--uninstall"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
}

#[test]
fn hooks_are_put_in_when_asked_for_and_follow_the_program() {
    let user = User::new();
    let text = "{\n  \"hooks\": {\n    \"PostToolUse\": [{\"matcher\": \"Bash\", \"hooks\": []}]\n  }\n}\n";
    let file = user.write(".claude/settings.json", text);
    assert!(user.succeed(&["claude-code"]).contains("With `--hooks`"));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    user.succeed(&["claude-code", "--hooks"]);
    let settings: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(settings["hooks"]["PostToolUse"].as_array().unwrap().len(), 2);
    let line = settings["hooks"]["SessionEnd"][0]["hooks"][0]["command"].as_str().unwrap();
    // The line does what a hook does, in a shell.
    let mut shell = clean(Command::new("sh"));
    let event = "echo '{\"hook_event_name\": \"SessionEnd\", \"session_id\": \"s\"}' | ";
    let output = shell.args(["-c", &format!("{event}{line}")]).env("HOME", user.home()).output().unwrap();
    assert!(output.status.success(), "{output:?}");

    // At another place, the old hooks go.
    let place = user.path("other tools");
    fs::create_dir_all(&place).unwrap();
    fs::copy(PROGRAM, place.join("repertoire")).unwrap();
    let mut moved = clean(Command::new(place.join("repertoire")));
    moved.env("HOME", user.home()).current_dir(user.home()).args(["install", "claude-code", "--hooks"]);
    assert!(moved.output().unwrap().status.success());
    let after = fs::read_to_string(&file).unwrap();
    assert_eq!(after.matches("hook claude-code").count(), 4, "{after}");
    assert!(after.contains("other tools") && !after.contains(PROGRAM), "{after}");
    user.succeed(&["claude-code", "--uninstall"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert!(!user.path(".claude.json").exists());

    user.succeed(&["codex", "--hooks"]);
    let hooks: Value = serde_json::from_str(&fs::read_to_string(user.path(".codex/hooks.json")).unwrap()).unwrap();
    assert_eq!(
        hooks["hooks"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["UserPromptSubmit", "PostToolUse", "Stop"]
    );
    user.succeed(&["codex", "--uninstall"]);
    assert!(!user.path(".codex").exists());
}

#[test]
fn a_project_has_settings_of_its_own() {
    let user = User::new();
    let files = [
        ("claude-code", ".mcp.json"),
        ("cursor", ".cursor/mcp.json"),
        ("vscode", ".vscode/mcp.json"),
        ("codex", ".codex/config.toml"),
        ("gemini-cli", ".gemini/settings.json"),
        ("zed", ".zed/settings.json"),
    ];
    for (client, file) in files {
        user.succeed(&[client, "--scope", "project"]);
        let file = user.path("project").join(file);
        assert!(fs::read_to_string(&file).unwrap().contains(PROGRAM));
        user.succeed(&[client, "--scope", "project", "--uninstall"]);
        assert!(!file.exists());
    }
    assert_eq!(fs::read_dir(user.path("project")).unwrap().count(), 0);
}

#[test]
fn without_a_client_those_that_are_there_are_named() {
    let user = User::new();
    assert!(user.fail(&[]).contains("no client was found here"));
    fs::create_dir_all(user.path(".cursor")).unwrap();
    user.write(".codex/config.toml", "");
    let listed = user.succeed(&[]);
    assert!(listed.contains("repertoire install CLIENT"), "{listed}");
    let found: Vec<&str> = CLIENTS.into_iter().filter(|client| listed.contains(&format!("\n{client} "))).collect();
    assert_eq!(found, ["cursor", "codex"], "{listed}");
}

#[test]
fn a_plugin_has_server_hooks_and_skill() {
    let user = User::new();
    let folder = user.path("a plugin");
    let arguments = ["claude-code", "--plugin", folder.to_str().unwrap()];
    user.succeed(&arguments);
    let json = |path: &str| -> Value { serde_json::from_str(&fs::read_to_string(folder.join(path)).unwrap()).unwrap() };
    assert_eq!(json(".claude-plugin/plugin.json")["name"], "repertoire");
    assert_eq!(json(".mcp.json")["mcpServers"]["repertoire"]["args"][0], "serve");
    assert!(json("hooks/hooks.json")["hooks"]["UserPromptSubmit"][0]["hooks"][0]["command"].is_string());
    let skill = fs::read_to_string(folder.join("skills/procedural-memory/SKILL.md")).unwrap();
    assert!(skill.starts_with("---\nname: procedural-memory\ndescription: "));
    assert!(user.succeed(&arguments).contains("has the plugin already"));
    fs::write(folder.join("mine"), "").unwrap();
    fs::write(folder.join(".mcp.json"), "{}").unwrap();
    assert!(user.fail(&arguments).contains("has other things in it"));
    assert!(user.fail(&["codex", "--plugin", "x"]).contains("plugins are for Claude Code"));
}
