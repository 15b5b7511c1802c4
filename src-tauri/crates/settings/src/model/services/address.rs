//! Addresses of services. A key is bound to one, so that the rules of base URLs hold for all kinds:
//! no metadata service, no other host in disguise, and nothing unencrypted over a public network.

use std::borrow::Cow;
use std::fmt;

use domain::{Origin, ServiceKind, is_loopback_host};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::{BaseUrlError, parse_base_url};

/// GitHub's own API; GitHub Enterprise has others.
pub const GITHUB_API: &str = "https://api.github.com/";

/// The queries that a PostgreSQL address may have. Without one, servers on this machine are asked
/// unencrypted and all others are not.
const UNENCRYPTED: &str = "sslmode=disable";
const ENCRYPTED: &str = "sslmode=verify-full";
/// Most digits of the number of a Redis database.
const DATABASE_DIGITS_MAX: usize = 9;

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
    #[error("the address names no user; write it like {0}")]
    User(&'static str),
    #[error("the address contains a user name or password; remove it and store the key instead")]
    Userinfo,
    #[error("the address contains a password; remove it and store it as the key instead")]
    Password,
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
    /// Where the URL parser knows none.
    port: Option<u16>,
}

const fn scheme(name: &'static str, is_safe: bool, port: Option<u16>) -> Scheme {
    Scheme { name, is_safe, port }
}

/// The schemes of a kind, and an address for its messages.
const fn schemes(kind: ServiceKind) -> (&'static [Scheme], &'static str) {
    const WEB: &[Scheme] = &[scheme("https", true, None), scheme("http", false, None)];
    const TCP: &[Scheme] = &[scheme("tcp", true, None)];
    const REDIS: &[Scheme] =
        &[scheme("rediss", true, Some(6_379)), scheme("redis", false, Some(6_379))];
    const POSTGRES: &[Scheme] =
        &[scheme("postgres", true, Some(5_432)), scheme("postgresql", true, Some(5_432))];
    match kind {
        ServiceKind::Http => (WEB, "https://status.example.com/health"),
        ServiceKind::Github => (WEB, GITHUB_API),
        // Nothing is sent.
        ServiceKind::Tcp => (TCP, "db.example.com:5432"),
        ServiceKind::Redis => (REDIS, "redis://localhost:6379/0"),
        ServiceKind::Postgres => (POSTGRES, "postgres://user@localhost:5432/database"),
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
        check_parts(kind, &url, example)?;
        let port = url.port_or_known_default().or(scheme.port);
        let port = port.ok_or(ServiceAddressError::Port(example))?;
        let is_safe = scheme.is_safe && url.query() != Some(UNENCRYPTED);
        let server = server_url(host, port, is_safe, gateway_port);
        let server = server.map_err(|error| match error {
            BaseUrlError::Unencrypted => ServiceAddressError::Unencrypted(encrypted_hint(kind)),
            error => ServiceAddressError::Server(error),
        })?;
        let host = server.host().ok_or(not_an_address)?.to_owned();
        let url = match kind {
            ServiceKind::Http | ServiceKind::Github => url,
            _ => plain_url(kind, &url, (&host, port)).ok_or(ServiceAddressError::Extra(example))?,
        };
        Ok(Self { url, host, port })
    }

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

    /// The name to sign in with.
    #[must_use]
    pub fn user(&self) -> Option<Cow<'_, str>> {
        let user = Some(self.url.username()).filter(|user| !user.is_empty())?;
        Some(percent_decode_str(user).decode_utf8_lossy())
    }

    /// The database; `None` for the server's default.
    #[must_use]
    pub fn database(&self) -> Option<Cow<'_, str>> {
        let name = self.url.path().strip_prefix('/').filter(|name| !name.is_empty())?;
        Some(percent_decode_str(name).decode_utf8_lossy())
    }

    /// True if the service is asked over TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        match (self.url.scheme(), self.url.query()) {
            ("https" | "rediss", _) | ("postgres", Some(ENCRYPTED)) => true,
            ("postgres", None) => !self.is_loopback(),
            _ => false,
        }
    }

    /// True for a service on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(&self.host)
    }
}

/// Errors on a part that is not used, or that is missing.
fn check_parts(
    kind: ServiceKind,
    url: &Url,
    example: &'static str,
) -> Result<(), ServiceAddressError> {
    let takes_user = matches!(kind, ServiceKind::Redis | ServiceKind::Postgres);
    let has_user = !url.username().is_empty();
    if !takes_user && (has_user || url.password().is_some()) {
        return Err(ServiceAddressError::Userinfo);
    }
    if url.password().is_some() {
        return Err(ServiceAddressError::Password);
    }
    if kind == ServiceKind::Postgres && !has_user {
        return Err(ServiceAddressError::User(example));
    }
    let is_used = match url.query() {
        None => true,
        Some(query) => kind == ServiceKind::Postgres && matches!(query, UNENCRYPTED | ENCRYPTED),
    };
    match is_used && url.fragment().is_none() {
        true => Ok(()),
        false => Err(ServiceAddressError::Extra(example)),
    }
}

/// The server as a web address, by the rules of base URLs.
fn server_url(
    host: &str,
    port: u16,
    is_safe: bool,
    gateway_port: u16,
) -> Result<Url, BaseUrlError> {
    let scheme = if is_safe { "https" } else { "http" };
    parse_base_url(&format!("{scheme}://{host}:{port}"), gateway_port).map(|parsed| parsed.url)
}

const fn encrypted_hint(kind: ServiceKind) -> &'static str {
    match kind {
        ServiceKind::Redis => "use rediss://",
        ServiceKind::Postgres => "leave sslmode out",
        ServiceKind::Http | ServiceKind::Tcp | ServiceKind::Github => "use https://",
    }
}

/// The URL of a server that does not speak HTTP, in canonical form: the URL parser reads hosts of such
/// schemes as text. `None` if its path means nothing.
fn plain_url(kind: ServiceKind, url: &Url, (host, port): (&Host<String>, u16)) -> Option<Url> {
    let path = url.path().trim_end_matches('/');
    let name = path.strip_prefix('/').unwrap_or_default();
    let is_name = match kind {
        ServiceKind::Redis => {
            name.len() <= DATABASE_DIGITS_MAX && name.chars().all(|c| c.is_ascii_digit())
        }
        ServiceKind::Postgres => !name.contains('/'),
        _ => name.is_empty(),
    };
    let scheme = match kind {
        ServiceKind::Postgres => "postgres",
        _ => url.scheme(),
    };
    let user = match url.username() {
        "" => String::new(),
        user => format!("{user}@"),
    };
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let text = format!("{scheme}://{user}{host}:{port}{path}{query}");
    Url::parse(&text).ok().filter(|_| is_name)
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
            (ServiceKind::Redis, "redis://0x7f.1", "redis://127.0.0.1:6379"),
            (ServiceKind::Redis, "rediss://app@c.test:7000/2", "rediss://app@c.test:7000/2"),
            (
                ServiceKind::Postgres,
                "postgresql://app@DB.test/main",
                "postgres://app@db.test:5432/main",
            ),
            (
                ServiceKind::Postgres,
                "postgres://app@10.0.0.2:1?sslmode=disable",
                "postgres://app@10.0.0.2:1?sslmode=disable",
            ),
            (ServiceKind::Github, GITHUB_API, GITHUB_API),
            (ServiceKind::Github, "https://ghe.test/api/v3", "https://ghe.test/api/v3"),
        ] {
            assert_eq!(parse(kind, text).as_deref(), Ok(read), "{text}");
            assert_eq!(parse(kind, read).as_deref(), Ok(read), "{read} is read as it is written");
        }
    }

    #[test]
    fn a_server_is_asked_encrypted_unless_it_is_near_or_its_address_says_otherwise() {
        for (kind, text, is_encrypted) in [
            (ServiceKind::Redis, "redis://10.0.0.2", false),
            (ServiceKind::Redis, "rediss://127.0.0.1", true),
            (ServiceKind::Postgres, "postgres://app@127.0.0.1", false),
            (ServiceKind::Postgres, "postgres://app@10.0.0.2", true),
            (ServiceKind::Postgres, "postgres://app@10.0.0.2?sslmode=disable", false),
            (ServiceKind::Postgres, "postgres://app@127.0.0.1?sslmode=verify-full", true),
        ] {
            let address = ServiceAddress::parse(kind, text, GATEWAY_PORT).expect(text);
            assert_eq!(address.is_encrypted(), is_encrypted, "{text}");
        }
    }

    #[test]
    fn a_user_and_a_database_are_read_as_they_are_meant() {
        let text = "postgres://a%40b@127.0.0.1/my%20data";
        let address =
            ServiceAddress::parse(ServiceKind::Postgres, text, GATEWAY_PORT).expect("an address");
        assert_eq!(address.user().as_deref(), Some("a@b"));
        assert_eq!(address.database().as_deref(), Some("my data"));
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
                (ServiceKind::Redis, format!("rediss://{host}")),
                (ServiceKind::Postgres, format!("postgres://app@{host}/main")),
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
            (ServiceKind::Redis, "redis://c.test", "use rediss://"),
            (ServiceKind::Redis, "redis://:hunter2@127.0.0.1", "contains a password"),
            (ServiceKind::Redis, "redis://127.0.0.1/main", "a part that is not used"),
            (ServiceKind::Redis, "redis://127.0.0.1/1234567890", "a part that is not used"),
            (ServiceKind::Redis, "redis://127.0.0.1?sslmode=disable", "a part that is not used"),
            (ServiceKind::Postgres, "postgres://db.test/main", "names no user"),
            (ServiceKind::Postgres, "postgres://app:hunter2@db.test", "contains a password"),
            (ServiceKind::Postgres, "postgres://app@db.test?sslmode=disable", "leave sslmode out"),
            (ServiceKind::Postgres, "postgres://app@db.test?host=x", "a part that is not used"),
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
