//! What kinds of anomalies there are, and how one is told from another.

use domain::WallTime;

domain::words! {
    /// By which rule something is unusual.
    UsageAnomalyRule {
        /// Hours that cost far more than the same hours of the weeks before.
        Cost = "cost",
        /// Hours with five times the requests of a usual one.
        RequestRate = "request_rate",
        /// A client, model or key that was never in use before.
        FirstSeen = "first_seen",
        /// A provider's cache of prompts that is hardly read any more.
        CacheCollapse = "cache_collapse",
        /// A conversation that was sent again and again until the runaway guard stopped it.
        Loop = "loop",
    }
}

impl UsageAnomalyRule {
    /// The id of what is unusual from `start` on: it stays the same while more hours are added.
    /// `subject` is the word of a dimension and a name in it, for rules that are about names.
    #[must_use]
    pub fn id(self, start: WallTime, subject: Option<(&str, &str)>) -> String {
        let at = format!("{}@{}", self.word(), start.to_rfc3339());
        match subject {
            Some((dimension, name)) => format!("{at},{dimension}={name}"),
            None => at,
        }
    }
}
