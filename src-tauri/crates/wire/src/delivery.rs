//! How a client wants its answer.

/// How the client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// One JSON body.
    Whole,
    /// Server-sent events.
    Stream(UsageChunk),
    /// One JSON array whose items come one by one: Gemini's stream without `alt=sse`.
    StreamArray,
}

impl Delivery {
    /// Whether the answer comes piece by piece.
    #[must_use]
    pub const fn is_streamed(self) -> bool {
        !matches!(self, Self::Whole)
    }
}

/// Whether the client asked for `stream_options.include_usage`. Other dialects always report usage
/// and count as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageChunk {
    /// It did: the usage chunk is relayed.
    Asked,
    /// It did not: the usage chunk is taken out.
    NotAsked,
}
