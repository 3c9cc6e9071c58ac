//! What the code is seen to touch outside the sandbox, and how that compares with what it is granted.
//!
//! Only constants are counted: what is not seen here is still checked by the policy when it happens.

use ruff_text_size::TextSize;

use super::urls::Target;
use crate::{
    domain::Permissions,
    validation::{
        report::{Report, quote},
        rules,
    },
};

/// Stands for what is not seen.
const ANY: &str = "*";
/// Most grants that are collected, so that a long source makes no long answer.
const MAX_GRANTS: usize = 100;

/// What a method of a path does.
pub struct Access {
    pub write: bool,
    /// The path itself is the directory, not its parent.
    pub is_directory: bool,
}

/// What a method of `pathlib.Path` does with the file; none if it touches no file.
pub fn path_access(method: &str) -> Option<Access> {
    match method {
        "read_text" | "read_bytes" | "open" | "exists" | "is_file" | "stat" => {
            Some(Access { write: false, is_directory: false })
        }
        "iterdir" | "glob" | "rglob" => Some(Access { write: false, is_directory: true }),
        "write_text" | "write_bytes" | "unlink" | "rename" | "replace" | "touch" | "mkdir" | "rmdir" => {
            Some(Access { write: true, is_directory: false })
        }
        _ => None,
    }
}

/// What a function of `os` does with files, and how many of its arguments are paths.
pub fn os_access(function: &str) -> Option<(Access, usize)> {
    let (write, is_directory, paths) = match function {
        "listdir" | "scandir" | "walk" | "chdir" => (false, true, 1),
        "stat" | "path.exists" | "path.isfile" | "path.isdir" | "path.getsize" | "path.getmtime" => (false, false, 1),
        "mkdir" | "makedirs" | "remove" | "rmdir" | "unlink" => (true, false, 1),
        "rename" | "replace" => (true, false, 2),
        _ => return None,
    };
    Some((Access { write, is_directory }, paths))
}

/// The constant commands, directories, tools and hosts.
#[derive(Default)]
pub struct Needs {
    commands: Vec<Command>,
    directories: Vec<Directory>,
    tools: Vec<Tool>,
    hosts: Vec<(Target, TextSize)>,
    /// Where the model is asked first.
    model: Option<TextSize>,
    /// What code does without the host, which no grant of a host function covers.
    inner: Permissions,
}

struct Command {
    grant: String,
    words: Vec<String>,
    at: TextSize,
}

struct Directory {
    path: String,
    write: bool,
    at: TextSize,
}

struct Tool {
    server: String,
    name: String,
    at: TextSize,
}

impl Needs {
    /// A command: `words` are its leading constant words, the program first.
    pub fn command(&mut self, program: &str, first: Option<&str>, words: Vec<String>, at: TextSize) {
        // A grant is split at spaces, so a program with one in its name can't be granted.
        if program.trim().is_empty() || program.contains(char::is_whitespace) || self.commands.len() >= MAX_GRANTS {
            return;
        }
        let first =
            first.filter(|word| !word.is_empty() && !word.starts_with('-') && !word.contains(char::is_whitespace));
        let grant = first.map_or_else(|| program.to_owned(), |word| format!("{program} {word}"));
        self.commands.push(Command { grant, words, at });
    }

    /// A file, or a directory, by a constant path. Relative paths depend on where the run starts and are left out.
    pub fn directory(&mut self, path: &str, write: bool, is_directory: bool, at: TextSize) {
        if is_absolute(path) && self.directories.len() < MAX_GRANTS {
            let directory = if is_directory { path } else { parent(path) };
            self.directories.push(Directory { path: directory.to_owned(), write, at });
        }
    }

    /// A tool of an MCP server, by a constant `server/tool`. Anything else names none, and is refused when it happens.
    pub fn tool(&mut self, path: &str, at: TextSize) {
        if let Some((server, tool)) = path.split_once('/')
            && !server.trim().is_empty()
            && !tool.trim().is_empty()
            && self.tools.len() < MAX_GRANTS
        {
            self.tools.push(Tool { server: server.to_owned(), name: tool.to_owned(), at });
        }
    }

    /// A host that a request goes to.
    pub fn host(&mut self, target: Target, at: TextSize) {
        if self.hosts.len() < MAX_GRANTS {
            self.hosts.push((target, at));
        }
    }

    /// A call of the language model.
    pub fn model(&mut self, at: TextSize) {
        self.model.get_or_insert(at);
    }

    /// A program that the code starts by itself.
    pub fn inner_program(&mut self, program: &str, first: Option<&str>) {
        if program.trim().is_empty() || program.contains(char::is_whitespace) {
            return;
        }
        let first =
            first.filter(|word| !word.is_empty() && !word.starts_with('-') && !word.contains(char::is_whitespace));
        let grant = first.map_or_else(|| program.to_owned(), |word| format!("{program} {word}"));
        if self.inner.commands.len() < MAX_GRANTS {
            insert(&mut self.inner.commands, &grant);
        }
    }

    /// A host that the code connects to by itself.
    pub fn inner_host(&mut self, grant: &str) {
        if self.inner.network.len() < MAX_GRANTS {
            insert(&mut self.inner.network, grant);
        }
    }

    /// The code may start programs by itself.
    pub fn any_program(&mut self) {
        insert(&mut self.inner.commands, ANY);
    }

    /// The code may connect to hosts by itself.
    pub fn any_host(&mut self) {
        insert(&mut self.inner.network, ANY);
    }

    /// The grants that cover it all.
    pub fn permissions(&self) -> Permissions {
        let mut needed = Permissions::default();
        // Where one is named, that is what is meant.
        for (known, into) in [(&self.inner.commands, &mut needed.commands), (&self.inner.network, &mut needed.network)]
        {
            into.extend(known.iter().filter(|grant| known.len() == 1 || *grant != ANY).cloned());
        }
        for command in &self.commands {
            insert(&mut needed.commands, &command.grant);
        }
        for directory in &self.directories {
            insert(if directory.write { &mut needed.write } else { &mut needed.read }, &directory.path);
        }
        for tool in &self.tools {
            insert(&mut needed.tools, &format!("{}/{}", tool.server, tool.name));
        }
        for (target, _) in &self.hosts {
            insert(&mut needed.network, &target.grant);
        }
        needed.model = self.model.is_some();
        needed
    }

    /// Reports what the grants do not cover.
    pub fn report_missing(&self, grants: &Permissions, report: &mut Report) {
        for command in self.commands.iter().filter(|command| !grants.allows_command(&command.words)) {
            let grant = quote(&command.grant);
            let message = format!(
                "The command {grant} is not granted; the user can add it to `commands` under [policy] in config.toml."
            );
            report.add(&rules::COMMAND_NOT_GRANTED, command.at, message);
        }
        for tool in self.tools.iter().filter(|tool| !grants.allows_tool(&tool.server, &tool.name)) {
            let grant = quote(&format!("{}/{}", tool.server, tool.name));
            let message = format!(
                "The tool {grant} is not granted; the user can add it to `tools` under [policy] in config.toml."
            );
            report.add(&rules::TOOL_NOT_GRANTED, tool.at, message);
        }
        let is_missing =
            |(target, _): &&(Target, TextSize)| grants.host_grants(&target.host, target.port).next().is_none();
        for (target, at) in self.hosts.iter().filter(is_missing) {
            let grant = quote(&target.grant);
            let message = format!(
                "The host {grant} is not granted; the user can add it to `network` under [policy] in config.toml."
            );
            report.add(&rules::HOST_NOT_GRANTED, *at, message);
        }
        if let Some(at) = self.model.filter(|_| !grants.model) {
            let message =
                "Asking the model is not granted; the user can set `model = true` under [policy] in config.toml.";
            report.add(&rules::MODEL_NOT_GRANTED, at, message.to_owned());
        }
        for directory in &self.directories {
            let covers = |granted: &String| granted == "*" || contains(granted, &directory.path);
            let is_granted = grants.write.iter().any(covers) || (!directory.write && grants.read.iter().any(covers));
            if !is_granted {
                let (path, field) = (quote(&directory.path), if directory.write { "write" } else { "read" });
                let message = format!(
                    "The directory {path} is not granted; the user can add it to `{field}` under [policy] in config.toml."
                );
                report.add(&rules::DIRECTORY_NOT_GRANTED, directory.at, message);
            }
        }
    }
}

fn insert(list: &mut Vec<String>, value: &str) {
    if let Err(index) = list.binary_search_by(|other| other.as_str().cmp(value)) {
        list.insert(index, value.to_owned());
    }
}

/// Absolute on any system: `/…`, `\\…` or `C:\…`.
fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\']) || path.get(1..3).is_some_and(|start| start == ":\\" || start == ":/")
}

fn parent(path: &str) -> &str {
    match path.trim_end_matches(['/', '\\']).rfind(['/', '\\']) {
        Some(0) | None => path.get(..1).unwrap_or(path),
        Some(end) => path.get(..end).unwrap_or(path),
    }
}

/// Whether `path` is `directory` or lies in it, by the text alone; a path with `..` lies nowhere.
fn contains(directory: &str, path: &str) -> bool {
    let directory = directory.trim_end_matches(['/', '\\']);
    !path.split(['/', '\\']).any(|part| part == "..")
        && path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '\\']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_part_by_part() {
        assert_eq!(parent("/data/a.txt"), "/data");
        assert_eq!(parent("/a.txt"), "/");
        assert_eq!(parent(r"C:\data\a.txt"), r"C:\data");
        assert!(contains("/data", "/data/x") && contains("/data/", "/data") && contains("/", "/etc"));
        assert!(!contains("/data", "/database") && !contains("/data", "/data/../etc"));
    }
}
