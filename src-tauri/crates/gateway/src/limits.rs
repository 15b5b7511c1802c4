//! Limits of the listeners and of requests, each with its unit and the source of its number.

use std::time::Duration;

use endpoints::IN_FLIGHT_MAX;

/// Connections open at once per listener; a quarter of them is reserved for authenticated callers.
/// Leaves room for as many upstream sockets under the usual limit of 1,024 file descriptors. The
/// panel and all tools of one person use fewer than 50.
pub const CONNECTIONS_MAX: usize = IN_FLIGHT_MAX as usize;

/// Largest request head (request line and headers), in bytes. Real clients send under 4 KiB.
pub const HEAD_BYTES_MAX: usize = 65_536;

/// Maximum number of headers in a request. Real clients send under 40.
pub const HEADERS_MAX: usize = 100;

/// Largest body of a control request, in bytes. A price list is the largest; LiteLLM's has 3 MB.
pub const CONTROL_BODY_BYTES_MAX: usize = 8_388_608;

/// Largest whole answer read from a backend, in bytes. Base64 images of several megabytes fit.
pub const ANSWER_BYTES_MAX: usize = 67_108_864;

/// Batches of one embeddings request that are sent concurrently. Providers count each as a request.
pub(crate) const EMBEDDING_BATCHES_AT_ONCE_MAX: usize = 4;

/// Largest answer to a token count, in bytes. The largest observed has about 200.
pub(crate) const COUNT_ANSWER_BYTES_MAX: usize = 65_536;

/// Largest streamed answer relayed, in bytes. A longer stream is ended as broken.
pub const STREAM_BYTES_MAX: u64 = 268_435_456;

/// Largest error body read from a backend, in bytes. The message kept from it is far smaller.
pub(crate) const ERROR_BODY_BYTES_MAX: usize = 65_536;

/// Longest `retry-after` sent to a client, in seconds. The `anthropic` SDK waits however long it
/// says; `openai` gives up above 120. A longer wait becomes this value with "do not retry".
pub(crate) const RETRY_AFTER_SECS_MAX: u64 = 60;

/// Longest `x-gatehouse-dropped` header, in bytes; longer text is cut.
pub(crate) const DROPPED_HEADER_BYTES_MAX: usize = 1_024;

/// Smallest body that the runaway guard watches, in bytes. Agents send 20 KB or more of
/// instructions and tools with each request. A script may repeat a short question on purpose.
pub(crate) const RUNAWAY_BODY_BYTES_MIN: usize = 4_096;

/// Bytes of an in-flight answer kept for followers that join late or read slowly. A text answer
/// stays under 1 MiB.
pub(crate) const SHARED_BYTES_MAX: usize = 4_194_304;

/// Silence in a stream after which the client gets a heartbeat, so that no proxy or tool takes the
/// stream for dead.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// Limits of a listener; parameters so that tests can shorten them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenerLimits {
    /// Open connections. At this number, and at three quarters of it without a valid token, the
    /// oldest connection without a valid token is closed to make room. If there is none, the new
    /// connection is answered with 429 and closed.
    pub connections_max: usize,
    /// Time to receive a whole request head, and for an idle connection to begin its next one.
    pub head_timeout: Duration,
    /// Maximum silence within a request body.
    pub body_idle_timeout: Duration,
    /// Time to receive a whole request body.
    pub body_total_timeout: Duration,
    /// Time that a client may take no bytes before its connection is closed.
    pub write_timeout: Duration,
    /// Time for in-flight answers to finish after a stop; then they end with an error.
    pub stop_grace: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            head_timeout: Duration::from_secs(10),
            body_idle_timeout: Duration::from_secs(10),
            body_total_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
            stop_grace: Duration::from_secs(10),
        }
    }
}

/// Limits of one request, from the settings. Part of the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// Largest request body, in bytes.
    pub body_bytes_max: usize,
    /// Concurrent requests; more wait in the queue.
    pub in_flight_max: usize,
    /// Requests that wait for a slot; more are refused with 503.
    pub queue_max: usize,
    /// Longest wait for a slot.
    pub queue_wait: Duration,
    /// Time until the first token of a stream.
    pub first_token_timeout: Duration,
    /// Maximum silence within an answer.
    pub stall_timeout: Duration,
    /// Time for a whole request.
    pub total_timeout: Duration,
    /// Largest streamed answer, in bytes: [`STREAM_BYTES_MAX`], less in tests.
    pub stream_bytes_max: u64,
}

impl From<&settings::GatewaySettings> for RequestLimits {
    fn from(settings: &settings::GatewaySettings) -> Self {
        // No `..`: a new setting of the gateway has to be used, here or elsewhere.
        let settings::GatewaySettings {
            body_bytes_max,
            in_flight_max,
            queue_max,
            queue_wait_ms,
            first_token_timeout_ms,
            stall_timeout_ms,
            total_timeout_ms,
            port: _,
            connect_timeout_ms: _,
        } = *settings;
        Self {
            body_bytes_max,
            in_flight_max,
            queue_max,
            queue_wait: Duration::from_millis(queue_wait_ms),
            first_token_timeout: Duration::from_millis(first_token_timeout_ms),
            stall_timeout: Duration::from_millis(stall_timeout_ms),
            total_timeout: Duration::from_millis(total_timeout_ms),
            stream_bytes_max: STREAM_BYTES_MAX,
        }
    }
}
