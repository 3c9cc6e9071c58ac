//! System calls that no wall should meet. They are made with arguments that do nothing, and count as let through when the
//! system said more than no.
#![cfg(target_arch = "x86_64")]

use Layer::{Calls, Landlock, Privileges, User};
use repertoire::confinement::Layer;

use super::attacks::{attack, make};

#[test]
fn what_holes_are_found_in_is_refused() {
    make(&[
        attack("keyrings", &[Calls], "call(250, 0, -3, 0, 0, 0)"),
        attack("a new key", &[Calls], "call(248, b'user', b'repertoire-test', b'x', 1, -2)"),
        attack("rings of requests", &[Calls], "call(425, 0, None)"),
        attack("page faults", &[Calls], "call(323, 1)"),
        attack("performance events", &[Calls], "call(298, None, 0, -1, -1, 0)"),
        attack("programs in the kernel", &[Calls, Privileges, User], "call(321, 9999, None, 0)").of_root(),
        attack("another kernel", &[Calls, Privileges, User], "call(246, 0, 99, None, 0)").of_root(),
        attack("modules", &[Calls, Privileges, User], "call(175, None, 0, None)").of_root(),
        attack("the end of everything", &[Calls, Privileges, User], "call(169, 0, 0, 0, None)").of_root(),
        attack("the clock", &[Calls, Privileges, User], "call(227, 99, None)"),
        attack("the log of the kernel", &[Calls, Privileges, User], "call(103, 10, None, 0)").of_root(),
        attack("secret memory", &[Calls], "call(447, 0xffff)"),
        attack("pages of others", &[Calls], "call(279, 0, 0, None, None, None, 0)"),
        attack(
            "input of a terminal",
            &[Calls],
            "
import fcntl, pty
inner, outer = pty.openpty()
if os.getsid(0) != os.getpid():
    os.setsid()
fcntl.ioctl(outer, 0x540e, 0)
call(16, outer, 0x5412, b'x')
",
        )
        .alone_by(&[Calls, Landlock]),
        attack(
            "by their other numbers",
            &[Calls],
            "
call(0x40000000 | 250, 0, -3, 0, 0, 0)
",
        ),
    ]);
}

#[test]
fn walls_are_not_rebuilt_from_within() {
    make(&[
        attack("a new user namespace", &[Calls], "call(272, 0x10000000)"),
        attack(
            "a process in one",
            &[Calls],
            "
made = call(56, 0x10000000 | 17, 0, 0, 0, 0)
if made == 0:
    os._exit(0)
",
        ),
        attack("a new network", &[Calls, Privileges], "call(272, 0x40000000)"),
        attack("a mount", &[Calls, Privileges, Landlock], "call(165, b'none', b'/dev/shm', b'tmpfs', 0, None)")
            .alone_never_let_out(),
        attack("an unmount", &[Calls, Privileges, Landlock], "call(166, b'/dev/shm', 2)").alone_never_let_out(),
        attack("mounts as descriptors", &[Calls, Privileges, Landlock], "call(430, b'tmpfs', 0)"),
        attack("a tree of mounts", &[Calls, Privileges, Landlock], "call(428, -100, b'/usr', 1)"),
        attack("another root", &[Calls, Privileges], "call(161, b'/usr')"),
        attack("another root for all", &[Calls, Privileges, Landlock], "call(155, b'/nowhere', b'/nowhere')"),
        attack("the namespace of another", &[Calls, Privileges], "call(308, 99, 0)"),
        attack("files by their handles", &[Calls, Privileges], "call(304, 99, None, 0)"),
        attack("another name of the machine", &[Calls, Privileges], "call(170, b'pwned', 5)").alone_never_let_out(),
    ]);
}
