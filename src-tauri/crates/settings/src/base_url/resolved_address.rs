//! Checks the addresses of a backend's name at each connection: an allowed name may still resolve
//! to the address of a metadata service or a router (S28, S29).

use std::net::IpAddr;

use url::Host;

use super::{AddressScope, address_scope, name_scope};

/// Suffixes of names without public DNS: RFC 6761, RFC 6762, RFC 8375, the reserved `.internal`,
/// and those used by routers and companies.
const INTERNAL_ENDINGS: [&str; 12] = [
    "corp",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "private",
    "test",
];

/// Addresses that a backend with a public name may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AllowedNetwork {
    /// Only public ones.
    #[default]
    Public,
    /// Also those of this machine and of private networks.
    Private,
}

impl AllowedNetwork {
    /// By a setting `private_network`.
    #[must_use]
    pub const fn of_setting(private_network: bool) -> Self {
        if private_network { Self::Private } else { Self::Public }
    }
}

/// Reason to refuse an address that a backend's name resolves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// An address that no provider has.
    #[error(
        "its name resolves to {0}, which is link-local, a cloud metadata service or not a host; \
         check the DNS server of this machine"
    )]
    Forbidden(IpAddr),
    /// A private address for a public name.
    #[error(
        "its public name resolves to {0}, an address on a private network or this machine; if this \
         is intended, set private_network = true for it in the settings file"
    )]
    Private(IpAddr),
    /// `localhost` resolves to another machine.
    #[error("its name refers to this machine but resolves to {0}; check the hosts file")]
    NotThisMachine(IpAddr),
}

/// Checks one of the addresses that `name` resolved to.
pub fn check_resolved_address(
    name: &str,
    network: AllowedNetwork,
    address: IpAddr,
) -> Result<(), AddressError> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_this_machine = matches!(name_scope(&name), AddressScope::Loopback);
    match address_scope(address) {
        AddressScope::Forbidden => Err(AddressError::Forbidden(address)),
        AddressScope::Loopback if is_this_machine => Ok(()),
        _ if is_this_machine => Err(AddressError::NotThisMachine(address)),
        AddressScope::Public => Ok(()),
        AddressScope::Loopback | AddressScope::Private => {
            let expected = network == AllowedNetwork::Private || is_internal(&name);
            if expected { Ok(()) } else { Err(AddressError::Private(address)) }
        }
    }
}

/// True for a host of this machine or of the network around it, which is reached without the way to
/// the internet: a private address, or a name that no public DNS knows.
#[must_use]
pub fn is_on_own_network(host: &Host<String>) -> bool {
    let is_own =
        |address| matches!(address_scope(address), AddressScope::Loopback | AddressScope::Private);
    match host {
        Host::Domain(name) => is_internal(&name.trim_end_matches('.').to_ascii_lowercase()),
        Host::Ipv4(address) => is_own(IpAddr::V4(*address)),
        Host::Ipv6(address) => is_own(IpAddr::V6(*address)),
    }
}

/// True if a name has a meaning only in its own network.
fn is_internal(name: &str) -> bool {
    let ends = |ending: &&str| name.strip_suffix(*ending).is_some_and(|rest| rest.ends_with('.'));
    !name.contains('.') || INTERNAL_ENDINGS.iter().any(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, network: AllowedNetwork, address: &str) -> Result<(), AddressError> {
        check_resolved_address(name, network, address.parse().expect("an address"))
    }

    #[test]
    fn a_private_address_or_name_is_on_the_own_network() {
        for (host, is_own) in [
            ("api.example.com", false),
            ("8.8.8.8", false),
            ("[2001:db8::1]", false),
            ("localhost", true),
            ("nas", true),
            ("Ollama.LAN.", true),
            ("192.168.1.20", true),
            ("127.0.0.1", true),
            ("[::1]", true),
            ("[fd12::1]", true),
        ] {
            assert_eq!(is_on_own_network(&Host::parse(host).expect("a host")), is_own, "{host}");
        }
    }

    #[test]
    fn no_name_may_lead_to_a_forbidden_address() {
        for address in [
            "169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
        ] {
            for name in ["api.example.com", "localhost", "box.lan", "nas"] {
                for network in [AllowedNetwork::Public, AllowedNetwork::Private] {
                    let refused = check(name, network, address);
                    assert!(matches!(refused, Err(AddressError::Forbidden(_))), "{name} {address}");
                }
            }
        }
    }

    #[test]
    fn a_public_name_may_lead_to_private_addresses_only_where_that_is_set() {
        for address in
            ["10.0.0.5", "172.16.0.1", "192.168.1.9", "100.64.0.1", "fd12::1", "127.0.0.1", "::1"]
        {
            for name in ["api.example.com", "API.Example.Com.", "localtest.me", "test.com"] {
                let refused = check(name, AllowedNetwork::Public, address);
                assert!(matches!(refused, Err(AddressError::Private(_))), "{name} {address}");
                assert_eq!(check(name, AllowedNetwork::Private, address), Ok(()));
            }
            for name in ["nas", "llm.lan", "box.local.", "gate.test", "x.home.arpa", "a.internal"] {
                assert_eq!(check(name, AllowedNetwork::Public, address), Ok(()), "{name}");
            }
        }
        // Transparent proxies answer 198.18.0.0/15 for every name.
        for address in ["1.1.1.1", "2606:4700::1111", "198.18.0.7"] {
            assert_eq!(check("api.example.com", AllowedNetwork::Public, address), Ok(()));
        }
    }

    #[test]
    fn localhost_is_this_machine_and_nothing_else() {
        for name in ["localhost", "gate.localhost", "LOCALHOST."] {
            assert_eq!(check(name, AllowedNetwork::Public, "127.0.0.1"), Ok(()));
            assert_eq!(check(name, AllowedNetwork::Public, "::1"), Ok(()));
            for address in ["10.0.0.5", "1.1.1.1"] {
                let refused = check(name, AllowedNetwork::Private, address);
                assert!(matches!(refused, Err(AddressError::NotThisMachine(_))), "{name}");
            }
        }
    }
}
