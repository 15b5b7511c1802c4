//! Reads a backend's stream. Pass-through streams are read too, so unknown content is never an
//! error.

use std::collections::HashMap;

use domain::Dialect;
use serde_json::value::RawValue;

use super::blocks::Block;
use super::error::in_band_error;
use super::stop::read_stop;
use super::usage::{merged, read_usage};
use crate::json::Members;
use crate::neutral::{CallKey, CallKind, Piece, Signature};
use crate::node::lenient_text;
use crate::{SseEvent, SsePayload, StreamFault};

/// Most open blocks remembered for one answer. Blocks come one after the other. More at once are a
/// fault of the backend, and the ends of the excess blocks are ignored.
const OPEN_BLOCKS_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub(crate) struct StreamReader {
    /// Usage reported so far, merged into one object.
    usage: Option<Box<RawValue>>,
    open: HashMap<Option<u64>, Open>,
}

/// A block that has started and not stopped.
#[derive(Debug)]
enum Open {
    /// Text or thinking, with the signature received so far.
    Words {
        signature: String,
    },
    /// A call. The arguments in its start event count only if no deltas follow.
    Call {
        at_start: Option<String>,
    },
    Other,
}

impl crate::dialect::StreamReader for StreamReader {
    fn read(&mut self, event: &SseEvent) -> Result<Vec<Piece>, StreamFault> {
        let SsePayload::Data(data) = &event.payload else { return Ok(Vec::new()) };
        let text = std::str::from_utf8(data).map_err(|_| StreamFault::InvalidUtf8)?;
        let text = text.trim();
        if text.is_empty() || text == "[DONE]" {
            // Some servers append OpenAI's terminator to their own.
            return Ok(Vec::new());
        }
        let members = Members::parse(text).map_err(|_| StreamFault::NotJson)?;
        let kind = members.string("type");
        let mut out = Vec::new();
        match kind.as_deref() {
            Some("message_start") => self.begin(&members.object("message"), &mut out),
            Some("content_block_start") => self.start(&members, &mut out),
            Some("content_block_delta") => self.delta(&members, &mut out),
            Some("content_block_stop") => self.stop(&members, &mut out),
            Some("message_delta") => self.message_delta(&members, &mut out),
            Some("message_stop") => out.push(Piece::End),
            Some("error") => out.push(Piece::Error(in_band_error(text.as_bytes()))),
            _ if members.get("error").is_some() => {
                out.push(Piece::Error(in_band_error(text.as_bytes())));
            }
            _ => {}
        }
        Ok(out)
    }
}

impl StreamReader {
    fn begin(&mut self, message: &Members<'_>, out: &mut Vec<Piece>) {
        let text = |key: &str| message.get(key).and_then(lenient_text);
        out.push(Piece::Begin { id: text("id"), model: text("model") });
        self.told(message.get("usage"), out);
    }

    fn told(&mut self, usage: Option<&RawValue>, out: &mut Vec<Piece>) {
        let Some(usage) = usage else { return };
        let all = match &self.usage {
            Some(earlier) => merged(earlier.get(), usage),
            None => usage.to_owned(),
        };
        out.extend(read_usage(&all).map(Piece::Usage));
        self.usage = Some(all);
    }

    fn start(&mut self, members: &Members<'_>, out: &mut Vec<Piece>) {
        let Some(raw) = members.get("content_block") else { return };
        let index = index(members);
        let opened = match Block::read(raw) {
            Block::Text(text) => {
                words(text, |text| Piece::Text { choice: 0, text }, out);
                Open::Words { signature: String::new() }
            }
            Block::Thinking { text, signature } => {
                words(text, |text| Piece::Thinking { choice: 0, text }, out);
                Open::Words { signature }
            }
            Block::RedactedThinking(data) => {
                let signature = own(data);
                out.push(Piece::RedactedThinking { choice: 0, signature });
                Open::Other
            }
            Block::Call { id, name, input } => {
                out.push(call(index, id, name, String::new()));
                Open::Call { at_start: input.filter(|input| input != "{}") }
            }
            Block::Other => Open::Other,
        };
        if self.open.len() < OPEN_BLOCKS_MAX {
            self.open.insert(index, opened);
        }
    }

    fn delta(&mut self, members: &Members<'_>, out: &mut Vec<Piece>) {
        let delta = members.object("delta");
        let text = |key: &str| delta.get(key).and_then(lenient_text).unwrap_or_default();
        let index = index(members);
        match delta.string("type").as_deref() {
            Some("text_delta") => words(text("text"), |text| Piece::Text { choice: 0, text }, out),
            Some("thinking_delta") => {
                words(text("thinking"), |text| Piece::Thinking { choice: 0, text }, out);
            }
            Some("signature_delta") => {
                let open = self.open.entry(index);
                let open = open.or_insert_with(|| Open::Words { signature: String::new() });
                if let Open::Words { signature } = open {
                    signature.push_str(&text("signature"));
                }
            }
            Some("input_json_delta") => {
                let more = text("partial_json");
                if matches!(self.open.get(&index), Some(Open::Other)) || more.is_empty() {
                    return;
                }
                if let Some(Open::Call { at_start }) = self.open.get_mut(&index) {
                    *at_start = None;
                }
                out.push(call(index, None, None, more));
            }
            // `citations_delta` and unknown types.
            _ => {}
        }
    }

    fn stop(&mut self, members: &Members<'_>, out: &mut Vec<Piece>) {
        let index = index(members);
        match self.open.remove(&index) {
            Some(Open::Words { signature }) => {
                if !signature.is_empty() {
                    out.push(Piece::Signature { choice: 0, signature: own(signature) });
                }
                out.push(Piece::PartDone { choice: 0 });
            }
            Some(Open::Call { at_start }) => {
                out.extend(at_start.map(|input| call(index, None, None, input)));
                out.push(Piece::CallDone { choice: 0, key: CallKey::Index(index) });
            }
            Some(Open::Other) | None => {}
        }
    }

    fn message_delta(&mut self, members: &Members<'_>, out: &mut Vec<Piece>) {
        self.told(members.get("usage"), out);
        let delta = members.object("delta");
        let text = |key: &str| delta.get(key).and_then(lenient_text);
        if let Some(word) = text("stop_reason") {
            let finish = read_stop(word, text("stop_sequence"));
            out.push(Piece::Finish { choice: 0, finish });
        }
    }
}

fn index(members: &Members<'_>) -> Option<u64> {
    members.get("index").and_then(|index| index.get().parse().ok())
}

fn words(text: String, piece: impl FnOnce(String) -> Piece, out: &mut Vec<Piece>) {
    if !text.is_empty() {
        out.push(piece(text));
    }
}

fn call(index: Option<u64>, id: Option<String>, name: Option<String>, arguments: String) -> Piece {
    let (key, kind) = (CallKey::Index(index), CallKind::Function);
    Piece::Call { choice: 0, key, id, name, kind, arguments }
}

/// Wraps a signature issued by a backend of this dialect.
pub(super) fn own(data: String) -> Signature {
    Signature { origin: Dialect::AnthropicMessages, data }
}

#[cfg(test)]
mod tests;
