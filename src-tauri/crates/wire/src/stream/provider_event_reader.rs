//! Decodes the frames of a backend's stream and reads the pieces in each.

use domain::Dialect;

use crate::answer::StreamFault;
use crate::dialect::ollama_chat::JsonLineDecoder;
use crate::dialect::stream_reader;
use crate::dialect::translation::StreamReader;
use crate::neutral::ProviderEvent;
use crate::stream::sse::SseDecoder;

/// Decodes a backend's bytes into pieces.
pub(crate) struct ProviderEventReader {
    decoder: FrameDecoder,
    reader: Box<dyn StreamReader>,
}

enum FrameDecoder {
    Events(SseDecoder),
    /// Ollama sends one JSON value per line.
    Lines(JsonLineDecoder),
}

impl ProviderEventReader {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let decoder = match dialect {
            Dialect::OllamaChat => FrameDecoder::Lines(JsonLineDecoder::default()),
            _ => FrameDecoder::Events(SseDecoder::new()),
        };
        Self { decoder, reader: stream_reader(dialect) }
    }

    /// Returns the pieces up to the first fault, and the fault, which ends the stream.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> (Vec<ProviderEvent>, Option<StreamFault>) {
        match &mut self.decoder {
            FrameDecoder::Events(decoder) => decoder.push(chunk),
            FrameDecoder::Lines(decoder) => decoder.push(chunk),
        }
        let mut pieces = Vec::new();
        loop {
            let next = match &mut self.decoder {
                FrameDecoder::Events(decoder) => decoder.next_event(),
                FrameDecoder::Lines(decoder) => decoder.next_event(),
            };
            match next.map_err(|_| StreamFault::EventTooLarge) {
                Ok(None) => return (pieces, None),
                Ok(Some(event)) => match self.reader.read(&event) {
                    Ok(read) => pieces.extend(read),
                    Err(fault) => return (pieces, Some(fault)),
                },
                Err(fault) => return (pieces, Some(fault)),
            }
        }
    }

    /// The pieces in an unfinished last event. A torn event is a truncation, not a fault of the
    /// dialect.
    pub(crate) fn finish(&mut self) -> Vec<ProviderEvent> {
        let rest = match &mut self.decoder {
            FrameDecoder::Events(decoder) => std::mem::take(decoder).finish(),
            FrameDecoder::Lines(decoder) => std::mem::take(decoder).finish(),
        };
        rest.and_then(|event| self.reader.read(&event).ok()).unwrap_or_default()
    }
}
