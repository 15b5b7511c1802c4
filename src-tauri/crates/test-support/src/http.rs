//! A hand-written HTTP/1.1 reader for the upstream and the raw client.
//!
//! It reports how a body ended instead of hiding it, since fault tests assert exactly that.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Longest head read, in bytes.
const HEAD_BYTES_MAX: usize = 1_048_576;

/// Longest body read, in bytes.
const BODY_BYTES_MAX: usize = 268_435_456;

/// How a body ended on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// As its framing requires: the whole length, the zero chunk, or the close of a body without
    /// length.
    Complete,
    /// The connection was closed early.
    Cut,
    /// The connection was reset early.
    Reset,
}

/// The first line and the headers, in order, with names as written.
#[derive(Debug)]
pub(crate) struct RawHead {
    pub(crate) first_line: String,
    pub(crate) headers: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFraming {
    Length(usize),
    Chunked,
    UntilClose,
}

/// A socket with a buffer for bytes read ahead.
#[derive(Debug)]
pub(crate) struct RawConnection {
    pub(crate) stream: TcpStream,
    buffer: BytesMut,
}

impl RawHead {
    /// The value of a header; the name matches in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The framing from the headers, or `otherwise` if they have none.
    pub(crate) fn framing(&self, otherwise: BodyFraming) -> BodyFraming {
        let chunked =
            self.header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
        let length = self.header("content-length").and_then(|value| value.trim().parse().ok());
        match (chunked, length) {
            (true, _) => BodyFraming::Chunked,
            (false, Some(length)) => BodyFraming::Length(length),
            (false, None) => otherwise,
        }
    }
}

/// The first header of that name, in any case.
pub(crate) fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

impl RawConnection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: BytesMut::new() }
    }

    /// Reads the next head; `None` if the peer closed before it.
    pub(crate) async fn read_head(&mut self) -> io::Result<Option<RawHead>> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = self.buffer.split_to(end + 4);
                return Ok(Some(parse_head(&head)));
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(io::Error::other("the head has no end"));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Reads a body, and reports how it ended.
    pub(crate) async fn read_body(&mut self, framing: BodyFraming) -> (Bytes, BodyEnd) {
        match framing {
            BodyFraming::Length(length) => {
                let end = self.fill(length).await;
                let taken = self.buffer.len().min(length);
                (self.buffer.split_to(taken).freeze(), end)
            }
            BodyFraming::Chunked => self.read_chunks().await,
            BodyFraming::UntilClose => {
                let end = match self.fill(BODY_BYTES_MAX).await {
                    BodyEnd::Cut => BodyEnd::Complete,
                    end => end,
                };
                (self.buffer.split().freeze(), end)
            }
        }
    }

    /// Reads the next bytes; empty at the end of the connection.
    pub(crate) async fn read_some(&mut self) -> io::Result<Bytes> {
        if self.buffer.is_empty() {
            self.stream.read_buf(&mut self.buffer).await?;
        }
        Ok(self.buffer.split().freeze())
    }

    async fn read_chunks(&mut self) -> (Bytes, BodyEnd) {
        let mut body = BytesMut::new();
        loop {
            let size = match self.read_line().await {
                Ok(line) => line
                    .split(';')
                    .next()
                    .and_then(|hex| usize::from_str_radix(hex.trim(), 16).ok()),
                Err(end) => return (body.freeze(), end),
            };
            let Some(size) = size.filter(|size| *size <= BODY_BYTES_MAX) else {
                return (body.freeze(), BodyEnd::Cut);
            };
            let end = self.fill(size + 2).await;
            let taken = self.buffer.len().min(size);
            body.extend_from_slice(&self.buffer.split_to(taken));
            if end != BodyEnd::Complete {
                return (body.freeze(), end);
            }
            let _line_end = self.buffer.split_to(2);
            if size == 0 {
                return (body.freeze(), BodyEnd::Complete);
            }
        }
    }

    async fn read_line(&mut self) -> Result<String, BodyEnd> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let line = self.buffer.split_to(end + 2);
                return Ok(String::from_utf8_lossy(&line).trim().to_owned());
            }
            match self.fill(self.buffer.len() + 1).await {
                BodyEnd::Complete => {}
                end => return Err(end),
            }
        }
    }

    /// Reads until the buffer has `length` bytes.
    async fn fill(&mut self, length: usize) -> BodyEnd {
        while self.buffer.len() < length {
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) => return BodyEnd::Cut,
                Ok(_) => {}
                Err(_) => return BodyEnd::Reset,
            }
        }
        BodyEnd::Complete
    }
}

fn parse_head(bytes: &[u8]) -> RawHead {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split("\r\n");
    let first_line = lines.next().unwrap_or_default().to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    RawHead { first_line, headers: lines.filter_map(header).collect() }
}
