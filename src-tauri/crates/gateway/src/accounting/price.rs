//! The cost of one attempt.

use std::sync::Arc;

use domain::{BackendId, WallTime};
use ledger::{Cost, PriceBook, Provider};
use wire::UsageReport;

use crate::snapshot::Backend;

/// Prices the tokens of one attempt.
pub(super) struct AttemptPricing {
    prices: Arc<PriceBook>,
    provider: Option<Provider>,
    backend: BackendId,
    model: String,
}

impl AttemptPricing {
    pub(super) fn new(prices: &Arc<PriceBook>, to: &Backend, model: &str) -> Self {
        Self {
            prices: Arc::clone(prices),
            provider: to.provider(),
            backend: to.id.clone(),
            model: model.to_owned(),
        }
    }

    /// The cost of an attempt until its usage is known, and for good if it never is. The backend may have
    /// worked, so the cost is unpriced, not zero; only the mock never bills.
    pub(super) fn cost_if_dropped(to: &Backend) -> Cost {
        match to.provider() {
            Some(Provider::Mock) => Cost::NotBilled,
            _ => Cost::Unpriced,
        }
    }

    /// The cost that the backend reports, else tokens times price, else unpriced.
    pub(super) fn cost(&self, billed: Option<&str>, usage: &UsageReport, at: WallTime) -> Cost {
        if self.provider == Some(Provider::Mock) {
            return Cost::NotBilled;
        }
        if let Some(amount) = usage.stated_cost() {
            return Cost::Reported(amount);
        }
        let find = |model: &str| self.prices.find(&self.backend, self.provider, model, at);
        let price = billed.and_then(find).or_else(|| find(&self.model));
        match price.and_then(|price| Some((price.cost(&usage.tokens)?, price.id.clone()))) {
            Some((amount, price_id)) => Cost::Computed { amount, price_id },
            None => Cost::Unpriced,
        }
    }
}
