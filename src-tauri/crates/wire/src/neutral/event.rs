//! An answer on its way.
//!
//! Two levels. A dialect's reader says what it saw as [`Piece`]s, in the order in which it came and
//! keyed as the provider keys it. `assemble` makes [`Event`]s of them: parts strictly one after the
//! other, each begun once and ended once, calls with an id, a name and arguments. Writers see events
//! only, so no writer has to know what providers do to tool calls.

use super::answer::Finish;
use super::request::{CallKind, Media, Signature};
use crate::{UpstreamError, UsageReport};

/// What a reader saw.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// The answer has an id or a model. May come again; the first of each counts.
    Begin {
        /// The provider's id of it.
        id: Option<String>,
        /// The model it says it uses.
        model: Option<String>,
    },
    /// More text.
    Text {
        /// Which answer, from zero.
        choice: u32,
        /// The text.
        text: String,
    },
    /// More of a refusal.
    Refusal {
        /// Which answer.
        choice: u32,
        /// The text.
        text: String,
    },
    /// More thinking.
    Thinking {
        /// Which answer.
        choice: u32,
        /// The text.
        text: String,
    },
    /// The signature of the thinking at hand, or of the next part if there is none.
    Signature {
        /// Which answer.
        choice: u32,
        /// The signature.
        signature: Signature,
    },
    /// Thinking that is encrypted as a whole.
    RedactedThinking {
        /// Which answer.
        choice: u32,
        /// What is to be given back.
        signature: Signature,
    },
    /// A piece of a call: any of its fields may be missing.
    Call {
        /// Which answer.
        choice: u32,
        /// What the provider tells calls apart by.
        key: CallKey,
        /// The call's id, if this piece has it.
        id: Option<String>,
        /// The tool's name, if this piece has it (some repeat it in every piece).
        name: Option<String>,
        /// Function or free text.
        kind: CallKind,
        /// More of the arguments, as text.
        arguments: String,
    },
    /// This call has all its arguments (`content_block_stop`, `…arguments.done`). Optional.
    CallDone {
        /// Which answer.
        choice: u32,
        /// Which call.
        key: CallKey,
    },
    /// An image or sound that the model made.
    Media {
        /// Which answer.
        choice: u32,
        /// What it is.
        media: Media,
    },
    /// The part at hand is over (`content_block_stop`): what comes next is a new one, also of the
    /// same kind. Optional.
    PartDone {
        /// Which answer.
        choice: u32,
    },
    /// Why an answer ended.
    Finish {
        /// Which answer.
        choice: u32,
        /// Why.
        finish: Finish,
    },
    /// Tokens so far; the last report counts, nothing is added up.
    Usage(UsageReport),
    /// The provider reports an error.
    Error(UpstreamError),
    /// The dialect's regular end of a stream (`[DONE]`, `message_stop`, `response.completed`).
    End,
}

/// What a provider tells calls apart by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CallKey {
    /// An index; may be missing, repeated or negative at some servers, and is then `None`.
    Index(Option<u64>),
    /// An id of the call's item.
    Item(String),
    /// A call that comes whole: each piece is a call of its own.
    Whole,
}

/// A step of an answer, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The first event.
    Begin {
        /// The provider's id of it.
        id: Option<String>,
        /// The model it says it uses.
        model: Option<String>,
        /// Input tokens, if they are known before the end.
        usage: Option<UsageReport>,
    },
    /// A part begins; the part before it in the same choice has stopped.
    Start {
        /// Which answer, from zero.
        choice: u32,
        /// Which part of it, from zero, without gaps.
        index: u32,
        /// What it is.
        head: PartHead,
    },
    /// More of the part at hand.
    Delta {
        /// Which answer.
        choice: u32,
        /// Which part.
        index: u32,
        /// What comes.
        delta: PartDelta,
    },
    /// The part at hand is over.
    Stop {
        /// Which answer.
        choice: u32,
        /// Which part.
        index: u32,
    },
    /// Why an answer ended. Once for each choice, after its last part has stopped.
    Finish {
        /// Which answer.
        choice: u32,
        /// Why.
        finish: Finish,
    },
    /// The answer is whole: the last event. An answer that breaks off has none.
    End {
        /// Tokens, if the provider said.
        usage: Option<UsageReport>,
    },
}

/// What a part is.
#[derive(Debug, Clone, PartialEq)]
pub enum PartHead {
    /// Text; its deltas are [`PartDelta::Text`].
    Text,
    /// A refusal; its deltas are [`PartDelta::Text`].
    Refusal,
    /// Thinking; its deltas are [`PartDelta::Text`] and then at most one [`PartDelta::Signature`].
    Thinking,
    /// Encrypted thinking, whole; no deltas.
    RedactedThinking(Signature),
    /// A call, its arguments in [`PartDelta::Arguments`]; at least one, `{}` if the model gave none.
    Call {
        /// Unique in the answer, never empty.
        id: String,
        /// The name as the client's tool list has it.
        name: String,
        /// The namespace it lies in there.
        namespace: Option<String>,
        /// Function or free text.
        kind: CallKind,
    },
    /// A medium, whole; no deltas.
    Media(Media),
}

/// More of a part.
#[derive(Debug, Clone, PartialEq)]
pub enum PartDelta {
    /// More text.
    Text(String),
    /// The signature of the thinking.
    Signature(Signature),
    /// More of a call's arguments.
    Arguments(String),
}
