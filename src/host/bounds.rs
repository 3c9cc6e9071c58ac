//! What of the settings becomes walls around a program.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    context::HostContext,
    grants::Grants,
    proxy::Proxy,
    reach::{Holder, Reach},
};
use crate::{
    config::{CommandGrant, Config, Confinement, NamedHosts, ProgramBounds, ProgramNetwork},
    confinement::{Bounds, Gateway, Network, ProgramLimits},
    domain::{Rules, rule},
    downstream::Walls,
};

const MIB: u64 = 1024 * 1024;

/// Where walls come from that are around whatever is granted.
const BY_POLICY: &str = "`confinement = \"none\"` under [policy] in config.toml";
/// Where those come from that are around one program of the settings.
const BY_SECTION: &str = "leaving `confined` and bounds out of its section in config.toml";

/// What confines a program.
pub struct Confines {
    pub bounds: Bounds,
    /// The hosts that it reaches through the proxy, where it has one.
    pub reach: Option<Reach>,
    /// How the user does without walls, for when they can't be had.
    pub released_by: &'static str,
}

/// What confines code that is executed by a process of its own; `None` where the user wants nothing of that.
///
/// It sees the folders of the procedure, and `environment`, where its packages are. It reaches the hosts that `http_request`
/// would, through the proxy.
#[must_use]
pub fn of_python(config: &Config, grants: &Arc<Grants>, environment: Option<&Path>) -> Option<Confines> {
    if config.confinement == Confinement::None {
        return None;
    }
    let folders = |writable: bool| grants.mounts().iter().filter(move |mount| mount.writable == writable);
    let paths = |writable: bool| folders(writable).map(|mount| mount.path.clone());
    let bytes = |bytes: usize| u64::try_from(bytes).ok();
    let read = paths(false).chain(environment.map(Path::to_owned)).collect();
    let (read, write) = under_rules(read, paths(true).collect(), grants.rules());
    let reach = grants.reaches_hosts().then(|| Reach::Procedure(Arc::clone(grants)));
    let bounds = Bounds {
        read,
        write,
        hidden: vec![config.home.clone()],
        network: if reach.is_some() { Network::Proxied } else { Network::None },
        limits: ProgramLimits {
            memory: bytes(config.python.memory_bytes()),
            processes: Some(config.limits.program_processes),
            file: bytes(config.python.file_bytes()),
        },
        ..Bounds::default()
    };
    Some(Confines { bounds, reach, released_by: BY_POLICY })
}

/// What confines a command that is granted; `None` where the user wants nothing of that.
///
/// It sees the folders of the procedure, and what its own grant names beside them.
pub fn of_command(command: &[String], context: &HostContext<'_>) -> Option<Confines> {
    let config = context.config;
    if config.confinement == Confinement::None {
        return None;
    }
    let grant = CommandGrant::of(&config.commands, command).cloned().unwrap_or_default();
    let of_procedure = |writable: bool| {
        let mounts = context.grants.mounts().iter().filter(move |mount| mount.writable == writable);
        mounts.map(|mount| mount.path.clone())
    };
    let limits = &config.limits;
    let bytes = |own: Option<u64>, general: u64| Some(own.unwrap_or(general).saturating_mul(MIB));
    let (network, reach) = if grant.reaches_all() {
        (Network::Open, None)
    } else if grant.network.is_empty() {
        (Network::None, None)
    } else {
        let (rules, policy_file) = (Arc::clone(context.grants.rules()), config.file());
        let holder = Holder::Command(grant.run.clone());
        let reach = Reach::Program { holder, hosts: grant.hosts(), rules, policy_file };
        (Network::Proxied, Some(reach))
    };
    let (read, write) = under_rules(
        of_procedure(false).chain(grant.read.iter().cloned()).collect(),
        of_procedure(true).chain(grant.write.iter().cloned()).collect(),
        context.grants.rules(),
    );
    let bounds = Bounds {
        read,
        write,
        hidden: vec![config.home.clone()],
        startup_files: grant.startup_files,
        network,
        limits: ProgramLimits {
            memory: bytes(grant.memory_mib, limits.program_memory_mib),
            processes: Some(grant.processes.unwrap_or(limits.program_processes)),
            file: bytes(grant.file_mib, limits.program_file_mib),
        },
        ..Bounds::default()
    };
    Some(Confines { bounds, reach, released_by: BY_POLICY })
}

/// The walls around a downstream server.
pub fn of_server(server: &str, wanted: &ProgramBounds) -> Walls {
    let Confines { bounds, reach, .. } = of_settings(Holder::Server(server.to_owned()), wanted);
    let gateway = reach.map(|reach| Arc::new(Proxy::new(server.to_owned(), reach)) as Arc<dyn Gateway>);
    Walls { bounds, gateway }
}

/// What confines a program that the settings name, where they want that. It sees nothing of the policy or of a procedure.
pub fn of_settings(holder: Holder, wanted: &ProgramBounds) -> Confines {
    let (network, reach) = match &wanted.network {
        ProgramNetwork::None => (Network::None, None),
        ProgramNetwork::All => (Network::Open, None),
        ProgramNetwork::Hosts(named) => {
            let NamedHosts { hosts, rules, policy_file } = named.clone();
            (Network::Proxied, Some(Reach::Program { holder, hosts, rules, policy_file }))
        }
    };
    let bounds = Bounds {
        read: wanted.read.clone(),
        write: wanted.write.clone(),
        hidden: vec![wanted.hidden.clone()],
        startup_files: wanted.startup_files,
        network,
        ..Bounds::default()
    };
    Confines { bounds, reach, released_by: BY_SECTION }
}

/// The folders to read and to write, where the user has rules about changes: nobody can be asked in the middle of a program, so
/// that it may look at those, and change nothing.
fn under_rules(mut read: Vec<PathBuf>, write: Vec<PathBuf>, rules: &Rules) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let closed: Vec<PathBuf> =
        rule::written(&rules.ask).chain(rule::written(&rules.deny)).map(|(path, _)| path.to_owned()).collect();
    let (shut, open): (Vec<_>, Vec<_>) =
        write.into_iter().partition(|path| closed.iter().any(|closed| path.starts_with(closed)));
    read.extend(shut);
    read.extend(closed.into_iter().filter(|closed| open.iter().any(|path| closed.starts_with(path))));
    (read, open)
}
