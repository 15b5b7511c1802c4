//! Every limit of the doors, with its unit and where the number comes from.

use std::time::Duration;

/// Connections held open at once per listener, of which a quarter is kept for authenticated callers. Leaves room for as many upstream sockets under the
/// usual limit of 1,024 file descriptors; the panel and all tools of one person stay under 50.
pub const CONNECTIONS_MAX: usize = 512;

/// Largest request head (request line and headers), in bytes. Real clients send under 4 KiB.
pub const HEAD_BYTES_MAX: usize = 65_536;

/// Most headers of a request. Real clients send under 40.
pub const HEADERS_MAX: usize = 100;

/// Largest body of a call on the control door, in bytes. The largest is a pasted `.env` file.
pub const CONTROL_BODY_BYTES_MAX: usize = 1_048_576;

/// Largest whole answer read from a backend, in bytes. Base64 images of several megabytes fit.
pub const ANSWER_BYTES_MAX: usize = 67_108_864;

/// Batches of one request for vectors sent side by side; providers count each as a request.
pub const EMBEDDING_BATCHES_AT_ONCE_MAX: usize = 4;

/// Largest answer to a count of tokens, in bytes; the largest seen has some 200.
pub const COUNT_ANSWER_BYTES_MAX: usize = 65_536;

/// Largest streamed answer relayed, in bytes: an endless stream ends here.
pub const STREAM_BYTES_MAX: u64 = 268_435_456;

/// Largest error body read from a backend, in bytes; the message kept of it is far smaller.
pub const ERROR_BODY_BYTES_MAX: usize = 65_536;

/// Longest `retry-after` handed to a client, in seconds: `anthropic` sleeps whatever it is told and
/// `openai` gives up above 120. A longer wait of the backend becomes this and "do not retry".
pub const RETRY_AFTER_SECS_MAX: u64 = 60;

/// Longest `x-gatehouse-dropped` header, in bytes; what is longer is cut.
pub const DROPPED_HEADER_BYTES_MAX: usize = 1_024;

/// Smallest body that the runaway guard watches, in bytes. Agents bring their instructions and tools with
/// each request, 20 KB and more; a script that asks one short question over and over may mean it.
pub const RUNAWAY_BODY_BYTES_MIN: usize = 4_096;

/// Bytes of an answer under way that are kept for those who join it later, or read more slowly than the
/// others. An answer in text stays under 1 MiB.
pub(crate) const SHARED_BYTES_MAX: usize = 4_194_304;

/// Silence in a stream after which the client gets a sign of life, so that no proxy or tool takes it
/// for dead.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// Time limits of a door, as parameters so that tests can shorten them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenerLimits {
    /// Connections held at once. Beyond it, and beyond three quarters of it without a valid token, the
    /// oldest one without makes room; if each has one, the new one is answered 429 and closed.
    pub connections_max: usize,
    /// Time for a whole request head, and for an idle connection to begin its next one.
    pub head_timeout: Duration,
    /// Silence inside a request body.
    pub body_idle_timeout: Duration,
    /// Time for a whole request body.
    pub body_total_timeout: Duration,
    /// How long a client may refuse to take bytes before it is cut off.
    pub write_timeout: Duration,
    /// How long answers in flight may take to finish after a stop; then they end with an error.
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

/// Limits of one request, from the settings; a snapshot carries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// Largest request body, in bytes.
    pub body_bytes_max: usize,
    /// Requests in flight at once; more wait.
    pub in_flight_max: usize,
    /// Requests that wait for a place; more are refused with 503.
    pub queue_max: usize,
    /// Longest wait for a place.
    pub queue_wait: Duration,
    /// Time until the first token of a stream.
    pub first_token_timeout: Duration,
    /// Silence inside an answer.
    pub stall_timeout: Duration,
    /// Time for a whole request.
    pub total_timeout: Duration,
    /// Largest streamed answer, in bytes; [`STREAM_BYTES_MAX`], and less in tests.
    pub stream_bytes_max: u64,
}

impl From<&settings::GatewaySettings> for RequestLimits {
    fn from(settings: &settings::GatewaySettings) -> Self {
        Self {
            body_bytes_max: settings.body_bytes_max,
            in_flight_max: settings.in_flight_max,
            queue_max: settings.queue_max,
            queue_wait: Duration::from_millis(settings.queue_wait_ms),
            first_token_timeout: Duration::from_millis(settings.first_token_timeout_ms),
            stall_timeout: Duration::from_millis(settings.stall_timeout_ms),
            total_timeout: Duration::from_millis(settings.total_timeout_ms),
            stream_bytes_max: STREAM_BYTES_MAX,
        }
    }
}
