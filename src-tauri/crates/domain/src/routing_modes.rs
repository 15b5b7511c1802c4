//! Value enums for routing and caching. The settings file, the ledger, the command line and the
//! panel all use these words, so each is defined once.

use crate::words;

words! {
    /// How a route orders its candidates.
    #[derive(Default)]
    RoutePolicy {
        /// The first healthy backend; the next one only if it fails.
        #[default]
        Ordered = "ordered",
        /// Random, in proportion to the weights, with failover.
        Weighted = "weighted",
        /// The lowest price for this request.
        Cheapest = "cheapest",
        /// The shortest recent time to first token.
        Fastest = "fastest",
        /// The fewest requests in flight.
        LeastBusy = "least-busy",
        /// The best mix of latency, cost and headroom; switches for 15 % or more.
        Balanced = "balanced",
        /// A fixed share of conversations each, to compare backends, without failover.
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
    /// When answers may come from the cache. A request is repeatable if it gives the same answer
    /// again: temperature 0, or an embedding.
    #[derive(Default)]
    CacheMode {
        /// Only repeatable requests.
        #[default]
        Auto = "auto",
        /// At any temperature.
        On = "on",
        Off = "off",
        /// Always ask the backend, then store the response.
        Refresh = "refresh",
    }
}
