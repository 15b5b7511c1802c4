//! How a client wants its answer: whole, as a stream, as an array.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// One JSON body.
    Whole,
    /// Server-sent events.
    Stream(UsageChunk),
    /// One JSON array whose items arrive one by one: Gemini's stream without `alt=sse`.
    StreamArray,
}

impl Delivery {
    /// True if the answer arrives in pieces.
    #[must_use]
    pub const fn is_streamed(self) -> bool {
        !matches!(self, Self::Whole)
    }
}

/// Whether the client asked for `stream_options.include_usage`. Other dialects always report usage
/// and count as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageChunk {
    /// The usage chunk is relayed.
    Asked,
    /// The usage chunk is removed.
    NotAsked,
}
