//! The service managers of the systems: where their files are, and the commands that they take.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::io::AsyncReadExt as _;

use super::{launchd, service::Service, systemd, task_scheduler};
use crate::{
    cli::error::CliError,
    config::{account, folders},
    launch::{launch, not_started},
};

/// What a service is called; those of further homes have the beginning of their key behind it.
pub const STEM: &str = "repertoire";
const KEY_CHARS: usize = 8;
/// What [`Manager::of_this_system`] is called on the command line.
pub const OF_THIS_SYSTEM: &str = if cfg!(windows) {
    "task-scheduler"
} else if cfg!(target_os = "macos") {
    "launchd"
} else {
    "systemd"
};
/// How long a service manager may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What starts programs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Manager {
    /// Linux: a user unit.
    Systemd,
    /// macOS: an agent of the user.
    Launchd,
    /// Windows: a task of the user.
    TaskScheduler,
}

/// A service whose file is there.
#[derive(Debug)]
pub struct Installed {
    manager: Manager,
    name: String,
    pub path: PathBuf,
    /// Whether the file replaced one.
    is_renewed: bool,
}

/// What came of asking the service manager for something.
pub enum Outcome {
    /// It did it.
    Done,
    /// It did not; these commands ask for the same.
    Not { why: String, commands: Vec<String> },
}

type Command = Vec<String>;

impl Manager {
    /// What this system has.
    pub const fn of_this_system() -> Self {
        if cfg!(windows) {
            Self::TaskScheduler
        } else if cfg!(target_os = "macos") {
            Self::Launchd
        } else {
            Self::Systemd
        }
    }

    /// The text of the file that has it start `service` under the name `name`.
    pub fn file(self, service: &Service, name: &str) -> String {
        match self {
            Self::Systemd => systemd::unit(service),
            Self::Launchd => {
                let log = folders::user_home().unwrap_or_default().join(format!("Library/Logs/{name}.log"));
                launchd::agent(service, name, &log.display().to_string())
            }
            Self::TaskScheduler => task_scheduler::task(service, account().as_deref()),
        }
    }

    /// Writes that file where the system looks for it.
    pub fn install(self, service: &Service) -> Result<Installed, CliError> {
        let folder = self.folder()?;
        fs::create_dir_all(&folder).map_err(CliError::io(format!("can't make `{}`", folder.display())))?;
        let found = self.find(service)?;
        let is_renewed = found.is_some();
        let (name, path) = match found {
            Some(Installed { name, path, .. }) => (name, path),
            None => self.free_name(service, &folder),
        };
        let text = self.file(service, &name);
        // What the Task Scheduler writes itself.
        let bytes = match self {
            Self::TaskScheduler => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Systemd | Self::Launchd => text.into_bytes(),
        };
        let mark: &[u8] = if self == Self::TaskScheduler { &[0xff, 0xfe] } else { &[] };
        fs::write(&path, [mark, &bytes].concat()).map_err(CliError::io(format!("can't write `{}`", path.display())))?;
        Ok(Installed { manager: self, name, path, is_renewed })
    }

    /// The service, where its file is there.
    pub fn find(self, service: &Service) -> Result<Option<Installed>, CliError> {
        let folder = self.folder()?;
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.file_name().into_string().ok()?.strip_suffix(self.suffix()).map(str::to_owned))
            .filter(|name| name.starts_with(STEM))
            .collect();
        names.sort();
        let found = names.into_iter().find(|name| is_of(&self.path(&folder, name), service));
        Ok(found.map(|name| Installed { manager: self, path: self.path(&folder, &name), name, is_renewed: false }))
    }

    /// What is worth doing beside installing it.
    pub fn advice(self) -> Option<&'static str> {
        let advice = "`loginctl enable-linger` has it run also while you are not logged in";
        (self == Self::Systemd).then_some(advice)
    }

    fn free_name(self, service: &Service, folder: &Path) -> (String, PathBuf) {
        let plain = self.path(folder, STEM);
        if !plain.exists() {
            return (STEM.to_owned(), plain);
        }
        let name = format!("{STEM}-{}", service.key.chars().take(KEY_CHARS).collect::<String>());
        let path = self.path(folder, &name);
        (name, path)
    }

    fn folder(self) -> Result<PathBuf, CliError> {
        let folder = match self {
            Self::Systemd => folders::settings().map(|folder| folder.join("systemd").join("user")),
            Self::Launchd => folders::user_home().map(|home| home.join("Library/LaunchAgents")),
            Self::TaskScheduler => folders::settings().map(|folder| folder.join("repertoire")),
        };
        folder.ok_or_else(|| CliError::Wrong {
            what: "no home directory is known for this user".to_owned(),
            hint: "set HOME".to_owned(),
        })
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Systemd => ".service",
            Self::Launchd => ".plist",
            Self::TaskScheduler => ".xml",
        }
    }

    fn path(self, folder: &Path, name: &str) -> PathBuf {
        folder.join(format!("{name}{}", self.suffix()))
    }
}

/// Whether a file was written for that service.
fn is_of(path: &Path, service: &Service) -> bool {
    let bytes = fs::read(path).unwrap_or_default();
    let text = match bytes.strip_prefix(&[0xff, 0xfe]) {
        Some(wide) => {
            let units: Vec<u16> = wide.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        None => String::from_utf8_lossy(&bytes).into_owned(),
    };
    text.contains(&service.mark())
}

impl Installed {
    /// Has the service manager start it, now and always.
    pub async fn outcome(&self) -> Outcome {
        let name = self.name.as_str();
        let path = self.path.display().to_string();
        let commands = match self.manager {
            Manager::Systemd => {
                let mut commands = vec![
                    words(&["systemctl", "--user", "daemon-reload"]),
                    words(&["systemctl", "--user", "enable", "--now", &self.unit()]),
                ];
                // One that runs goes on as it was started.
                commands.extend(self.is_renewed.then(|| words(&["systemctl", "--user", "restart", &self.unit()])));
                commands
            }
            Manager::Launchd => {
                // One that runs is known under this name already.
                let renewed =
                    self.is_renewed.then(|| words(&["launchctl", "bootout", &format!("{}/{name}", session())]));
                if let Some(command) = renewed {
                    let _ = ask(&command).await;
                }
                vec![words(&["launchctl", "bootstrap", &session(), &path])]
            }
            Manager::TaskScheduler => vec![
                words(&["schtasks", "/Create", "/F", "/TN", name, "/XML", &path]),
                words(&["schtasks", "/Run", "/TN", name]),
            ],
        };
        ask_all(&commands).await
    }

    /// Has the service manager end it, and start it no more.
    pub async fn ending(&self) -> Outcome {
        let name = self.name.as_str();
        let commands = match self.manager {
            Manager::Systemd => vec![words(&["systemctl", "--user", "disable", "--now", &self.unit()])],
            Manager::Launchd => vec![words(&["launchctl", "bootout", &format!("{}/{name}", session())])],
            Manager::TaskScheduler => {
                vec![words(&["schtasks", "/End", "/TN", name]), words(&["schtasks", "/Delete", "/F", "/TN", name])]
            }
        };
        ask_all(&commands).await
    }

    /// Removes its file, and has the service manager see that.
    pub async fn remove(&self) -> Result<(), CliError> {
        fs::remove_file(&self.path).map_err(CliError::io(format!("can't remove `{}`", self.path.display())))?;
        if self.manager == Manager::Systemd {
            // Where nobody answers nobody has to see it.
            let _ = ask(&words(&["systemctl", "--user", "daemon-reload"])).await;
        }
        Ok(())
    }

    /// What the service manager says of it, to be put behind its name.
    pub async fn said(&self) -> String {
        let name = self.name.as_str();
        let command = match self.manager {
            Manager::Systemd => words(&["systemctl", "--user", "is-active", &self.unit()]),
            Manager::Launchd => words(&["launchctl", "print", &format!("{}/{name}", session())]),
            Manager::TaskScheduler => words(&["schtasks", "/Query", "/FO", "CSV", "/NH", "/TN", name]),
        };
        let said = match (self.manager, ask(&command).await) {
            (_, Err(error)) => error.to_string(),
            (Manager::Systemd, Ok(said)) if !said.text.is_empty() => said.text,
            (_, Ok(said)) if !said.is_well => said.error,
            (Manager::Launchd, Ok(said)) => {
                said.text.lines().map(str::trim).find(|line| line.starts_with("state =")).unwrap_or_default().to_owned()
            }
            (_, Ok(said)) => said.text,
        };
        let line = said.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if line.is_empty() { String::new() } else { format!(" ({}: {line})", command[0]) }
    }

    fn unit(&self) -> String {
        format!("{}.service", self.name)
    }
}

/// The session of this user, as launchd names it.
fn session() -> String {
    #[cfg(unix)]
    return format!("gui/{}", rustix::process::getuid().as_raw());
    #[cfg(not(unix))]
    String::new()
}

fn words(words: &[&str]) -> Command {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What a command said.
struct Said {
    is_well: bool,
    text: String,
    error: String,
}

/// Gives commands, one after the other. Once one fails, that one and those after it are for the user to give.
async fn ask_all(commands: &[Command]) -> Outcome {
    for (at, command) in commands.iter().enumerate() {
        let why = match ask(command).await {
            Ok(said) if said.is_well => continue,
            Ok(said) => [said.error, said.text].into_iter().find(|text| !text.is_empty()).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => format!("there is no `{}` here", command[0]),
            Err(error) => error.to_string(),
        };
        let why = why.lines().next().unwrap_or("it failed and did not say why").to_owned();
        let shown = |command: &Command| shlex::try_join(command.iter().map(String::as_str)).unwrap_or_default();
        return Outcome::Not { why, commands: commands[at..].iter().map(shown).collect() };
    }
    Outcome::Done
}

async fn ask(command: &Command) -> io::Result<Said> {
    let asking = async {
        let mut launched = launch(&command[0], &command[1..], |command| {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        })?;
        let (stdout, stderr) = (launched.stdout(), launched.stderr());
        let (mut text, mut error) = (Vec::new(), Vec::new());
        let read_text = async {
            if let Some(mut stdout) = stdout {
                stdout.read_to_end(&mut text).await?;
            }
            Ok::<_, io::Error>(())
        };
        let read_error = async {
            if let Some(mut stderr) = stderr {
                stderr.read_to_end(&mut error).await?;
            }
            Ok::<_, io::Error>(())
        };
        tokio::try_join!(read_text, read_error)?;
        let status = launched.wait().await?;
        let error = String::from_utf8_lossy(&error).trim().to_owned();
        if let Some(error) = not_started(status, &error) {
            return Err(error);
        }
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        Ok(Said { is_well: status.success(), text, error })
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(said) => said,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("`{}` did not answer", command[0]))),
    }
}
