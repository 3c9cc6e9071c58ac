//! What the filter refuses beside the rest where there are no namespaces: whatever reaches beyond the program by a name or a
//! number that Landlock does not look at.

use nix::libc;
use seccompiler::SeccompRule;

use super::conditions::{Rules, is, is_not, masked, not_null, rule};
use crate::confinement::Network;

/// Newer than the names that are known here; the same on every architecture.
const FCHMODAT2: i64 = 452;
const SETXATTRAT: i64 = 463;
const REMOVEXATTRAT: i64 = 466;
const FILE_SETATTR: i64 = 469;

/// Refused whatever the arguments are.
const REFUSED: &[i64] = &[
    // Rights, owners and notes of files by their names: Landlock has no word for these. By descriptors they can be set, and
    // Landlock says which files are opened.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    SETXATTRAT,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    REMOVEXATTRAT,
    FILE_SETATTR,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
    // The size by a name: Landlock before Linux 6.2 has no word for that.
    libc::SYS_truncate,
    // Being told what others do with their files.
    libc::SYS_inotify_add_watch,
    // Memory, semaphores and messages that all processes of a user share.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
];

/// Calls that say by an argument which process they mean, and that argument: only this one, which is 0.
const OF_A_PROCESS: [(i64, u8); 7] = [
    (libc::SYS_prlimit64, 0),
    (libc::SYS_sched_setaffinity, 0),
    (libc::SYS_sched_setscheduler, 0),
    (libc::SYS_sched_setparam, 0),
    (libc::SYS_sched_setattr, 0),
    (libc::SYS_setpriority, 1),
    (libc::SYS_ioprio_set, 1),
];

/// Calls that give a file rights, and the argument that says which.
const RIGHTS: &[(i64, u8)] = &[
    (libc::SYS_fchmod, 1),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, 1),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mknod, 1),
    (libc::SYS_mknodat, 2),
];
/// Calls that open files, and their argument of flags; rights come after it.
const OPENING: &[(i64, u8)] = &[
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, 1),
    (libc::SYS_openat, 2),
];
/// Being executed as another user or group.
const SET_ID: [u32; 2] = [libc::S_ISUID, libc::S_ISGID];

type Result<T> = std::result::Result<T, seccompiler::BackendError>;

/// Adds it to the rules.
pub fn add(rules: &mut Rules, network: Network) -> Result<()> {
    rules.extend(REFUSED.iter().map(|call| (*call, Vec::new())));
    let mut more = |call: i64, rule: SeccompRule| rules.entry(call).or_default().push(rule);
    for (call, argument) in OF_A_PROCESS {
        more(call, rule(&[is_not(argument, 0)?])?);
    }
    for (call, argument) in RIGHTS {
        for right in SET_ID {
            more(*call, rule(&[masked(*argument, right.into(), right.into())?])?);
        }
    }
    for (call, flags) in OPENING {
        let flag = |mask: i32, value: i32| masked(*flags, mask.unsigned_abs().into(), value.unsigned_abs().into());
        // Landlock before Linux 6.2 takes that for reading.
        more(*call, rule(&[flag(libc::O_ACCMODE | libc::O_TRUNC, libc::O_RDONLY | libc::O_TRUNC)?])?);
        for right in SET_ID {
            let right = masked(flags + 1, right.into(), right.into())?;
            more(*call, rule(&[flag(libc::O_CREAT, libc::O_CREAT)?, right])?);
        }
    }
    // By a name, which is the second argument: without one it is the descriptor's.
    more(libc::SYS_utimensat, rule(&[not_null(1)?])?);
    rules.insert(libc::SYS_socket, sockets(network)?);
    // One of a pair that keeps messages apart can still be told where to send them.
    let kind = |kind: i32| masked(1, 0xf, kind.unsigned_abs().into());
    let pairs = [libc::SOCK_DGRAM, libc::SOCK_RAW].map(|wrong| rule(&[kind(wrong)?]));
    rules.insert(libc::SYS_socketpair, pairs.into_iter().collect::<Result<_>>()?);
    Ok(())
}

/// None of this machine, as nothing but a namespace tells those apart that are files; and of the internet as the network is.
fn sockets(network: Network) -> Result<Vec<SeccompRule>> {
    if network != Network::Open {
        return Ok(Vec::new());
    }
    let family = |family: i32| u64::from(family.unsigned_abs());
    let known = [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK].map(|known| is_not(0, family(known)));
    let known = known.into_iter().collect::<Result<Vec<_>>>()?;
    let raw = masked(1, 0xf, family(libc::SOCK_RAW))?;
    let netlink = family(libc::AF_NETLINK);
    Ok(vec![
        rule(&known)?,
        rule(&[raw, is_not(0, netlink)?])?,
        rule(&[is(0, netlink)?, is_not(2, family(libc::NETLINK_ROUTE))?])?,
    ])
}
