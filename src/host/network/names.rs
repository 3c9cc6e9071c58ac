//! Looking names up, and leaving out what their host may not have.
//!
//! The addresses that are judged are those that are connected to: a name that changes between a check and a connection has
//! nothing to gain.

use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
};

use super::addresses::Class;
use crate::host::grants::Zone;

/// Every address that a name has is out of bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it leads to the {} {address}", class.describe())]
pub struct OutOfBounds {
    pub address: IpAddr,
    pub class: Class,
}

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum Nowhere {
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
    #[error(transparent)]
    Unknown(#[from] io::Error),
}

/// The addresses with this port that `name` has at this moment and that hosts of the zone may have.
///
/// # Errors
/// [`Nowhere`]: the system finds none, or all are out of bounds.
pub async fn resolve(name: String, port: u16, zone: Zone) -> Result<Vec<SocketAddr>, Nowhere> {
    let found = tokio::task::spawn_blocking(move || (name.as_str(), port).to_socket_addrs()).await;
    let found = found.map_err(io::Error::other)??;
    Ok(within(zone, found.collect())?)
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
