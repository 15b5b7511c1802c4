//! A stream that crosses dialects: read into pieces, assembled into events, written for the client.

use bytes::{Bytes, BytesMut};
use domain::Dialect;

use crate::assemble::Assembler;
use crate::dialect::{Closing, StreamWriter, error_event, stream_writer};
use crate::exchange::CrossingAnswer;
use crate::neutral::{Event, Piece};
use crate::stream::{PieceReader, flow};
use crate::{AnswerFacts, ErrorAnswer, StreamEnd, Tapped};

/// Translates one upstream stream as it comes.
pub(crate) struct CrossTap {
    client: Dialect,
    reader: PieceReader,
    assembler: Assembler,
    writer: Option<Box<dyn StreamWriter>>,
    end: Option<StreamEnd>,
}

impl CrossTap {
    pub(crate) fn new(client: Dialect, backend: Dialect, crossing: &CrossingAnswer) -> Self {
        Self {
            client,
            reader: PieceReader::new(backend),
            assembler: Assembler::new(crossing.names.clone(), &crossing.echo.id),
            writer: stream_writer(client, crossing.echo.clone()),
            end: None,
        }
    }

    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Tapped {
        let mut out = BytesMut::new();
        if self.end.is_none() {
            let (pieces, fault) = self.reader.feed(chunk);
            self.take(pieces, &mut out);
            if let (None, Some(fault)) = (&self.end, fault) {
                self.end = Some(StreamEnd::Broken(fault));
            }
        }
        Tapped { relay: out.freeze(), flow: flow(self.end.as_ref()) }
    }

    /// The beginning, for a client that must hear something now.
    pub(crate) fn begin(&mut self) -> Bytes {
        let mut out = BytesMut::new();
        let begin = self.assembler.begin();
        self.write(begin.as_slice(), &mut out);
        out.freeze()
    }

    pub(crate) fn facts(&self) -> &AnswerFacts {
        self.assembler.facts()
    }

    pub(crate) fn content_seen(&self) -> bool {
        self.assembler.content_seen()
    }

    pub(crate) fn late_chunks(&self) -> u32 {
        self.assembler.late_pieces()
    }

    pub(crate) fn finish(&mut self) -> StreamEnd {
        let mut out = BytesMut::new();
        if self.end.is_none() {
            let pieces = self.reader.finish();
            self.take(pieces, &mut out);
        }
        if self.end.is_none() && self.assembler.is_finished() {
            // Every choice said why it ended; the backend only left its terminator out.
            self.take(vec![Piece::End], &mut out);
        }
        match self.end.take() {
            Some(StreamEnd::Complete { .. }) => StreamEnd::Complete { append: out.freeze() },
            Some(end) => end,
            None => StreamEnd::Truncated,
        }
    }

    pub(crate) fn error_event(&self, error: &ErrorAnswer<'_>) -> (Bytes, Closing) {
        match &self.writer {
            Some(writer) => writer.error_event(error),
            None => error_event(self.client, error, 0),
        }
    }

    fn take(&mut self, pieces: Vec<Piece>, out: &mut BytesMut) {
        for piece in pieces {
            if self.end.is_some() {
                return;
            }
            if let Piece::Error(error) = piece {
                self.end = Some(StreamEnd::UpstreamError(error));
                return;
            }
            let is_end = piece == Piece::End;
            match self.assembler.take(piece) {
                Ok(events) => self.write(&events, out),
                Err(fault) => self.end = Some(StreamEnd::Broken(fault)),
            }
            if is_end && self.end.is_none() {
                self.end = Some(StreamEnd::Truncated);
            }
        }
    }

    fn write(&mut self, events: &[Event], out: &mut BytesMut) {
        for event in events {
            if let Some(writer) = &mut self.writer {
                writer.write(event, out);
            }
            if matches!(event, Event::End { .. }) {
                self.end = Some(StreamEnd::Complete { append: Bytes::new() });
            }
        }
    }
}
