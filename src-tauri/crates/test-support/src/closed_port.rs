//! A loopback port that refuses connections.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// The port is bound without listening, so that connections are refused and no other process can
/// take it meanwhile. A server that was dropped gives neither promise.
#[derive(Debug)]
pub struct ClosedPort {
    address: SocketAddr,
    _bound: TcpSocket,
}

impl ClosedPort {
    /// Fails like `bind`.
    pub fn bind() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self { address: socket.local_addr()?, _bound: socket })
    }

    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT/v1`, as that of a [`crate::ScriptedUpstream`].
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}
