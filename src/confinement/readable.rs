//! What programs need to see in order to run at all, and what of it nobody needs to see.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsStr,
    fs::{self, File},
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// Folders of the system, and others in which systems keep programs.
#[cfg(not(target_os = "macos"))]
const SYSTEM: &[&str] = &[
    "/bin",
    "/etc",
    "/gnu/store",
    "/home/linuxbrew/.linuxbrew",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/nix/var/nix/profiles",
    "/opt",
    "/run/current-system",
    "/sbin",
    "/snap",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/transparent_hugepage",
    "/usr",
];

#[cfg(target_os = "macos")]
const SYSTEM: &[&str] = &[
    "/Applications/Xcode.app",
    "/Library",
    "/System",
    "/bin",
    "/nix/store",
    "/opt",
    "/private/etc",
    "/private/var/db/timezone",
    "/private/var/select",
    "/sbin",
    "/usr",
];

/// What of a user's home programs read wherever they are: how somebody likes git.
const OF_GIT: [&str; 4] = [".gitconfig", ".config/git/config", ".config/git/ignore", ".config/git/attributes"];
/// What of a folder of cargo is no secret.
const OF_CARGO: [&str; 7] = ["bin", "config", "config.toml", "env", "git", "registry", ".crates.toml"];
/// What of `~/.local` belongs to programs.
const OF_LOCAL: [&str; 5] = ["bin", "lib", "share/pipx", "share/uv", "share/mise"];
/// Folders in which a tree of programs keeps those that are called.
const OF_PROGRAMS: [&str; 4] = ["bin", "libexec", "sbin", "shims"];

/// What of a user's home is nobody's business, also where the folder around it is granted.
const SECRETS: [&str; 33] = [
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".password-store",
    ".vault-token",
    ".terraform.d",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".gem/credentials",
    ".config/git/credentials",
    ".config/gh",
    ".config/hub",
    ".config/gcloud",
    ".config/op",
    ".config/age",
    ".config/sops",
    ".config/rclone",
    ".config/google-chrome",
    ".config/chromium",
    ".mozilla",
    ".thunderbird",
    ".bash_history",
    ".zsh_history",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    "Library/Keychains",
];
/// The same of the system, where root may run: file modes keep nothing from root.
const SYSTEM_SECRETS: [&str; 14] = [
    "/etc/NetworkManager/system-connections",
    "/etc/credstore",
    "/etc/credstore.encrypted",
    "/etc/docker",
    "/etc/kubernetes",
    "/etc/letsencrypt",
    "/etc/openvpn",
    "/etc/pki/tls/private",
    "/etc/ppp",
    "/etc/rancher",
    "/etc/ssl/private",
    "/etc/sudoers.d",
    "/etc/wireguard",
    "/etc/wpa_supplicant",
];
/// Whose own files there are read by others only if they may.
const SYSTEM_SETTINGS: [&str; 2] = ["/etc", "/etc/ssh"];
const READABLE_BY_ALL: u32 = 0o004;
/// How often a script is followed to what interprets it.
const INTERPRETERS: usize = 3;
/// How often a link is followed.
const LINKS: usize = 16;

/// The folders of the system.
pub fn system() -> impl Iterator<Item = PathBuf> {
    SYSTEM.iter().map(PathBuf::from)
}

/// What is needed to look up names of hosts and is not in the folders of the system.
pub fn for_names() -> Vec<PathBuf> {
    fs::canonicalize("/etc/resolv.conf").into_iter().filter(|path| !path.starts_with("/etc")).collect()
}

/// What nobody gets to see who was not granted it by name: only what is there.
pub fn secrets() -> Vec<PathBuf> {
    let of_user = home().into_iter().flat_map(|home| SECRETS.map(|name| home.join(name)));
    let listed = of_user.chain(SYSTEM_SECRETS.map(PathBuf::from));
    // Most are not there, which is seen sooner than where they would lead.
    let there = listed.filter(|path| path.symlink_metadata().is_ok());
    let mut found: Vec<PathBuf> = there.filter_map(|path| fs::canonicalize(path).ok()).collect();
    for folder in SYSTEM_SETTINGS {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        found.extend(entries.filter(is_private).map(|entry| entry.path()));
    }
    found
}

fn is_private(entry: &fs::DirEntry) -> bool {
    // Not of what a link leads to.
    entry
        .metadata()
        .is_ok_and(|metadata| !metadata.is_symlink() && metadata.permissions().mode() & READABLE_BY_ALL == 0)
}

/// What a program needs that is not of the system: its own files, what is on `PATH`, and how its user likes git.
pub fn own(program: &Path, directory: &Path, hidden: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut found = Found { home: home(), hidden, paths: BTreeSet::new() };
    if let Some(path) = find(program, directory) {
        found.program(&path, INTERPRETERS);
    }
    for folder in path_folders() {
        found.folder_of_programs(&folder);
    }
    if let Some(folder) = variable("CARGO_HOME") {
        found.some_of(&folder, &OF_CARGO);
    }
    if let Some(folder) = variable("RUSTUP_HOME") {
        found.add(folder);
    }
    if let Some(home) = found.home.clone() {
        found.some_of(&home, &OF_GIT);
    }
    found.paths
}

/// A variable that the program gets, too: `config` has chosen which those are.
fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The user's home.
pub fn home() -> Option<PathBuf> {
    variable("HOME").and_then(|home| fs::canonicalize(home).ok())
}

fn path_folders() -> Vec<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    env::split_paths(&path).filter(|folder| folder.is_absolute()).collect()
}

/// The file that would be executed.
fn find(program: &Path, directory: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return Some(directory.join(program)).filter(|path| path.is_file());
    }
    path_folders().into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}

struct Found<'a> {
    home: Option<PathBuf>,
    hidden: &'a [PathBuf],
    paths: BTreeSet<PathBuf>,
}

impl Found<'_> {
    /// A program with the tree that it belongs to, wherever links lead, and what interprets it.
    fn program(&mut self, path: &Path, interpreters: usize) {
        let mut path = path.to_owned();
        for _ in 0..LINKS {
            if let (Some(folder), Some(name)) =
                (path.parent().and_then(|folder| fs::canonicalize(folder).ok()), path.file_name())
            {
                self.tree_of(&folder, name);
            }
            let Ok(target) = fs::read_link(&path) else { break };
            path = path.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
        }
        if let Some(interpreter) = interpreter_of(&path).filter(|_| interpreters > 0) {
            self.program(&interpreter, interpreters - 1);
        }
    }

    fn tree_of(&mut self, folder: &Path, name: &OsStr) {
        if self.is_general(folder) {
            self.add(folder.join(name));
        } else {
            self.folder_of_programs(folder);
        }
    }

    /// A folder with programs, and what they need beside it.
    fn folder_of_programs(&mut self, folder: &Path) {
        let Ok(folder) = fs::canonicalize(folder) else { return };
        if self.is_general(&folder) {
            return;
        }
        let is_part = folder.file_name().is_some_and(|name| OF_PROGRAMS.iter().any(|part| name == *part));
        let Some(tree) = folder.parent().filter(|tree| is_part && !self.is_general(tree)) else {
            self.add(folder);
            return;
        };
        match tree.file_name().and_then(OsStr::to_str) {
            Some(".cargo") => {
                self.some_of(tree, &OF_CARGO);
                self.some_of(tree.parent().unwrap_or(tree), &[".rustup"]);
            }
            Some(".local") => self.some_of(tree, &OF_LOCAL),
            _ => self.add(tree.to_owned()),
        }
    }

    /// Whether a folder holds more than programs: a home, or what one lies in.
    fn is_general(&self, folder: &Path) -> bool {
        self.home.iter().chain(self.hidden).any(|inner| inner.starts_with(folder))
            || Path::new("/tmp").starts_with(folder)
            || Path::new("/home").starts_with(folder)
            || folder.parent() == Some(Path::new("/home"))
    }

    fn some_of(&mut self, folder: &Path, names: &[&str]) {
        for name in names {
            self.add(folder.join(name));
        }
    }

    fn add(&mut self, path: PathBuf) {
        let is_of_system = SYSTEM.iter().any(|folder| path.starts_with(folder));
        if !is_of_system && let Ok(path) = fs::canonicalize(path) {
            self.paths.insert(path);
        }
    }
}

/// What a script says that interprets it, also by way of `env`.
fn interpreter_of(path: &Path) -> Option<PathBuf> {
    let mut begin = Vec::new();
    File::open(path).ok()?.take(256).read_to_end(&mut begin).ok()?;
    let line = begin.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split_whitespace();
    let interpreter = Path::new(words.next()?);
    if interpreter.file_name() == Some(OsStr::new("env")) {
        return find(Path::new(words.find(|word| !word.starts_with('-'))?), Path::new("/"));
    }
    Some(interpreter.to_owned())
}
