//! After others by way of sockets: of this machine and of the network.

use Layer::{Calls, Files, Landlock, Network, Privileges, User};
use repertoire::confinement::Layer;

use super::attacks::{attack, make};

const INTERNET: &[Layer] = &[Network, Landlock, Calls];

#[test]
fn nobody_is_spoken_to() {
    make(&[
        attack(
            "a socket such as that of Docker",
            &[Files],
            "
s = socket.socket(socket.AF_UNIX)
s.connect('{D}/docker.sock')
escaped()
",
        )
        .alone_by(&[Calls]),
        attack(
            "an abstract socket, as of a desktop",
            &[Network, Landlock],
            "
s = socket.socket(socket.AF_UNIX)
s.connect(bytes(1) + '{ABSTRACT}'.encode())
escaped()
",
        )
        .alone_by(&[Calls, Landlock]),
        attack("TCP to this machine", INTERNET, "socket.create_connection(('127.0.0.1', {TCP}), 5); escaped()"),
        attack(
            "UDP to this machine",
            INTERNET,
            "
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b'x', ('127.0.0.1', {UDP}))
escaped()
",
        ),
        attack(
            "an address in the network",
            INTERNET,
            "
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('127.0.0.53', 53))
escaped()
",
        ),
        attack("IPv6", &[Calls], "socket.socket(socket.AF_INET6, socket.SOCK_STREAM); escaped()"),
        attack(
            "waiting for others",
            INTERNET,
            "
s = socket.socket()
s.bind(('127.0.0.1', 0))
s.listen()
escaped()
",
        ),
    ]);
}

#[test]
fn no_other_kinds_of_sockets_are_made() {
    make(&[
        attack("raw", &[Calls, Privileges], "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); escaped()"),
        attack("packets", &[Calls, Privileges], "socket.socket(17, socket.SOCK_RAW, 0); escaped()"),
        attack("what the kernel tells of itself", &[Calls], "socket.socket(16, socket.SOCK_RAW, 15); escaped()"),
        attack(
            "ciphers of the kernel",
            &[Calls],
            "
try:
    socket.socket(38, socket.SOCK_SEQPACKET, 0)
    escaped()
except OSError as error:
    escaped() if error.errno == errno.EAFNOSUPPORT else print(error)
",
        ),
        attack(
            "other machines on this one",
            &[Calls],
            "
try:
    socket.socket(40, socket.SOCK_STREAM, 0)
    escaped()
except OSError as error:
    escaped() if error.errno in (errno.EAFNOSUPPORT, errno.ENODEV) else print(error)
",
        ),
        attack(
            "radio",
            &[Calls, User],
            "
try:
    socket.socket(31, socket.SOCK_SEQPACKET, 0)
    escaped()
except OSError as error:
    escaped() if error.errno in (errno.EAFNOSUPPORT, errno.ESOCKTNOSUPPORT, errno.EPROTONOSUPPORT) else print(error)
",
        ),
    ]);
}
