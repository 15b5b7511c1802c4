//! One choice's calls: which piece belongs to which, and what their arguments are in the end.

use crate::StreamFault;
use crate::names::CUSTOM_INPUT;
use crate::neutral::{CallKey, CallKind};

/// Most calls of one choice.
const CALLS_MAX: usize = 1_024;

/// A piece of a call as a reader saw it.
#[derive(Debug)]
pub(super) struct CallPiece {
    pub(super) key: CallKey,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: CallKind,
    pub(super) arguments: String,
}

/// One call as far as it has come.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) key: CallKey,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: CallKind,
    /// Arguments that were not given out yet.
    pub(super) kept: String,
    /// All arguments so far are an object in full.
    depth: Depth,
    pub(super) is_done: bool,
}

/// All calls of one choice.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Call>);

impl Calls {
    /// The place of the call that `piece` belongs to, a new one if it begins one. The piece's id and
    /// name are taken over; its arguments are not yet.
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

    /// The place of the call with this key.
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
            // Without an index, an id that is new begins a call; without both it is the last one.
            CallKey::Index(None) if named(piece.id.as_ref()).is_some() => by_id(),
            CallKey::Index(None) => self.0.len().checked_sub(1),
        }?;
        let call = self.0.get(place)?;
        (!call.is_another(piece)).then_some(place)
    }
}

/// An id or name that says something.
fn named(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

impl Call {
    /// Whether `piece`, which has this call's key, begins another one: servers that number every call
    /// zero tell them apart by their ids, or not at all.
    fn is_another(&self, piece: &CallPiece) -> bool {
        let differs = |ours: Option<&String>, theirs: Option<String>| matches!((ours, theirs), (Some(ours), Some(theirs)) if *ours != theirs);
        let other_id = differs(self.id.as_ref(), named(piece.id.as_ref()));
        let begins_again = self.depth.is_whole()
            && named(piece.name.as_ref()).is_some()
            && (differs(self.name.as_ref(), named(piece.name.as_ref()))
                || piece.arguments.trim_start().starts_with('{'));
        other_id || begins_again
    }

    /// Takes more of the arguments.
    pub(super) fn push(&mut self, arguments: &str) {
        self.depth.push(arguments);
        self.kept.push_str(arguments);
    }

    /// What may be given out now, before the call is over: an object's text as it comes. Anything
    /// else waits until it is known what it is.
    pub(super) fn streamable(&mut self, kind: CallKind) -> Option<String> {
        let is_plain = match (self.kind, kind) {
            (CallKind::Custom, _) => true,
            (CallKind::Function, CallKind::Custom) => false,
            (CallKind::Function, CallKind::Function) => self.depth.is_object(),
        };
        (is_plain && !self.kept.is_empty()).then(|| std::mem::take(&mut self.kept))
    }

    /// The rest, now that the call is over. `gave` says whether any was given out before.
    pub(super) fn rest(&mut self, kind: CallKind, gave: Gave) -> Option<String> {
        let kept = std::mem::take(&mut self.kept);
        match (self.kind, kind, gave) {
            (CallKind::Function, CallKind::Custom, _) => Some(unwrapped(&kept)),
            (CallKind::Function, CallKind::Function, Gave::Nothing) => Some(normal(kept)),
            _ => (!kept.is_empty()).then_some(kept),
        }
    }
}

/// Whether any of a call's arguments were given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gave {
    Nothing,
    Something,
}

/// Arguments that are not plainly an object: nothing and `null` are none, and an object in a string
/// (some servers encode twice) is the object. What is no JSON stays as the model wrote it.
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

/// The free text in the arguments of a function that stands for a free-text tool.
fn unwrapped(arguments: &str) -> String {
    let members = serde_json::from_str::<serde_json::Value>(arguments).ok();
    let input = members.as_ref().and_then(|value| value.get(CUSTOM_INPUT)?.as_str());
    input.map_or_else(|| arguments.to_owned(), str::to_owned)
}

/// Follows the brackets of JSON text as it comes.
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
