//! The filter of system calls: what no program needs that does what it was granted for, and much of what holes are found in.

use std::io;

use nix::libc;
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompFilter, SeccompRule, TargetArch, apply_filter};

use super::{
    calls_alone,
    conditions::{Rules, has, is, is_not, masked, rule},
};
use crate::confinement::{Means, Network};

/// Refused whatever the arguments are.
const REFUSED: &[i64] = &[
    // Looking into other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // Mounts, roots and namespaces.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_fanotify_init,
    // The kernel itself.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_memfd_secret,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    #[cfg(not(target_arch = "aarch64"))]
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_lookup_dcookie,
    // Keyrings, which are the user's and not the process's.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ustat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS__sysctl,
];

/// New namespaces, each by its flag.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// Puts characters into the input of a terminal, and what pastes there.
const TERMINAL_INPUT: [u64; 2] = [0x5412, 0x541c];
/// The kind of a socket is in these bits of it; beside it are flags.
const SOCKET_KIND: u64 = 0xf;
const PACKET: u64 = 10;

/// On x86-64 a call has a second number, with this bit; some have one of their own there.
#[cfg(target_arch = "x86_64")]
const SECOND_NUMBER: i64 = 0x4000_0000;
#[cfg(target_arch = "x86_64")]
const SECOND_NUMBERS: [(i64, i64); 5] = [
    (libc::SYS_ioctl, 514),
    (libc::SYS_ptrace, 521),
    (libc::SYS_kexec_load, 528),
    (libc::SYS_process_vm_readv, 539),
    (libc::SYS_process_vm_writev, 540),
];

/// Filters what this process and whatever it starts asks of the system, for ever.
pub fn filter(network: Network, means: Means) -> io::Result<()> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let refuse = |rules: Rules, errno: i32| {
        let errno = SeccompAction::Errno(errno.unsigned_abs());
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, errno, architecture).map_err(io::Error::other)?;
        let program: BpfProgram = filter.try_into().map_err(io::Error::other)?;
        apply_filter(&program).map_err(io::Error::other)
    };
    // Its arguments are in memory, where no filter sees them. Who hears that it is unknown calls the older one.
    let mut unknown = Rules::from([(libc::SYS_clone3, Vec::new())]);
    if means == Means::Landlock {
        unknown.insert(libc::SYS_openat2, Vec::new());
    }
    refuse(unknown, libc::ENOSYS)?;
    refuse(rules(network, means).map_err(io::Error::other)?, libc::EPERM)
}

fn rules(network: Network, means: Means) -> Result<Rules, seccompiler::BackendError> {
    let mut rules: Rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let flags = |width: SeccompCmpArgLen| {
        NAMESPACES
            .into_iter()
            .map(|flag| rule(&[has(0, width.clone(), flag.unsigned_abs().into())?]))
            .collect::<Result<Vec<_>, _>>()
    };
    rules.insert(libc::SYS_clone, flags(SeccompCmpArgLen::Qword)?);
    rules.insert(libc::SYS_unshare, flags(SeccompCmpArgLen::Qword)?);
    let input = TERMINAL_INPUT.into_iter().map(|request| rule(&[is(1, request)?])).collect::<Result<Vec<_>, _>>()?;
    rules.insert(libc::SYS_ioctl, input);
    rules.insert(libc::SYS_socket, sockets(network)?);
    for (call, argument) in [
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_mknod, 1),
        (libc::SYS_mknodat, 2),
    ] {
        let devices = [libc::S_IFCHR, libc::S_IFBLK].map(|kind| masked(argument, libc::S_IFMT.into(), kind.into()));
        rules.insert(call, devices.into_iter().map(|device| rule(&[device?])).collect::<Result<Vec<_>, _>>()?);
    }
    if means == Means::Landlock {
        calls_alone::add(&mut rules, network)?;
    }
    #[cfg(target_arch = "x86_64")]
    {
        let same = rules.iter().map(|(call, rules)| (call | SECOND_NUMBER, rules.clone())).collect::<Vec<_>>();
        let own = SECOND_NUMBERS
            .into_iter()
            .filter_map(|(call, number)| Some((number | SECOND_NUMBER, rules.get(&call)?.clone())));
        let own: Vec<_> = own.collect();
        rules.extend(same);
        rules.extend(own);
    }
    Ok(rules)
}

/// Sockets of this machine, those that ask about its addresses, and of the internet where there is a network.
fn sockets(network: Network) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let family = |family: i32| u64::from(family.unsigned_abs());
    let mut known = vec![is_not(0, family(libc::AF_UNIX))?, is_not(0, family(libc::AF_NETLINK))?];
    if network != Network::None {
        known.extend([is_not(0, family(libc::AF_INET))?, is_not(0, family(libc::AF_INET6))?]);
    }
    let not_netlink = || is_not(0, family(libc::AF_NETLINK));
    let raw = masked(1, SOCKET_KIND, family(libc::SOCK_RAW))?;
    Ok(vec![
        rule(&known)?,
        rule(&[raw, not_netlink()?])?,
        rule(&[masked(1, SOCKET_KIND, PACKET)?])?,
        rule(&[is(0, family(libc::AF_NETLINK))?, is_not(2, family(libc::NETLINK_ROUTE))?])?,
    ])
}
