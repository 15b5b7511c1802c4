//! A connection to a server that speaks another protocol than HTTP, by the same rules: every address
//! of a name is checked before it is connected to (S29).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use settings::AllowedNetwork;
use tokio::net::TcpStream;
use url::Host;

use super::UpstreamFailure;
use super::local::local_fault;
use super::resolve::{Resolver, SystemNameLookup};

/// Time to resolve a name and to connect.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Connects to the first address of `host` that is allowed and answers.
pub async fn connect(
    host: &Host<String>,
    port: u16,
    network: AllowedNetwork,
) -> Result<TcpStream, UpstreamFailure> {
    let connecting = connect_to_any(host, port, network);
    tokio::time::timeout(CONNECT_LIMIT, connecting).await.unwrap_or(Err(UpstreamFailure::Timeout))
}

async fn connect_to_any(
    host: &Host<String>,
    port: u16,
    network: AllowedNetwork,
) -> Result<TcpStream, UpstreamFailure> {
    let addresses = match host {
        Host::Ipv4(address) => vec![SocketAddr::from((*address, port))],
        Host::Ipv6(address) => vec![SocketAddr::from((*address, port))],
        Host::Domain(name) => {
            let resolver = Resolver::new(Arc::new(SystemNameLookup), CONNECT_LIMIT);
            resolver.expect(name, network);
            resolver.addresses(name, port).await?
        }
    };
    let mut failure = UpstreamFailure::Dns;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = local_fault(&error).unwrap_or(UpstreamFailure::Connect),
        }
    }
    Err(failure)
}
