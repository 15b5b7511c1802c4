//! The cost of an attempt and of a request, and where it comes from.

use std::sync::Arc;

use domain::{BackendId, MeteredUsage, NanoUsd, PriceTier, Usage, WallTime, is_dated_form};
use serde::{Deserialize, Serialize};

use crate::price_book::{valid_or_first_row, valid_row};
use crate::{ATTEMPT_COST_MAX, LineItem, Price, PriceBook, Provider, Unpriced, UnpricedReason};

/// Cost of a request and its source. An unknown price is unknown, never zero.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    Reported(NanoUsd),
    /// By the lines of a row of the price table.
    Computed {
        amount: NanoUsd,
        /// [`Price::id`](crate::Price::id) of the row.
        price_id: String,
    },
    /// Tokens were or may have been used, but their price or count is unknown.
    #[default]
    Unpriced,
    /// No backend did any work: rejected by a guard, failed before an answer, or a cache hit.
    NotBilled,
}

impl Cost {
    #[must_use]
    pub const fn amount(&self) -> Option<NanoUsd> {
        match self {
            Self::Reported(amount) | Self::Computed { amount, .. } => Some(*amount),
            Self::NotBilled => Some(NanoUsd::ZERO),
            Self::Unpriced => None,
        }
    }

    /// Multiplies a known amount, to change its unit.
    pub const fn scale(&mut self, factor: i64) {
        if let Self::Reported(amount) | Self::Computed { amount, .. } = self {
            *amount = amount.scaled(factor);
        }
    }

    /// The origin of the cost in one word; the ledger stores it.
    #[must_use]
    pub const fn basis(&self) -> &'static str {
        match self {
            Self::Reported(_) => "reported",
            Self::Computed { .. } => "computed",
            Self::Unpriced => "unpriced",
            Self::NotBilled => "not_billed",
        }
    }

    /// The price row of a computed cost.
    #[must_use]
    pub const fn price_id(&self) -> Option<&str> {
        match self {
            Self::Computed { price_id, .. } => Some(price_id.as_str()),
            _ => None,
        }
    }

    /// The cost of a request from the costs of its attempts, in order.
    ///
    /// The last attempt, which is the answer, decides if the cost is known. An earlier attempt with
    /// an unknown cost is left out of the sum; otherwise the budgets would lose the price of the
    /// answer. If no cost is known, the total is unknown.
    #[must_use]
    pub fn total<'a>(attempts: impl IntoIterator<Item = &'a Self>) -> Self {
        let (mut sum, mut total) = (NanoUsd::ZERO, Self::NotBilled);
        for cost in attempts {
            sum += cost.amount().unwrap_or_default();
            total = match (cost, total) {
                (Self::Unpriced, _) => Self::Unpriced,
                (Self::NotBilled, before) => before,
                (Self::Computed { price_id, .. }, _) => {
                    Self::Computed { amount: sum, price_id: price_id.clone() }
                }
                (Self::Reported(_), Self::Computed { price_id, .. }) => {
                    Self::Computed { amount: sum, price_id }
                }
                (Self::Reported(_), _) => Self::Reported(sum),
            };
        }
        total
    }
}

/// Prices the tokens of one attempt.
#[derive(Debug, Clone)]
pub struct AttemptPricing {
    pub prices: Arc<PriceBook>,
    /// The provider whose list prices apply at `backend`.
    pub provider: Option<Provider>,
    pub backend: BackendId,
    /// The model name sent to the backend.
    pub model: String,
}

impl AttemptPricing {
    /// The cost of an attempt until its usage is known, and for good if it never is. The backend may
    /// have worked, so the cost is unpriced, not zero; only the mock never bills.
    #[must_use]
    pub fn without_usage(&self) -> AttemptCost {
        match self.provider {
            Some(Provider::Mock) => AttemptCost::not_billed(),
            _ => AttemptCost::unpriced(UnpricedReason::NoUsage.into()),
        }
    }

    /// The cost that the backend states, else the sum of the lines by the user's own price of the model
    /// that was sent, or the price of the billed one, or, if that has none and is the sent model by a
    /// dated name, of the model that was sent. A server that answers with another model may charge
    /// another price than the listed one. Unpriced if any line has no rate.
    #[must_use]
    pub fn cost(&self, usage: &Usage, model_billed: Option<&str>, at: WallTime) -> AttemptCost {
        self.cost_by(usage, model_billed, |rows| valid_row(rows, at))
    }

    /// The cost of an attempt that was made at `at`, before its price was known.
    #[must_use]
    pub fn late_cost(
        &self,
        usage: &Usage,
        model_billed: Option<&str>,
        at: WallTime,
    ) -> AttemptCost {
        self.cost_by(usage, model_billed, |rows| valid_or_first_row(rows, at))
    }

    fn cost_by<'a>(
        &'a self,
        usage: &Usage,
        model_billed: Option<&str>,
        pick: impl Fn(&'a [Price]) -> Option<&'a Price> + Copy,
    ) -> AttemptCost {
        if self.provider == Some(Provider::Mock) {
            return AttemptCost::not_billed();
        }
        let (provider, sent) = (self.provider, self.model.as_str());
        let price = self.prices.find_for_answer(&self.backend, provider, sent, model_billed, pick);
        let other = model_billed.filter(|billed| !is_dated_form(billed, sent));
        let no_price = || match other {
            Some(other) => Unpriced::new(UnpricedReason::NoPrice, other),
            None => UnpricedReason::NoPrice.into(),
        };
        let (lines, computed) = match &price {
            Some(price) => price.invoice(usage),
            None => (Vec::new(), Err(no_price())),
        };
        // Quantities are kept also where nothing prices them, so that they can be priced later. Lines
        // have rates only if they are all there is: beside what is not understood, their sum would
        // pass for the cost, or be compared with a stated one.
        let is_partial = usage.unread.is_some();
        let lines = if lines.is_empty() || is_partial { unrated_lines(usage) } else { lines };
        let stated =
            usage.stated_cost.filter(|amount| (NanoUsd::ZERO..=ATTEMPT_COST_MAX).contains(amount));
        let unread = usage.unread.as_deref();
        let unread = unread.map(|field| Unpriced::new(UnpricedReason::UnknownUsage, field));
        let (cost, unpriced) = match (stated, unread, computed, price) {
            (Some(amount), ..) => (Cost::Reported(amount), None),
            (None, None, Ok(amount), Some(price)) => {
                (Cost::Computed { amount, price_id: price.id.clone() }, None)
            }
            (None, unread, computed, _) => {
                let why = unread.or(computed.err()).unwrap_or(UnpricedReason::NoPrice.into());
                (Cost::Unpriced, Some(why))
            }
        };
        AttemptCost { cost, lines, unpriced, tier: usage.tier, region: usage.region.clone() }
    }
}

fn unrated_lines(usage: &Usage) -> Vec<LineItem> {
    let calls = usage.calls();
    let counts = calls.iter().flat_map(MeteredUsage::iter);
    counts.map(|(meter, count)| LineItem::new(meter, count, None)).collect()
}

/// What an attempt costs, line by line. The lines are computed even where the backend states the cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptCost {
    pub cost: Cost,
    pub lines: Vec<LineItem>,
    /// `None` if the cost is known.
    pub unpriced: Option<Unpriced>,
    pub tier: PriceTier,
    /// Where the answer was made, if that has a price.
    pub region: Option<String>,
}

impl AttemptCost {
    /// No backend did any work.
    #[must_use]
    pub const fn not_billed() -> Self {
        Self {
            cost: Cost::NotBilled,
            lines: Vec::new(),
            unpriced: None,
            tier: PriceTier::Standard,
            region: None,
        }
    }

    fn unpriced(why: Unpriced) -> Self {
        Self { cost: Cost::Unpriced, unpriced: Some(why), ..Self::not_billed() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn computed(micros: i64, price_id: &str) -> Cost {
        Cost::Computed { amount: NanoUsd::new(micros), price_id: price_id.to_owned() }
    }

    const fn reported(micros: i64) -> Cost {
        Cost::Reported(NanoUsd::new(micros))
    }

    #[test]
    fn a_request_costs_the_sum_of_its_tries() {
        let check = |attempts: &[Cost], expected: Cost| {
            assert_eq!(Cost::total(attempts), expected, "{attempts:?}");
        };
        check(&[], Cost::NotBilled);
        check(&[Cost::NotBilled, Cost::NotBilled], Cost::NotBilled);
        check(&[reported(2), reported(3)], reported(5));
        check(&[Cost::NotBilled, computed(3, "a")], computed(3, "a"));
        check(&[computed(2, "a"), computed(3, "b")], computed(5, "b"));
        check(&[computed(2, "a"), reported(3)], computed(5, "a"));
        check(&[reported(2), computed(3, "b"), Cost::NotBilled], computed(5, "b"));
        // The answer decides if the cost is known.
        check(&[Cost::Unpriced, reported(3)], reported(3));
        check(&[reported(2), Cost::Unpriced], Cost::Unpriced);
        check(&[Cost::Unpriced, Cost::NotBilled], Cost::Unpriced);
    }

    fn cost() -> impl Strategy<Value = Cost> {
        prop_oneof![
            Just(Cost::Unpriced),
            Just(Cost::NotBilled),
            (0_i64..9_000).prop_map(reported),
            (0_i64..9_000).prop_map(|micros| computed(micros, "p")),
        ]
    }

    proptest! {
        /// No known cost is lost unless that of the answer is unknown, and none is invented.
        #[test]
        fn a_total_is_the_sum_of_what_is_known(attempts in prop::collection::vec(cost(), 0..5)) {
            let known: NanoUsd = attempts.iter().filter_map(Cost::amount).sum();
            let total = Cost::total(&attempts);
            prop_assert!(total.amount().is_none_or(|amount| amount == known));
            if attempts.last() == Some(&Cost::Unpriced) {
                prop_assert_eq!(total, Cost::Unpriced);
            }
        }
    }
}
