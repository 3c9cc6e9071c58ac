//! The clients: where each keeps its servers and hooks, on each system, and in which form. Data; a new client is a row.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::edit::{Change, Format};

/// The name of the entry.
pub const SERVER: &str = "repertoire";

/// A family of systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    Linux,
    MacOs,
    Windows,
}

impl System {
    /// The one that this program is for.
    pub const fn this() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

/// What paths begin with.
pub struct Places<'v> {
    pub system: System,
    /// The user's own folder: `~/`.
    pub home: PathBuf,
    /// Where programs keep settings: `%/`. `$XDG_CONFIG_HOME` or `~/.config`, `~/Library/Application Support`, `%APPDATA%`.
    pub settings: PathBuf,
    /// A folder that a variable of the environment names.
    pub variable: &'v dyn Fn(&str) -> Option<PathBuf>,
}

/// Where something lies, by system.
pub struct Place {
    linux: &'static str,
    mac_os: &'static str,
    windows: &'static str,
    /// A variable that moves it, and where it lies in the folder that this names.
    moved: Option<(&'static str, &'static str)>,
}

impl Place {
    /// At the same path everywhere.
    const fn everywhere(path: &'static str) -> Self {
        Self { linux: path, mac_os: path, windows: path, moved: None }
    }

    const fn moved_by(self, variable: &'static str, path: &'static str) -> Self {
        Self { moved: Some((variable, path)), ..self }
    }

    /// The path, where the user has these places.
    pub fn at(&self, places: &Places<'_>) -> PathBuf {
        if let Some((variable, path)) = self.moved
            && let Some(folder) = (places.variable)(variable)
        {
            return folder.join(path);
        }
        let path = match places.system {
            System::Linux => self.linux,
            System::MacOs => self.mac_os,
            System::Windows => self.windows,
        };
        match path.split_once('/') {
            Some(("%", below)) => places.settings.join(below),
            Some(("~", below)) => places.home.join(below),
            _ => places.home.join(path),
        }
    }
}

/// Where a client reads hooks from, and which of its events this program has something to say to.
pub struct Hooks {
    pub user: Place,
    pub project: &'static str,
    pub events: &'static [&'static str],
    /// What the user has to do before they count.
    pub then: Option<&'static str>,
}

/// A client.
pub struct Client {
    pub name: &'static str,
    pub title: &'static str,
    pub format: Format,
    /// The field that has the servers.
    servers: &'static str,
    /// Whether an entry says that its server is a program.
    is_typed: bool,
    pub user: Place,
    /// Below the folder of a project, for a client that looks there.
    pub project: Option<&'static str>,
    /// What is there where the client is.
    sign: Place,
    pub hooks: Option<Hooks>,
    /// What makes it notice.
    pub then: &'static str,
}

/// All of them.
pub const CLIENTS: &[Client] = &[
    Client {
        name: "claude-code",
        title: "Claude Code",
        format: Format::Json,
        servers: "mcpServers",
        is_typed: false,
        user: Place::everywhere("~/.claude.json").moved_by("CLAUDE_CONFIG_DIR", ".claude.json"),
        project: Some(".mcp.json"),
        sign: Place::everywhere("~/.claude").moved_by("CLAUDE_CONFIG_DIR", ""),
        hooks: Some(Hooks {
            user: Place::everywhere("~/.claude/settings.json").moved_by("CLAUDE_CONFIG_DIR", "settings.json"),
            project: ".claude/settings.json",
            events: &["UserPromptSubmit", "PostToolUse", "PostToolUseFailure", "SessionEnd"],
            then: None,
        }),
        then: "it is there in the next session",
    },
    Client {
        name: "claude-desktop",
        title: "Claude Desktop",
        format: Format::Json,
        servers: "mcpServers",
        is_typed: false,
        user: Place::everywhere("%/Claude/claude_desktop_config.json"),
        project: None,
        sign: Place::everywhere("%/Claude"),
        hooks: None,
        then: "quit the app and start it again",
    },
    Client {
        name: "cursor",
        title: "Cursor",
        format: Format::Json,
        servers: "mcpServers",
        is_typed: false,
        user: Place::everywhere("~/.cursor/mcp.json"),
        project: Some(".cursor/mcp.json"),
        sign: Place::everywhere("~/.cursor"),
        hooks: None,
        then: "switch it on under Settings, MCP, where Cursor asks for that",
    },
    Client {
        name: "vscode",
        title: "VS Code",
        format: Format::Json,
        servers: "servers",
        is_typed: true,
        user: Place::everywhere("%/Code/User/mcp.json"),
        project: Some(".vscode/mcp.json"),
        sign: Place::everywhere("%/Code"),
        hooks: None,
        then: "VS Code asks whether you trust it when it starts",
    },
    Client {
        name: "codex",
        title: "Codex",
        format: Format::Toml,
        servers: "mcp_servers",
        is_typed: false,
        user: Place::everywhere("~/.codex/config.toml").moved_by("CODEX_HOME", "config.toml"),
        project: Some(".codex/config.toml"),
        sign: Place::everywhere("~/.codex").moved_by("CODEX_HOME", ""),
        hooks: Some(Hooks {
            user: Place::everywhere("~/.codex/hooks.json").moved_by("CODEX_HOME", "hooks.json"),
            project: ".codex/hooks.json",
            events: &["UserPromptSubmit", "PostToolUse", "Stop"],
            then: Some("Codex asks you to look at the hooks and trust them (`/hooks`)"),
        }),
        then: "it is there in the next session",
    },
    Client {
        name: "gemini-cli",
        title: "Gemini CLI",
        format: Format::Json,
        servers: "mcpServers",
        is_typed: false,
        user: Place::everywhere("~/.gemini/settings.json").moved_by("GEMINI_CLI_HOME", ".gemini/settings.json"),
        project: Some(".gemini/settings.json"),
        sign: Place::everywhere("~/.gemini").moved_by("GEMINI_CLI_HOME", ".gemini"),
        hooks: None,
        then: "it is there in the next session",
    },
    Client {
        name: "windsurf",
        title: "Windsurf",
        format: Format::Json,
        servers: "mcpServers",
        is_typed: false,
        user: Place::everywhere("~/.codeium/windsurf/mcp_config.json"),
        project: None,
        sign: Place::everywhere("~/.codeium/windsurf"),
        hooks: None,
        then: "press refresh in its list of MCP servers",
    },
    Client {
        name: "zed",
        title: "Zed",
        format: Format::Json,
        servers: "context_servers",
        is_typed: false,
        user: Place {
            linux: "%/zed/settings.json",
            mac_os: "~/.config/zed/settings.json",
            windows: "%/Zed/settings.json",
            moved: None,
        },
        project: Some(".zed/settings.json"),
        sign: Place { linux: "%/zed", mac_os: "~/.config/zed", windows: "%/Zed", moved: None },
        hooks: None,
        then: "it is there at once",
    },
];

/// How this program is started.
pub struct Start {
    pub program: String,
    /// What comes before the command: which home, which user.
    pub flags: Vec<String>,
    /// What `serve` is told.
    pub serve: Vec<String>,
}

impl Start {
    fn server(&self) -> Map<String, Value> {
        let arguments: Vec<&String> = self.flags.iter().collect();
        let arguments = arguments.into_iter().map(String::as_str).chain(["serve"]);
        let arguments: Vec<&str> = arguments.chain(self.serve.iter().map(String::as_str)).collect();
        Map::from_iter([("command".to_owned(), json!(self.program)), ("args".to_owned(), json!(arguments))])
    }

    /// A file of servers that has this one alone.
    pub(super) fn servers(&self) -> Value {
        json!({"mcpServers": {SERVER: self.server()}})
    }

    /// The line for a shell that answers a hook.
    fn hook(&self, client: &str, system: System) -> String {
        let words = [self.program.as_str()].into_iter().chain(self.flags.iter().map(String::as_str));
        let words = words.chain(["hook", client]);
        let quote = |word: &str| {
            // A backslash that is not in quotes means something to a shell that came from elsewhere.
            let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
            match system {
                System::Windows if word.chars().all(is_plain) => word.to_owned(),
                System::Windows => format!("\"{word}\""),
                _ => shlex::try_quote(word).map_or_else(|_| word.to_owned(), Into::into),
            }
        };
        words.map(quote).collect::<Vec<_>>().join(" ")
    }
}

/// One element of the hooks of an event.
fn handler(command: &str) -> Value {
    json!({"hooks": [{"type": "command", "command": command}]})
}

impl Client {
    pub fn named(name: &str) -> Option<&'static Self> {
        CLIENTS.iter().find(|client| client.name == name)
    }

    /// Whether the client seems to be there.
    pub fn is_there(&self, places: &Places<'_>) -> bool {
        self.sign.at(places).is_dir() || self.user.at(places).exists()
    }

    /// What its file of servers should have.
    pub fn server(&self, start: &Start) -> Vec<Change> {
        let mut entry = Map::new();
        if self.is_typed {
            entry.insert("type".to_owned(), json!("stdio"));
        }
        entry.extend(start.server());
        vec![Change::Value { keys: vec![self.servers.to_owned(), SERVER.to_owned()], value: Value::Object(entry) }]
    }

    /// What its file of hooks should have.
    pub fn hooks(&self, start: &Start, system: System) -> Vec<Change> {
        let value = handler(&start.hook(self.name, system));
        let events = self.hooks.as_ref().map_or(&[][..], |hooks| hooks.events);
        let change = |event: &&str| Change::Element {
            keys: vec!["hooks".to_owned(), (*event).to_owned()],
            value: value.clone(),
        };
        events.iter().map(change).collect()
    }

    /// The same as a file of its own.
    pub(super) fn hooks_file(&self, start: &Start, system: System) -> Value {
        let element = handler(&start.hook(self.name, system));
        let events = self.hooks.as_ref().map_or(&[][..], |hooks| hooks.events);
        let lists: Map<_, _> = events.iter().map(|event| ((*event).to_owned(), json!([element]))).collect();
        json!({"hooks": lists})
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn places(system: System, settings: &str) -> Places<'static> {
        Places { system, home: "/h".into(), settings: settings.into(), variable: &|_| None }
    }

    #[test]
    fn every_client_has_its_file_on_every_system() {
        let all = |system, settings: &str| -> Vec<String> {
            let places = places(system, settings);
            let path = |client: &Client| format!("{} {}", client.name, client.user.at(&places).display());
            CLIENTS.iter().map(path).map(|line| line.replace('\\', "/")).collect()
        };
        let same = |desktop: &str, vscode: &str, zed: &str| {
            vec![
                "claude-code /h/.claude.json".to_owned(),
                format!("claude-desktop {desktop}"),
                "cursor /h/.cursor/mcp.json".to_owned(),
                format!("vscode {vscode}"),
                "codex /h/.codex/config.toml".to_owned(),
                "gemini-cli /h/.gemini/settings.json".to_owned(),
                "windsurf /h/.codeium/windsurf/mcp_config.json".to_owned(),
                format!("zed {zed}"),
            ]
        };
        let linux = same(
            "/h/.config/Claude/claude_desktop_config.json",
            "/h/.config/Code/User/mcp.json",
            "/h/.config/zed/settings.json",
        );
        assert_eq!(all(System::Linux, "/h/.config"), linux);
        let mac_os = same(
            "/h/Library/Application Support/Claude/claude_desktop_config.json",
            "/h/Library/Application Support/Code/User/mcp.json",
            "/h/.config/zed/settings.json",
        );
        assert_eq!(all(System::MacOs, "/h/Library/Application Support"), mac_os);
        let windows = same(
            "/h/AppData/Roaming/Claude/claude_desktop_config.json",
            "/h/AppData/Roaming/Code/User/mcp.json",
            "/h/AppData/Roaming/Zed/settings.json",
        );
        assert_eq!(all(System::Windows, "/h/AppData/Roaming"), windows);
    }

    #[test]
    fn variables_move_what_they_are_for() {
        let moved = |name: &str, at: &str| {
            let variable = |asked: &str| (asked == name).then(|| PathBuf::from("/moved"));
            let places = Places { variable: &variable, ..places(System::Linux, "/h/.config") };
            Client::named(at).unwrap().user.at(&places)
        };
        assert_eq!(moved("CLAUDE_CONFIG_DIR", "claude-code"), Path::new("/moved/.claude.json"));
        assert_eq!(moved("CODEX_HOME", "codex"), Path::new("/moved/config.toml"));
        assert_eq!(moved("GEMINI_CLI_HOME", "gemini-cli"), Path::new("/moved/.gemini/settings.json"));
        assert_eq!(moved("CODEX_HOME", "cursor"), Path::new("/h/.cursor/mcp.json"));
    }

    #[test]
    fn words_of_a_hook_are_quoted_for_the_shell_of_the_system() {
        let start = Start {
            program: "/opt/my tools/repertoire".to_owned(),
            flags: vec!["--home".to_owned(), "/h/a b".to_owned()],
            serve: Vec::new(),
        };
        let line = "'/opt/my tools/repertoire' --home '/h/a b' hook claude-code";
        assert_eq!(start.hook("claude-code", System::Linux), line);
        let line = "\"/opt/my tools/repertoire\" --home \"/h/a b\" hook claude-code";
        assert_eq!(start.hook("claude-code", System::Windows), line);
    }
}
