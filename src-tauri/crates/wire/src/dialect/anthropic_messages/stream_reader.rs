//! Reads a backend's stream. Pass-through streams are read too, so unknown content is never an
//! error.

use std::collections::HashMap;

use domain::{Dialect, Usage};
use serde_json::value::RawValue;

use super::content_block::ContentBlock;
use super::error::in_band_error;
use super::stop_reason::read_stop_reason;
use super::usage::{count_server_tool, merge_usage, read_usage};
use crate::json::Members;
use crate::json::json_node::decode_string_lossy;
use crate::neutral::{CallKey, CallKind, ProviderEvent, ThoughtSignature};
use crate::{SseEvent, SsePayload, StreamFault};

/// Most open blocks remembered for one answer. Blocks come one after the other. More at once are a
/// fault of the backend, and the ends of the excess blocks are ignored.
const OPEN_BLOCKS_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub(crate) struct StreamReader {
    /// Usage reported so far, merged into one object.
    usage: Option<Box<RawValue>>,
    open: HashMap<Option<u64>, OpenBlock>,
    /// Calls of the provider's tools so far. Usage counts them only at the end, which a broken stream
    /// does not reach.
    server_tools: Usage,
}

/// A block that has started and not stopped.
#[derive(Debug)]
enum OpenBlock {
    /// Text or thinking, with the signature received so far.
    TextOrThinking {
        signature: String,
    },
    /// A call. The arguments in its start event count only if no deltas follow.
    Call {
        start_arguments: Option<String>,
    },
    Other,
}

impl crate::dialect::translation::StreamReader for StreamReader {
    fn read(&mut self, event: &SseEvent) -> Result<Vec<ProviderEvent>, StreamFault> {
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
            Some("message_start") => self.read_message_start(&members.object("message"), &mut out),
            Some("content_block_start") => self.read_block_start(&members, &mut out),
            Some("content_block_delta") => self.read_block_delta(&members, &mut out),
            Some("content_block_stop") => self.read_block_stop(&members, &mut out),
            Some("message_delta") => self.read_message_delta(&members, &mut out),
            Some("message_stop") => out.push(ProviderEvent::End),
            Some("error") => out.push(ProviderEvent::Error(in_band_error(text.as_bytes()))),
            _ if members.get("error").is_some() => {
                out.push(ProviderEvent::Error(in_band_error(text.as_bytes())));
            }
            _ => {}
        }
        Ok(out)
    }
}

impl StreamReader {
    fn read_message_start(&mut self, message: &Members<'_>, out: &mut Vec<ProviderEvent>) {
        let text = |key: &str| message.get(key).and_then(decode_string_lossy);
        out.push(ProviderEvent::Begin { id: text("id"), model: text("model") });
        self.push_usage(message.get("usage"), out);
    }

    fn push_usage(&mut self, usage: Option<&RawValue>, out: &mut Vec<ProviderEvent>) {
        let Some(usage) = usage else { return };
        let all = match &self.usage {
            Some(earlier) => merge_usage(earlier.get(), usage),
            None => usage.to_owned(),
        };
        out.extend(read_usage(&all).map(ProviderEvent::Usage));
        self.usage = Some(all);
    }

    fn read_block_start(&mut self, members: &Members<'_>, out: &mut Vec<ProviderEvent>) {
        let Some(raw) = members.get("content_block") else { return };
        let index = block_index(members);
        let opened = match ContentBlock::read(raw) {
            ContentBlock::Text(text) => {
                push_text(text, |text| ProviderEvent::Text { choice: 0, text }, out);
                OpenBlock::TextOrThinking { signature: String::new() }
            }
            ContentBlock::Thinking { text, signature } => {
                push_text(text, |text| ProviderEvent::Thinking { choice: 0, text }, out);
                OpenBlock::TextOrThinking { signature }
            }
            ContentBlock::RedactedThinking(data) => {
                let signature = own_signature(data);
                out.push(ProviderEvent::RedactedThinking { choice: 0, signature });
                OpenBlock::Other
            }
            ContentBlock::Call { id, name, input } => {
                out.push(call_event(index, id, name, String::new()));
                OpenBlock::Call { start_arguments: input.filter(|input| input != "{}") }
            }
            ContentBlock::ServerTool { name } => {
                count_server_tool(&mut self.server_tools, &name);
                out.push(ProviderEvent::BilledBeside(self.server_tools.clone()));
                OpenBlock::Other
            }
            ContentBlock::Other => OpenBlock::Other,
        };
        if self.open.len() < OPEN_BLOCKS_MAX {
            self.open.insert(index, opened);
        }
    }

    fn read_block_delta(&mut self, members: &Members<'_>, out: &mut Vec<ProviderEvent>) {
        let delta = members.object("delta");
        let text = |key: &str| delta.get(key).and_then(decode_string_lossy).unwrap_or_default();
        let index = block_index(members);
        match delta.string("type").as_deref() {
            Some("text_delta") => {
                push_text(text("text"), |text| ProviderEvent::Text { choice: 0, text }, out);
            }
            Some("thinking_delta") => {
                push_text(
                    text("thinking"),
                    |text| ProviderEvent::Thinking { choice: 0, text },
                    out,
                );
            }
            Some("signature_delta") => {
                let open = self.open.entry(index);
                let open =
                    open.or_insert_with(|| OpenBlock::TextOrThinking { signature: String::new() });
                if let OpenBlock::TextOrThinking { signature } = open {
                    signature.push_str(&text("signature"));
                }
            }
            Some("input_json_delta") => {
                let more = text("partial_json");
                if matches!(self.open.get(&index), Some(OpenBlock::Other)) || more.is_empty() {
                    return;
                }
                if let Some(OpenBlock::Call { start_arguments: at_start }) =
                    self.open.get_mut(&index)
                {
                    *at_start = None;
                }
                out.push(call_event(index, None, None, more));
            }
            // `citations_delta` and unknown types.
            _ => {}
        }
    }

    fn read_block_stop(&mut self, members: &Members<'_>, out: &mut Vec<ProviderEvent>) {
        let index = block_index(members);
        match self.open.remove(&index) {
            Some(OpenBlock::TextOrThinking { signature }) => {
                if !signature.is_empty() {
                    out.push(ProviderEvent::Signature {
                        choice: 0,
                        signature: own_signature(signature),
                    });
                }
                out.push(ProviderEvent::PartDone { choice: 0 });
            }
            Some(OpenBlock::Call { start_arguments: at_start }) => {
                out.extend(at_start.map(|input| call_event(index, None, None, input)));
                out.push(ProviderEvent::CallDone { choice: 0, key: CallKey::Index(index) });
            }
            Some(OpenBlock::Other) | None => {}
        }
    }

    fn read_message_delta(&mut self, members: &Members<'_>, out: &mut Vec<ProviderEvent>) {
        self.push_usage(members.get("usage"), out);
        let delta = members.object("delta");
        let text = |key: &str| delta.get(key).and_then(decode_string_lossy);
        if let Some(word) = text("stop_reason") {
            let finish = read_stop_reason(word, text("stop_sequence"));
            out.push(ProviderEvent::Finish { choice: 0, finish });
        }
    }
}

fn block_index(members: &Members<'_>) -> Option<u64> {
    members.get("index").and_then(|index| index.get().parse().ok())
}

fn push_text(
    text: String,
    piece: impl FnOnce(String) -> ProviderEvent,
    out: &mut Vec<ProviderEvent>,
) {
    if !text.is_empty() {
        out.push(piece(text));
    }
}

fn call_event(
    index: Option<u64>,
    id: Option<String>,
    name: Option<String>,
    arguments: String,
) -> ProviderEvent {
    let (key, kind) = (CallKey::Index(index), CallKind::Function);
    ProviderEvent::Call { choice: 0, key, id, name, kind, arguments }
}

/// Wraps a signature issued by a backend of this dialect.
pub(super) fn own_signature(data: String) -> ThoughtSignature {
    ThoughtSignature { origin: Dialect::AnthropicMessages, data }
}

#[cfg(test)]
mod tests;
