//! Being root in a namespace while the walls are built, and nobody afterwards.

use std::{fs, io};

use nix::sched::{CloneFlags, unshare};
use rustix::{
    process::{DumpableBehavior, getegid, geteuid, set_dumpable_behavior},
    thread::{
        CapabilitiesSecureBits, CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
        configure_capability_in_ambient_set, remove_capability_from_bounding_set, set_capabilities,
        set_capabilities_secure_bits, set_no_new_privs,
    },
};

/// Makes a user namespace in which this user, under the same number, may do what walls need, and what it starts may, too. While
/// this process has one thread.
pub fn new_user_namespace() -> io::Result<()> {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    unshare(CloneFlags::CLONE_NEWUSER)?;
    // Nobody but root may map groups before this is said.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    // Who is not root loses them otherwise as soon as it executes something.
    let own = capabilities(None)?;
    set_capabilities(None, CapabilitySets { inheritable: own.permitted, ..own })?;
    for capability in own.permitted.iter() {
        configure_capability_in_ambient_set(capability, true)?;
    }
    Ok(())
}

/// Gives all of it up, for this process and whatever it executes.
pub fn give_up() -> io::Result<()> {
    clear_ambient_capability_set()?;
    let permitted = capabilities(None)?.permitted;
    for capability in permitted.iter() {
        remove_capability_from_bounding_set(capability)?;
    }
    // Who has none may not change these, and wins nothing by them.
    if permitted.contains(CapabilitySet::SETPCAP) {
        let bits = CapabilitiesSecureBits::NO_ROOT | CapabilitiesSecureBits::NO_ROOT_LOCKED;
        set_capabilities_secure_bits(bits)?;
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    set_no_new_privs(true)?;
    // What it started can't look into this process, although it is no more than that.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
