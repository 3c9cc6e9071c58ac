//! Where data lives and what is allowed: the home folder and its `config.toml`.
//!
//! The only place that reads the environment. Everything below receives a [`Config`].

pub mod channels;
mod checkpoints;
mod commands;
mod environment;
mod error;
pub mod folders;
mod granting;
mod mcp_headers;
mod mcp_servers;
mod model;
mod paths;
mod policy;
mod program_bounds;
mod python;
mod retention;
mod rules;
mod runs;
mod stores;
mod tenant;
mod user;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::Deserialize;

use crate::domain::{Permissions, Rules};
use program_bounds::Surroundings;

pub use channels::{Channel, Channels};
pub use checkpoints::Checkpoints;
pub use commands::{CommandGrant, Confinement};
pub use environment::{clean_environment, editor, resolver_environment};
pub use error::ConfigError;
pub use folders::account;
pub use mcp_headers::HeaderSource;
pub use mcp_servers::{CommandSettings, HttpSettings, Reach, ServerSettings};
pub use model::{ModelSettings, Provider, Secret};
pub use program_bounds::{NamedHosts, ProgramBounds, ProgramNetwork};
pub use python::Python;
pub use retention::{Keep, Retention};
pub use runs::{Approvals, Resume, Runs};

/// The commented `config.toml` that `repertoire init` writes.
pub const TEMPLATE: &str = include_str!("../config_template.toml");

/// File name of the configuration inside the home.
pub const FILE_NAME: &str = "config.toml";

/// What whoever starts a process says of it; what is left out comes from the environment. An agent can say none of it.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The data folder. Otherwise `$REPERTOIRE_HOME`, else the platform's.
    pub home: Option<PathBuf>,
    /// Who uses the process. Otherwise `$REPERTOIRE_USER`, else the operating system's user.
    pub user: Option<String>,
    /// Whose stores it uses. Otherwise `$REPERTOIRE_TENANT`, else those of the home itself.
    pub tenant: Option<String>,
}

/// Everything that a process needs to know before it opens a home.
#[derive(Debug, Clone)]
pub struct Config {
    /// The absolute data folder.
    pub home: PathBuf,
    /// Who uses this process.
    pub user: String,
    /// The tenant that this process works for, if it does for one.
    pub tenant: Option<String>,
    /// The most that any procedure may do.
    pub policy: Permissions,
    /// The same for procedures to which the user grants more than to all, by name.
    pub policy_of: BTreeMap<String, Permissions>,
    /// Whether a person is asked for grants that a run lacks.
    pub offer_grants: bool,
    /// On which calls a person decides, and which are never made.
    pub rules: Arc<Rules>,
    /// The granted commands once more, with what each may reach.
    pub commands: Vec<CommandGrant>,
    /// Whether programs are confined.
    pub confinement: Confinement,
    /// Who may decide, where that is set.
    pub approvals: Option<Approvals>,
    /// Limits of every run.
    pub limits: Limits,
    /// What is allowed of the second runtime.
    pub python: Python,
    /// What happens to open runs.
    pub runs: Runs,
    /// How checkpoints are kept.
    pub checkpoints: Checkpoints,
    /// How long what happened is kept.
    pub retention: Retention,
    /// The language model that writes code, if there is one.
    pub model: Option<ModelSettings>,
    /// The MCP servers whose tools procedures may call, by name.
    pub mcp_servers: BTreeMap<String, ServerSettings>,
    /// Where notifications may go, beside the inbox.
    pub channels: Channels,
    /// The file as it was when it was read.
    stamp: Stamp,
}

/// When a file was changed and how long it is; `None` when it is not there.
type Stamp = Option<(SystemTime, u64)>;

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Limits of one run and of the whole tree of procedures that it calls.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Wall-clock seconds for a whole tree of nested procedures; waiting in a pause does not count.
    pub seconds: u64,
    /// Memory of the interpreter in MiB.
    pub memory_mib: usize,
    /// Captured `print` and `log` output in KiB.
    pub output_kib: usize,
    /// Size of the result as JSON in KiB.
    pub result_kib: usize,
    /// Calls to host functions.
    pub host_calls: usize,
    /// Operations on files and directories.
    pub file_calls: usize,
    /// What may be written to files, in MiB.
    pub write_mib: usize,
    /// How deep procedures may call each other.
    pub depth: usize,
    /// Interpreter processes that may exist at the same time.
    pub workers: usize,
    /// Memory of a program and what it starts, in MiB.
    pub program_memory_mib: u64,
    /// Processes and threads of a program.
    pub program_processes: u64,
    /// Size of a file that a program writes, in MiB.
    pub program_file_mib: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            seconds: 120,
            memory_mib: 256,
            output_kib: 256,
            result_kib: 1024,
            host_calls: 1000,
            file_calls: 20_000,
            write_mib: 256,
            depth: 16,
            workers: std::thread::available_parallelism().map_or(4, |cores| cores.get().max(4)),
            program_memory_mib: 4096,
            program_processes: 512,
            program_file_mib: 2048,
        }
    }
}

impl Limits {
    /// Wall-clock time for a whole tree of nested procedures.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Captured output in bytes.
    #[must_use]
    pub const fn output_bytes(&self) -> usize {
        self.output_kib * 1024
    }

    /// Size of the result as JSON in bytes.
    #[must_use]
    pub const fn result_bytes(&self) -> usize {
        self.result_kib * 1024
    }

    /// What may be written to files, in bytes.
    #[must_use]
    pub const fn write_bytes(&self) -> u64 {
        (self.write_mib as u64).saturating_mul(1024 * 1024)
    }

    /// Memory of the interpreter in bytes.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.memory_mib * 1024 * 1024
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    require_tenant: bool,
    policy: policy::Section,
    limits: Limits,
    python: Python,
    runs: Runs,
    checkpoints: Checkpoints,
    retention: Retention,
    model: toml::Table,
    mcp_servers: toml::Table,
    channels: toml::Table,
    notifications: toml::Table,
}

impl Config {
    /// Finds the home, the user and the tenant, and reads the home's `config.toml`, when there is one.
    ///
    /// # Errors
    /// [`ConfigError`] when no home is known, the file is not valid, or there is no tenant and must be one.
    pub fn load(start: &Start) -> Result<Self, ConfigError> {
        let home = paths::resolve_home(start.home.as_deref())?;
        let path = home.join(FILE_NAME);
        let stamp = stamp(&path);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(ConfigError::Io { path, source }),
        };
        let user = user::resolve(start.user.as_deref())?;
        let tenant = tenant::resolve(start.tenant.as_deref())?;
        Ok(Self { user, stamp, ..Self::parse(home, tenant, &text)? })
    }

    /// The same for the file as it is now.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn reload(&self) -> Result<Self, ConfigError> {
        let (home, user, tenant) = (Some(self.home.clone()), Some(self.user.clone()), self.tenant.clone());
        Self::load(&Start { home, user, tenant })
    }

    /// Whether the file is still as it was when it was read.
    #[must_use]
    pub fn is_current(&self) -> bool {
        stamp(&self.file()) == self.stamp
    }

    pub(crate) fn parse(home: PathBuf, tenant: Option<String>, text: &str) -> Result<Self, ConfigError> {
        let path = home.join(FILE_NAME);
        let invalid = |message: String| ConfigError::Invalid { path: path.clone(), message };
        let file: File = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        if file.require_tenant && tenant.is_none() {
            return Err(ConfigError::TenantRequired { path });
        }
        check_limits(&file.limits).map_err(invalid)?;
        let python = file.python.check().map_err(invalid)?;
        let checkpoints = file.checkpoints.check().map_err(invalid)?;
        let rules = Arc::new(rules::read(&file.policy.ask, &file.policy.deny).map_err(invalid)?);
        let mut section = file.policy;
        let (approvals, confinement) = (section.approvals, section.confinement);
        let commands = std::mem::take(&mut section.commands);
        let real_home = fs::canonicalize(&home).unwrap_or_else(|_| home.clone());
        let commands = commands::parse_all(commands, &real_home).map_err(invalid)?;
        let has_tenants = file.require_tenant || tenant.is_some() || home.join(tenant::FOLDER).exists();
        let offer_grants = section.offer_grants.unwrap_or(true);
        let procedures = std::mem::take(&mut section.procedures);
        let for_all = section.permissions(&commands);
        let policy_of = policy::of_procedures(procedures, &for_all, &home, has_tenants).map_err(invalid)?;
        let policy = policy::check(for_all, &home, has_tenants).map_err(invalid)?;
        let model = ModelSettings::parse(file.model).map_err(invalid)?;
        let around = Surroundings { home: &real_home, file: &path, rules: &rules };
        let mcp_servers = ServerSettings::parse_all(file.mcp_servers, around).map_err(invalid)?;
        let channels = Channels::parse(file.channels, file.notifications, around).map_err(invalid)?;
        Ok(Self {
            home,
            user: String::new(),
            tenant,
            policy,
            policy_of,
            offer_grants,
            rules,
            commands,
            confinement,
            approvals,
            limits: file.limits,
            python,
            runs: file.runs,
            checkpoints,
            retention: file.retention,
            model,
            mcp_servers,
            channels,
            stamp: None,
        })
    }

    /// The most that the procedure of this name may do.
    #[must_use]
    pub fn policy_for(&self, procedure: &str) -> &Permissions {
        self.policy_of.get(procedure).unwrap_or(&self.policy)
    }

    /// The same, for another tenant or for the home itself.
    ///
    /// # Errors
    /// [`ConfigError::Tenant`] when no tenant can be called that.
    pub fn of_tenant(&self, tenant: Option<String>) -> Result<Self, ConfigError> {
        let tenant = tenant.map(|name| tenant::check(&name)).transpose()?;
        Ok(Self { tenant, ..self.clone() })
    }

    /// The tenants that have stores in this home, by name.
    #[must_use]
    pub fn tenants(&self) -> Vec<String> {
        tenant::all(&self.home)
    }

    /// The folder of the stores: that of the tenant, or the home itself.
    #[must_use]
    pub fn stores(&self) -> PathBuf {
        tenant::folder(&self.home, self.tenant.as_deref())
    }

    /// The folder of the packages that procedures need. It is not in the home, of which no program may see anything.
    #[must_use]
    pub fn environments(&self) -> PathBuf {
        paths::cache(&self.home).join("environments")
    }

    /// The folder of the files that travel with procedures, where their runs read them; outside of the home as well.
    #[must_use]
    pub fn travelling_files(&self) -> PathBuf {
        paths::cache(&self.home).join("files")
    }

    /// The `config.toml` of this home, for all its tenants.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.home.join(FILE_NAME)
    }
}

fn check_limits(limits: &Limits) -> Result<(), String> {
    if limits.seconds == 0 {
        return Err("`limits.seconds` must be at least 1".to_owned());
    }
    let at_least_one = [
        ("output_kib", limits.output_kib),
        ("result_kib", limits.result_kib),
        ("host_calls", limits.host_calls),
        ("file_calls", limits.file_calls),
        ("depth", limits.depth),
        ("workers", limits.workers),
        ("program_memory_mib", usize::try_from(limits.program_memory_mib).unwrap_or(usize::MAX)),
        ("program_processes", usize::try_from(limits.program_processes).unwrap_or(usize::MAX)),
        ("program_file_mib", usize::try_from(limits.program_file_mib).unwrap_or(usize::MAX)),
    ];
    if let Some((name, _)) = at_least_one.into_iter().find(|(_, value)| *value == 0) {
        return Err(format!("`limits.{name}` must be at least 1"));
    }
    if limits.memory_mib < 8 {
        return Err(format!("`limits.memory_mib` is {}; the interpreter needs at least 8", limits.memory_mib));
    }
    if limits.depth > 64 {
        return Err(format!("`limits.depth` is {}; at most 64", limits.depth));
    }
    Ok(())
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
