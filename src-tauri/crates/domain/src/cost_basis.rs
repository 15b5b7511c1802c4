//! Which costs a total sums up.

use crate::words;

words! {
    /// Which costs a total sums up. What providers billed is no basis: bills have days of UTC and no
    /// requests, so no dimension or filter divides them.
    #[derive(Default)]
    CostBasis {
        /// Every known cost: what the backend states, else what the price list computes.
        #[default]
        Known = "known",
        /// Only what backends state in their answers.
        Reported = "reported",
        /// Only what the price list computes, also where a backend states another cost.
        Computed = "computed",
    }
}

impl CostBasis {
    /// What a request is called whose cost is not known on this basis.
    #[must_use]
    pub const fn unknown_word(self) -> &'static str {
        match self {
            Self::Known => "unpriced",
            Self::Reported => "unreported",
            Self::Computed => "uncomputed",
        }
    }
}
