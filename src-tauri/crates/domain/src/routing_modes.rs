//! Value enums for routing and caching. The settings file, the ledger, the command line and the
//! panel all use these words, so each is defined once.

use crate::words;

words! {
    /// How a route orders its candidates.
    #[derive(Default)]
    RoutePolicy {
        /// In the configured order.
        #[default]
        Ordered = "ordered",
        /// At random, in proportion to their weights.
        Weighted = "weighted",
        /// By estimated price of this request, lowest first.
        Cheapest = "cheapest",
        /// By time to the first token, shortest first.
        Fastest = "fastest",
        /// By requests in flight, fewest first.
        LeastBusy = "least-busy",
        /// By the weighted sum of latency, cost and headroom, best first. The route sets the
        /// weights.
        Balanced = "balanced",
        /// Each candidate gets a fixed share of the conversations, for A/B comparisons. A
        /// conversation stays with its candidate, and requests do not fail over to another.
        Split = "split",
    }
}

words! {
    /// The order in which the keys of one backend are used.
    #[derive(Default)]
    PoolOrder {
        /// The first available key.
        #[default]
        Ordered = "ordered",
        /// At random, in proportion to their weights.
        Weighted = "weighted",
    }
}

words! {
    /// When answers may come from the cache.
    #[derive(Default)]
    CacheMode {
        /// Only if the same request gives the same answer: temperature 0, or an embedding.
        #[default]
        Auto = "auto",
        /// At any temperature.
        On = "on",
        Off = "off",
        /// Ignore the cached answer, send the request and cache the new answer.
        Refresh = "refresh",
    }
}
