//! Names to addresses, with errors of our own type: whether a name failed to resolve must be known
//! without reading anyone's error text. Nothing is kept: what a name meant a moment ago is the system's
//! to remember, and how often a dead one is asked for is the breaker's to limit.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Where names lead.
#[async_trait]
pub trait Names: fmt::Debug + Send + Sync {
    /// The addresses of `name`, each with `port`. The caller limits the time.
    async fn addresses(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The system's own resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, port)).await?.collect())
    }
}

/// The name did not resolve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotResolved {
    #[error("the name cannot be resolved")]
    Unknown,
    #[error("the name was not resolved in time")]
    TooLate,
}

/// Resolves names within a limited time.
#[derive(Debug, Clone)]
pub(super) struct Resolver {
    names: Arc<dyn Names>,
    timeout: Duration,
}

impl Resolver {
    /// Of the time to connect, three quarters may go into the name: what takes longer must be told as
    /// that before connecting as a whole is given up.
    pub(super) fn new(names: Arc<dyn Names>, connect_timeout: Duration) -> Self {
        Self { names, timeout: connect_timeout * 3 / 4 }
    }

    /// Where `name` leads, with `port`.
    pub(super) async fn addresses(
        &self,
        name: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, NotResolved> {
        let found = tokio::time::timeout(self.timeout, self.names.addresses(name, port)).await;
        match found {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a backend's name was not resolved");
                Err(NotResolved::Unknown)
            }
            Err(_elapsed) => Err(NotResolved::TooLate),
        }
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
