//! Model prices by place and date. Old rows stay, so that history is never repriced.
//!
//! A model is looked up by its exact id, then without its documented release date. Prefixes are
//! never guessed, and one host's price is not used for another: the same model is sold at several
//! prices. A model that is not found has no price, which is not the price zero.

use std::collections::HashMap;

use domain::{BackendId, WallTime};

use crate::{Price, PriceOwner, Provider};

/// All known prices in memory. Lookups do no IO.
#[derive(Debug, Clone, Default)]
pub struct PriceBook {
    rows: HashMap<PriceOwner, HashMap<String, Vec<Price>>>,
}

impl PriceBook {
    /// The prices bundled with the program.
    #[must_use]
    pub fn bundled() -> Self {
        crate::bundled_prices().into_iter().fold(Self::default(), Self::with_price)
    }

    /// Adds a price. Replaces a row with the same id.
    #[must_use]
    pub fn with_price(mut self, price: Price) -> Self {
        let models = self.rows.entry(price.owner.clone()).or_default();
        let dated = models.entry(price.model.clone()).or_default();
        dated.retain(|other| other.id != price.id);
        dated.push(price);
        dated.sort_by_key(|price| price.valid_from);
        self
    }

    /// The price of `model` at `backend` at time `at`. A price declared for the backend wins over
    /// the list price of its `provider` ([`Provider::from_origin`]). `None` means unpriced.
    #[must_use]
    pub fn find(
        &self,
        backend: &BackendId,
        provider: Option<Provider>,
        model: &str,
        at: WallTime,
    ) -> Option<&Price> {
        let declared = self.find_dated(&PriceOwner::Backend(backend.clone()), model, at);
        declared.or_else(|| {
            let provider = provider?;
            let place = PriceOwner::Provider(provider);
            self.find_dated(&place, model, at)
                .or_else(|| self.find_dated(&place, provider.documented_alias(model)?, at))
        })
    }

    /// Every row, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Price> {
        self.rows.values().flat_map(HashMap::values).flatten()
    }

    /// The row of each place and model that is valid at `at`, in no particular order.
    pub fn valid_at(&self, at: WallTime) -> impl Iterator<Item = &Price> {
        let models = self.rows.values().flat_map(HashMap::values);
        models.filter_map(move |dated| dated.iter().rev().find(|price| price.is_valid_at(at)))
    }

    fn find_dated(&self, place: &PriceOwner, model: &str, at: WallTime) -> Option<&Price> {
        self.rows.get(place)?.get(model)?.iter().rev().find(|price| price.is_valid_at(at))
    }
}

#[cfg(test)]
mod tests {
    use domain::{Meter, NanoUsd, TokenUsage};

    use super::*;
    use crate::{PriceConfidence, PriceTerms, Rate, Rates};

    const NOW: WallTime = WallTime::from_unix_ms(1_795_200_000_000);

    fn backend() -> BackendId {
        BackendId::new("home").expect("a name")
    }

    fn found(provider: Option<Provider>, model: &str) -> Option<String> {
        PriceBook::bundled().find(&backend(), provider, model, NOW).map(|price| price.id.clone())
    }

    #[test]
    fn a_model_is_found_by_its_id_or_its_documented_dated_alias_only() {
        let id = |text: &str| Some(text.to_owned());
        let openai = Some(Provider::OpenAi);
        assert_eq!(found(openai, "gpt-4.1"), id("openai/gpt-4.1@2026-11-01"));
        assert_eq!(found(openai, "gpt-4.1-2025-04-14"), id("openai/gpt-4.1@2026-11-01"));
        // A dated id with its own price is not mistaken for the undated one.
        let own = "openai/gpt-4o-2024-05-13@2026-11-01";
        assert_eq!(found(openai, "gpt-4o-2024-05-13"), id(own));
        let haiku = "anthropic/claude-haiku-4-5@2026-11-01";
        assert_eq!(found(Some(Provider::Anthropic), "claude-haiku-4-5-20251001"), id(haiku));
        let pro = "google/gemini-2.5-pro@2026-11-01";
        assert_eq!(found(Some(Provider::Google), "models/gemini-2.5-pro"), id(pro));
        for unknown in ["gpt-4.1-turbo", "gpt-4.1-2025-04-1x", "ft:gpt-4.1", "gpt-4.1-20250414", ""]
        {
            assert_eq!(found(openai, unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_models_output_limit_is_found_by_the_names_its_price_is() {
        let most = |model: &str| Provider::Anthropic.output_tokens_max(model);
        for (model, expected) in [
            ("claude-haiku-4-5", Some(64_000)),
            ("claude-haiku-4-5-20251001", Some(64_000)),
            ("claude-opus-4-6", Some(128_000)),
            ("claude-haiku-5-5", Some(128_000)),
            ("anthropic/claude-opus-4-5-20251101", Some(64_000)),
            ("claude-opus-4-5-2025110", None),
            ("claude-opus", None),
            ("anthropic/", None),
            ("anthropic/anthropic/claude-opus-4-5", None),
            ("other/claude-opus-4-5", None),
            ("kimi-k2", None),
            ("", None),
        ] {
            assert_eq!(most(model), expected, "{model}");
        }
        assert_eq!(Provider::OpenAi.output_tokens_max("claude-haiku-4-5"), None);
    }

    #[test]
    fn the_same_model_elsewhere_is_unpriced() {
        let provider = |text: &str| Provider::from_origin(&text.parse().expect("an origin"));
        assert_eq!(provider("https://api.openai.com/v1"), Some(Provider::OpenAi));
        for text in [
            "http://api.openai.com/v1",
            "https://api.openai.com.evil.test",
            "https://eu.api.openai.com/v1",
            "https://openrouter.ai/api/v1",
            "http://127.0.0.1:11434/v1",
        ] {
            assert_eq!(provider(text), None, "{text}");
        }
        assert_eq!(found(None, "gpt-4.1"), None);
        assert_eq!(found(Some(Provider::Anthropic), "gpt-4.1"), None);
    }

    #[test]
    fn a_stated_price_wins_for_its_backend_from_its_date_on() {
        let rates = PriceTerms::flat(Rates::from_iter([(Meter::Input, Rate::new(7))]));
        let book =
            PriceBook::bundled().with_price(Price::declared(&backend(), "gpt-4.1", rates, NOW));
        let find = |at: i64, backend: &BackendId| {
            book.find(backend, Some(Provider::OpenAi), "gpt-4.1", WallTime::from_unix_ms(at))
                .map(|price| price.confidence)
        };
        let now = NOW.unix_ms();
        assert_eq!(find(now, &backend()), Some(PriceConfidence::Declared));
        assert_eq!(find(now - 1, &backend()), Some(PriceConfidence::Listed));
        let other = BackendId::new("other").expect("a name");
        assert_eq!(find(now, &other), Some(PriceConfidence::Listed));
        assert_eq!(find(0, &other), None);
    }

    #[test]
    fn an_ended_price_gives_way_to_its_successor() {
        let mut old = Price::declared(&backend(), "m", PriceTerms::default(), WallTime::default());
        old.valid_to = Some(NOW);
        let ended = PriceBook::default().with_price(old.clone());
        let find = |book: &PriceBook, at| {
            book.find(&backend(), None, "m", WallTime::from_unix_ms(at)).map(|row| row.id.clone())
        };
        assert_eq!(find(&ended, NOW.unix_ms() - 1), Some(old.id));
        assert_eq!(find(&ended, NOW.unix_ms()), None);
        let new = Price::declared(&backend(), "m", PriceTerms::default(), NOW);
        let both = ended.with_price(new.clone());
        assert_eq!(find(&both, NOW.unix_ms()), Some(new.id));
        let in_force = |ms| both.valid_at(WallTime::from_unix_ms(ms)).count();
        assert_eq!((in_force(-1), in_force(0), in_force(NOW.unix_ms())), (0, 1, 1));
    }

    #[test]
    fn long_input_is_priced_by_its_own_rates_past_the_threshold() {
        let book = PriceBook::bundled();
        let price = book.find(&backend(), Some(Provider::Google), "gemini-2.5-pro", NOW);
        let price = price.expect("a price");
        let cost = |input_uncached| {
            price.text_cost(&TokenUsage { input_uncached, ..TokenUsage::default() })
        };
        assert_eq!(cost(200_000), Some(NanoUsd::new(250_000_000)));
        assert_eq!(cost(200_001), Some(NanoUsd::new(500_002_500)));
    }
}
