//! Resolves names, with its own error type so that a failed lookup is known without reading error
//! texts. Every address of a backend is checked here, so that no unchecked one is connected to.
//! Nothing is cached: the system caches addresses, and the breaker limits how often a dead name is
//! looked up.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::RwLock;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use settings::{AddressError, AllowedNetwork, check_resolved_address};

use super::{UpstreamFailure, local};

/// Maximum number of backend names remembered; more than there can be backends at one time.
const BACKEND_NAMES_MAX: usize = 1_024;

/// Looks up the addresses of names.
#[async_trait]
pub trait NameLookup: fmt::Debug + Send + Sync {
    /// The addresses of `name`, each with `port`. The caller limits the time.
    async fn addresses(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;

    /// Called when a name does not resolve: the fault of this machine that explains it, if any.
    fn local_fault(&self) -> Option<UpstreamFailure> {
        None
    }
}

/// The system's own resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNameLookup;

#[async_trait]
impl NameLookup for SystemNameLookup {
    async fn addresses(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, port)).await?.collect())
    }

    fn local_fault(&self) -> Option<UpstreamFailure> {
        local::local_fault_now()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ResolveError {
    #[error("the name cannot be resolved")]
    Unknown,
    #[error("the name was not resolved in time")]
    TooLate,
    #[error(transparent)]
    Refused(AddressError),
    #[error("no file descriptor was left to resolve the name")]
    OutOfDescriptors,
    #[error("this machine is offline")]
    Offline,
}

/// Resolves names within a limited time.
#[derive(Debug, Clone)]
pub(super) struct Resolver {
    names: Arc<dyn NameLookup>,
    timeout: Duration,
    /// The networks that names of backends may resolve to. Other names are those of proxies, which
    /// the user of this machine chose.
    backends: Arc<RwLock<HashMap<Box<str>, AllowedNetwork>>>,
}

impl Resolver {
    /// A lookup may take three quarters of the connect timeout, so that a slow one is reported as
    /// such before connecting as a whole is given up.
    pub(super) fn new(names: Arc<dyn NameLookup>, connect_timeout: Duration) -> Self {
        Self { names, timeout: connect_timeout * 3 / 4, backends: Arc::default() }
    }

    /// Registers `name` as a backend's, before a connection to it may be opened.
    pub(super) fn expect(&self, name: &str, network: AllowedNetwork) {
        if self.backends.read().get(name) == Some(&network) {
            return;
        }
        let mut backends = self.backends.write();
        if backends.len() >= BACKEND_NAMES_MAX {
            backends.clear();
        }
        backends.insert(name.into(), network);
    }

    /// The addresses of `name`, each with `port`. For a backend, only the allowed ones.
    pub(super) async fn addresses(
        &self,
        name: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        let found = self.unjudged(name, port).await?;
        let network = self.backends.read().get(name).copied();
        match network {
            Some(network) => judged(name, network, &found),
            None => Ok(found),
        }
    }

    async fn unjudged(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
        let found = tokio::time::timeout(self.timeout, self.names.addresses(name, port)).await;
        match found {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a backend's name was not resolved");
                let fault = local::local_fault(&error).or_else(|| self.names.local_fault());
                Err(match fault {
                    Some(UpstreamFailure::OutOfDescriptors) => ResolveError::OutOfDescriptors,
                    Some(UpstreamFailure::Offline) => ResolveError::Offline,
                    _ => ResolveError::Unknown,
                })
            }
            Err(_elapsed) => Err(ResolveError::TooLate),
        }
    }
}

/// The allowed addresses among `found`; an error if all of them are refused.
fn judged(
    name: &str,
    network: AllowedNetwork,
    found: &[SocketAddr],
) -> Result<Vec<SocketAddr>, ResolveError> {
    let (mut kept, mut refused) = (Vec::with_capacity(found.len()), None);
    for address in found {
        match check_resolved_address(name, network, address.ip()) {
            Ok(()) => kept.push(*address),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    match refused {
        Some(refusal) if kept.is_empty() => Err(ResolveError::Refused(refusal)),
        _ => Ok(kept),
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            // With port 0, reqwest uses the port of the URL.
            let found = resolver.addresses(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
