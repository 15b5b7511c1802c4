//! Names to addresses, with errors of our own type: whether a name failed to resolve must be known
//! without reading anyone's error text. Each address of a backend is judged here, so that none is
//! connected to which was not. Nothing is kept: what a name meant a moment ago is the system's
//! to remember, and how often a dead one is asked for is the breaker's to limit.

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

/// Most names of backends remembered; more than there can be backends at one time.
const BACKEND_NAMES_MAX: usize = 1_024;

/// Where names lead.
#[async_trait]
pub trait NameLookup: fmt::Debug + Send + Sync {
    /// The addresses of `name`, each with `port`. The caller limits the time.
    async fn addresses(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;

    /// Asked when a name does not resolve: the fault of this machine that explains it, if there is one.
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

/// The name did not resolve.
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
    /// Where the names of backends may lead. Other names are those of proxies, which the user of this
    /// machine chose.
    backends: Arc<RwLock<HashMap<Box<str>, AllowedNetwork>>>,
}

impl Resolver {
    /// Of the time to connect, three quarters may go into the name: what takes longer must be told as
    /// that before connecting as a whole is given up.
    pub(super) fn new(names: Arc<dyn NameLookup>, connect_timeout: Duration) -> Self {
        Self { names, timeout: connect_timeout * 3 / 4, backends: Arc::default() }
    }

    /// Notes that `name` is a backend's, before a connection to it may be opened.
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

    /// Where `name` leads, with `port`: for a backend, to those of its addresses that it may have.
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

/// The addresses that `name` may have; an error if it has none of them.
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
            // Port 0 means: the port of the URL.
            let found = resolver.addresses(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
