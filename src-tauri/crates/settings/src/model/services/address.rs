//! Addresses of services. A key is bound to one, so that the rules of base URLs hold for all kinds:
//! no metadata service, no other host in disguise, and nothing unencrypted over a public network.

use std::fmt;

use domain::{Origin, ServiceKind, is_loopback_host};
use url::{Host, Url};

use crate::{BaseUrlError, parse_base_url};

/// GitHub's own API; GitHub Enterprise has others.
pub const GITHUB_API: &str = "https://api.github.com/";

/// The address of a service in canonical form, without a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAddress {
    url: Url,
    host: Host<String>,
    port: u16,
}

/// Reason to reject an address. No message contains it, since it may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServiceAddressError {
    #[error("this is not an address; write it like {0}")]
    NotAnAddress(&'static str),
    #[error("the address names no port; write it like {0}")]
    Port(&'static str),
    #[error("the address contains a user name or password; remove it and store the key instead")]
    Userinfo,
    #[error("the address has a part that is not used; write it like {0}")]
    Extra(&'static str),
    /// Unencrypted, to a host that is neither this machine nor on a private network.
    #[error("an unencrypted connection may only stay on this machine or a private network; {0}")]
    Unencrypted(&'static str),
    #[error("{0}")]
    Server(BaseUrlError),
}

/// How addresses of a kind with one of its schemes are read.
struct Scheme {
    name: &'static str,
    /// False if what is sent could be read on the way.
    is_safe: bool,
}

const fn scheme(name: &'static str, is_safe: bool) -> Scheme {
    Scheme { name, is_safe }
}

/// The schemes of a kind, and an address for its messages.
const fn schemes(kind: ServiceKind) -> (&'static [Scheme], &'static str) {
    const WEB: &[Scheme] = &[scheme("https", true), scheme("http", false)];
    const TCP: &[Scheme] = &[scheme("tcp", true)];
    match kind {
        ServiceKind::Http => (WEB, "https://status.example.com/health"),
        ServiceKind::Github => (WEB, GITHUB_API),
        // Nothing is sent.
        ServiceKind::Tcp => (TCP, "db.example.com:5432"),
    }
}

impl ServiceAddress {
    /// Parses and checks `text`, for a gateway that listens on `gateway_port`.
    pub fn parse(
        kind: ServiceKind,
        text: &str,
        gateway_port: u16,
    ) -> Result<Self, ServiceAddressError> {
        let (schemes, example) = schemes(kind);
        let text = text.trim();
        let not_an_address = ServiceAddressError::NotAnAddress(example);
        // `db.example.com:5432` would pass for a URL with the scheme `db.example.com`.
        let url = match (kind, text.contains("://")) {
            (_, true) => Url::parse(text),
            (ServiceKind::Tcp, false) => Url::parse(&format!("tcp://{text}")),
            (_, false) => return Err(not_an_address),
        };
        let url = url.map_err(|_| not_an_address)?;
        let known = schemes.iter().find(|scheme| scheme.name == url.scheme());
        let (Some(scheme), Some(host)) = (known, url.host_str()) else {
            return Err(not_an_address);
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ServiceAddressError::Userinfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ServiceAddressError::Extra(example));
        }
        let port = url.port_or_known_default().ok_or(ServiceAddressError::Port(example))?;
        let server = server_url(host, port, scheme.is_safe, gateway_port)?;
        let host = server.host().ok_or(not_an_address)?.to_owned();
        let url = match kind {
            ServiceKind::Http | ServiceKind::Github => url,
            ServiceKind::Tcp if !matches!(url.path(), "" | "/") => {
                return Err(ServiceAddressError::Extra(example));
            }
            // The URL parser reads hosts of these schemes as text: `0x7f.1` is made plain.
            ServiceKind::Tcp => {
                Url::parse(&format!("tcp://{host}:{port}")).map_err(|_| not_an_address)?
            }
        };
        Ok(Self { url, host, port })
    }

    /// The address as a URL.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    #[must_use]
    pub const fn host(&self) -> &Host<String> {
        &self.host
    }

    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What a key is bound to; `None` for a kind without keys.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        Origin::from_url(&self.url).ok()
    }

    /// True for a service on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(&self.host)
    }
}

/// The server as a web address, by the rules of base URLs.
fn server_url(
    host: &str,
    port: u16,
    is_safe: bool,
    gateway_port: u16,
) -> Result<Url, ServiceAddressError> {
    let scheme = if is_safe { "https" } else { "http" };
    let parsed = parse_base_url(&format!("{scheme}://{host}:{port}"), gateway_port);
    parsed.map(|parsed| parsed.url).map_err(|error| match error {
        BaseUrlError::Unencrypted => ServiceAddressError::Unencrypted("use https://"),
        error => ServiceAddressError::Server(error),
    })
}

impl fmt::Display for ServiceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY_PORT: u16 = 4_283;

    fn parse(kind: ServiceKind, text: &str) -> Result<String, String> {
        ServiceAddress::parse(kind, text, GATEWAY_PORT)
            .map(|address| address.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_are_read_in_the_form_of_their_kind() {
        for (kind, text, read) in [
            (ServiceKind::Http, " https://status.test/health ", "https://status.test/health"),
            (ServiceKind::Http, "http://192.168.1.9:8080", "http://192.168.1.9:8080/"),
            (ServiceKind::Http, "http://localhost/x", "http://localhost/x"),
            (ServiceKind::Tcp, "db.test:5432", "tcp://db.test:5432"),
            (ServiceKind::Tcp, "tcp://0x7f.1:80", "tcp://127.0.0.1:80"),
            (ServiceKind::Tcp, "[::1]:80", "tcp://[::1]:80"),
            (ServiceKind::Tcp, "tcp://db.test:443", "tcp://db.test:443"),
            (ServiceKind::Github, GITHUB_API, GITHUB_API),
            (ServiceKind::Github, "https://ghe.test/api/v3", "https://ghe.test/api/v3"),
        ] {
            assert_eq!(parse(kind, text).as_deref(), Ok(read), "{text}");
            assert_eq!(parse(kind, read).as_deref(), Ok(read), "{read} is read as it is written");
        }
    }

    #[test]
    fn no_service_is_a_metadata_server_or_the_gateway_whatever_its_kind() {
        for host in [
            "169.254.169.254",
            "metadata.google.internal",
            "[fd00:ec2::254]",
            "[::ffff:169.254.169.254]",
            "0xa9fea9fe",
            "0.0.0.0",
        ] {
            for (kind, text) in [
                (ServiceKind::Http, format!("https://{host}/latest")),
                (ServiceKind::Tcp, format!("{host}:80")),
                (ServiceKind::Github, format!("https://{host}/")),
            ] {
                let told = parse(kind, &text).expect_err(&text);
                assert!(told.contains("metadata service"), "{text}: {told}");
            }
        }
        for text in ["127.0.0.1:4283", "localhost:4283"] {
            let told = parse(ServiceKind::Tcp, text).expect_err(text);
            assert!(told.contains("gateway's own address"), "{told}");
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        for (kind, text, part) in [
            (ServiceKind::Tcp, "db.test", "names no port"),
            (ServiceKind::Tcp, "", "not an address"),
            (ServiceKind::Tcp, "db.test:5432/x", "a part that is not used"),
            (ServiceKind::Tcp, "http://db.test:1", "not an address"),
            (ServiceKind::Tcp, "db.test:70000", "not an address"),
            (ServiceKind::Http, "status.test", "not an address"),
            (ServiceKind::Http, "https://me:hunter2@status.test", "user name or password"),
            (ServiceKind::Http, "https://status.test/?key=hunter2", "a part that is not used"),
            (ServiceKind::Http, "http://status.test", "use https://"),
        ] {
            let told = parse(kind, text).expect_err(text);
            assert!(told.contains(part), "{text}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
