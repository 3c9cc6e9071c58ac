//! Hosts of the network, and grants of them.
//!
//! Only texts are compared here. What addresses a name leads to, and whether they are private, is looked at where a
//! connection is made.

use std::{fmt, net::IpAddr};

/// A host as an address of the web names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A name, in lower case and without a dot at its end.
    Name(String),
    /// An address; one of IPv4 that is written as IPv6 counts as what it is.
    Address(IpAddr),
}

impl Host {
    /// Reads `example.org`, `127.0.0.1`, `::1` or `[::1]`; `None` when it is none of these.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical()));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let is_label = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        // Programs take what ends in a number for an address in an unusual notation.
        let ends_in_number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        (name.split('.').all(is_label) && !ends_in_number).then_some(Self::Name(name))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(formatter),
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
        }
    }
}

/// One entry of `network` in permissions.
///
/// `api.example.org` is that host, `*.example.org` every name below `example.org` (and not `example.org` itself). With
/// `:port` it is that port only; without one it is every port, whether of `http` or of `https`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostGrant {
    pattern: Pattern,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Host(Host),
    /// The names that end in this, which begins with a dot.
    Below(String),
}

impl HostGrant {
    /// Reads an entry; `None` when it is no host.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            // An IPv6 address in brackets, or without them and then without a port.
            Some((before, _)) if before.contains(':') && !before.ends_with(']') => (text, None),
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
            None => (text, None),
        };
        let pattern = match host.strip_prefix("*.") {
            Some(parent) => match Host::parse(parent)? {
                Host::Name(name) => Pattern::Below(format!(".{name}")),
                Host::Address(_) => return None,
            },
            None => Pattern::Host(Host::parse(host)?),
        };
        Some(Self { pattern, port })
    }

    /// Whether this host may be reached at this port.
    #[must_use]
    pub fn covers(&self, host: &Host, port: u16) -> bool {
        let is_host = match (&self.pattern, host) {
            (Pattern::Host(granted), host) => granted == host,
            (Pattern::Below(end), Host::Name(name)) => name.ends_with(end.as_str()),
            (Pattern::Below(_), Host::Address(_)) => false,
        };
        is_host && self.port.is_none_or(|granted| granted == port)
    }

    /// Whether it names one host instead of every name below another.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        matches!(self.pattern, Pattern::Host(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(grant: &str, host: &str, port: u16) -> bool {
        HostGrant::parse(grant).unwrap().covers(&Host::parse(host).unwrap(), port)
    }

    #[test]
    fn a_host_is_granted_by_its_name_and_perhaps_its_port() {
        assert!(
            covers("api.example.org", "API.example.org.", 443) && covers("api.example.org", "api.example.org", 8080)
        );
        assert!(covers("localhost:8080", "localhost", 8080) && !covers("localhost:8080", "localhost", 80));
        for other in
            ["example.org", "xapi.example.org", "api.example.org.evil.com", "a.api.example.org", "api-example.org"]
        {
            assert!(!covers("api.example.org", other, 443), "{other}");
        }
    }

    #[test]
    fn a_wildcard_grants_the_names_below_and_no_address() {
        assert!(covers("*.example.org", "a.example.org", 443) && covers("*.example.org:443", "a.b.example.org", 443));
        for other in ["example.org", "aexample.org", "example.org.evil.com", "127.0.0.1"] {
            assert!(!covers("*.example.org", other, 443), "{other}");
        }
        assert!(!covers("*.example.org:443", "a.example.org", 80));
    }

    #[test]
    fn addresses_are_compared_as_addresses() {
        for (grant, host) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1:80", "[::ffff:127.0.0.1]"),
            ("::1", "[0:0::1]"),
            ("[::1]:80", "[::1]"),
            ("[2001:DB8::1]", "2001:db8:0::1"),
        ] {
            assert!(covers(grant, host, 80), "{grant} {host}");
        }
        assert!(!covers("[::1]:80", "[::1]", 81) && !covers("10.0.0.1", "10.0.0.10", 80));
        assert_eq!(Host::parse("::1").unwrap().to_string(), "[::1]");
    }

    #[test]
    fn what_is_no_host_is_no_grant() {
        for text in [
            "",
            "*",
            "*.",
            "*.*",
            "*.10.0.0.1",
            "a.*.org",
            "https://example.org",
            "example.org/path",
            "a b",
            "größe.de",
            "example.org:",
            "example.org:0",
            "example.org:70000",
            "user@example.org",
            "127.1",
            "0x7f.0.0.1.5",
            "[::1",
            "..",
        ] {
            assert_eq!(HostGrant::parse(text), None, "{text}");
        }
    }
}
