//! Which hosts a program outside the sandbox reaches, and in whose words it is refused the others.

use std::{path::PathBuf, sync::Arc};

use super::{
    grants::{Grants, Zone, itself_wanted, no_name_may_have},
    rules::refusal,
};
use crate::domain::{Host, HostGrant, Rules, rule};

/// The hosts that somebody may reach.
#[derive(Debug, Clone)]
pub enum Reach {
    /// Those that a procedure may: of the policy and its own permissions.
    Procedure(Arc<Grants>),
    /// Those that the settings name for a program.
    Program {
        /// Which program that is.
        holder: Holder,
        /// What its `network` names.
        hosts: Vec<HostGrant>,
        /// What the user never wants, or wants to be asked about.
        rules: Arc<Rules>,
        /// Named in refusals.
        policy_file: PathBuf,
    },
}

/// The program that the settings name hosts for.
#[derive(Debug, Clone)]
pub enum Holder {
    /// A command, as it is granted.
    Command(String),
    /// A downstream server.
    Server(String),
    /// A channel of notifications.
    Channel(String),
}

impl Holder {
    /// What it is called.
    fn name(&self) -> String {
        match self {
            Self::Command(grant) => format!("`{grant}`"),
            Self::Server(name) => format!("the MCP server `{name}`"),
            Self::Channel(name) => format!("the channel `{name}`"),
        }
    }

    /// Where its hosts are named, to somebody who has just read its name.
    fn place(&self) -> String {
        match self {
            Self::Command(_) => "`network` of that grant under [policy]".to_owned(),
            Self::Server(name) => format!("`network` of [mcp_servers.{name}]"),
            Self::Channel(name) => format!("`network` of [channels.{name}]"),
        }
    }

    /// The same to somebody who has not.
    fn full_place(&self) -> String {
        match self {
            Self::Command(grant) => format!("`network` of the grant of `{grant}`"),
            Self::Server(_) | Self::Channel(_) => self.place(),
        }
    }
}

impl Reach {
    /// Whether this host may be reached at this port, and which addresses it may have. `shown` is the host as it would be
    /// granted.
    ///
    /// # Errors
    /// A sentence that names the missing grant and where it belongs.
    pub fn check(&self, host: &Host, port: u16, shown: &str) -> Result<Zone, String> {
        let (rules, policy_file) = match self {
            Self::Procedure(grants) => (grants.rules(), &grants.policy_file),
            Self::Program { rules, policy_file, .. } => (rules, policy_file),
        };
        if let Some(rule) = rule::on_host(&rules.deny, host, port) {
            return Err(refusal(rule, shown, policy_file));
        }
        if let Some(rule) = rule::on_host(&rules.ask, host, port) {
            return Err(format!(
                "the policy asks before `{}`, and nobody can be asked in the middle of a program; `http_request` of the \
                 procedure waits for an answer",
                rule.text
            ));
        }
        match self {
            Self::Procedure(grants) => grants.check_host(host, port, shown).map_err(|error| error.message),
            Self::Program { holder, hosts, policy_file, .. } => {
                let mut covering = hosts.iter().filter(|granted| granted.covers(host, port)).peekable();
                if covering.peek().is_none() {
                    return Err(format!(
                        "the host `{shown}` is not granted to {}; the user can add it to {} in {}",
                        holder.name(),
                        holder.place(),
                        policy_file.display()
                    ));
                }
                Ok(if covering.any(HostGrant::is_exact) { Zone::Private } else { Zone::Public })
            }
        }
    }

    /// The refusal of a host of which every address (`address` is the first, in words) is out of the bounds of `zone`.
    pub fn out_of_bounds(&self, shown: &str, zone: Zone, address: &str) -> String {
        match (zone, self) {
            (Zone::Private, _) => no_name_may_have(shown, address),
            (Zone::Public, Self::Procedure(grants)) => grants.missing_itself(shown, address).message,
            (Zone::Public, Self::Program { holder, policy_file, .. }) => {
                itself_wanted(shown, address, &holder.full_place(), policy_file)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Rule;

    #[test]
    fn a_command_reaches_what_its_grant_names_and_is_told_where_more_would_stand() {
        let hosts =
            ["git.example.org", "*.cdn.example.org:443", "10.0.0.5"].map(|host| HostGrant::parse(host).unwrap());
        let rules = |entries: &[&str]| entries.iter().map(|entry| Rule::parse(entry).unwrap()).collect();
        let rules =
            Rules { ask: rules(&["http:pay.cdn.example.org"]), deny: rules(&["http:evil.cdn.example.org:443"]) };
        let (rules, hosts, policy_file) = (Arc::new(rules), hosts.to_vec(), PathBuf::from("config.toml"));
        let holder = Holder::Command("git fetch".to_owned());
        let reach = Reach::Program { holder, hosts, rules, policy_file };
        let check = |host: &str, port| {
            let host = Host::parse(host).unwrap();
            reach.check(&host, port, &format!("{host}:{port}"))
        };
        assert_eq!(check("git.example.org", 443), Ok(Zone::Private));
        assert_eq!(check("a.cdn.example.org", 443), Ok(Zone::Public));
        assert_eq!(check("10.0.0.5", 22), Ok(Zone::Private));
        for (host, port) in [("a.cdn.example.org", 80), ("example.org", 443), ("10.0.0.6", 22), ("169.254.169.254", 80)]
        {
            let refusal = check(host, port).unwrap_err();
            assert!(refusal.contains(&format!("the host `{host}:{port}` is not granted to `git fetch`")), "{refusal}");
            assert!(refusal.contains("`network` of that grant under [policy] in config.toml"), "{refusal}");
        }
        let refusal = check("evil.cdn.example.org", 443).unwrap_err();
        assert!(refusal.contains("is denied: the user has `http:evil.cdn.example.org:443`"), "{refusal}");
        let refusal = check("pay.cdn.example.org", 443).unwrap_err();
        assert!(refusal.contains("the policy asks before `http:pay.cdn.example.org`"), "{refusal}");
        let refusal = reach.out_of_bounds("a.cdn.example.org:443", Zone::Public, "private address 10.0.0.6");
        for part in
            ["leads to the private address 10.0.0.6", "can add `a.cdn.example.org:443` to `network` of the grant"]
        {
            assert!(refusal.contains(part), "{refusal}");
        }
    }
}
