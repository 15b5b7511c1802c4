//! Value enums for routing and caching. The settings file, the ledger, the command line and the
//! panel all use these words, so each is defined once.

use crate::words;

words! {
    /// How a route orders its candidates.
    #[derive(Default)]
    RoutePolicy {
        /// The first healthy backend, in the order given.
        #[default]
        Ordered = "ordered",
        /// At random, in proportion to the weights.
        Weighted = "weighted",
        /// The lowest price first.
        Cheapest = "cheapest",
        /// The shortest time to the first token first.
        Fastest = "fastest",
        /// The fewest requests in flight first.
        LeastBusy = "least-busy",
        /// The best mix of latency, cost and rate-limit headroom.
        Balanced = "balanced",
        /// A fixed share of conversations each, without failover.
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
        On = "on",
        Off = "off",
        /// Always ask the backend, then store the response.
        Refresh = "refresh",
    }
}
