//! Reasons for bypasses and refused entries, for the ledger, the panel and the counters.

use domain::words;

words! {
    /// Reason why an answer was not looked up.
    BypassReason {
        /// The cache is disabled.
        Disabled = "disabled",
        /// Disabled by the header `x-gatehouse-cache: off`.
        Request = "request",
        /// Disabled in the client's settings.
        Client = "client",
        /// Disabled in the route's settings.
        Route = "route",
        /// Sampling makes the answer vary, and the client did not ask for a repeat.
        Sampled = "sampled",
        /// Tools are offered; a replay would not have their effects.
        Tools = "tools",
        /// The request uses or changes state at the provider.
        State = "state",
        /// Answers of this API are never cached: token counts.
        Surface = "surface",
    }
}

words! {
    /// Reason why an answer was not stored.
    NotStoredReason {
        Failed = "failed",
        /// It broke off, or the client disconnected.
        Cut = "cut",
        ToolCall = "tool-call",
        /// It exceeds the entry size limit.
        TooLarge = "too-large",
        /// It was purged before it was complete.
        Purged = "purged",
    }
}
