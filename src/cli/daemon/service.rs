//! What the system is to start: this program as the daemon of one home, for one user.

use std::path::PathBuf;

use crate::{
    cli::{context::Context, error::CliError, programs::this_program},
    config::clean_environment,
    library::Starters,
};

/// How much of a hash tells homes apart.
const KEY_CHARS: usize = 16;

/// A program with its arguments and its environment, as the file of a service manager has them.
#[derive(Debug, Clone)]
pub struct Service {
    pub program: String,
    pub arguments: Vec<String>,
    /// Where commands of procedures are found: what the system itself sets is shorter than what people have.
    pub path: Option<String>,
    /// The home, for people.
    pub home: String,
    /// Tells the services of several homes, users and tenants apart.
    pub key: String,
}

impl Service {
    /// The daemon for what `context` says, written out: the system starts it with another environment.
    pub fn of(context: &Context) -> Result<Self, CliError> {
        let start = context.start.resolved()?;
        let text = |path: PathBuf| {
            path.into_os_string().into_string().map_err(|path| CliError::Wrong {
                what: format!("the path `{}` is no text", path.display()),
                hint: "move what it leads to: no service manager can start that".to_owned(),
            })
        };
        let home = text(start.home.unwrap_or_default())?;
        let mut arguments = vec!["--home".to_owned(), home.clone()];
        for (option, value) in [("--user", start.user), ("--tenant", start.tenant)] {
            arguments.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
        }
        let key = blake3::hash(arguments.join("\0").as_bytes()).to_hex().chars().take(KEY_CHARS).collect();
        if context.starters == Starters::Skip {
            arguments.push("--no-starters".to_owned());
        }
        arguments.push("daemon".to_owned());
        let path =
            clean_environment().find(|(name, _)| *name == "PATH").and_then(|(_, value)| value.into_string().ok());
        Ok(Self { program: text(this_program()?)?, arguments, path, home, key })
    }

    /// The remark by which its file is found again.
    pub fn mark(&self) -> String {
        format!("Written by `repertoire daemon install`, {}", self.key)
    }
}

/// A text as XML has it between tags.
pub fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
pub mod examples {
    use super::Service;

    /// One with whatever a format of files could take for something else.
    pub fn awkward() -> Service {
        let home = "/home/ü b/50% <&> \"quoted\" $HOME \\ 'x'";
        Service {
            program: "/opt/my programs/100%/repertoire".to_owned(),
            arguments: ["--home", home, "--user", "ada & \"bob\"", "daemon"].map(str::to_owned).to_vec(),
            path: Some("/usr/bin:/opt/50% \"x\"/bin".to_owned()),
            home: home.to_owned(),
            key: "0123456789abcdef".to_owned(),
        }
    }
}
