//! What is written down about a request: metadata only, never a prompt, an answer or a key.
//!
//! What is reserved and settled goes through the journal as JSON, which a newer program may have to
//! read: a field that is added gets `#[serde(default)]`, none is renamed.

use std::time::Duration;

use domain::{BackendId, ClientId, CredentialId, MicroUsd, RequestId, TokenUsage, WallTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::text::words;

/// What is known when a request arrives. Names longer than [`crate::NAME_CHARS_MAX`] are cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRequest {
    /// Made when the request arrived; rows are listed in its order, newest first.
    #[serde(serialize_with = "write_id", deserialize_with = "read_id")]
    pub id: RequestId,
    /// When it arrived. Decides the day it is counted for.
    pub started: WallTime,
    /// Who called.
    pub client: ClientId,
    /// The client's tag for its own bookkeeping.
    pub project: Option<String>,
    /// Name of the route that took it.
    pub route: String,
    /// The model the client named.
    pub model_asked: String,
    /// The protocol the client speaks, in the gateway's word for it.
    pub dialect: String,
    /// Whether the answer was asked for piece by piece.
    pub streamed: bool,
    /// Whether it counts as the user's own traffic.
    pub purpose: Purpose,
}

/// How a request ended. Written once; a second settlement of the same request changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// What was reserved, again: the row is made here if the reservation never reached the disk.
    /// If it did, what it said stands.
    pub request: NewRequest,
    /// When the last byte was ready.
    pub ended: WallTime,
    /// How it ended.
    pub outcome: Outcome,
    /// The backend whose answer (or last failure) the client got; `None` if none was tried.
    pub backend: Option<BackendId>,
    /// The credential used there.
    pub credential: Option<CredentialId>,
    /// The model the backend says it used; `None` if it did not say.
    pub model_billed: Option<String>,
    /// The status the client got, if an answer was begun.
    pub http_status: Option<u16>,
    /// Why the model stopped, in the backend's word.
    pub finish_reason: Option<String>,
    /// The gateway's word for what went wrong.
    pub error_class: Option<String>,
    /// Tokens used; `None` means unknown, which is not zero.
    pub usage: Option<TokenUsage>,
    /// How `usage` is known; not kept where there is no usage.
    pub usage_basis: Option<UsageBasis>,
    /// The backend's own usage object, as it came. One over [`crate::USAGE_RAW_BYTES_MAX`] is not
    /// kept, since a part of it could not be read.
    pub usage_raw: Option<String>,
    /// What it cost and how that is known.
    pub cost: Cost,
    /// How the response cache took part.
    pub cache: CacheOutcome,
    /// Where the time went.
    pub timings: Timings,
    /// Bytes of the client's body.
    pub bytes_in: u64,
    /// Bytes of the answer sent to the client.
    pub bytes_out: u64,
    /// One sentence on why this backend; cut at [`crate::SENTENCE_CHARS_MAX`].
    pub explanation: Option<String>,
    /// Every try, in order; at most [`crate::ATTEMPTS_MAX`] are kept.
    pub attempts: Vec<Attempt>,
}

/// One try at one backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Where it went.
    pub backend: BackendId,
    /// With which credential.
    pub credential: Option<CredentialId>,
    /// The model named to that backend.
    pub model: String,
    /// When it began.
    pub started: WallTime,
    /// How long it took.
    pub duration: Duration,
    /// The gateway's word for how it failed; `None` if it did not.
    pub error_class: Option<String>,
    /// The backend's status, if it answered.
    pub http_status: Option<u16>,
    /// The failure in one sentence, already free of secrets; cut at [`crate::SENTENCE_CHARS_MAX`].
    pub message: Option<String>,
}

/// A request as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRow {
    /// What was known when it arrived.
    pub request: NewRequest,
    /// How far it got.
    pub state: RequestState,
    /// When it ended; `None` while it runs or if that is unknown.
    pub ended: Option<WallTime>,
    /// See [`Settlement::backend`].
    pub backend: Option<BackendId>,
    /// See [`Settlement::credential`].
    pub credential: Option<CredentialId>,
    /// See [`Settlement::model_billed`].
    pub model_billed: Option<String>,
    /// See [`Settlement::http_status`].
    pub http_status: Option<u16>,
    /// See [`Settlement::finish_reason`].
    pub finish_reason: Option<String>,
    /// See [`Settlement::error_class`].
    pub error_class: Option<String>,
    /// See [`Settlement::usage`].
    pub usage: Option<TokenUsage>,
    /// See [`Settlement::usage_basis`]; also `None` for requests of before it was written down,
    /// whose counts came from the backend.
    pub usage_basis: Option<UsageBasis>,
    /// See [`Settlement::usage_raw`].
    pub usage_raw: Option<String>,
    /// See [`Settlement::cost`].
    pub cost: Cost,
    /// See [`Settlement::cache`].
    pub cache: CacheOutcome,
    /// See [`Settlement::timings`].
    pub timings: Timings,
    /// See [`Settlement::bytes_in`].
    pub bytes_in: u64,
    /// See [`Settlement::bytes_out`].
    pub bytes_out: u64,
    /// See [`Settlement::explanation`].
    pub explanation: Option<String>,
    /// How many tries were made.
    pub attempts: u32,
}

/// What a request cost and how that is known. An unknown price is unknown, never zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// The backend stated the amount.
    Reported(MicroUsd),
    /// Tokens times a row of the price table.
    Computed {
        /// The amount.
        amount: MicroUsd,
        /// [`crate::Price::id`] of the row.
        price_id: String,
    },
    /// Tokens were or may have been used and there is no price or no count for them.
    Unpriced,
    /// No backend did any work: refused at the door, failed before an answer, or a cache hit.
    NotBilled,
}

impl Cost {
    /// The amount, if it is known.
    #[must_use]
    pub const fn amount(&self) -> Option<MicroUsd> {
        match self {
            Self::Reported(amount) | Self::Computed { amount, .. } => Some(*amount),
            Self::NotBilled => Some(MicroUsd::ZERO),
            Self::Unpriced => None,
        }
    }
}

/// Where the time of a request went, each measured from its arrival. `None` if it got not so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timings {
    /// Until a place was free.
    pub queue: Option<Duration>,
    /// Until the backend's first byte.
    pub first_byte: Option<Duration>,
    /// Until the first token of content.
    pub first_token: Option<Duration>,
    /// Until the end.
    pub total: Option<Duration>,
}

fn write_id<S: Serializer>(id: &RequestId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

fn read_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RequestId, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

words! {
    /// Whose traffic a request is. Only [`Purpose::User`] is in the user's totals.
    Purpose {
        /// A client's own call.
        User = "user",
        /// A background health measurement.
        Health = "health",
        /// A readiness check, drill or load test.
        Check = "check",
    }
}

words! {
    /// How a settled request ended.
    Outcome {
        /// The whole answer reached the client.
        Complete = "complete",
        /// The answer broke off after its first content.
        Partial = "partial",
        /// The client got an error.
        Failed = "failed",
        /// The client went away.
        Cancelled = "cancelled",
    }
}

words! {
    /// How the token counts of a request are known.
    UsageBasis {
        /// They are what the backend said.
        Reported = "reported",
        /// The backend's numbers disagreed or were none, and were brought into range.
        Adjusted = "adjusted",
        /// The backend said nothing; they were counted from the text.
        Estimated = "estimated",
    }
}

words! {
    /// How far a request got.
    RequestState {
        /// Running; not in any total yet.
        Reserved = "reserved",
        /// See [`Outcome::Complete`].
        Complete = "complete",
        /// See [`Outcome::Partial`].
        Partial = "partial",
        /// See [`Outcome::Failed`].
        Failed = "failed",
        /// See [`Outcome::Cancelled`].
        Cancelled = "cancelled",
        /// Gatehouse was killed while it ran; what it cost is not known.
        Unknown = "unknown",
    }
}

words! {
    /// How the response cache took part.
    CacheOutcome {
        /// It was not asked.
        Bypass = "bypass",
        /// Nothing fitting was kept.
        Miss = "miss",
        /// The answer came from it.
        Hit = "hit",
        /// The answer was shared with an identical request in flight.
        Coalesced = "coalesced",
    }
}
