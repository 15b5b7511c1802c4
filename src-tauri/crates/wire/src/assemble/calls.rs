//! Tool calls of one choice: matches pieces to calls and completes their arguments.

use crate::StreamFault;
use crate::names::CUSTOM_INPUT;
use crate::neutral::{CallKey, CallKind};

/// Maximum number of calls in one choice.
const CALLS_MAX: usize = 1_024;

/// A piece of a call, as read from the stream.
#[derive(Debug)]
pub(super) struct CallPiece {
    pub(super) key: CallKey,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: CallKind,
    pub(super) arguments: String,
}

/// One call, as received so far.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) key: CallKey,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: CallKind,
    /// Arguments not yet emitted.
    pub(super) kept: String,
    /// Bracket state of all arguments so far.
    depth: Depth,
    pub(super) is_done: bool,
}

#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Call>);

impl Calls {
    /// Index of the call that `piece` belongs to, adding a call if it starts one. Takes over the
    /// piece's id and name, but not yet its arguments.
    pub(super) fn place(&mut self, piece: &CallPiece) -> Result<usize, StreamFault> {
        if let Some(place) = self.find(piece) {
            if let Some(call) = self.0.get_mut(place) {
                call.id = call.id.take().or_else(|| named(piece.id.as_ref()));
                call.name = call.name.take().or_else(|| named(piece.name.as_ref()));
            }
            return Ok(place);
        }
        if self.0.len() == CALLS_MAX {
            return Err(StreamFault::AnswerTooLarge);
        }
        self.0.push(Call {
            key: piece.key.clone(),
            id: named(piece.id.as_ref()),
            name: named(piece.name.as_ref()),
            kind: piece.kind,
            kept: String::new(),
            depth: Depth::default(),
            is_done: piece.key == CallKey::Whole,
        });
        Ok(self.0.len() - 1)
    }

    pub(super) fn get(&self, place: usize) -> Option<&Call> {
        self.0.get(place)
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Call> {
        self.0.get_mut(place)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn keyed(&self, key: &CallKey) -> Option<usize> {
        self.0.iter().rposition(|call| call.key == *key)
    }

    fn find(&self, piece: &CallPiece) -> Option<usize> {
        let by_id = || {
            let id = named(piece.id.as_ref())?;
            self.0.iter().rposition(|call| call.id.as_ref() == Some(&id))
        };
        let place = match &piece.key {
            CallKey::Whole => return None,
            CallKey::Item(_) => return self.keyed(&piece.key),
            CallKey::Index(Some(_)) => self.keyed(&piece.key),
            // Without an index, a new id starts a call; without both, the piece continues the last
            // call.
            CallKey::Index(None) if named(piece.id.as_ref()).is_some() => by_id(),
            CallKey::Index(None) => self.0.len().checked_sub(1),
        }?;
        let call = self.0.get(place)?;
        (!call.is_another(piece)).then_some(place)
    }
}

/// The id or name, unless missing or empty.
fn named(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

impl Call {
    /// True if `piece` has this call's key but starts another call: servers that number every call
    /// zero distinguish them by id, or not at all.
    fn is_another(&self, piece: &CallPiece) -> bool {
        let differs = |ours: Option<&String>, theirs: Option<String>| matches!((ours, theirs), (Some(ours), Some(theirs)) if *ours != theirs);
        let other_id = differs(self.id.as_ref(), named(piece.id.as_ref()));
        let begins_again = self.depth.is_whole()
            && named(piece.name.as_ref()).is_some()
            && (differs(self.name.as_ref(), named(piece.name.as_ref()))
                || piece.arguments.trim_start().starts_with('{'));
        other_id || begins_again
    }

    pub(super) fn push(&mut self, arguments: &str) {
        self.depth.push(arguments);
        self.kept.push_str(arguments);
    }

    /// The arguments that may be emitted before the call ends: an object's text, as it arrives.
    /// Anything else waits until the call ends.
    pub(super) fn streamable(&mut self, kind: CallKind) -> Option<String> {
        let is_plain = match (self.kind, kind) {
            (CallKind::Custom, _) => true,
            (CallKind::Function, CallKind::Custom) => false,
            (CallKind::Function, CallKind::Function) => self.depth.is_object(),
        };
        (is_plain && !self.kept.is_empty()).then(|| std::mem::take(&mut self.kept))
    }

    /// The remaining arguments at the end of the call. `gave` says whether any were emitted before.
    pub(super) fn rest(&mut self, kind: CallKind, gave: Gave) -> Option<String> {
        let kept = std::mem::take(&mut self.kept);
        match (self.kind, kind, gave) {
            (CallKind::Function, CallKind::Custom, _) => Some(unwrapped(&kept)),
            (CallKind::Function, CallKind::Function, Gave::Nothing) => Some(normal(kept)),
            _ => (!kept.is_empty()).then_some(kept),
        }
    }
}

/// Whether any arguments of a call were emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gave {
    Nothing,
    Something,
}

/// Normalises arguments that are not plainly an object: nothing and `null` become an empty object,
/// and an object in a string (some servers encode twice) becomes the object. Text that is not JSON
/// stays as the model wrote it.
fn normal(text: String) -> String {
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
fn unwrapped(arguments: &str) -> String {
    let members = serde_json::from_str::<serde_json::Value>(arguments).ok();
    let input = members.as_ref().and_then(|value| value.get(CUSTOM_INPUT)?.as_str());
    input.map_or_else(|| arguments.to_owned(), str::to_owned)
}

/// Tracks the bracket depth of JSON text as it arrives.
#[derive(Debug, Default)]
struct Depth {
    open: usize,
    first: Option<u8>,
    in_string: bool,
    is_escaped: bool,
    has_closed: bool,
}

impl Depth {
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
