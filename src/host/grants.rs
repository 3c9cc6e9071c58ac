//! What one procedure may do: its own permissions inside the policy.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    domain::{Permissions, permissions::command_grant_covers},
    sandbox::{Mount, PythonError},
};

/// Every directory that the policy grants.
const EVERY: &str = "*";

/// The policy of the home, narrowed by the permissions of a procedure.
#[derive(Debug, Clone)]
pub struct Grants {
    policy: Permissions,
    procedure: Option<Permissions>,
    policy_file: PathBuf,
    mounts: Vec<Mount>,
}

impl Grants {
    /// Narrows `policy` (with absolute directories) by what the procedure declares. `policy_file` is only named in
    /// messages.
    #[must_use]
    pub fn new(policy: &Permissions, procedure: Option<&Permissions>, policy_file: &Path) -> Self {
        Self {
            policy: policy.clone(),
            procedure: procedure.cloned(),
            policy_file: policy_file.to_owned(),
            mounts: mounts(policy, procedure),
        }
    }

    /// The directories that the code sees.
    #[must_use]
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
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
        PythonError::new(
            "PermissionError",
            format!(
                "{what} `{value}` is not granted; the user can add it to `{key}` under [policy] in {}",
                self.policy_file.display()
            ),
        )
    }
}

/// The directories that both sides allow. The sandbox can't show a directory twice, so where one that may only be read
/// meets one that may be written, the latter is shown.
fn mounts(policy: &Permissions, procedure: Option<&Permissions>) -> Vec<Mount> {
    let readable: Vec<&String> = policy.read.iter().chain(&policy.write).collect();
    let writable: Vec<&String> = policy.write.iter().collect();
    let (read, write) = match procedure {
        None => (policy.read.iter().map(PathBuf::from).collect(), writable.iter().map(PathBuf::from).collect()),
        Some(declared) => (narrow(&readable, &declared.read), narrow(&writable, &declared.write)),
    };
    let mut mounts: Vec<Mount> = Vec::new();
    let wanted = write.into_iter().map(|path| (path, true)).chain(read.into_iter().map(|path| (path, false)));
    for (path, writable) in wanted {
        if !mounts.iter().any(|other| other.path.starts_with(&path) || path.starts_with(&other.path)) {
            mounts.push(Mount { path, writable });
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
        Permissions { commands: own(commands), read: own(read), write: own(write) }
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
