//! What is written down about a request: metadata only, never a prompt, an answer or a key.
//!
//! What could not be committed is kept in a file by the names of its fields, and a newer program may
//! have to read it: a field that is added gets `#[serde(default)]`, none is renamed.

use std::time::Duration;

use domain::{
    Access, BackendId, ClientId, CredentialId, GENERATED_ID_BYTES, MicroUsd, RequestId, TokenUsage,
    WallTime,
};

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
    #[serde(skip_serializing_if = "Option::is_none")]
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

impl NewRequest {
    /// Bytes of its text.
    pub(crate) fn text_bytes(&self) -> usize {
        self.client.as_str().len()
            + self.project.as_ref().map_or(0, String::len)
            + self.route.len()
            + self.model_asked.len()
            + self.dialect.len()
    }
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
    /// The backend whose answer (or last failure) the client got; of a request that failed before
    /// any was tried, the first choice; `None` if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendId>,
    /// The credential used there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialId>,
    /// The model the backend says it used; `None` if it did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_billed: Option<String>,
    /// The status the client got, if an answer was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Why the model stopped, in the backend's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// The gateway's word for what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_class: Option<String>,
    /// The error as the client got it; cut at [`crate::SENTENCE_CHARS_MAX`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Tokens used; `None` means unknown, which is not zero. An answer from the cache used none:
    /// what it took when it was made stands with the request that paid for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<TokenUsage>,
    /// How `usage` is known; not kept where there is no usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_basis: Option<UsageBasis>,
    /// The backend's own usage object, as it came. One over [`crate::USAGE_RAW_BYTES_MAX`] is not
    /// kept, since a part of it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_raw: Option<String>,
    /// What it cost and how that is known: [`Cost::total`] of its tries.
    pub cost: Cost,
    /// How the response cache took part.
    pub cache: CacheOutcome,
    /// The cache's word for why so; above all for why it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_reason: Option<String>,
    /// What the answer from the cache would have cost; `None` if it did not come from there or the
    /// price is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<MicroUsd>,
    /// How much longer the backend took for that answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_time: Option<Duration>,
    /// Where the time went.
    pub timings: Timings,
    /// Bytes of the client's body.
    pub bytes_in: u64,
    /// Bytes of the answer sent to the client.
    pub bytes_out: u64,
    /// One sentence on why this backend; cut at [`crate::SENTENCE_CHARS_MAX`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// The whole routing decision as JSON text: candidates, why each stands where it stands, who
    /// was passed over. One over [`crate::DECISION_BYTES_MAX`] is not kept, since a part of it could
    /// not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Every try, in order; at most [`crate::ATTEMPTS_MAX`] are kept. A candidate that was passed
    /// over without being asked is no try.
    pub attempts: Vec<Attempt>,
}

impl Settlement {
    /// Bytes that it holds in memory.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [
            &self.model_billed,
            &self.finish_reason,
            &self.error_class,
            &self.usage_raw,
            &self.cache_reason,
            &self.explanation,
            &self.decision,
        ];
        let messages = self.attempts.iter().filter_map(|attempt| attempt.message.as_ref());
        size_of::<Self>()
            + size_of_val(self.attempts.as_slice())
            + self.request.text_bytes()
            + texts.into_iter().flatten().chain(messages).map(String::len).sum::<usize>()
    }

    /// The end of a request of which nothing more is known: cancelled before any backend was tried.
    #[must_use]
    pub const fn begun(request: NewRequest) -> Self {
        Self {
            ended: request.started,
            request,
            outcome: Outcome::Cancelled,
            backend: None,
            credential: None,
            model_billed: None,
            http_status: None,
            finish_reason: None,
            error_class: None,
            error_message: None,
            usage: None,
            usage_basis: None,
            usage_raw: None,
            cost: Cost::NotBilled,
            cache: CacheOutcome::Bypass,
            cache_reason: None,
            saved: None,
            saved_time: None,
            timings: Timings { queue: None, first_byte: None, first_token: None, total: None },
            bytes_in: 0,
            bytes_out: 0,
            explanation: None,
            decision: None,
            attempts: Vec::new(),
        }
    }
}

/// One try at one backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Where it went.
    pub backend: BackendId,
    /// With which credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialId>,
    /// The model named to that backend.
    pub model: String,
    /// When it began.
    pub started: WallTime,
    /// How long it took.
    pub duration: Duration,
    /// How long was waited before it began.
    #[serde(default)]
    pub waited: Duration,
    /// The gateway's word for how it failed; `None` if it did not, and for one that the client gave
    /// up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_class: Option<String>,
    /// Resilience's word for the class of the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Resilience's word for whose failure it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The backend's status, if it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The failure in one sentence, already free of secrets; cut at [`crate::SENTENCE_CHARS_MAX`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Tokens it used; `None` means unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<TokenUsage>,
    /// What it cost and how that is known.
    #[serde(default)]
    pub cost: Cost,
}

impl Attempt {
    /// A try that has just begun: no answer, and a cost that is not known yet.
    #[must_use]
    pub fn begun(access: Access, model: &str, started: WallTime) -> Self {
        Self {
            backend: access.backend,
            credential: access.credential,
            model: model.to_owned(),
            started,
            duration: Duration::ZERO,
            waited: Duration::ZERO,
            error_class: None,
            class: None,
            owner: None,
            http_status: None,
            message: None,
            usage: None,
            cost: Cost::Unpriced,
        }
    }

    /// Whether it failed; one that the client gave up did not.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        self.error_class.is_some()
    }
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
    /// See [`Settlement::error_message`].
    pub error_message: Option<String>,
    /// See [`Settlement::usage`].
    pub usage: Option<TokenUsage>,
    /// See [`Settlement::usage_basis`]; also `None` for requests of before it was written down,
    /// whose counts came from the backend.
    pub usage_basis: Option<UsageBasis>,
    /// See [`Settlement::usage_raw`].
    pub usage_raw: Option<String>,
    /// See [`Settlement::cost`].
    pub cost: Cost,
    /// What its tries that failed cost, as far as that is known; a part of `cost`.
    pub wasted: MicroUsd,
    /// How many of its tries failed at a cost that is not known and in neither sum.
    pub unpriced_attempts: u32,
    /// See [`Settlement::cache`].
    pub cache: CacheOutcome,
    /// See [`Settlement::cache_reason`].
    pub cache_reason: Option<String>,
    /// See [`Settlement::saved`].
    pub saved: Option<MicroUsd>,
    /// See [`Settlement::saved_time`].
    pub saved_time: Option<Duration>,
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    #[default]
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

    /// The word it is stored as.
    pub(crate) const fn basis(&self) -> &'static str {
        match self {
            Self::Reported(_) => "reported",
            Self::Computed { .. } => "computed",
            Self::Unpriced => "unpriced",
            Self::NotBilled => "not_billed",
        }
    }

    /// The row of the price table it was computed by.
    pub(crate) const fn price_id(&self) -> Option<&str> {
        match self {
            Self::Computed { price_id, .. } => Some(price_id.as_str()),
            _ => None,
        }
    }

    /// What a request cost whose tries cost `attempts`, in their order.
    ///
    /// The last try decides whether that is known: it is the answer. A try before it whose cost is
    /// unknown is left out of the sum and counted apart ([`RequestRow::unpriced_attempts`]), since the
    /// price of an answer would otherwise be lost to the budgets; if nothing at all is known, the
    /// whole is unknown.
    #[must_use]
    pub fn total<'a>(attempts: impl IntoIterator<Item = &'a Self>) -> Self {
        let (mut sum, mut total) = (MicroUsd::ZERO, Self::NotBilled);
        for cost in attempts {
            sum += cost.amount().unwrap_or_default();
            total = match (cost, total) {
                (Self::Unpriced, _) => Self::Unpriced,
                (Self::NotBilled, before) => before,
                (Self::Computed { price_id, .. }, _) => {
                    Self::Computed { amount: sum, price_id: price_id.clone() }
                }
                (Self::Reported(_), Self::Computed { price_id, .. }) => {
                    Self::Computed { amount: sum, price_id }
                }
                (Self::Reported(_), _) => Self::Reported(sum),
            };
        }
        total
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
    serializer.serialize_str(id.encode(&mut [0; GENERATED_ID_BYTES]))
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
