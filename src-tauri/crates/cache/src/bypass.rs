//! Why the cache took no part: words for the ledger, the panel and the counters.

use domain::words;

words! {
    /// Why an answer was not looked up.
    Bypass {
        /// The cache is switched off.
        Disabled = "disabled",
        /// The request says so, by `x-gatehouse-cache: off`.
        Request = "request",
        /// The client's settings say so.
        Client = "client",
        /// The route says so.
        Route = "route",
        /// The model may answer otherwise the next time, and nobody asked for the same answer again.
        Sampled = "sampled",
        /// Tools are offered, whose effects no replay has.
        Tools = "tools",
        /// Something at the provider is used or changed.
        State = "state",
        /// What is asked for is never kept: a count of tokens.
        Surface = "surface",
    }
}

words! {
    /// Why an answer was not kept.
    NotKept {
        /// It is an error.
        Failed = "failed",
        /// It broke off, or the client went away.
        Cut = "cut",
        /// The model called a tool.
        ToolCall = "tool-call",
        /// It is larger than an entry may be.
        TooLarge = "too-large",
        /// What it belongs to was purged while it was under way.
        Purged = "purged",
    }
}
