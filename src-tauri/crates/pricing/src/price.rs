//! A dated row of the price table.

use domain::{BackendId, NanoUsd, TokenUsage, WallTime};

use crate::{Provider, Rates};

/// A dated row of the price table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Unique and readable: `openai/gpt-4.1@2026-11-01`.
    pub id: String,
    pub owner: PriceOwner,
    /// Exact model id at that place.
    pub model: String,
    /// Per million tokens.
    pub rates: Rates,
    /// Rates for long input.
    pub long_context: Option<LongContextRates>,
    /// The first moment it holds.
    pub valid_from: WallTime,
    /// Exclusive; `None` while the price is valid.
    pub valid_to: Option<WallTime>,
    /// The page or person it comes from.
    pub source: String,
    pub confidence: PriceConfidence,
}

/// Other rates for the whole request once its input is long, as OpenAI and Google charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongContextRates {
    /// Applies if all input classes together exceed this many tokens.
    pub over_input_tokens: u64,
    /// Per million tokens.
    pub rates: Rates,
}

impl Price {
    /// A price that the user declares for a model of one backend, valid from `valid_from`.
    #[must_use]
    pub fn declared(backend: &BackendId, model: &str, rates: Rates, valid_from: WallTime) -> Self {
        let place = PriceOwner::Backend(backend.clone());
        Self {
            id: format_price_id(&place, model, &valid_from.to_rfc3339()),
            owner: place,
            model: model.to_owned(),
            rates,
            long_context: None,
            valid_from,
            valid_to: None,
            source: "stated by you".to_owned(),
            confidence: PriceConfidence::Declared,
        }
    }

    /// The cost of `usage`; `None` if a used class has no rate.
    #[must_use]
    pub fn cost(&self, usage: &TokenUsage) -> Option<NanoUsd> {
        let long = self.long_context.filter(|long| usage.input() > long.over_input_tokens);
        long.map_or(self.rates, |long| long.rates).cost(usage)
    }

    pub(crate) fn is_valid_at(&self, at: WallTime) -> bool {
        self.valid_from <= at && self.valid_to.is_none_or(|end| at < end)
    }
}

/// Who charges a price.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PriceOwner {
    /// A provider's own API.
    Provider(Provider),
    /// One backend, as declared by the user.
    Backend(BackendId),
}

domain::words! {
    /// Trust in a price.
    PriceConfidence {
        /// From the provider's price page, taken from one public catalogue.
        Listed = "listed",
        /// Stated by the user.
        Declared = "declared",
        /// Invented for the mock. Unused since version 4 of the ledger; kept for older rows.
        MadeUp = "made_up",
    }
}

/// `provider/model@since` or `backend:name/model@since`.
pub(crate) fn format_price_id(place: &PriceOwner, model: &str, since: &str) -> String {
    match place {
        PriceOwner::Provider(provider) => format!("{}/{model}@{since}", provider.word()),
        PriceOwner::Backend(backend) => format!("backend:{backend}/{model}@{since}"),
    }
}
