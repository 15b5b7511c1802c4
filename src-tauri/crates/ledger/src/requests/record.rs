//! The record of a request: metadata only, never a prompt, an answer or a key.
//!
//! Uncommitted records are saved in a file under their field names, and a newer program may have to
//! read it: a new field gets `#[serde(default)]`, and no field is renamed.

use std::time::Duration;

use domain::{
    BackendId, ClientId, CredentialId, Endpoint, GENERATED_ID_BYTES, NanoUsd, PriceTier, RequestId,
    TokenUsage, WallTime,
};
use pricing::{AttemptCost, Cost, LineItem, Unpriced};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A request at its arrival. Names longer than [`crate::NAME_CHARS_MAX`] are cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRequest {
    /// Generated at arrival, so ids are ordered by time.
    #[serde(serialize_with = "write_id", deserialize_with = "read_id")]
    pub id: RequestId,
    /// Time of arrival. Decides the day that the request counts for.
    pub started: WallTime,
    pub client: ClientId,
    /// The client's own tag, for its accounting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    pub route: String,
    /// The model name that the client sent.
    pub model_asked: String,
    /// The client's protocol, named as in the gateway.
    pub dialect: String,
    /// True if the client asked for a streamed answer.
    pub streamed: bool,
    /// Decides if the request counts as the user's own traffic.
    pub purpose: Purpose,
}

impl NewRequest {
    pub(crate) fn text_bytes(&self) -> usize {
        self.client.as_str().len()
            + self.project.as_ref().map_or(0, String::len)
            + self.route.len()
            + self.model_asked.len()
            + self.dialect.len()
    }
}

/// The end of a request. Written once; a second settlement of the same request has no effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The reservation again: the row is created from it if the reservation never reached the disk.
    /// Otherwise the reserved values stay.
    pub request: NewRequest,
    /// Time when the last byte was ready.
    pub ended: WallTime,
    pub outcome: RequestOutcome,
    /// The backend whose answer or last failure the client got. For a request that failed before
    /// any attempt, the first choice; `None` if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendId>,
    /// The credential used at `backend`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialId>,
    /// The model that the backend reports; `None` if it reports none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_billed: Option<String>,
    /// The status sent to the client, if an answer was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The reason why the model stopped, as named by the backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// The error's class, as named by the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_class: Option<String>,
    /// The error message sent to the client; cut at [`crate::SENTENCE_CHARS_MAX`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// `None` means unknown, which is not zero. A cached answer used no tokens: they count for the
    /// request that produced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<TokenUsage>,
    /// Source of `usage`; not saved without a usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_basis: Option<UsageBasis>,
    /// The backend's usage object, unchanged. Not saved if it exceeds
    /// [`crate::USAGE_RAW_BYTES_MAX`], since a cut object could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_raw: Option<String>,
    /// [`Cost::total`] of the attempts.
    pub cost: Cost,
    pub cache: CacheOutcome,
    /// Reason for `cache`, as named by the cache; mainly for a bypass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_reason: Option<String>,
    /// Cost that the cached answer saved; `None` if the answer was not cached or its price is
    /// unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<NanoUsd>,
    /// Time saved compared to the backend's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_time: Option<Duration>,
    pub timings: Timings,
    /// Size of the client's request body.
    pub bytes_in: u64,
    /// Size of the answer sent to the client.
    pub bytes_out: u64,
    /// One sentence that explains the choice of the backend; cut at [`crate::SENTENCE_CHARS_MAX`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// The routing decision as JSON: candidates, the reasons for their order, and skipped ones. Not
    /// saved if it exceeds `DECISION_BYTES_MAX`, since a cut decision could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// In order; at most [`crate::ATTEMPTS_MAX`] are saved. A candidate that was skipped without a
    /// call is not an attempt.
    pub attempts: Vec<AttemptRecord>,
}

impl Settlement {
    /// Bytes in memory.
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

    /// Why the cost of the last unpriced attempt is unknown; `None` if that of all is known.
    pub(crate) fn unpriced(&self) -> Option<&Unpriced> {
        self.attempts.iter().rev().find_map(|attempt| attempt.unpriced.as_ref())
    }

    pub(crate) fn scale_money(&mut self, factor: i64) {
        self.cost.scale(factor);
        self.saved = self.saved.map(|amount| amount.scaled(factor));
        self.attempts.iter_mut().for_each(|attempt| attempt.cost.scale(factor));
    }

    /// A settlement to be filled in: cancelled before any attempt.
    #[must_use]
    pub const fn unfinished(request: NewRequest) -> Self {
        Self {
            ended: request.started,
            request,
            outcome: RequestOutcome::Cancelled,
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

/// A call of one backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    pub backend: BackendId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialId>,
    /// The model name sent to the backend.
    pub model: String,
    pub started: WallTime,
    pub duration: Duration,
    /// Delay before this attempt.
    #[serde(default)]
    pub waited: Duration,
    /// The failure's class, as named by the gateway; `None` for a success and for an attempt that
    /// the client cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_class: Option<String>,
    /// The failure's class, as named by `resilience`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The party at fault, as named by `resilience`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The backend's status, if it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The failure in one sentence without secrets; cut at [`crate::SENTENCE_CHARS_MAX`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// `None` means unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<TokenUsage>,
    #[serde(default)]
    pub cost: Cost,
    /// What the usage costs, line by line, also where the backend states the cost. Empty for records of
    /// versions before 6.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineItem>,
    /// Why the cost is unknown, where that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpriced: Option<Unpriced>,
    #[serde(default)]
    pub tier: PriceTier,
    /// Where the answer was made, if that has a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl AttemptRecord {
    pub fn set_cost(&mut self, priced: AttemptCost) {
        let AttemptCost { cost, lines, unpriced, tier, region } = priced;
        (self.cost, self.lines, self.unpriced) = (cost, lines, unpriced);
        (self.tier, self.region) = (tier, region);
    }

    /// A new attempt: no answer and an unknown cost.
    #[must_use]
    pub fn started(endpoint: Endpoint, model: &str, started: WallTime) -> Self {
        Self {
            backend: endpoint.backend,
            credential: endpoint.credential,
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
            lines: Vec::new(),
            unpriced: None,
            tier: PriceTier::Standard,
            region: None,
        }
    }

    /// True if the attempt failed. One that the client cancelled did not.
    #[must_use]
    pub(crate) const fn has_failed(&self) -> bool {
        self.error_class.is_some()
    }
}

/// A request as stored. Fields of the same name have the meaning given in [`Settlement`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRow {
    pub request: NewRequest,
    pub state: RequestState,
    /// `None` while the request runs, or if the end is unknown.
    pub ended: Option<WallTime>,
    pub backend: Option<BackendId>,
    pub credential: Option<CredentialId>,
    pub model_billed: Option<String>,
    pub http_status: Option<u16>,
    pub finish_reason: Option<String>,
    pub error_class: Option<String>,
    pub error_message: Option<String>,
    pub usage: Option<TokenUsage>,
    /// Also `None` for requests of versions that did not record it; their counts came from the
    /// backend.
    pub usage_basis: Option<UsageBasis>,
    pub usage_raw: Option<String>,
    pub cost: Cost,
    /// Known cost of the failed attempts; part of `cost`.
    pub wasted: NanoUsd,
    /// Failed attempts with an unknown cost, which is in neither sum.
    pub unpriced_attempts: u32,
    /// Why the cost of the last unpriced attempt is unknown, where that was recorded.
    pub unpriced: Option<Unpriced>,
    pub cache: CacheOutcome,
    pub cache_reason: Option<String>,
    pub saved: Option<NanoUsd>,
    pub saved_time: Option<Duration>,
    pub timings: Timings,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub explanation: Option<String>,
    pub attempts: u32,
    /// The other machine that it was made on, by the name its user gave it.
    pub device: Option<String>,
}

impl RequestRow {
    /// What is known of the cost, as the roll-ups sum it up; `None` if nothing is.
    #[must_use]
    pub fn known_cost(&self) -> Option<NanoUsd> {
        let wasted = (self.wasted != NanoUsd::ZERO).then_some(self.wasted);
        self.cost.amount().or(wasted)
    }

    /// True if the cost is not known, or only a part of it, as the roll-ups count it.
    #[must_use]
    pub fn is_unpriced(&self) -> bool {
        self.cost.amount().is_none() || self.unpriced_attempts > 0
    }
}

/// Times measured from the arrival of the request. `None` if it did not get that far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timings {
    /// Until a slot was free.
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

domain::words! {
    /// Kind of traffic. Only [`Purpose::User`] is in the user's totals.
    Purpose {
        /// A client's own call.
        User = "user",
        /// A health measurement, also one that the user asked for.
        Health = "health",
        /// A readiness check, drill or load test.
        Check = "check",
    }
}

domain::words! {
    /// Traffic that gave nobody an answer. No request is of two kinds.
    WasteKind {
        /// Requests that failed, with all their attempts.
        Failed = "failed",
        /// Requests that did not fail, for their failed attempts.
        Retries = "retries",
        /// Health measurements. In no total.
        Health = "health",
        /// Readiness checks, drills and load tests. In no total.
        Checks = "checks",
    }
}

impl WasteKind {
    /// The traffic that these requests are of.
    #[must_use]
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Failed | Self::Retries => Purpose::User,
            Self::Health => Purpose::Health,
            Self::Checks => Purpose::Check,
        }
    }
}

domain::words! {
    /// Result of a settled request.
    RequestOutcome {
        /// The client received the whole answer.
        Complete = "complete",
        /// The answer broke off after its first content.
        Partial = "partial",
        Failed = "failed",
        /// The client disconnected.
        Cancelled = "cancelled",
    }
}

domain::words! {
    /// Source of a request's token counts.
    UsageBasis {
        Reported = "reported",
        /// The backend's counts were inconsistent or invalid and were corrected.
        Adjusted = "adjusted",
        /// Counted from the text, because the backend reported none.
        Estimated = "estimated",
    }
}

domain::words! {
    /// The state of a request.
    RequestState {
        // In no total yet; `reserved` in the file, whose columns and indexes are made for this word.
        Running = "running" also "reserved",
        Complete = "complete",
        /// Cut short after its first token.
        Partial = "partial",
        /// Refused or failed.
        Failed = "failed",
        /// The client disconnected.
        Cancelled = "cancelled",
        /// The program stopped while it ran.
        Unknown = "unknown",
    }
}

domain::words! {
    /// What the cache did for a request.
    CacheOutcome {
        Hit = "hit",
        /// Shared the answer of an identical request in flight.
        Coalesced = "coalesced" also "joined",
        /// Not in the cache. The response is stored if that is allowed.
        Miss = "miss",
        /// The cache was not asked.
        Bypass = "bypass",
    }
}
