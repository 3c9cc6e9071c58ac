//! The clients that make the connections, and the look-up of names that keeps private addresses out.
//!
//! There are two for the whole process: one for hosts that may have public addresses only, one for hosts that the policy
//! names, which may have private ones. A connection that is kept for reuse was made under the same rule as whoever gets
//! it next, and the addresses that are judged are those that are connected to: a name that changes between a check and a
//! connection has nothing to gain.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::OnceLock,
};

use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

use super::addresses::Class;
use crate::host::grants::Zone;

/// Every address that a name has is out of bounds.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("it leads to the {} {address}", class.describe())]
pub struct OutOfBounds {
    pub address: IpAddr,
    pub class: Class,
}

/// The client for hosts of a zone.
pub async fn client(zone: Zone) -> Result<&'static Client, String> {
    static CLIENTS: OnceLock<[Client; 2]> = OnceLock::new();
    let [public, private] = if let Some(clients) = CLIENTS.get() {
        clients
    } else {
        // It reads the certificates of the system, which takes its time.
        let built = tokio::task::spawn_blocking(|| Ok([build(Zone::Public)?, build(Zone::Private)?]));
        let built = built.await.map_err(|error| {
            tracing::error!(%error, "the clients for requests were not made");
            "no request can be made; the log of the server says why".to_owned()
        })?;
        let built = built.map_err(|error: reqwest::Error| root_cause(&error))?;
        CLIENTS.get_or_init(|| built)
    };
    Ok(match zone {
        Zone::Public => public,
        Zone::Private => private,
    })
}

fn build(zone: Zone) -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("repertoire/", env!("CARGO_PKG_VERSION")))
        // Every hop needs a grant, so they are followed one by one.
        .redirect(Policy::none())
        .referer(false)
        // A proxy looks names up by itself: whatever was decided here, it would connect elsewhere.
        .no_proxy()
        .dns_resolver(Resolver { zone })
        .build()
}

/// What the innermost of an error's causes says.
pub fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    cause.to_string()
}

struct Resolver {
    zone: Zone,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let zone = self.zone;
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || (name.as_str(), 0).to_socket_addrs()).await??;
            Ok(Box::new(within(zone, found.collect())?.into_iter()) as Addrs)
        })
    }
}

/// The addresses that hosts of this zone may have.
fn within(zone: Zone, mut addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, OutOfBounds> {
    let first = addresses.first().map(SocketAddr::ip);
    addresses.retain(|address| match Class::of(address.ip()) {
        Class::Public => true,
        Class::Private => zone == Zone::Private,
        Class::Special => false,
    });
    match first {
        Some(address) if addresses.is_empty() => Err(OutOfBounds { address, class: Class::of(address) }),
        _ => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_the_addresses_of_its_zone() {
        let addresses = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect()
        };
        let mixed = ["10.0.0.1", "1.1.1.1", "169.254.169.254"];
        assert_eq!(within(Zone::Public, addresses(&mixed)).unwrap(), addresses(&["1.1.1.1"]));
        assert_eq!(within(Zone::Private, addresses(&mixed)).unwrap(), addresses(&["10.0.0.1", "1.1.1.1"]));
        let refusal = within(Zone::Public, addresses(&["::1", "127.0.0.1"])).unwrap_err();
        assert_eq!(refusal.to_string(), "it leads to the private address ::1");
        assert!(within(Zone::Private, addresses(&["169.254.169.254"])).is_err());
    }
}
