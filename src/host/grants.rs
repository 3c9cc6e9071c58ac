//! What one procedure may do: its own permissions inside the policy.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    domain::{Host, Permissions, Rules, permissions::command_grant_covers},
    runtime::{Mount, PythonError},
};

/// Every directory that the policy grants.
const EVERY: &str = "*";

/// Which addresses the name of a granted host may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Only those of the public internet: the name is one of many below a granted one.
    Public,
    /// Also those of private networks and of this machine: the policy names this very host.
    Private,
}

/// The policy of the home, narrowed by the permissions of a procedure.
#[derive(Debug, Clone)]
pub struct Grants {
    pub(super) policy: Permissions,
    pub(super) procedure: Option<Permissions>,
    pub(super) rules: Arc<Rules>,
    pub(super) policy_file: PathBuf,
    pub(super) mounts: Vec<Mount>,
}

impl Grants {
    /// Narrows `policy` (with absolute directories) by what the procedure declares. `policy_file` is only named in
    /// messages.
    #[must_use]
    pub fn new(policy: &Permissions, procedure: Option<&Permissions>, policy_file: &Path) -> Self {
        Self {
            policy: policy.clone(),
            procedure: procedure.cloned(),
            rules: Arc::default(),
            policy_file: policy_file.to_owned(),
            mounts: mounts(policy, procedure),
        }
    }

    /// The directories that the code sees.
    #[must_use]
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// Whether there is any host that may be reached.
    #[must_use]
    pub fn reaches_hosts(&self) -> bool {
        !self.policy.network.is_empty() && self.procedure.as_ref().is_none_or(|own| !own.network.is_empty())
    }

    /// Refuses a procedure that declares commands of which the policy gives none: it can't do its work. One that finds
    /// some of its commands may choose among them, so it is started, and checked at each call.
    ///
    /// # Errors
    /// A `PermissionError` that names what is missing.
    pub fn check_declared(&self) -> Result<(), PythonError> {
        let Some(declared) = self.procedure.as_ref().filter(|declared| !declared.commands.is_empty()) else {
            return Ok(());
        };
        let is_granted = |command: &String| {
            let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            self.policy.allows_command(&words)
        };
        if declared.commands.iter().any(is_granted) {
            return Ok(());
        }
        Err(self.missing("the command", &declared.commands.join("` or `"), "commands"))
    }

    /// Whether this command (the program first) may run.
    ///
    /// # Errors
    /// A `PermissionError` that names the missing grant and where it belongs.
    pub fn check_command(&self, command: &[String]) -> Result<(), PythonError> {
        let shown = command.join(" ");
        self.check_command_rules(command, &shown)?;
        if !self.policy.commands.iter().any(|grant| command_grant_covers(grant, command)) {
            let wanted = command.iter().take(2).filter(|word| !word.starts_with('-')).cloned().collect::<Vec<_>>();
            let mut error = self.missing("the command", &wanted.join(" "), "commands");
            if wanted.len() < command.len() {
                error = PythonError::new(&error.kind, format!("{} (called as `{shown}`)", error.message));
            }
            return Err(error);
        }
        match &self.procedure {
            Some(declared) if !declared.allows_command(command) => Err(PythonError::new(
                "PermissionError",
                format!(
                    "the policy grants `{shown}`, but the procedure's own `permissions` do not; add it to their \
                     `commands` with update_procedure"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Whether this tool of this MCP server may be called.
    ///
    /// # Errors
    /// A `PermissionError` that names the missing grant and where it belongs.
    pub fn check_tool(&self, server: &str, tool: &str) -> Result<(), PythonError> {
        self.check_tool_rules(server, tool)?;
        if !self.policy.allows_tool(server, tool) {
            return Err(self.missing("the tool", &format!("{server}/{tool}"), "tools"));
        }
        match &self.procedure {
            Some(declared) if !declared.allows_tool(server, tool) => Err(PythonError::new(
                "PermissionError",
                format!(
                    "the policy grants `{server}/{tool}`, but the procedure's own `permissions` do not; add it to their \
                     `tools` with update_procedure"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Whether this host may be reached at this port, and which addresses it may have. `shown` is the host in messages,
    /// as it would be granted.
    ///
    /// # Errors
    /// A `PermissionError` that names the missing grant and where it belongs.
    pub fn check_host(&self, host: &Host, port: u16, shown: &str) -> Result<Zone, PythonError> {
        self.check_host_rules(host, port, shown)?;
        let mut granted = self.policy.host_grants(host, port).peekable();
        if granted.peek().is_none() {
            return Err(self.missing("the host", shown, "network"));
        }
        match &self.procedure {
            Some(declared) if declared.host_grants(host, port).next().is_none() => Err(PythonError::new(
                "PermissionError",
                format!(
                    "the policy grants `{shown}`, but the procedure's own `permissions` do not; add it to their \
                     `network` with update_procedure"
                ),
            )),
            // What the procedure declares can't make a host private: the policy is the user's, the other the agent's.
            _ if granted.any(|grant| grant.is_exact()) => Ok(Zone::Private),
            _ => Ok(Zone::Public),
        }
    }

    /// The refusal of a host that is granted only together with others, and leads to an address for which that is not
    /// enough.
    pub(super) fn missing_itself(&self, shown: &str, address: &str) -> PythonError {
        let message = itself_wanted(shown, address, "`network`", &self.policy_file);
        PythonError::new("PermissionError", message)
    }

    /// Whether the language model may be asked.
    ///
    /// # Errors
    /// A `PermissionError` that names the missing grant and where it belongs.
    pub fn check_model(&self) -> Result<(), PythonError> {
        let refusal = |message: String| Err(PythonError::new("PermissionError", message));
        if !self.policy.model {
            let file = self.policy_file.display();
            return refusal(format!(
                "asking the model is not granted; the user can set `model = true` under [policy] in {file}"
            ));
        }
        match &self.procedure {
            Some(declared) if !declared.model => refusal(
                "the policy grants asking the model, but the procedure's own `permissions` do not; set `model` to true \
                 in them with update_procedure"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }

    /// The real path of a working directory for a command.
    ///
    /// # Errors
    /// A `PermissionError` or `FileNotFoundError`.
    pub fn check_directory(&self, directory: &str) -> Result<PathBuf, PythonError> {
        let real = fs::canonicalize(directory).ok().filter(|path| path.is_dir()).ok_or_else(|| {
            PythonError::new("FileNotFoundError", format!("`{directory}` is not a directory on this machine"))
        })?;
        if self.mounts.iter().any(|mount| real.starts_with(&mount.path)) {
            Ok(real)
        } else {
            Err(self.missing("the directory", directory, "read"))
        }
    }

    /// Where commands run when they don't say.
    #[must_use]
    pub fn default_directory(&self) -> Option<&Path> {
        self.mounts.first().map(|mount| mount.path.as_path())
    }

    fn missing(&self, what: &str, value: &str, key: &str) -> PythonError {
        let kind = key.trim_end_matches('s');
        let value_of_one = value.split("` or `").next().unwrap_or(value);
        PythonError::new(
            "PermissionError",
            format!(
                "{what} `{value}` is not granted; the user can add it to `{key}` under [policy] in {}, by `repertoire grant \
                 {kind} \"{value_of_one}\"`",
                self.policy_file.display()
            ),
        )
    }
}

/// The refusal of a host that is granted together with others only; `list` is where it would have to stand.
pub(super) fn itself_wanted(shown: &str, address: &str, list: &str, policy_file: &Path) -> String {
    format!(
        "`{shown}` leads to the {address}, which takes a grant of that very host; the user can add `{shown}` to {list} \
         under [policy] in {}",
        policy_file.display()
    )
}

/// The refusal of a name that leads to special addresses; `address` is one, in words.
pub(super) fn no_name_may_have(shown: &str, address: &str) -> String {
    format!(
        "`{shown}` leads to the {address}, which no name may have; if it is meant, the address itself must be called and \
         granted"
    )
}

/// The directories that both sides allow. The sandbox can't show a directory twice, so where one that may only be read
/// meets one that may be written, the latter is shown.
pub(super) fn mounts(policy: &Permissions, procedure: Option<&Permissions>) -> Vec<Mount> {
    let readable: Vec<&String> = policy.read.iter().chain(&policy.write).collect();
    let writable: Vec<&String> = policy.write.iter().collect();
    let (read, write) = match procedure {
        None => (policy.read.iter().map(PathBuf::from).collect(), writable.iter().map(PathBuf::from).collect()),
        Some(declared) => (narrow(&readable, &declared.read), narrow(&writable, &declared.write)),
    };
    let mut mounts: Vec<Mount> = Vec::new();
    let mut write: Vec<PathBuf> = write;
    // An outer folder before one in it that is granted for what other programs execute there.
    write.sort_by_key(|path| path.components().count());
    let grants: Vec<PathBuf> = policy.write.iter().map(PathBuf::from).collect();
    let wanted = write.into_iter().map(|path| (path, true)).chain(read.into_iter().map(|path| (path, false)));
    for (path, writable) in wanted {
        if !mounts.iter().any(|other| other.path.starts_with(&path) || path.starts_with(&other.path)) {
            let is_near = |grant: &&PathBuf| path.starts_with(grant) || grant.starts_with(&path);
            let grants = if writable { grants.iter().filter(is_near).cloned().collect() } else { Vec::new() };
            mounts.push(Mount { path, writable, grants });
        }
    }
    mounts
}

fn narrow(granted: &[&String], declared: &[String]) -> Vec<PathBuf> {
    if declared.iter().any(|directory| directory == EVERY) {
        return granted.iter().map(PathBuf::from).collect();
    }
    let mut narrowed = Vec::new();
    for directory in declared {
        let real = fs::canonicalize(directory).unwrap_or_else(|_| PathBuf::from(directory));
        for grant in granted.iter().map(Path::new) {
            if real.starts_with(grant) {
                narrowed.push(real.clone());
            } else if grant.starts_with(&real) {
                narrowed.push(grant.to_owned());
            }
        }
    }
    narrowed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(commands: &[&str], read: &[&str], write: &[&str]) -> Permissions {
        let own = |list: &[&str]| list.iter().map(|entry| (*entry).to_owned()).collect();
        Permissions { commands: own(commands), read: own(read), write: own(write), ..Permissions::default() }
    }

    fn grants(policy: &Permissions, procedure: Option<&Permissions>) -> Grants {
        Grants::new(policy, procedure, Path::new("config.toml"))
    }

    fn command(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_command_needs_both_sides() {
        let policy = permissions(&["git"], &[], &[]);
        let declared = permissions(&["git status"], &[], &[]);
        let both = grants(&policy, Some(&declared));
        assert!(both.check_command(&command("git status -s")).is_ok());
        assert!(both.check_command(&command("git push")).unwrap_err().message.contains("own `permissions`"));
        assert!(grants(&policy, None).check_command(&command("git push")).is_ok());
        let refusal = grants(&Permissions::default(), None).check_command(&command("git push -f")).unwrap_err();
        assert_eq!(refusal.kind, "PermissionError");
        assert!(refusal.message.contains("`git push` is not granted"), "{}", refusal.message);
        assert!(refusal.message.contains("config.toml"), "{}", refusal.message);
    }

    #[test]
    fn a_tool_needs_both_sides() {
        let tools = |list: &[&str]| Permissions {
            tools: list.iter().map(|grant| (*grant).to_owned()).collect(),
            ..Permissions::default()
        };
        let both = grants(&tools(&["search"]), Some(&tools(&["search/query"])));
        assert!(both.check_tool("search", "query").is_ok());
        assert!(both.check_tool("search", "index").unwrap_err().message.contains("own `permissions`"));
        let refusal = grants(&tools(&["search/query"]), None).check_tool("search", "index").unwrap_err();
        assert_eq!(refusal.kind, "PermissionError");
        assert!(refusal.message.contains("the tool `search/index` is not granted"), "{}", refusal.message);
        assert!(refusal.message.contains("`tools` under [policy] in config.toml"), "{}", refusal.message);
    }

    #[test]
    fn a_host_needs_both_sides_and_its_own_name_for_private_addresses() {
        let network = |list: &[&str]| Permissions {
            network: list.iter().map(|grant| (*grant).to_owned()).collect(),
            ..Permissions::default()
        };
        let check = |policy: &[&str], declared: Option<&[&str]>, host: &str, port: u16| {
            let declared = declared.map(network);
            let host = Host::parse(host).unwrap();
            grants(&network(policy), declared.as_ref()).check_host(&host, port, &host.to_string())
        };
        let policy = ["*.example.org", "nas.example.org:8080", "localhost"];
        assert_eq!(check(&policy, None, "a.example.org", 443), Ok(Zone::Public));
        assert_eq!(check(&policy, None, "nas.example.org", 443), Ok(Zone::Public));
        assert_eq!(check(&policy, None, "nas.example.org", 8080), Ok(Zone::Private));
        assert_eq!(check(&policy, Some(&["a.example.org"]), "a.example.org", 443), Ok(Zone::Public));
        assert_eq!(check(&policy, Some(&["localhost:1"]), "localhost", 1), Ok(Zone::Private));
        let refusal = check(&policy, Some(&["localhost:1"]), "localhost", 2).unwrap_err();
        assert!(refusal.message.contains("own `permissions`"), "{}", refusal.message);
        for host in ["example.org", "127.0.0.1", "[::1]"] {
            let refusal = check(&policy, None, host, 80).unwrap_err();
            assert_eq!(refusal.kind, "PermissionError");
            assert!(refusal.message.contains(&format!("the host `{host}` is not granted")), "{}", refusal.message);
            assert!(refusal.message.contains("`network` under [policy] in config.toml"), "{}", refusal.message);
        }
    }

    #[test]
    fn the_model_needs_both_sides() {
        let model = |model: bool| Permissions { model, ..Permissions::default() };
        assert!(grants(&model(true), None).check_model().is_ok());
        assert!(grants(&model(true), Some(&model(true))).check_model().is_ok());
        let refusal = grants(&model(false), Some(&model(true))).check_model().unwrap_err();
        assert!(refusal.message.contains("`model = true` under [policy] in config.toml"), "{}", refusal.message);
        let refusal = grants(&model(true), Some(&model(false))).check_model().unwrap_err();
        assert!(refusal.message.contains("own `permissions`"), "{}", refusal.message);
    }

    #[test]
    fn a_procedure_is_refused_when_it_gets_none_of_its_commands() {
        let policy = permissions(&["git"], &["/data"], &[]);
        for fits in [permissions(&["git log", "cargo test"], &[], &[]), permissions(&[], &["/etc"], &[])] {
            assert!(grants(&policy, Some(&fits)).check_declared().is_ok());
        }
        let refusal = grants(&policy, Some(&permissions(&["rm", "npm test"], &[], &[]))).check_declared().unwrap_err();
        assert_eq!(refusal.kind, "PermissionError");
        assert!(refusal.message.contains("`rm` or `npm test` is not granted"), "{}", refusal.message);
    }

    #[test]
    fn directories_are_the_overlap_of_both_sides() {
        let policy = permissions(&[], &["/a", "/b"], &["/c"]);
        let paths = |declared: Option<&Permissions>| -> Vec<(String, bool)> {
            let grants = grants(&policy, declared);
            grants.mounts().iter().map(|mount| (mount.path.display().to_string(), mount.writable)).collect()
        };
        assert_eq!(paths(None), [("/c".into(), true), ("/a".into(), false), ("/b".into(), false)]);
        assert_eq!(paths(Some(&permissions(&[], &["/a/x", "/"], &[]))).len(), 3);
        assert_eq!(paths(Some(&permissions(&[], &["/a/x"], &[]))), [("/a/x".into(), false)]);
        assert_eq!(paths(Some(&permissions(&[], &["/c"], &[]))), [("/c".into(), false)]);
        assert_eq!(paths(Some(&Permissions::default())), []);
    }
}
