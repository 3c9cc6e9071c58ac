//! Connecting to a host that may be reached: the addresses that were judged are those that are tried.

use std::{io, net::SocketAddr, time::Duration};

use hyper::StatusCode;
use tokio::{net::TcpStream, time::timeout};

use super::Proxy;
use crate::{
    domain::Host,
    host::network::{Nowhere, resolve},
};

/// How long finding a host and connecting to it may take, over all of its addresses.
const CONNECT_TIME: Duration = Duration::from_secs(30);
/// How long one address may take where there are others.
const ADDRESS_TIME: Duration = Duration::from_secs(10);

/// Why there is no connection.
#[derive(Debug)]
pub struct Failure {
    pub status: StatusCode,
    pub why: String,
}

impl Failure {
    pub fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, why: why.into() }
    }
}

impl Proxy {
    /// A connection to a host, where it and one of its addresses may be reached.
    pub(super) async fn dial(&self, host: &Host, port: u16) -> Result<TcpStream, Failure> {
        let shown = format!("{host}:{port}");
        let forbidden = |why: String| Failure::new(StatusCode::FORBIDDEN, self.refuse(why));
        let zone = self.reach.check(host, port, &shown).map_err(forbidden)?;
        let unreachable =
            |error: io::Error| Failure::new(StatusCode::BAD_GATEWAY, format!("`{shown}` can't be reached: {error}"));
        let connecting = async {
            let addresses = match host {
                // It is granted itself, whatever it leads to.
                Host::Address(address) => vec![SocketAddr::new(*address, port)],
                Host::Name(name) => match resolve(name.clone(), port, zone).await {
                    Ok(addresses) => addresses,
                    Err(Nowhere::Unknown(error)) => return Err(unreachable(error)),
                    Err(Nowhere::OutOfBounds(refused)) => {
                        let address = format!("{} {}", refused.class.describe(), refused.address);
                        return Err(forbidden(self.reach.out_of_bounds(&shown, zone, &address)));
                    }
                },
            };
            connect(&addresses).await.map_err(unreachable)
        };
        timeout(CONNECT_TIME, connecting).await.unwrap_or_else(|_| {
            let why = format!("`{shown}` did not answer within {} s", CONNECT_TIME.as_secs());
            Err(Failure::new(StatusCode::GATEWAY_TIMEOUT, why))
        })
    }
}

/// The first of the addresses that answers.
async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for address in addresses {
        let connected = timeout(ADDRESS_TIME, TcpStream::connect(address)).await;
        match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => {
                // Both ends speak as they please; nothing is gained by waiting for more.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
