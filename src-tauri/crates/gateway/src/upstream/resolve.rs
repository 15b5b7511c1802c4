//! Name resolution by the system, with an error of our own type: whether a name failed to resolve
//! must be known without reading anyone's error text.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The name did not resolve.
#[derive(Debug, thiserror::Error)]
#[error("the name cannot be resolved")]
pub(super) struct NotResolved;

/// The system's resolver.
#[derive(Debug)]
pub(super) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0 means: the port of the URL.
            let found = addresses(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Where `name` leads, with `port`.
pub(super) async fn addresses(name: &str, port: u16) -> Result<Vec<SocketAddr>, NotResolved> {
    let found = tokio::net::lookup_host((name, port)).await.map_err(|error| {
        tracing::debug!(%error, "a backend's name was not resolved");
        NotResolved
    })?;
    Ok(found.collect())
}
