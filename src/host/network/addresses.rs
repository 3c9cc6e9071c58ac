//! Which addresses belong to the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// To the internet.
    Public,
    /// To this machine or a network of its owner; a host that is granted by its own name may have it.
    Private,
    /// To the link (where clouds hand out credentials), to many machines, or to nobody. No name may have it: only a grant
    /// of the very address leads there.
    Special,
}

impl Class {
    /// The class of an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// The class in words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Public => "public address",
            Self::Private => "private address",
            Self::Special => "special address",
        }
    }
}

/// The registry of IANA for special purposes; what is not global there is not public here.
fn of_v4(address: Ipv4Addr) -> Class {
    match address.octets() {
        // This machine, private networks, the networks of providers behind their address translation, and test benches,
        // which some tunnels use for names of their own.
        [127 | 10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => {
            Class::Private
        }
        // Unspecified, link-local, protocol assignments, documentation, the old relays of 6to4, multicast and the rest.
        [0 | 224.., ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [192, 88, 99, _] => Class::Special,
        _ => Class::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Class {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        of_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // This machine, unique local, the site-local of old, and translation to the IPv4 of this network.
        [0, 0, 0, 0, 0, 0, 0, 1] | [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => Class::Private,
        // Addresses that stand for one of IPv4: translated, and 6to4. (Those of `::/96` are special, whichever they hold.)
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
        // Teredo and other assignments to protocols, and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Class::Special,
        // Everything that is routed has been assigned from here.
        [0x2000..=0x3fff, ..] => Class::Public,
        _ => Class::Special,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        let classes: [(Class, &[&str]); 3] = [
            (
                Class::Public,
                &[
                    "1.1.1.1",
                    "93.184.216.34",
                    "172.15.0.1",
                    "172.32.0.1",
                    "192.167.1.1",
                    "100.63.0.1",
                    "100.128.0.1",
                    "126.255.255.255",
                    "128.0.0.1",
                    "223.255.255.255",
                    "198.17.0.1",
                    "198.20.0.1",
                    "192.0.1.1",
                    "2606:4700:4700::1111",
                    "2a00:1450::1",
                    "64:ff9b::1.1.1.1",
                    "2002:101:101::1",
                    "::ffff:1.1.1.1",
                ],
            ),
            (
                Class::Private,
                &[
                    "127.0.0.1",
                    "127.255.255.255",
                    "10.0.0.5",
                    "10.255.255.255",
                    "172.16.0.1",
                    "172.31.255.255",
                    "192.168.0.1",
                    "100.64.0.1",
                    "100.127.255.255",
                    "198.18.0.1",
                    "198.19.255.255",
                    "::1",
                    "fc00::1",
                    "fd12:3456::1",
                    "fec0::1",
                    "::ffff:127.0.0.1",
                    "::ffff:10.0.0.1",
                    "64:ff9b::10.0.0.1",
                    "64:ff9b:1::1",
                    "2002:7f00:1::",
                    "2002:c0a8:1::1",
                ],
            ),
            (
                Class::Special,
                &[
                    "0.0.0.0",
                    "0.1.2.3",
                    "169.254.169.254",
                    "224.0.0.1",
                    "239.255.255.255",
                    "240.0.0.1",
                    "255.255.255.255",
                    "192.0.0.1",
                    "192.0.2.1",
                    "198.51.100.1",
                    "203.0.113.1",
                    "192.88.99.1",
                    "::",
                    "::127.0.0.1",
                    "fe80::1",
                    "febf::1",
                    "ff02::1",
                    "2001:db8::1",
                    "2001::1",
                    "3fff::1",
                    "100::1",
                    "64:ff9b::169.254.169.254",
                    "2002:a9fe:a9fe::1",
                    "::ffff:169.254.169.254",
                    "::ffff:0:127.0.0.1",
                    "4000::1",
                    "5f00::1",
                ],
            ),
        ];
        for (class, addresses) in classes {
            for address in addresses {
                assert_eq!(Class::of(address.parse().unwrap()), class, "{address}");
            }
        }
    }
}
