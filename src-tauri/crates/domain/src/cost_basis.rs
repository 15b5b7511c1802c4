//! Which costs a total sums up, and whether anything of a total is known.

use crate::{NanoUsd, words};

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

/// True if nothing is known of what a sum cost: its zero is then no zero. `counted` are the requests,
/// attempts or answers in it, and `unpriced` those without a known cost, or with a part of it only. At a
/// name at which only failed attempts were made, more are unpriced than were counted.
#[must_use]
pub const fn is_cost_unknown(cost: NanoUsd, counted: u64, unpriced: u64) -> bool {
    unpriced > 0 && counted <= unpriced && cost.nanos() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_unknown_only_if_nothing_of_it_is_known() {
        let check = |nanos, counted, unpriced, expected| {
            let found = is_cost_unknown(NanoUsd::new(nanos), counted, unpriced);
            assert_eq!(found, expected, "{nanos} for {counted}, {unpriced} unpriced");
        };
        check(0, 0, 0, false);
        check(0, 2, 0, false);
        check(0, 3, 2, false);
        check(1, 2, 2, false);
        check(0, 2, 2, true);
        check(0, 0, 1, true);
        check(0, 1, 2, true);
    }
}
