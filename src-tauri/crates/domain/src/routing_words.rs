//! How requests are led and answers kept: words that stand in the settings file, in the ledger, on the
//! command line and in the panel, so they are spelled once.

use crate::words;

words! {
    /// How a route puts its candidates in order.
    #[derive(Default)]
    RoutePolicy {
        /// As they are written.
        #[default]
        Ordered = "ordered",
        /// By chance, in proportion to their weights.
        Weighted = "weighted",
        /// The lowest price for this request first.
        Cheapest = "cheapest",
        /// The shortest time to the first token first.
        Fastest = "fastest",
        /// The fewest requests in flight first.
        LeastBusy = "least-busy",
        /// The best sum of latency, cost and headroom, by weights of the route.
        Balanced = "balanced",
        /// A fixed share of the conversations each, for A/B comparisons: one conversation stays where
        /// it began, and nothing fails over between the parts.
        Split = "split",
    }
}

words! {
    /// In which order the keys of one backend are used.
    #[derive(Default)]
    PoolOrder {
        /// The first that may be used.
        #[default]
        Ordered = "ordered",
        /// By chance, in proportion to their weights.
        Weighted = "weighted",
    }
}

words! {
    /// Whether answers may come from the cache.
    #[derive(Default)]
    CacheWish {
        /// If the same question has the same answer: temperature 0, or a vector of a text.
        #[default]
        Auto = "auto",
        /// Whatever the temperature.
        On = "on",
        /// Never.
        Off = "off",
        /// Ask again, and keep the new answer.
        Refresh = "refresh",
    }
}
