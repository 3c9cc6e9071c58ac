//! What a call lacks that a person could grant, and what they read when they are asked for it.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{
    action::GateRequest,
    function::GrantKind,
    grants::{Grants, mounts},
    held::{Target, shown_lines},
};
use crate::domain::{Extent, GateKind, Permissions, offer::grant_of, visible_line};

/// The grants that a call lacks, where it is made with them: what a rule denies, or the procedure's own permissions leave out,
/// no grant helps.
pub fn of(kind: GrantKind, arguments: &Map<String, Value>, grants: &Grants) -> Option<Permissions> {
    let target = Target::of(kind, arguments)?;
    let directory = arguments.get("cwd").and_then(Value::as_str).filter(|_| kind == GrantKind::Command);
    let mut missing = Permissions::default();
    if !is_allowed(&target, grants) {
        match &target {
            Target::Command(words) => missing.commands = grants.commands_to_ask_for(words)?,
            Target::Tool { server, tool } => missing.tools.push(format!("{server}/{tool}")),
            Target::Host { host, port, .. } => missing.network.push(format!("{host}:{port}")),
        }
    }
    if let Some(directory) = directory.filter(|directory| grants.check_directory(directory).is_err()) {
        missing.read.push(directory_to_ask_for(directory, grants.home())?.to_str()?.to_owned());
    }
    if missing.is_empty() {
        return None;
    }
    let with = grants.with(&missing);
    let is_enough =
        is_allowed(&target, &with) && directory.is_none_or(|directory| with.check_directory(directory).is_ok());
    is_enough.then_some(missing)
}

impl Grants {
    /// The same, with more that the user grants.
    #[must_use]
    pub fn with(&self, more: &Permissions) -> Self {
        let mut policy = self.policy.clone();
        // A folder is shown once: with what is around it.
        policy.read.retain(|inner| !more.read.iter().any(|outer| Path::new(inner).starts_with(outer)));
        let policy = policy.with(more);
        let mounts = mounts(&policy, self.procedure.as_ref());
        Self { policy, mounts, ..self.clone() }
    }

    /// The folder of the policy.
    fn home(&self) -> &Path {
        self.policy_file.parent().unwrap_or(&self.policy_file)
    }

    /// The grants to ask for where a command is not granted: all that the procedure declares and has not got, or the command
    /// itself where it declares nothing.
    fn commands_to_ask_for(&self, command: &[String]) -> Option<Vec<String>> {
        let Some(declared) = &self.procedure else { return grant_of(command).map(|grant| vec![grant]) };
        let is_missing = |grant: &&String| {
            let words: Vec<String> = grant.split_whitespace().map(str::to_owned).collect();
            !self.policy.allows_command(&words)
        };
        declared.allows_command(command).then(|| declared.commands.iter().filter(is_missing).cloned().collect())
    }
}

fn is_allowed(target: &Target, grants: &Grants) -> bool {
    match target {
        Target::Command(words) => grants.check_command(words).is_ok(),
        Target::Tool { server, tool } => grants.check_tool(server, tool).is_ok(),
        Target::Host { host, port, .. } => grants.check_host(host, *port, "").is_ok(),
    }
}

/// A folder that is there, as it is really called; never one that holds or lies in the home, which has the policy.
fn directory_to_ask_for(directory: &str, home: &Path) -> Option<PathBuf> {
    let real = std::fs::canonicalize(directory).ok().filter(|path| path.is_dir())?;
    let home = std::fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
    (!real.starts_with(&home) && !home.starts_with(&real)).then_some(real)
}

/// What is asked about a call of `function` that lacks `missing`. `arguments` are as people may see them.
pub fn request(procedure: &str, function: &str, missing: &Permissions, arguments: &Map<String, Value>) -> GateRequest {
    let Permissions { commands, read, tools, network, .. } = missing;
    let command = arguments.get("command").and_then(Value::as_array).map(|words| {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        format!("run `{}`", visible_line(&words.join(" ")))
    });
    let mut wants: Vec<String> = Vec::new();
    if !commands.is_empty() {
        wants.push(format!("run {}", listed(commands)));
    } else if !read.is_empty() {
        wants.extend(command);
    }
    wants.extend((!tools.is_empty()).then(|| format!("call the tool {}", listed(tools))));
    wants.extend((!network.is_empty()).then(|| format!("reach {}", listed(network))));
    let place = match (read.first(), arguments.get("cwd").and_then(Value::as_str)) {
        (Some(folder), _) => format!(" in `{}`, and read that folder", visible_line(folder)),
        (None, Some(folder)) => format!(" in `{}`", visible_line(folder)),
        (None, None) => String::new(),
    };
    let question = format!(
        "`{procedure}` wants to {}{place}\nThe policy does not grant that yet.\n  call = {function}{}",
        wants.join(" and "),
        shown_lines(arguments)
    );
    let choices = Extent::offered(missing).iter().map(|extent| extent.as_str().to_owned()).collect();
    GateRequest { kind: GateKind::Approval, question, choices, timeout: None, optional: false }
}

/// Entries as a sentence has them.
fn listed(entries: &[String]) -> String {
    let quoted: Vec<String> = entries.iter().map(|entry| format!("`{}`", visible_line(entry))).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::domain::{Rule, Rules};

    fn list(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|entry| (*entry).to_owned()).collect()
    }

    fn commands(entries: &[&str]) -> Permissions {
        Permissions { commands: list(entries), ..Permissions::default() }
    }

    fn missing(grants: &Grants, words: &[&str]) -> Option<Vec<String>> {
        let Value::Object(arguments) = json!({"command": words}) else { panic!("no object") };
        of(GrantKind::Command, &arguments, grants).map(|missing| missing.commands)
    }

    #[test]
    fn what_the_procedure_declares_is_asked_for_together_and_nothing_beside_it() {
        let file = Path::new("/nonexistent/config.toml");
        let declared = commands(&["git status", "git diff"]);
        let grants = Grants::new(&Permissions::default(), Some(&declared), file);
        assert_eq!(missing(&grants, &["git", "status", "-s"]), Some(list(&["git status", "git diff"])));
        assert_eq!(missing(&grants, &["git", "push"]), None);
        let grants = Grants::new(&commands(&["git diff"]), Some(&declared), file);
        assert_eq!(missing(&grants, &["git", "status"]), Some(list(&["git status"])));
        assert_eq!(missing(&grants, &["git", "diff"]), None);
        let deny = vec![Rule::parse("git push").unwrap()];
        let grants = Grants::new(&Permissions::default(), None, file).under(Arc::new(Rules { deny, ask: Vec::new() }));
        assert_eq!(missing(&grants, &["git", "push"]), None);
        assert_eq!(missing(&grants, &["git", "log"]), Some(list(&["git log"])));
    }

    #[test]
    fn the_folder_of_a_command_is_asked_for_unless_it_is_about_the_home() {
        let folder = tempfile::tempdir().unwrap();
        let (home, work) = (folder.path().join("home"), folder.path().join("work"));
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(&work).unwrap();
        let grants = Grants::new(&commands(&["git"]), None, &home.join("config.toml"));
        let read = |folder: &Path| {
            let Value::Object(arguments) = json!({"command": ["git"], "cwd": folder}) else { panic!("no object") };
            of(GrantKind::Command, &arguments, &grants).map(|missing| missing.read)
        };
        let real = work.canonicalize().unwrap().to_string_lossy().into_owned();
        assert_eq!(read(&work), Some(vec![real]));
        assert_eq!((read(&home), read(folder.path()), read(&folder.path().join("no"))), (None, None, None));
    }

    #[test]
    fn the_question_says_who_wants_what_and_where() {
        let arguments = json!({"command": ["git", "status"], "cwd": "/srv/app"});
        let question = |missing: &Permissions| {
            let request = request("changes", "run_command", missing, arguments.as_object().unwrap());
            (request.question.lines().next().unwrap().to_owned(), request.choices.len())
        };
        let all = Permissions { read: list(&["/srv/app"]), ..commands(&["git status", "git diff"]) };
        let said = "`changes` wants to run `git status` and `git diff` in `/srv/app`, and read that folder";
        assert_eq!(question(&all), (said.to_owned(), 3));
        let folder = Permissions { read: list(&["/srv/app"]), ..Permissions::default() };
        assert_eq!(question(&folder).0, "`changes` wants to run `git status` in `/srv/app`, and read that folder");
        assert_eq!(question(&commands(&["sh"])), ("`changes` wants to run `sh` in `/srv/app`".to_owned(), 1));
    }
}
