//! A client that sends any bytes, valid or not, and reports exactly what it receives.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::http::{BodyEnd, BodyFraming, RawConnection, find_header};

#[derive(Debug)]
pub struct RawClient {
    connection: RawConnection,
}

#[derive(Debug, Clone)]
pub struct RawAnswer {
    pub status: u16,
    /// Headers in order, with names as written.
    pub headers: Vec<(String, String)>,
    /// The body received, without chunk framing.
    pub body: Bytes,
    /// How the body ended on the wire.
    pub end: BodyEnd,
}

impl RawClient {
    /// Connects, with Nagle's algorithm off.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { connection: RawConnection::new(stream) })
    }

    /// Connects, sends `bytes`, reads one answer.
    pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> io::Result<RawAnswer> {
        let mut client = Self::connect(address).await?;
        client.send(bytes).await?;
        client.read_answer().await
    }

    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.connection.stream.write_all(bytes).await
    }

    /// Sends a whole request with `content-length`. `headers` are lines without line ends.
    pub async fn send_request(
        &mut self,
        first_line: &str,
        headers: &[&str],
        body: &[u8],
    ) -> io::Result<()> {
        let mut text = format!("{first_line}\r\n");
        for header in headers {
            text.push_str(header);
            text.push_str("\r\n");
        }
        text.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        self.send(&[text.as_bytes(), body].concat()).await
    }

    /// Reads one whole answer, until it or the connection ends.
    pub async fn read_answer(&mut self) -> io::Result<RawAnswer> {
        let head = self.connection.read_head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head.first_line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let bodiless = matches!(status, 100..=199 | 204 | 304);
        let framing =
            if bodiless { BodyFraming::Length(0) } else { head.framing(BodyFraming::UntilClose) };
        let (body, end) = self.connection.read_body(framing).await;
        Ok(RawAnswer { status, headers: head.headers, body, end })
    }

    /// Reads the next raw bytes, head and chunk sizes included; empty at the end.
    pub async fn read_some(&mut self) -> io::Result<Bytes> {
        self.connection.read_some().await
    }

    /// Closes the sending side; answers can still be read.
    pub async fn close_sending(&mut self) -> io::Result<()> {
        self.connection.stream.shutdown().await
    }

    pub fn reset(self) -> io::Result<()> {
        self.connection.stream.set_zero_linger()
    }
}

impl RawAnswer {
    /// The value of the first header of that name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The body as text; invalid UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` if it is not valid.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
