//! A minimal HTTP/1.1 on raw sockets, for both ends of the benchmark.
//!
//! A client library would be measured along with the program, and its cost would be part of every
//! figure.

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::dialect::BenchDialect;

/// Most headers of a message.
const HEADERS_MAX: usize = 64;

/// Initial buffer size: room for a whole message, so that the buffer rarely grows.
const BUFFER_BYTES: usize = 16_384;

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageFraming {
    /// By its length in bytes.
    Length(usize),
    /// By an empty chunk.
    Chunked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageHead {
    /// The status of an answer; 0 for a request.
    pub(crate) status: u16,
    /// The dialect of a request's path; Chat for an answer.
    pub(crate) dialect: BenchDialect,
    pub(crate) framing: MessageFraming,
    /// Length of the head in bytes.
    bytes: usize,
}

/// A connection, with received bytes that are not read yet.
pub(crate) struct RawHttpConnection {
    socket: TcpStream,
    received: Vec<u8>,
}

impl RawHttpConnection {
    /// Wraps a connected socket and turns Nagle's algorithm off.
    pub(crate) fn over(socket: TcpStream) -> Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self { socket, received: Vec::with_capacity(BUFFER_BYTES) })
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.socket.write_all(bytes).await?)
    }

    /// Reads the head of a request; `None` if the other end has closed.
    pub(crate) async fn read_request_head(&mut self) -> Result<Option<MessageHead>> {
        loop {
            if let Some(head) = parse_request_head(&self.received)? {
                self.received.drain(..head.bytes);
                return Ok(Some(head));
            }
            if self.socket.read_buf(&mut self.received).await? == 0 {
                return Ok(None);
            }
        }
    }

    pub(crate) async fn read_answer_head(&mut self) -> Result<MessageHead> {
        loop {
            if let Some(head) = parse_answer_head(&self.received)? {
                self.received.drain(..head.bytes);
                return Ok(head);
            }
            self.read_more().await?;
        }
    }

    /// Reads the head of an answer, and the value of the header `name`.
    pub(crate) async fn read_answer_head_with(
        &mut self,
        name: &str,
    ) -> Result<(MessageHead, Option<String>)> {
        while parse_answer_head(&self.received)?.is_none() {
            self.read_more().await?;
        }
        let said = find_header(&self.received, name)?;
        Ok((self.read_answer_head().await?, said))
    }

    /// Reads a body and passes on each chunk, or the whole body if its length is known.
    pub(crate) async fn read_body(
        &mut self,
        framing: MessageFraming,
        mut piece: impl FnMut(&[u8]),
    ) -> Result<()> {
        if let MessageFraming::Length(bytes) = framing {
            self.read_at_least(bytes).await?;
            piece(self.received.get(..bytes).unwrap_or_default());
            self.received.drain(..bytes);
            return Ok(());
        }
        loop {
            let (line, bytes) = self.read_chunk_line().await?;
            let end = line + bytes;
            self.read_at_least(end + 2).await?;
            piece(self.received.get(line..end).unwrap_or_default());
            self.received.drain(..end + 2);
            if bytes == 0 {
                return Ok(());
            }
        }
    }

    /// Parses a chunk's size line: the line's length, and the chunk's.
    async fn read_chunk_line(&mut self) -> Result<(usize, usize)> {
        loop {
            let parsed = httparse::parse_chunk_size(&self.received);
            match parsed.ok().context("a chunk without a length")? {
                httparse::Status::Complete((line, bytes)) => {
                    return Ok((line, usize::try_from(bytes)?));
                }
                httparse::Status::Partial => self.read_more().await?,
            }
        }
    }

    async fn read_at_least(&mut self, bytes: usize) -> Result<()> {
        while self.received.len() < bytes {
            self.read_more().await?;
        }
        Ok(())
    }

    async fn read_more(&mut self) -> Result<()> {
        if self.socket.read_buf(&mut self.received).await? == 0 {
            bail!("the connection was closed in the middle of an answer");
        }
        Ok(())
    }
}

fn parse_request_head(received: &[u8]) -> Result<Option<MessageHead>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let status = request.parse(received).context("not a request")?;
    let dialect = request.path.map_or(BenchDialect::Chat, BenchDialect::of_path);
    let head = message_head(status, 0, request.headers)?;
    Ok(head.map(|head| MessageHead { dialect, ..head }))
}

fn parse_answer_head(received: &[u8]) -> Result<Option<MessageHead>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut answer = httparse::Response::new(&mut headers);
    let status = answer.parse(received).context("not an answer")?;
    let code = answer.code.unwrap_or_default();
    message_head(status, code, answer.headers)
}

fn find_header(received: &[u8], name: &str) -> Result<Option<String>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut answer = httparse::Response::new(&mut headers);
    answer.parse(received).context("not an answer")?;
    let header = answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    Ok(header.map(|header| String::from_utf8_lossy(header.value).into_owned()))
}

fn message_head(
    status: httparse::Status<usize>,
    code: u16,
    headers: &[httparse::Header<'_>],
) -> Result<Option<MessageHead>> {
    let httparse::Status::Complete(bytes) = status else { return Ok(None) };
    let value = |name: &str| {
        headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|it| it.value)
    };
    let framing = match value("content-length") {
        Some(digits) => MessageFraming::Length(std::str::from_utf8(digits)?.trim().parse()?),
        None if value("transfer-encoding").is_some() => MessageFraming::Chunked,
        None => MessageFraming::Length(0),
    };
    Ok(Some(MessageHead { status: code, dialect: BenchDialect::Chat, framing, bytes }))
}

#[cfg(test)]
mod tests {
    use super::{MessageFraming, find_header, parse_answer_head, parse_request_head};

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello";
        for cut in 0..39 {
            assert_eq!(parse_answer_head(&text[..cut]).expect("no fault"), None, "{cut}");
        }
        let head = parse_answer_head(text).expect("no fault").expect("whole");
        assert_eq!((head.status, head.framing, head.bytes), (200, MessageFraming::Length(12), 39));
    }

    #[test]
    fn a_header_is_found_by_its_name() {
        let text = b"HTTP/1.1 200 OK\r\nX-Gatehouse-Cache: hit\r\ncontent-length: 0\r\n\r\n";
        let said = |name| find_header(text, name).expect("an answer");
        assert_eq!(said("x-gatehouse-cache").as_deref(), Some("hit"));
        assert_eq!(said("x-gatehouse-backend"), None);
    }

    #[test]
    fn a_body_without_a_length_is_chunked_or_empty() {
        let framing =
            |text: &[u8]| parse_request_head(text).expect("no fault").expect("whole").framing;
        let chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(framing(chunked), MessageFraming::Chunked);
        assert_eq!(framing(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"), MessageFraming::Length(0));
        assert!(parse_answer_head(b"SSH-2.0-OpenSSH\r\n\r\n").is_err());
    }
}
