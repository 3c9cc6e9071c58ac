//! How far a grant goes that a person gives when a run lacks it, and what they are never offered for good.

use super::Permissions;

/// How far a grant goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// For the rest of the run.
    Once,
    /// For the procedure that lacks it, in all its runs.
    Procedure,
    /// For every procedure.
    Always,
}

/// What is said to refuse.
pub const NO: &str = "no";

/// Programs that are offered for one run alone: a grant of what executes any code, or with other rights, is a grant of
/// everything. Whoever wants that for good writes it into the policy themselves.
const NEVER_FOR_GOOD: &[&str] = &[
    // Shells.
    "ash",
    "bash",
    "cmd",
    "csh",
    "dash",
    "elvish",
    "fish",
    "ksh",
    "mksh",
    "nu",
    "powershell",
    "pwsh",
    "sh",
    "tcsh",
    "xonsh",
    "zsh",
    // Interpreters.
    "awk",
    "bun",
    "deno",
    "gawk",
    "ipython",
    "java",
    "julia",
    "lua",
    "luajit",
    "node",
    "nodejs",
    "osascript",
    "perl",
    "php",
    "pypy",
    "python",
    "r",
    "rscript",
    "ruby",
    "tclsh",
    "uv",
    "uvx",
    "npx",
    "bunx",
    "pipx",
    // Other rights.
    "doas",
    "pkexec",
    "runas",
    "setpriv",
    "su",
    "sudo",
    "systemd-run",
    // Programs that execute what they are given.
    "busybox",
    "docker",
    "env",
    "eval",
    "exec",
    "find",
    "nice",
    "nohup",
    "parallel",
    "podman",
    "setsid",
    "ssh",
    "stdbuf",
    "strace",
    "time",
    "timeout",
    "watch",
    "xargs",
];

impl Extent {
    /// In the words of the question.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Procedure => "always for this procedure",
            Self::Always => "always",
        }
    }

    /// What may be answered where these grants are missing.
    #[must_use]
    pub fn offered(missing: &Permissions) -> &'static [Self] {
        if missing.commands.iter().all(|command| is_for_good(command)) {
            &[Self::Once, Self::Procedure, Self::Always]
        } else {
            &[Self::Once]
        }
    }

    /// The one that is meant.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let said = text.trim().to_lowercase();
        [Self::Once, Self::Procedure, Self::Always].into_iter().find(|extent| extent.as_str() == said)
    }
}

/// The narrowest grant of a command that the policy can express: with its first argument, where that is a subcommand, and
/// with all of them where the first is an option that could mean anything.
#[must_use]
pub fn grant_of(command: &[String]) -> Option<String> {
    let is_plain = |word: &&String| !word.is_empty() && !word.contains(char::is_whitespace);
    let program = command.first().filter(is_plain)?;
    let words = match command.get(1) {
        Some(word) if word.starts_with('-') => command.len(),
        Some(word)
            if word.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | ':')) =>
        {
            2
        }
        _ => 1,
    };
    let words: Vec<&str> = command[..words].iter().take_while(is_plain).map(String::as_str).collect();
    // An argument with spaces can't be part of a grant; what is before it must not come to mean more than was seen.
    (words.len() == 1 || !words[1].starts_with('-') || words.len() == command.len())
        .then(|| words.join(" "))
        .filter(|grant| grant.starts_with(program.as_str()))
}

/// Whether a command is offered for more than a run. Versions are part of the name of many a program: `python3.12`.
fn is_for_good(command: &str) -> bool {
    let program = command.split_whitespace().next().unwrap_or_default();
    let file = program.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    let bare = file.strip_suffix(".exe").unwrap_or(&file);
    let unversioned = bare.trim_end_matches(|letter: char| letter.is_ascii_digit() || matches!(letter, '.' | '-'));
    !bare.is_empty() && ![bare, unversioned].iter().any(|name| NEVER_FOR_GOOD.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|entry| (*entry).to_owned()).collect()
    }

    #[test]
    fn what_executes_anything_is_offered_for_a_run_alone() {
        let offered = |commands: &[&str]| {
            let commands = commands.iter().map(|command| (*command).to_owned()).collect();
            Extent::offered(&Permissions { commands, ..Permissions::default() }).len()
        };
        assert_eq!(offered(&["git status", "cargo test"]), 3);
        for command in ["sh", "/bin/bash -c", "python3.12 -m", "PYTHON.exe", "sudo git", "node", "env", ""] {
            assert_eq!(offered(&["git status", command]), 1, "{command}");
        }
    }

    #[test]
    fn an_extent_is_read_as_it_is_written() {
        for extent in [Extent::Once, Extent::Procedure, Extent::Always] {
            assert_eq!(Extent::read(extent.as_str()), Some(extent));
        }
        assert_eq!((Extent::read(" Always "), Extent::read("yes")), (Some(Extent::Always), None));
    }

    #[test]
    fn a_command_is_asked_for_as_narrowly_as_it_can_be_granted() {
        for (command, grant) in [
            (&["git", "status", "-s"][..], Some("git status")),
            (&["ls"], Some("ls")),
            (&["ls", "/data"], Some("ls")),
            (&["git", "-C", "there", "push"], Some("git -C there push")),
            (&["python3", "-c", "print(1, 2)"], None),
            (&["two words"], None),
            (&[], None),
        ] {
            assert_eq!(grant_of(&list(command)).as_deref(), grant, "{command:?}");
        }
    }
}
