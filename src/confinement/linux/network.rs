//! The network that a confined program finds: its loopback interface, and on it one listener of whoever started it.

use std::{
    ffi::OsString,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send as send_bytes, socket_with,
};

use crate::confinement::listener;

/// Of the loopback interface, in every network namespace.
const LOOPBACK: i32 = 1;
/// A request of `rtnetlink` that changes an interface, and the flags that ask for it and for an answer.
const NEW_LINK: u16 = 16;
const REQUEST_AND_ACK: u16 = 1 | 4;
/// The kind of an answer that says how it went.
const ERROR: u16 = 2;
/// The flag of an interface that is up.
const UP: u32 = 1;
/// Programs are told of the proxy by these; some know one way of writing them, some the other.
const PROXY_VARIABLES: [&str; 3] = ["http_proxy", "https_proxy", "all_proxy"];

/// Brings up the loopback interface of this namespace, where it is the program's own, and hands the listener over; says where
/// that is.
pub fn open(private: &Path, is_own: bool) -> io::Result<SocketAddr> {
    if is_own {
        bring_up()?;
    }
    let made = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener::send(&made, private)?;
    made.local_addr()
}

/// What tells a program of a proxy at this address, and that there is nothing to be reached without it.
pub fn variables(proxy: SocketAddr) -> Vec<(OsString, OsString)> {
    let address = OsString::from(format!("http://{proxy}"));
    let of_proxy = PROXY_VARIABLES.into_iter().flat_map(|name| [name.to_owned(), name.to_uppercase()]);
    let of_proxy = of_proxy.map(|name| (name.into(), address.clone()));
    let none = ["no_proxy", "NO_PROXY"].map(|name| (name.into(), OsString::new()));
    // Node.js does not look at the others without it.
    of_proxy.chain(none).chain([("NODE_USE_ENV_PROXY".into(), "1".into())]).collect()
}

/// `ip link set lo up`; its address comes with that.
fn bring_up() -> io::Result<()> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    send_bytes(&socket, &up_request(), SendFlags::empty())?;
    let mut answer = [0; 1024];
    let (length, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
    let field = |at: usize| answer.get(..length)?.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    let kind = field(4).map(|[low, high, ..]: [u8; 4]| u16::from_ne_bytes([low, high]));
    match (kind, field(16).map(i32::from_ne_bytes)) {
        (Some(ERROR), Some(0)) => Ok(()),
        (Some(ERROR), Some(error)) => Err(io::Error::from_raw_os_error(-error)),
        _ => Err(io::Error::other("the system did not answer as it should")),
    }
}

/// The header of a message (`nlmsghdr`), and what it says of an interface (`ifinfomsg`).
fn up_request() -> Vec<u8> {
    let body = [
        &[0, 0][..],
        &0_u16.to_ne_bytes(),
        &LOOPBACK.to_ne_bytes(),
        &UP.to_ne_bytes(),
        // Which flags are meant.
        &UP.to_ne_bytes(),
    ]
    .concat();
    let length = u32::try_from(16 + body.len()).unwrap_or_default();
    let header = [
        &length.to_ne_bytes()[..],
        &NEW_LINK.to_ne_bytes(),
        &REQUEST_AND_ACK.to_ne_bytes(),
        &1_u32.to_ne_bytes(),
        &0_u32.to_ne_bytes(),
    ];
    [&header.concat()[..], &body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_layout_of_the_kernel() {
        let request = up_request();
        assert_eq!(request.len(), 32);
        assert_eq!(request[..4], 32_u32.to_ne_bytes());
        assert_eq!(request[16..24], [0, 0, 0, 0, LOOPBACK.to_ne_bytes()[0], LOOPBACK.to_ne_bytes()[1], 0, 0]);
    }

    #[test]
    fn a_program_is_told_of_the_proxy_in_every_way_of_writing_it() {
        let variables = variables(SocketAddr::from((Ipv4Addr::LOCALHOST, 3128)));
        let value =
            |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.to_str().unwrap());
        for name in ["http_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            assert_eq!(value(name), Some("http://127.0.0.1:3128"), "{name}");
        }
        assert_eq!((value("NO_PROXY"), value("no_proxy")), (Some(""), Some("")));
    }
}
