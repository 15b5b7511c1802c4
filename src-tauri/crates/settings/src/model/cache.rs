//! Settings of the response cache: sizes, tiers, lifetime.

use std::fmt;
use std::str::FromStr;

use domain::CredentialId;
use url::{Host, Url};

use crate::setting::settings;

settings! {
    /// The response cache.
    pub CacheSettings in "cache", keys "cache_" {
        /// Serves repeated requests without asking a provider.
        enabled: bool = true, panel Cache "Response cache";
        /// Encrypted; survives a restart.
        disk: bool = true, panel Cache "Keep on disk";
        /// Providers update models, so cached responses expire.
        ttl_secs: u32 = 600, in 1..=2_592_000, panel Cache "Expire after";
        /// The least used responses are evicted.
        memory_bytes_max: u64 = 67_108_864, in 1_048_576..=1_073_741_824, panel Cache "Memory limit";
        /// On-disk (compressed) size.
        disk_bytes_max: u64 = 536_870_912, in 16_777_216..=68_719_476_736, panel Cache "Disk limit";
        /// Larger responses are not cached.
        entry_bytes_max: u64 = 2_097_152, in 4_096..=16_777_216, panel Cache "Maximum response size";
        /// Address of a Redis or Valkey server that shares responses between machines, without a
        /// password.
        redis_url: Option<CacheServerUrl>, panel SharedCache "Shared cache";
        /// The key in the vault that is the server's password.
        redis_credential: Option<CredentialId>, panel SharedCache "Shared cache password";
    }
}

/// Address of the server of the shared cache, without a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheServerUrl(Url);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CacheServerUrlError {
    #[error("this is not the address of a Redis or Valkey server")]
    NoServer,
    #[error("the address contains a password, a '?' or a '#'")]
    Password,
}

/// URL schemes of such a server; Valkey uses the same protocol.
const SCHEMES: [&str; 4] = ["redis", "rediss", "valkey", "valkeys"];

impl CacheServerUrl {
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.0.host_str()
    }

    /// True if responses are sent unencrypted over a network.
    pub(crate) fn is_exposed(&self) -> bool {
        !matches!(self.0.scheme(), "rediss" | "valkeys") && !self.is_this_machine()
    }

    fn is_this_machine(&self) -> bool {
        match self.0.host() {
            // The URL parser does not parse the host of these schemes as an address.
            Some(Host::Domain(name)) => {
                let address = name.parse::<std::net::IpAddr>();
                name == "localhost" || address.is_ok_and(|address| address.is_loopback())
            }
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

impl FromStr for CacheServerUrl {
    type Err = CacheServerUrlError;
    fn from_str(text: &str) -> Result<Self, CacheServerUrlError> {
        let url = text.trim().parse::<Url>().map_err(|_| CacheServerUrlError::NoServer)?;
        if !SCHEMES.contains(&url.scheme()) || url.host().is_none() {
            return Err(CacheServerUrlError::NoServer);
        }
        if url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(CacheServerUrlError::Password);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for CacheServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
