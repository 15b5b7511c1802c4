//! A streamed answer, on two levels.
//!
//! A dialect's reader emits [`ProviderEvent`]s in the order received, keyed as the provider keys them.
//! `assemble` makes [`AnswerEvent`]s of them: one part after the other, each started and stopped once,
//! and calls with an id, a name and arguments. Writers see events only, so no writer has to handle
//! the providers' quirks with tool calls.

use domain::Usage;

use super::answer::Finish;
use super::request::{CallKind, MediaContent, ThoughtSignature};
use crate::{UpstreamError, UsageReport};

/// Output of a dialect's reader. `choice` is the index of the answer, from zero.
#[derive(Debug, Clone, PartialEq)]
pub enum ProviderEvent {
    /// Id or model of the answer. May repeat; the first of each counts.
    Begin {
        id: Option<String>,
        model: Option<String>,
    },
    Text {
        choice: u32,
        text: String,
    },
    Refusal {
        choice: u32,
        text: String,
    },
    Thinking {
        choice: u32,
        text: String,
    },
    /// Signature of the current thinking, or of the next part if there is none.
    Signature {
        choice: u32,
        signature: ThoughtSignature,
    },
    /// Thinking that is encrypted as a whole.
    RedactedThinking {
        choice: u32,
        /// Data that the client must send back.
        signature: ThoughtSignature,
    },
    /// A fragment of a call. Any field may be missing.
    Call {
        choice: u32,
        key: CallKey,
        id: Option<String>,
        /// Some providers repeat the name in every fragment.
        name: Option<String>,
        kind: CallKind,
        /// The next fragment of the arguments, as text.
        arguments: String,
    },
    /// The call has all its arguments (`content_block_stop`, `…arguments.done`). Optional.
    CallDone {
        choice: u32,
        key: CallKey,
    },
    /// An image or audio made by the model.
    Media {
        choice: u32,
        media: MediaContent,
    },
    /// The current part is over (`content_block_stop`): what follows is a new part, even of the
    /// same kind. Optional.
    PartDone {
        choice: u32,
    },
    Finish {
        choice: u32,
        finish: Finish,
    },
    /// Tokens so far. The last report counts; nothing is summed.
    Usage(UsageReport),
    /// What says of the bill so far, without a report of tokens: service tier, calls of the
    /// provider's tools, and what is not understood. The last one counts.
    BilledBeside(Usage),
    Error(UpstreamError),
    /// Regular end of a stream in the dialect (`[DONE]`, `message_stop`, `response.completed`).
    End,
}

/// How a provider tells calls apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CallKey {
    /// Some servers repeat the index. `None` if it is missing or negative.
    Index(Option<u64>),
    /// Id of the call's item.
    Item(String),
    /// Calls come complete: each piece is a call of its own.
    Whole,
}

/// One step of an assembled answer. `choice` is the index of the answer, from zero; `index` is the
/// index of its part, from zero without gaps.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerEvent {
    /// Always the first event.
    Begin {
        id: Option<String>,
        model: Option<String>,
        /// Input tokens, if known before the end.
        usage: Option<UsageReport>,
    },
    /// A part starts; the part before it in the same choice has stopped.
    Start {
        choice: u32,
        index: u32,
        head: PartHead,
    },
    Delta {
        choice: u32,
        index: u32,
        delta: PartDelta,
    },
    Stop {
        choice: u32,
        index: u32,
    },
    /// Once for each choice, after its last part has stopped.
    Finish {
        choice: u32,
        finish: Finish,
    },
    /// The last event. An answer that breaks off has none.
    End {
        /// `None` if the provider reported none.
        usage: Option<UsageReport>,
    },
}

/// The kind of a part, sent when it starts.
#[derive(Debug, Clone, PartialEq)]
pub enum PartHead {
    /// Deltas are [`PartDelta::Text`].
    Text,
    /// Deltas are [`PartDelta::Text`].
    Refusal,
    /// Deltas are [`PartDelta::Text`], then at most one [`PartDelta::Signature`].
    Thinking,
    /// Encrypted thinking, complete; no deltas.
    RedactedThinking(ThoughtSignature),
    /// Deltas are [`PartDelta::Arguments`]: at least one, `{}` if the model gave none.
    Call {
        /// Unique in the answer, never empty.
        id: String,
        /// Name in the client's tool list.
        name: String,
        namespace: Option<String>,
        kind: CallKind,
    },
    /// Complete; no deltas.
    Media(MediaContent),
}

#[derive(Debug, Clone, PartialEq)]
pub enum PartDelta {
    Text(String),
    Signature(ThoughtSignature),
    Arguments(String),
}
