//! Tool calls of one choice: matches pieces to calls and completes their arguments.

use crate::StreamFault;
use crate::dialect::tool_names::CUSTOM_INPUT;
use crate::neutral::{CallKey, CallKind};

/// Maximum number of calls in one choice.
const CALLS_MAX: usize = 1_024;

/// A piece of a call, as read from the stream.
#[derive(Debug)]
pub(super) struct CallFragment {
    pub(super) key: CallKey,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: CallKind,
    pub(super) arguments: String,
}

/// One call, as received so far.
#[derive(Debug)]
pub(super) struct PendingCall {
    pub(super) key: CallKey,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: CallKind,
    /// Arguments not yet emitted.
    pub(super) buffered: String,
    /// Bracket state of all arguments so far.
    depth: BracketDepth,
    pub(super) is_done: bool,
}

#[derive(Debug, Default)]
pub(super) struct PendingCalls(Vec<PendingCall>);

impl PendingCalls {
    /// Index of the call that `piece` belongs to, adding a call if it starts one. Takes over the
    /// piece's id and name, but not yet its arguments.
    pub(super) fn index_for(&mut self, piece: &CallFragment) -> Result<usize, StreamFault> {
        if let Some(place) = self.find_index(piece) {
            if let Some(call) = self.0.get_mut(place) {
                call.id = call.id.take().or_else(|| non_empty(piece.id.as_ref()));
                call.name = call.name.take().or_else(|| non_empty(piece.name.as_ref()));
            }
            return Ok(place);
        }
        if self.0.len() == CALLS_MAX {
            return Err(StreamFault::AnswerTooLarge);
        }
        self.0.push(PendingCall {
            key: piece.key.clone(),
            id: non_empty(piece.id.as_ref()),
            name: non_empty(piece.name.as_ref()),
            kind: piece.kind,
            buffered: String::new(),
            depth: BracketDepth::default(),
            is_done: piece.key == CallKey::Whole,
        });
        Ok(self.0.len() - 1)
    }

    pub(super) fn get(&self, place: usize) -> Option<&PendingCall> {
        self.0.get(place)
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut PendingCall> {
        self.0.get_mut(place)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn index_of_key(&self, key: &CallKey) -> Option<usize> {
        self.0.iter().rposition(|call| call.key == *key)
    }

    fn find_index(&self, piece: &CallFragment) -> Option<usize> {
        let by_id = || {
            let id = non_empty(piece.id.as_ref())?;
            self.0.iter().rposition(|call| call.id.as_ref() == Some(&id))
        };
        let place = match &piece.key {
            CallKey::Whole => return None,
            CallKey::Item(_) => return self.index_of_key(&piece.key),
            CallKey::Index(Some(_)) => self.index_of_key(&piece.key),
            // Without an index, a new id starts a call; without both, the piece continues the last
            // call.
            CallKey::Index(None) if non_empty(piece.id.as_ref()).is_some() => by_id(),
            CallKey::Index(None) => self.0.len().checked_sub(1),
        }?;
        let call = self.0.get(place)?;
        (!call.starts_another_call(piece)).then_some(place)
    }
}

/// The id or name, unless missing or empty.
fn non_empty(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

impl PendingCall {
    /// True if `piece` has this call's key but starts another call: servers that number every call
    /// zero distinguish them by id, or not at all.
    fn starts_another_call(&self, piece: &CallFragment) -> bool {
        let differs = |ours: Option<&String>, theirs: Option<String>| matches!((ours, theirs), (Some(ours), Some(theirs)) if *ours != theirs);
        let other_id = differs(self.id.as_ref(), non_empty(piece.id.as_ref()));
        let begins_again = self.depth.is_whole()
            && non_empty(piece.name.as_ref()).is_some()
            && (differs(self.name.as_ref(), non_empty(piece.name.as_ref()))
                || piece.arguments.trim_start().starts_with('{'));
        other_id || begins_again
    }

    pub(super) fn push_arguments(&mut self, arguments: &str) {
        self.depth.push(arguments);
        self.buffered.push_str(arguments);
    }

    /// The arguments that may be emitted before the call ends: an object's text, as it arrives.
    /// Anything else waits until the call ends.
    pub(super) fn take_streamable(&mut self, kind: CallKind) -> Option<String> {
        let is_plain = match (self.kind, kind) {
            (CallKind::Custom, _) => true,
            (CallKind::Function, CallKind::Custom) => false,
            (CallKind::Function, CallKind::Function) => self.depth.is_object(),
        };
        (is_plain && !self.buffered.is_empty()).then(|| std::mem::take(&mut self.buffered))
    }

    /// The remaining arguments at the end of the call. `gave` says whether any were emitted before.
    pub(super) fn take_rest(&mut self, kind: CallKind, gave: EmittedArguments) -> Option<String> {
        let kept = std::mem::take(&mut self.buffered);
        match (self.kind, kind, gave) {
            (CallKind::Function, CallKind::Custom, _) => Some(unwrap_custom_input(&kept)),
            (CallKind::Function, CallKind::Function, EmittedArguments::Nothing) => {
                Some(normalize_arguments(kept))
            }
            _ => (!kept.is_empty()).then_some(kept),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EmittedArguments {
    Nothing,
    Something,
}

/// Normalises arguments that are not plainly an object: nothing and `null` become an empty object,
/// and an object in a string (some servers encode twice) becomes the object. Text that is not JSON
/// stays as the model wrote it.
fn normalize_arguments(text: String) -> String {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed == "null" {
        return "{}".to_owned();
    }
    match serde_json::from_str::<String>(trimmed) {
        Ok(inner) if inner.trim_start().starts_with('{') => inner,
        Ok(inner) if inner.trim().is_empty() => "{}".to_owned(),
        _ => text,
    }
}

/// The free text in the arguments of a function that represents a free-text tool.
fn unwrap_custom_input(arguments: &str) -> String {
    let members = serde_json::from_str::<serde_json::Value>(arguments).ok();
    let input = members.as_ref().and_then(|value| value.get(CUSTOM_INPUT)?.as_str());
    input.map_or_else(|| arguments.to_owned(), str::to_owned)
}

/// Tracks the bracket depth of JSON text as it arrives.
#[derive(Debug, Default)]
struct BracketDepth {
    open: usize,
    first: Option<u8>,
    in_string: bool,
    is_escaped: bool,
    has_closed: bool,
}

impl BracketDepth {
    fn push(&mut self, text: &str) {
        for byte in text.bytes() {
            if self.first.is_none() && !byte.is_ascii_whitespace() {
                self.first = Some(byte);
            }
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.in_string => self.is_escaped = true,
                b'"' => self.in_string = !self.in_string,
                b'{' | b'[' if !self.in_string => self.open += 1,
                b'}' | b']' if !self.in_string => {
                    self.open = self.open.saturating_sub(1);
                    self.has_closed |= self.open == 0;
                }
                _ => {}
            }
        }
    }

    fn is_object(&self) -> bool {
        self.first == Some(b'{')
    }

    fn is_whole(&self) -> bool {
        self.is_object() && self.has_closed && self.open == 0
    }
}
