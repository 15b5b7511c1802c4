//! Origins (scheme, host and port, RFC 6454): the unit that a secret is bound to.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// Schemes of servers that speak another protocol than HTTP and take a password. The URL parser
/// knows neither their hosts nor their ports.
const SERVICE_SCHEMES: [&str; 3] = ["redis", "rediss", "postgres"];

/// Scheme, host and port of a URL. A secret for one URL may be sent to any URL of the same origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: String,
    host: Host<String>,
    port: u16,
}

/// Why a URL has no origin to bind a secret to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    #[error("{0:?} is not a URL; write it like https://api.example.com/v1")]
    NotAUrl(String),
    #[error("the URL starts with {0:?}; only https:// and http:// are supported")]
    Scheme(String),
    #[error("the URL has no host")]
    NoHost,
}

impl Origin {
    /// Errors if `url` is neither `http` nor `https` nor that of a service, or has no host.
    pub fn from_url(url: &Url) -> Result<Self, OriginError> {
        if SERVICE_SCHEMES.contains(&url.scheme()) {
            let host = url.host_str().and_then(|host| Host::parse(host).ok());
            return Ok(Self {
                scheme: url.scheme().to_owned(),
                host: host.ok_or(OriginError::NoHost)?,
                port: url.port().ok_or(OriginError::NoHost)?,
            });
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OriginError::Scheme(url.scheme().to_owned()));
        }
        Ok(Self {
            scheme: url.scheme().to_owned(),
            host: url.host().ok_or(OriginError::NoHost)?.to_owned(),
            port: url.port_or_known_default().ok_or(OriginError::NoHost)?,
        })
    }

    /// True if the host is a loopback address or `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(&self.host)
    }

    /// True for `https`.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.scheme == "https"
    }
}

/// True for a loopback address or `localhost`.
#[must_use]
pub fn is_loopback_host(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

impl FromStr for Origin {
    type Err = OriginError;
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let url = Url::parse(text).map_err(|_| OriginError::NotAUrl(text.to_owned()))?;
        Self::from_url(&url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_path_does_not_matter_and_everything_else_does() {
        assert_eq!(origin("https://api.openai.com/v1"), origin("https://API.openai.com:443/"));
        for other in
            ["http://api.openai.com", "https://api.openai.com:444", "https://api.openai.co"]
        {
            assert_ne!(origin("https://api.openai.com"), origin(other), "{other}");
        }
        assert_eq!(origin(&origin("http://[::1]:9/x").to_string()), origin("http://[::1]:9"));
    }

    #[test]
    fn a_database_has_an_origin_of_its_own_in_any_spelling_of_its_host() {
        let store = origin("postgres://app@DB.test:5432/main");
        assert_eq!(store.to_string(), "postgres://db.test:5432");
        assert_eq!(origin(&store.to_string()), store);
        assert_eq!(origin("redis://0x7f.1:6379/0"), origin("redis://127.0.0.1:6379"));
        assert!(origin("redis://[::1]:6379").is_loopback());
        for other in ["rediss://db.test:5432", "https://db.test:5432", "postgres://db.test:5433"] {
            assert_ne!(store, origin(other), "{other}");
        }
        assert!("redis://db.test".parse::<Origin>().is_err(), "without a port");
    }

    #[test]
    fn loopback_is_distinguished_from_lookalikes() {
        for text in ["http://127.0.0.1:1", "http://localhost", "http://[::1]", "http://0x7f.1"] {
            assert!(origin(text).is_loopback(), "{text}");
        }
        for text in ["http://localhost.evil.test", "http://10.0.0.1", "https://127.0.0.1.nip.io"] {
            assert!(!origin(text).is_loopback(), "{text}");
        }
        assert!("file:///etc/passwd".parse::<Origin>().is_err());
    }
}
