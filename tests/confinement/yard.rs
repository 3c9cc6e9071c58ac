//! Where attacks are made: a server with a granted folder, and around it what they are after.

use std::{
    fs,
    net::{TcpListener, UdpSocket},
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram, UnixListener},
    },
    path::{Path, PathBuf},
    process::Command,
};

use repertoire::confinement::{Bounds, Layer, Means, Network, ProgramLimits};
use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, clean, remember, toml_path, walls};

/// What is in files that nobody may read, and what is written where nobody may.
pub const SECRET: &str = "s3cr3t";
pub const PWNED: &str = "pwned";

/// Limits of programs there: low, so that they are met soon.
const MEMORY_MIB: u64 = 400;
const PROCESSES: u64 = 320;
const FILE_MIB: u64 = 64;

pub const PYTHON: &str = "/usr/bin/python3";

const CODE: &str = "from repertoire import run_command\n\ndef attack(command: list, folder: str) -> dict:\n    \"\"\"Attack.\"\"\"\n    \
                    done = run_command(command, cwd=folder, check=False, timeout=60.0)\n    \
                    return {'code': done.exit_code, 'stdout': done.stdout, 'stderr': done.stderr}\n";

pub struct Yard {
    home: Home,
    client: RawClient,
    tcp: TcpListener,
    udp: UdpSocket,
    means: Means,
    _socket: UnixListener,
    _log: UnixDatagram,
    _abstract: UnixListener,
    name: String,
    policy: String,
}

impl Yard {
    /// With the walls of this system.
    pub fn new() -> Self {
        Self::on(Means::Namespaces).unwrap()
    }

    /// With a server on a system that lets it have walls of these means; `None` where there can't be such.
    pub fn on(means: Means) -> Option<Self> {
        let home = Home::new();
        let (work, read, outside) = (home.beside("work"), home.beside("read"), home.beside("outside"));
        fs::write(home.beside(".ssh").join("id_ed25519"), SECRET).unwrap();
        let text = format!(
            "[policy]\ncommands = ['sh', '{PYTHON}', 'git']\nwrite = [{}]\nread = [{}]\n\
             [limits]\nprogram_memory_mib = {MEMORY_MIB}\nprogram_processes = {PROCESSES}\nprogram_file_mib = {FILE_MIB}\n",
            toml_path(&work),
            toml_path(&read)
        );
        home.configure(&text);
        let name = format!("repertoire-yard-{}-{}", std::process::id(), outside.display());
        let socket = UnixListener::bind(home.beside("sockets").join("docker.sock")).unwrap();
        let log = UnixDatagram::bind(home.beside("sockets").join("log.sock")).unwrap();
        let hidden = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let mut command = home.command(&["--no-starters", "serve"]);
        if means == Means::Landlock {
            command = walls::refusing_namespaces(&command)?;
        }
        let mut client = RawClient::spawn(command);
        client.open(Protocol::V2025);
        remember(&mut client, "attack", CODE);
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let yard =
            Self { home, client, tcp, udp, means, _socket: socket, _log: log, _abstract: hidden, name, policy: text };
        yard.repository("made");
        yard.repository("made/sub/repo");
        let made = yard.home.beside("made");
        fs::write(made.join(".envrc"), "export A=1").unwrap();
        fs::create_dir(made.join(".git/modules")).unwrap();
        fs::create_dir(made.join("plain")).unwrap();
        yard.reset();
        Some(yard)
    }

    /// Makes everything as it was.
    pub fn reset(&self) {
        for name in ["work", "read", "outside"] {
            // The folders themselves stay, or grants lead nowhere.
            for entry in fs::read_dir(self.home.beside(name)).unwrap().flatten() {
                let remove =
                    if entry.file_type().unwrap().is_dir() { fs::remove_dir_all } else { fs::remove_file::<PathBuf> };
                remove(entry.path()).unwrap();
            }
        }
        copy(&self.home.beside("made"), &self.home.beside("work"));
        fs::write(self.path("{R}/given.txt"), "given").unwrap();
        fs::write(self.path("{O}/notes.txt"), SECRET).unwrap();
        fs::write(self.path("{H}/config.toml"), &self.policy).unwrap();
        let _ = fs::remove_file(self.path("{U}/.bashrc"));
    }

    fn repository(&self, name: &str) {
        let folder = self.home.beside(name);
        for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-q", "--allow-empty", "-m", "x"]] {
            let mut git = clean(Command::new("git"));
            git.arg("-C").arg(&folder).args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(arguments);
            let output = git.env("HOME", self.home.beside("nobody")).output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
    }

    /// A text with the places of this yard in it.
    pub fn fill(&self, text: &str) -> String {
        let path = |name: &str| self.home.beside(name).display().to_string();
        text.replace("{W}", &path("work"))
            .replace("{R}", &path("read"))
            .replace("{O}", &path("outside"))
            .replace("{D}", &path("sockets"))
            .replace("{H}", &self.home.path().canonicalize().unwrap().display().to_string())
            .replace("{U}", path("work").trim_end_matches("/work"))
            .replace("{S}", &self.client.process_id().to_string())
            .replace("{TCP}", &self.tcp.local_addr().unwrap().port().to_string())
            .replace("{UDP}", &self.udp.local_addr().unwrap().port().to_string())
            .replace("{ABSTRACT}", &self.name)
    }

    pub fn path(&self, text: &str) -> PathBuf {
        PathBuf::from(self.fill(text))
    }

    /// Executes a command by the server.
    pub fn by_server(&mut self, command: &[&str]) -> Value {
        let command: Vec<String> = command.iter().map(|word| self.fill(word)).collect();
        let parameters = json!({"command": command, "folder": self.path("{W}")});
        self.client.call("execute_procedure", json!({"procedure_id": "attack", "parameters": parameters}))
    }

    /// Executes it behind the same walls without some of them.
    pub fn by_stage(&self, command: &[&str], without: &[Layer]) -> String {
        let command: Vec<String> = command.iter().map(|word| self.fill(word)).collect();
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let bounds = Bounds {
            read: vec![self.path("{R}")],
            write: vec![self.path("{W}")],
            hidden: vec![self.path("{H}")],
            network: Network::None,
            means: self.means,
            limits: ProgramLimits {
                memory: Some(MEMORY_MIB << 20),
                processes: Some(PROCESSES),
                file: Some(FILE_MIB << 20),
            },
            ..Bounds::default()
        };
        let output = walls::run(&bounds, without, &command, |process| {
            process.current_dir(self.path("{W}")).env("HOME", self.path("{U}"));
        });
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
