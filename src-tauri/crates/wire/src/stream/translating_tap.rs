//! Translates a stream between dialects: a reader parses pieces, the assembler orders them into
//! events, a writer emits them for the client.

use bytes::{Bytes, BytesMut};
use domain::Dialect;

use crate::dialect::translation::{AnswerTranslation, StreamWriter};
use crate::dialect::{error_event, stream_writer};
use crate::neutral::{AnswerEvent, ProviderEvent};
use crate::stream::assemble::Assembler;
use crate::stream::provider_event_reader::ProviderEventReader;
use crate::{AnswerFacts, ErrorAnswer, Flow, StreamEnd, TapOutput};

/// Translates one upstream stream incrementally.
pub(crate) struct TranslatingTap {
    client: Dialect,
    reader: ProviderEventReader,
    assembler: Assembler,
    writer: Option<Box<dyn StreamWriter>>,
    end: Option<StreamEnd>,
}

impl TranslatingTap {
    pub(crate) fn new(client: Dialect, backend: Dialect, crossing: &AnswerTranslation) -> Self {
        Self {
            client,
            reader: ProviderEventReader::new(backend),
            assembler: Assembler::new(crossing.names.clone(), &crossing.echo.id),
            writer: stream_writer(client, crossing.echo.clone()),
            end: None,
        }
    }

    pub(crate) fn feed(&mut self, chunk: &[u8]) -> TapOutput {
        let mut out = BytesMut::new();
        if self.end.is_none() {
            let (pieces, fault) = self.reader.feed(chunk);
            self.translate_events(pieces, &mut out);
            if let (None, Some(fault)) = (&self.end, fault) {
                self.end = Some(StreamEnd::Broken(fault));
            }
        }
        TapOutput { relay: escape_line_ends(out), flow: Flow::until(self.end.as_ref()) }
    }

    /// The opening event, for a client that must receive something now.
    pub(crate) fn begin(&mut self) -> Bytes {
        let mut out = BytesMut::new();
        let begin = self.assembler.begin();
        self.write(begin.as_slice(), &mut out);
        escape_line_ends(out)
    }

    pub(crate) fn facts(&self) -> &AnswerFacts {
        self.assembler.facts()
    }

    pub(crate) fn content_seen(&self) -> bool {
        self.assembler.content_seen()
    }

    pub(crate) fn late_chunks(&self) -> u32 {
        self.assembler.late_events()
    }

    pub(crate) fn finish(&mut self) -> StreamEnd {
        let mut out = BytesMut::new();
        if self.end.is_none() {
            let pieces = self.reader.finish();
            self.translate_events(pieces, &mut out);
        }
        if self.end.is_none() && self.assembler.is_finished() {
            // Every choice has a finish reason; the backend only omitted its terminator.
            self.translate_events(vec![ProviderEvent::End], &mut out);
        }
        match self.end.take() {
            Some(StreamEnd::Complete { .. }) => {
                StreamEnd::Complete { append: escape_line_ends(out) }
            }
            Some(end) => end,
            None => StreamEnd::Truncated,
        }
    }

    pub(crate) fn error_event(&self, error: &ErrorAnswer<'_>) -> Bytes {
        match &self.writer {
            Some(writer) => writer.error_event(error),
            None => error_event(self.client, error, 0, None),
        }
    }

    fn translate_events(&mut self, pieces: Vec<ProviderEvent>, out: &mut BytesMut) {
        for piece in pieces {
            if self.end.is_some() {
                return;
            }
            if let ProviderEvent::Error(error) = piece {
                self.end = Some(StreamEnd::UpstreamError(error));
                return;
            }
            let is_end = piece == ProviderEvent::End;
            match self.assembler.push_event(piece) {
                Ok(events) => self.write(&events, out),
                Err(fault) => self.end = Some(StreamEnd::Broken(fault)),
            }
            if is_end && self.end.is_none() {
                self.end = Some(StreamEnd::Truncated);
            }
        }
    }

    fn write(&mut self, events: &[AnswerEvent], out: &mut BytesMut) {
        for event in events {
            if let Some(writer) = &mut self.writer {
                writer.write(event, out);
            }
            if matches!(event, AnswerEvent::End { .. }) {
                self.end = Some(StreamEnd::Complete { append: Bytes::new() });
            }
        }
    }
}

/// Line ends in Unicode that are ordinary characters in JSON.
const LINE_ENDS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// Escapes Unicode line ends in the JSON of events. SSE does not treat them as line ends, but
/// clients that split lines with their language's own means do: Python's `str.splitlines` in
/// LiteLLM 1.106 loses the event, and the dot of a JavaScript regular expression in Gemini CLI 0.61
/// loses everything after it. In JSON they occur only inside strings.
fn escape_line_ends(events: BytesMut) -> Bytes {
    match std::str::from_utf8(&events) {
        Ok(text) if text.contains(LINE_ENDS) => {
            let escaped = LINE_ENDS.into_iter().fold(text.to_owned(), |text, end| {
                text.replace(end, &format!("\\u{:04x}", u32::from(end)))
            });
            Bytes::from(escaped)
        }
        _ => events.freeze(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_lines_are_escaped_wherever_they_stand() {
        let escaped = |text: &str| {
            let bytes = escape_line_ends(BytesMut::from(text.as_bytes()));
            String::from_utf8(bytes.to_vec()).expect("text")
        };
        let ends = "{\"a\":\"\u{2028}b\u{2029}\u{2028}\u{85}\"}";
        assert_eq!(escaped(ends), "{\"a\":\"\\u2028b\\u2029\\u2028\\u0085\"}");
        for same in ["", "{\"a\":\"b\u{2026}\u{e8}\u{2008}\"}\r\n\r\n"] {
            assert_eq!(escaped(same), same);
        }
    }
}
