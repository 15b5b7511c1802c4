//! Reads a backend's answers: complete, or a stream whose events are fragments of the same shape.
//!
//! A stream has no terminator: it is complete when its bytes end after a `finishReason`. The stream
//! reader therefore never emits [`ProviderEvent::RelayEnd`] and leaves that to the taps.

use std::collections::BTreeSet;

use domain::Dialect;
use serde_json::value::RawValue;

use super::error::in_band_error;
use super::media;
use super::usage::AnswerUsage;
use crate::answer::CHOICES_MAX;
use crate::json::json_node::decode_string_lossy;
use crate::json::{Members, array_items};
use crate::neutral::{
    CallKey, CallKind, Finish, FinishReason, MediaContent, MediaSource, ProviderEvent,
    ThoughtSignature,
};
use crate::{BadAnswer, SseEvent, SsePayload, StreamFault};

pub(crate) fn read_answer(text: &str) -> Result<Vec<ProviderEvent>, BadAnswer> {
    let mut reader = FragmentReader::default();
    let mut pieces = Vec::new();
    let raw: &RawValue = serde_json::from_str(text).map_err(|_| BadAnswer::NotJson)?;
    // Without `alt=sse`, a stream is one array of fragments.
    for fragment in array_items(raw).unwrap_or_else(|| vec![raw]) {
        let read = reader.read(fragment.get()).map_err(|fault| match fault {
            StreamFault::NotJson => BadAnswer::NotJson,
            fault => BadAnswer::Broken(fault),
        })?;
        if let Some(ProviderEvent::Error(error)) = read.first() {
            return Err(BadAnswer::UpstreamError(error.clone()));
        }
        pieces.extend(read);
    }
    if reader.begun.is_empty() {
        return Err(BadAnswer::NoChoices);
    }
    if reader.begun.is_subset(&reader.finished) {
        pieces.push(ProviderEvent::End);
    }
    Ok(pieces)
}

#[derive(Debug, Default)]
pub(crate) struct StreamReader {
    fragments: FragmentReader,
}

impl crate::dialect::translation::StreamReader for StreamReader {
    fn read(&mut self, event: &SseEvent) -> Result<Vec<ProviderEvent>, StreamFault> {
        let SsePayload::Data(data) = &event.payload else { return Ok(Vec::new()) };
        let text = std::str::from_utf8(data).map_err(|_| StreamFault::InvalidUtf8)?.trim();
        // Some servers of this dialect end with OpenAI's terminator.
        if text.is_empty() || text == "[DONE]" {
            return Ok(Vec::new());
        }
        self.fragments.read(text)
    }
}

/// Reads consecutive fragments of one answer.
#[derive(Debug, Default)]
struct FragmentReader {
    has_named: bool,
    begun: BTreeSet<u32>,
    called: BTreeSet<u32>,
    finished: BTreeSet<u32>,
    usage: AnswerUsage,
}

impl FragmentReader {
    fn read(&mut self, text: &str) -> Result<Vec<ProviderEvent>, StreamFault> {
        let members = Members::parse(text).map_err(|_| StreamFault::NotJson)?;
        if members.get("error").is_some() {
            return Ok(vec![ProviderEvent::Error(in_band_error(text.as_bytes()))]);
        }
        let mut pieces = Vec::new();
        let (id, model) = (members.string("responseId"), members.string("modelVersion"));
        self.usage.note_model(model.as_deref());
        if !self.has_named && (id.is_some() || model.is_some()) {
            self.has_named = true;
            pieces.push(ProviderEvent::Begin { id, model });
        }
        let usage = members.get("usageMetadata");
        if let Some(usage) = usage {
            self.usage.read_metadata(usage);
        }
        let mut has_news = usage.is_some();
        let candidates = members.get("candidates").and_then(array_items).unwrap_or_default();
        for (place, candidate) in candidates.iter().enumerate() {
            has_news |= self.read_candidate(place, candidate, &mut pieces)?;
        }
        if has_news {
            pieces.push(self.usage.bill());
        }
        let blocked = members.object("promptFeedback").string("blockReason");
        if let Some(word) = blocked.filter(|_| self.begun.is_empty()) {
            self.begun.insert(0);
            self.finished.insert(0);
            let reason = FinishReason::Refusal;
            let finish = Finish { reason, word, stop_sequence: None };
            pieces.push(ProviderEvent::Finish { choice: 0, finish });
        }
        Ok(pieces)
    }

    /// True if the candidate says something new about the usage.
    fn read_candidate(
        &mut self,
        place: usize,
        candidate: &RawValue,
        pieces: &mut Vec<ProviderEvent>,
    ) -> Result<bool, StreamFault> {
        let Ok(members) = Members::parse(candidate.get()) else { return Ok(false) };
        let told = members.get("index").and_then(|index| index.get().parse::<usize>().ok());
        let index = told.unwrap_or(place);
        let choice = u32::try_from(index).unwrap_or(u32::MAX);
        if index >= CHOICES_MAX {
            return Err(StreamFault::TooManyChoices);
        }
        self.begun.insert(choice);
        let parts =
            members.object("content").get("parts").and_then(array_items).unwrap_or_default();
        for part in parts {
            if let Ok(part) = Members::parse(part.get()) {
                self.read_part(choice, &part, pieces);
            }
        }
        let word = members.string("finishReason").unwrap_or_default();
        if !word.is_empty() && word != "FINISH_REASON_UNSPECIFIED" {
            self.finished.insert(choice);
            let reason = finish_reason(&word, self.called.contains(&choice));
            let finish = Finish { reason, word, stop_sequence: None };
            pieces.push(ProviderEvent::Finish { choice, finish });
        }
        Ok(self.usage.read_candidate(&members))
    }

    fn read_part(&mut self, choice: u32, part: &Members<'_>, pieces: &mut Vec<ProviderEvent>) {
        let data = part.string("thoughtSignature").filter(|data| !data.is_empty());
        let signature = data.map(|data| ThoughtSignature { origin: Dialect::Gemini, data });
        let text = part.get("text").and_then(decode_string_lossy).unwrap_or_default();
        if part.get("thought").is_some_and(|flag| flag.get() == "true") {
            if !text.is_empty() {
                pieces.push(ProviderEvent::Thinking { choice, text });
            }
            if let Some(signature) = signature {
                pieces.push(ProviderEvent::Signature { choice, signature });
                pieces.push(ProviderEvent::PartDone { choice });
            }
            return;
        }
        if let Some(signature) = signature {
            // The signature belongs to this part, not to the thoughts before it.
            pieces.push(ProviderEvent::PartDone { choice });
            pieces.push(ProviderEvent::Signature { choice, signature });
        }
        if !text.is_empty() {
            pieces.push(ProviderEvent::Text { choice, text });
        }
        if let Some(call) = part.get("functionCall").and_then(|call| read_call(choice, call)) {
            self.called.insert(choice);
            pieces.push(call);
        }
        if part.get("executableCode").is_some() {
            self.usage.note_code();
        }
        if let Some(media) = part.get("inlineData").and_then(read_media) {
            pieces.push(ProviderEvent::Media { choice, media });
        }
    }
}

fn read_call(choice: u32, call: &RawValue) -> Option<ProviderEvent> {
    let members = Members::parse(call.get()).ok()?;
    Some(ProviderEvent::Call {
        choice,
        key: CallKey::Whole,
        id: members.string("id").filter(|id| !id.is_empty()),
        name: members.string("name"),
        kind: CallKind::Function,
        arguments: members.get("args").map_or("{}", RawValue::get).to_owned(),
    })
}

fn read_media(data: &RawValue) -> Option<MediaContent> {
    let members = Members::parse(data.get()).ok()?;
    let data = members.string("data")?;
    let media_type = members.string("mimeType");
    let kind = media::media_kind(media_type.as_deref())?;
    let source = MediaSource::Base64(data);
    Some(MediaContent { kind, source, media_type, detail: None, title: None })
}

/// Google ends calls with `STOP`, so `has_called` tells them from a finished answer. Unknown words
/// are faults, never a normal end.
fn finish_reason(word: &str, has_called: bool) -> FinishReason {
    match word {
        "STOP" if has_called => FinishReason::ToolUse,
        "STOP" => FinishReason::EndTurn,
        "MAX_TOKENS" => FinishReason::MaxTokens,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE"
        | "MODEL_ARMOR" => FinishReason::Refusal,
        word if word.starts_with("IMAGE_") => FinishReason::Refusal,
        _ => FinishReason::Fault,
    }
}
