//! Hostile answers: each one tries to exhaust the reader's memory.

use std::io::Write;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::dialect::{AnswerFormat, BenchDialect};
use super::http::RawHttpConnection;

/// Length of the endless line in bytes: sixteen times the limit of an event.
const LINE_BYTES: usize = 16 * MIB;

/// Bytes of one piece of the endless stream.
const ENDLESS_PIECE_BYTES: usize = 65_536;

/// Unpacked size of the gzip bomb in bytes: four times the limit of a whole answer.
const BOMB_BYTES: usize = 256 * MIB;

const MIB: usize = 1_048_576;

/// A hostile answer, selected by the request's model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostileAnswer {
    /// A line of an event stream, 16 MiB long.
    Line,
    /// A stream that continues while it is read.
    Endless,
    /// A small gzip body that unpacks to 256 MiB.
    Bomb,
    /// One mebibyte of `[`.
    Brackets,
}

impl HostileAnswer {
    pub(crate) const ALL: [Self; 4] = [Self::Line, Self::Endless, Self::Bomb, Self::Brackets];

    /// The model that selects this answer.
    pub(crate) const fn model(self) -> &'static str {
        match self {
            Self::Line => "bench-line",
            Self::Endless => "bench-endless",
            Self::Bomb => "bench-bomb",
            Self::Brackets => "bench-brackets",
        }
    }

    /// The delivery format that a request for it asks for.
    pub(crate) const fn answer_format(self) -> AnswerFormat {
        match self {
            Self::Line | Self::Endless => AnswerFormat::Streamed,
            Self::Bomb | Self::Brackets => AnswerFormat::Whole,
        }
    }

    pub(crate) async fn send(
        self,
        wire: &mut RawHttpConnection,
        dialect: BenchDialect,
    ) -> Result<()> {
        match self {
            Self::Line => {
                wire.send(response_head("text/event-stream", "", LINE_BYTES).as_bytes()).await?;
                wire.send(b"data: ").await?;
                wire.send(&vec![b'a'; LINE_BYTES - 6]).await
            }
            Self::Endless => {
                wire.send(STREAM_HEAD.as_bytes()).await?;
                let piece = dialect.stream_piece(&"a".repeat(ENDLESS_PIECE_BYTES));
                let (opening, piece) =
                    (encode_chunk(dialect.stream_opening()), encode_chunk(&piece));
                if !dialect.stream_opening().is_empty() {
                    wire.send(opening.as_bytes()).await?;
                }
                loop {
                    wire.send(piece.as_bytes()).await?;
                }
            }
            Self::Bomb => {
                let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
                let mebibyte = vec![b' '; MIB];
                for _ in 0..BOMB_BYTES / MIB {
                    bomb.write_all(&mebibyte)?;
                }
                let bomb = bomb.finish()?;
                let gzip = "content-encoding: gzip\r\n";
                wire.send(response_head("application/json", gzip, bomb.len()).as_bytes()).await?;
                wire.send(&bomb).await
            }
            Self::Brackets => {
                wire.send(response_head("application/json", "", MIB).as_bytes()).await?;
                wire.send(&vec![b'['; MIB]).await
            }
        }
    }
}

/// The head of every chunked stream.
pub(crate) const STREAM_HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

pub(crate) fn encode_chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// The head of a body of known length.
pub(crate) fn response_head(kind: &str, more: &str, length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{more}content-length: {length}\r\n\r\n")
}
