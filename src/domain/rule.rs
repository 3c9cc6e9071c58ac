//! What the user wants to be asked about, and what they want never to happen: entries of `ask` and `deny`.
//!
//! A rule catches more rather than less than it says. Of a command it wants the program, by whichever path, and its words in
//! their order, whatever stands between them: `git push` is also `/usr/bin/git -C there push --force`.

use std::path::{Path, PathBuf};

use super::network::{Host, HostGrant};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The entry as it is written.
    pub text: String,
    pub subject: Subject,
}

/// What an entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The program, and words among its arguments.
    Command(Vec<String>),
    /// A host that is reached.
    Host(HostGrant),
    /// The tools of a server, or one of them.
    Tool { server: String, tool: Option<String> },
    /// A folder, or a file, that is written. Its path is as it is written until the configuration has made it real.
    Write(PathBuf),
}

/// The rules of a home.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// A person decides on each such call.
    pub ask: Vec<Rule>,
    /// Refused, whatever else is granted or agreed to.
    pub deny: Vec<Rule>,
}

impl Rule {
    /// Reads an entry.
    ///
    /// # Errors
    /// What is wrong with it, and what can be written instead; the sentence begins with what follows its name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let subject = match text.split_once(':') {
            Some(("http", host)) => HostGrant::parse(host).map(Subject::Host).ok_or_else(|| {
                format!(
                    "`{host}` is no host; write a name or an address, perhaps with a port: `http:api.example.org`, \
                     `http:*.example.org`, `http:10.0.0.5:8080`"
                )
            })?,
            Some(("tool", tool)) => parse_tool(tool)?,
            Some(("write", folder)) if !folder.trim().is_empty() => Subject::Write(PathBuf::from(folder)),
            Some(("write", _)) => return Err("it names no folder; write one as `write:~/notes`".to_owned()),
            // A single letter is a disk.
            Some((kind, _)) if kind.len() > 1 && kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Err(format!(
                    "there is no kind `{kind}`; write a command, or `http:HOST`, `tool:SERVER/TOOL` or `write:FOLDER`"
                ));
            }
            _ => parse_command(text)?,
        };
        Ok(Self { text: text.to_owned(), subject })
    }
}

fn parse_tool(text: &str) -> Result<Subject, String> {
    let (server, tool) = match text.split_once('/') {
        Some((server, tool)) => (server, Some(tool)),
        None => (text, None),
    };
    let is_name = |name: &str| !name.trim().is_empty() && name.trim() == name;
    if !is_name(server) || !tool.is_none_or(is_name) {
        return Err(format!("`{text}` is no tool; write `tool:github/create_issue`, or `tool:github` for all of them"));
    }
    Ok(Subject::Tool { server: server.to_owned(), tool: tool.map(str::to_owned) })
}

fn parse_command(text: &str) -> Result<Subject, String> {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() {
        return Err("it is empty; write a command, such as `git push`".to_owned());
    }
    if let Some(word) = words.iter().find(|word| word.contains(['*', '"', '\'', '|', ';', '&'])) {
        return Err(format!(
            "`{word}` is taken as it is written, without a shell and without wildcards; write the program and the words \
             that such a command has, as in `git push`"
        ));
    }
    Ok(Subject::Command(words))
}

impl Rules {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ask.is_empty() && self.deny.is_empty()
    }
}

/// The first rule about this command, the program first.
#[must_use]
pub fn on_command<'r>(rules: &'r [Rule], command: &[String]) -> Option<&'r Rule> {
    rules.iter().find(|rule| matches!(&rule.subject, Subject::Command(words) if is_command(words, command)))
}

/// The first rule about this host at this port.
#[must_use]
pub fn on_host<'r>(rules: &'r [Rule], host: &Host, port: u16) -> Option<&'r Rule> {
    rules.iter().find(|rule| matches!(&rule.subject, Subject::Host(named) if named.covers(host, port)))
}

/// The first rule about this tool of this server.
#[must_use]
pub fn on_tool<'r>(rules: &'r [Rule], server: &str, tool: &str) -> Option<&'r Rule> {
    let is_about = |rule: &&Rule| match &rule.subject {
        Subject::Tool { server: named, tool: None } => named == server,
        Subject::Tool { server: named, tool: Some(one) } => named == server && one == tool,
        _ => false,
    };
    rules.iter().find(is_about)
}

/// The folders and files that rules are about, each with its rule.
pub fn written(rules: &[Rule]) -> impl Iterator<Item = (&Path, &Rule)> {
    rules.iter().filter_map(|rule| match &rule.subject {
        Subject::Write(path) => Some((path.as_path(), rule)),
        _ => None,
    })
}

fn is_command(words: &[String], command: &[String]) -> bool {
    let (Some((program, words)), Some((called, arguments))) = (words.split_first(), command.split_first()) else {
        return false;
    };
    let mut arguments = arguments.iter();
    is_program(program, called) && words.iter().all(|word| arguments.any(|argument| argument == word))
}

/// Whether a program is called, by its name or by some path. A rule with a path is about the program of that name too.
fn is_program(named: &str, called: &str) -> bool {
    let name = |program: &str| -> String {
        let file = program.rsplit(['/', '\\']).next().unwrap_or(program);
        let bare = file.strip_suffix(".exe").or_else(|| file.strip_suffix(".EXE")).unwrap_or(file);
        // Where files are found in any case, so are programs.
        if cfg!(any(windows, target_os = "macos")) { bare.to_lowercase() } else { bare.to_owned() }
    };
    name(named) == name(called)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(entries: &[&str]) -> Vec<Rule> {
        entries.iter().map(|entry| Rule::parse(entry).unwrap()).collect()
    }

    fn catches(entry: &str, command: &str) -> bool {
        let command: Vec<String> = command.split(' ').map(str::to_owned).collect();
        on_command(&rules(&[entry]), &command).is_some()
    }

    #[test]
    fn a_command_is_caught_however_it_is_called() {
        for command in [
            "git push",
            "git push origin main",
            "/usr/bin/git push",
            "./git -C there push -f",
            "git.exe push",
            "git -c a=b push",
        ] {
            assert!(catches("git push", command), "{command}");
        }
        for command in ["git", "git log", "gitk push", "git pushed", "hub push"] {
            assert!(!catches("git push", command), "{command}");
        }
        assert!(catches("git", "git") && catches("git push --force", "git push origin --force"));
        assert!(!catches("git push --force", "git --force push") && !catches("git push --force", "git push"));
        assert!(on_command(&rules(&["git"]), &[]).is_none());
    }

    #[test]
    fn hosts_tools_and_folders_are_named_as_in_grants() {
        let host =
            |entry: &str, host: &str, port| on_host(&rules(&[entry]), &Host::parse(host).unwrap(), port).is_some();
        assert!(
            host("http:api.example.org", "API.example.org", 443) && host("http:*.example.org:80", "a.example.org", 80)
        );
        assert!(
            !host("http:api.example.org", "example.org", 443) && !host("http:*.example.org:80", "a.example.org", 443)
        );
        assert!(host("http:[::1]:80", "::1", 80));
        let tool = |entry: &str, server: &str, tool: &str| on_tool(&rules(&[entry]), server, tool).is_some();
        assert!(tool("tool:github", "github", "create_issue") && tool("tool:github/get", "github", "get"));
        assert!(!tool("tool:github/get", "github", "create_issue") && !tool("tool:git", "github", "get"));
        let written: Vec<_> = written(&rules(&["write:/notes", "git"])).map(|(path, _)| path.to_owned()).collect();
        assert_eq!(written, [Path::new("/notes")]);
    }

    #[test]
    fn what_can_not_be_understood_is_told_what_to_write() {
        for (entry, said) in [
            ("", "it is empty"),
            ("  ", "it is empty"),
            ("http:", "is no host"),
            ("http:https://example.org/", "is no host"),
            ("https:example.org", "no kind `https`"),
            ("read:~/notes", "no kind `read`"),
            ("tool:", "is no tool"),
            ("tool:github/", "is no tool"),
            ("tool:/get", "is no tool"),
            ("write:", "names no folder"),
            ("git *", "without wildcards"),
            ("sh -c 'x'", "without a shell"),
        ] {
            let refusal = Rule::parse(entry).unwrap_err();
            assert!(refusal.contains(said), "{entry}: {refusal}");
        }
        assert!(Rule::parse(r"C:\tools\git.exe push").is_ok());
    }
}
