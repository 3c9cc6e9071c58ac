//! Which walls hold on this machine, found out by trying to break each of them alone in a process that may.

use std::{
    collections::BTreeSet,
    env, fs, io,
    net::{Ipv4Addr, UdpSocket},
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            fs::PermissionsExt as _,
            net::{SocketAddr, UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Duration,
};

use nix::sched::{CloneFlags, unshare};
use rustix::process::{Pid, Resource, Rlimit, setrlimit, test_kill_process};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;

use super::{
    Bounds, Layer, Means, confined,
    means::{self, Found},
};

/// The first argument of the process that tries; what it is after follows as JSON.
pub const PROBE: &str = "probe-walls";
/// What other programs execute, for one.
const STARTUP_FILE: &str = ".envrc";
/// A probe takes some milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// What walls are made of here, and what was found of each.
#[derive(Debug)]
pub struct Tried {
    pub found: Found,
    pub findings: Vec<Finding>,
}

/// A wall, and what was found.
#[derive(Debug)]
pub struct Finding {
    /// What the wall keeps.
    pub what: &'static str,
    /// Why it does not hold, where it does not.
    pub broken: Option<String>,
    /// Whether nothing is executed without it.
    pub required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Attempt {
    ReadFile,
    WriteFile,
    WriteStartupFile,
    Signal,
    AbstractSocket,
    Interfaces,
    Datagrams,
    Privileges,
    Namespace,
    Rights,
    MoreThanMay,
}

impl Attempt {
    const ALL: [Self; 11] = [
        Self::ReadFile,
        Self::WriteFile,
        Self::WriteStartupFile,
        Self::Signal,
        Self::AbstractSocket,
        Self::Interfaces,
        Self::Datagrams,
        Self::Privileges,
        Self::Namespace,
        Self::Rights,
        Self::MoreThanMay,
    ];

    const fn shown(self) -> &'static str {
        match self {
            Self::ReadFile => "a file of others was read",
            Self::WriteFile => "a file of others was written",
            Self::WriteStartupFile => "a file that other programs execute was written",
            Self::Signal => "another process could be sent signals",
            Self::AbstractSocket => "an abstract socket was reached",
            Self::Interfaces => "the network of this machine was seen",
            Self::Datagrams => "something could be sent into the network",
            Self::Privileges => "privileges were kept",
            Self::Namespace => "a new namespace was made",
            Self::Rights => "rights of a file of others could be changed",
            Self::MoreThanMay => "limits could be raised",
        }
    }
}

struct Wall {
    what: &'static str,
    layers: &'static [Layer],
    keeps: &'static [Attempt],
    required: bool,
}

/// Each wall alone, with what it can't be built without.
const WALLS: [Wall; 8] = [
    Wall {
        what: "files",
        layers: &[Layer::User, Layer::Files],
        keeps: &[Attempt::ReadFile, Attempt::WriteFile],
        required: true,
    },
    Wall {
        what: "startup files",
        layers: &[Layer::User, Layer::Files, Layer::Closed],
        keeps: &[Attempt::WriteStartupFile],
        required: true,
    },
    Wall { what: "processes", layers: &[Layer::User, Layer::Processes], keeps: &[Attempt::Signal], required: true },
    Wall {
        what: "network",
        layers: &[Layer::User, Layer::Network],
        keeps: &[Attempt::AbstractSocket, Attempt::Interfaces],
        required: true,
    },
    Wall {
        what: "privileges",
        layers: &[Layer::User, Layer::Privileges],
        keeps: &[Attempt::Privileges],
        required: true,
    },
    Wall { what: "system calls", layers: &[Layer::User, Layer::Calls], keeps: &[Attempt::Namespace], required: true },
    Wall {
        what: "limits",
        layers: &[Layer::User, Layer::Privileges, Layer::Limits],
        keeps: &[Attempt::MoreThanMay],
        required: true,
    },
    Wall {
        what: "Landlock",
        layers: &[Layer::User, Layer::Landlock],
        keeps: &[Attempt::ReadFile, Attempt::WriteFile, Attempt::Signal, Attempt::AbstractSocket],
        required: false,
    },
];

/// The same where there are no namespaces.
const WALLS_ALONE: [Wall; 8] = [
    Wall { what: "files", layers: &[Layer::Landlock], keeps: &[Attempt::ReadFile, Attempt::WriteFile], required: true },
    // While the program runs it can be written; it counts what is there afterwards.
    Wall { what: "startup files", layers: &[Layer::Closed], keeps: &[Attempt::WriteStartupFile], required: true },
    Wall { what: "rights of files", layers: &[Layer::Calls], keeps: &[Attempt::Rights], required: true },
    Wall {
        what: "network",
        layers: &[Layer::Calls],
        keeps: &[Attempt::AbstractSocket, Attempt::Datagrams],
        required: true,
    },
    Wall { what: "privileges", layers: &[Layer::Privileges], keeps: &[Attempt::Privileges], required: true },
    Wall { what: "system calls", layers: &[Layer::Calls], keeps: &[Attempt::Namespace], required: true },
    Wall {
        what: "limits",
        layers: &[Layer::Privileges, Layer::Limits],
        keeps: &[Attempt::MoreThanMay],
        required: true,
    },
    Wall { what: "signals", layers: &[Layer::Landlock], keeps: &[Attempt::Signal], required: false },
];

const LAYERS: [Layer; 9] = [
    Layer::User,
    Layer::Files,
    Layer::Closed,
    Layer::Processes,
    Layer::Network,
    Layer::Privileges,
    Layer::Landlock,
    Layer::Calls,
    Layer::Limits,
];

/// What the process that tries is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Target {
    outside: PathBuf,
    inside: PathBuf,
    process: i32,
    socket: String,
    interfaces: usize,
}

/// Tries to break each wall; `program` is this program.
///
/// # Errors
/// What the system says of the folder in which it is tried.
pub async fn try_to_break(program: &Path) -> io::Result<Tried> {
    let found = means::find_out().await?.clone();
    let folder = tempfile::Builder::new().prefix("repertoire-").tempdir()?;
    let path = fs::canonicalize(folder.path())?;
    let socket = path.display().to_string();
    let _listening = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&socket)?)?;
    let target = Target {
        outside: path.join("outside"),
        inside: path.join("inside"),
        process: std::process::id().try_into().unwrap_or_default(),
        socket,
        interfaces: interfaces(),
    };
    fs::write(&target.outside, "secret")?;
    let walls = match found.means {
        Means::Namespaces => WALLS,
        Means::Landlock => WALLS_ALONE,
    };
    let findings = walls.map(|wall| {
        let target = Target { inside: path.join(wall.what), ..target.clone() };
        let means = found.means;
        async move {
            let Wall { what, layers, keeps, required } = wall;
            let broken = match try_out(program, &target, means, layers).await {
                Err(error) => Some(error.to_string()),
                Ok(succeeded) => {
                    let broken = keeps.iter().filter(|attempt| succeeded.contains(attempt));
                    let broken: Vec<&str> = broken.map(|attempt| attempt.shown()).collect();
                    (!broken.is_empty()).then(|| broken.join(", "))
                }
            };
            Finding { what, broken, required }
        }
    });
    Ok(Tried { findings: futures_util::future::join_all(findings).await, found })
}

async fn try_out(program: &Path, target: &Target, means: Means, layers: &[Layer]) -> io::Result<BTreeSet<Attempt>> {
    let startup_file = target.inside.join(STARTUP_FILE);
    fs::create_dir(&target.inside)?;
    fs::write(&startup_file, "")?;
    let bounds = Bounds {
        means,
        write: vec![target.inside.clone()],
        without: LAYERS.into_iter().filter(|layer| !layers.contains(layer)).collect(),
        ..Bounds::default()
    };
    let arguments = [PROBE.to_owned(), serde_json::to_string(target)?];
    let mut child = confined::start(program.as_os_str(), arguments, &bounds, |command| {
        command.stdout(Stdio::piped()).current_dir(&target.inside);
    })?;
    let stdout = child.stdout();
    let ended = async {
        let mut said = String::new();
        if let Some(mut stdout) = stdout {
            stdout.read_to_string(&mut said).await?;
        }
        child.wait().await?;
        serde_json::from_str(&said).map_err(|_| io::Error::other("the attempt could not be made"))
    };
    let ended = tokio::time::timeout(PATIENCE, ended).await;
    let ended = ended.unwrap_or_else(|_| Err(io::Error::other("the attempt did not end")));
    let _ = child.clear_up().await;
    let mut succeeded: BTreeSet<Attempt> = ended?;
    // What was put back was not written, and what was written is seen.
    if fs::read(&startup_file).is_ok_and(|text| text.is_empty()) {
        succeeded.remove(&Attempt::WriteStartupFile);
    }
    Ok(succeeded)
}

/// Makes all attempts, and says which succeeded.
pub fn run() -> ExitCode {
    let target = env::args().nth(2).and_then(|text| serde_json::from_str::<Target>(&text).ok());
    let Some(target) = target else { return ExitCode::FAILURE };
    let succeeded: BTreeSet<Attempt> = Attempt::ALL.into_iter().filter(|attempt| succeeds(*attempt, &target)).collect();
    let said = serde_json::to_writer(io::stdout(), &succeeded);
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn succeeds(attempt: Attempt, target: &Target) -> bool {
    match attempt {
        Attempt::ReadFile => fs::read(&target.outside).is_ok(),
        Attempt::WriteFile => fs::OpenOptions::new().append(true).open(&target.outside).is_ok(),
        Attempt::WriteStartupFile => fs::write(target.inside.join(STARTUP_FILE), "x").is_ok(),
        Attempt::Signal => Pid::from_raw(target.process).is_some_and(|process| test_kill_process(process).is_ok()),
        Attempt::AbstractSocket => SocketAddr::from_abstract_name(&target.socket)
            .is_ok_and(|address| UnixStream::connect_addr(&address).is_ok()),
        Attempt::Interfaces => target.interfaces > 1 && interfaces() == target.interfaces,
        Attempt::Datagrams => UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).is_ok(),
        Attempt::Rights => fs::set_permissions(&target.outside, fs::Permissions::from_mode(0o600)).is_ok(),
        Attempt::Privileges => {
            let held = rustix::thread::capabilities(None).map_or(true, |sets| !sets.permitted.is_empty());
            held || !rustix::thread::no_new_privs().unwrap_or_default()
        }
        Attempt::Namespace => unshare(CloneFlags::CLONE_NEWUSER).is_ok(),
        Attempt::MoreThanMay => setrlimit(Resource::Core, Rlimit { current: Some(1), maximum: Some(1) }).is_ok(),
    }
}

/// How many interfaces of the network there are.
fn interfaces() -> usize {
    let lines = fs::read_to_string("/proc/self/net/dev").unwrap_or_default();
    lines.lines().filter(|line| line.contains(':')).count()
}
