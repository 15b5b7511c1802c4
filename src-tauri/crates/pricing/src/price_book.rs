//! Model prices by place and date. Old rows stay, so that history is never repriced.
//!
//! A price of the user's for a backend stands before the others in what it states, and in nothing
//! else ([`crate::PriceTerms::over`]): for the model, then for all models of the backend, then the price of
//! the provider.
//!
//! A model is looked up by its exact id, then without its documented release date. Prefixes are
//! never guessed, and one host's price is not used for another: the same model is sold at several
//! prices. A model that is not found has no price, which is not the price zero.

use std::borrow::Cow;
use std::collections::HashMap;

use domain::{BackendId, WallTime, is_dated_form};

use crate::bundled_prices::{PriceRows, listed_prices};
use crate::{Price, PriceOwner, Provider};

/// All known prices in memory: the user's own, and the bundled ones. Lookups do no IO.
#[derive(Debug, Clone, Default)]
pub struct PriceBook {
    own: HashMap<PriceOwner, PriceRows>,
    is_bundled: bool,
}

impl PriceBook {
    /// The prices bundled with the program. Each provider's are read when they are asked for.
    #[must_use]
    pub fn bundled() -> Self {
        Self { is_bundled: true, ..Self::default() }
    }

    /// Adds a price of the user's. Replaces a row with the same id.
    #[must_use]
    pub fn with_price(mut self, mut price: Price) -> Self {
        self.complete(&mut price);
        let models = self.own.entry(price.owner.clone()).or_default();
        let dated = models.entry(price.model.clone()).or_default();
        dated.retain(|other| other.id != price.id);
        dated.push(price);
        dated.sort_by_key(|price| price.valid_from);
        self
    }

    /// Adds the rates that all models of the owner share, where `price` has none of its own.
    pub fn complete(&self, price: &mut Price) {
        let shared = match &price.owner {
            PriceOwner::Provider(provider) => self.listed(*provider),
            PriceOwner::Backend(_) => None,
        };
        let shared = shared.and_then(|rows| rows.get(Price::EVERY_MODEL)?.last());
        if let Some(shared) = shared {
            price.terms.share(&shared.terms.rates);
        }
    }

    /// The price of `model` at `backend` at time `at`, with the id of the row that stands first.
    /// `provider` is the one whose list prices apply ([`Provider::from_base_url`]); a price of the
    /// user's for it takes the place of the listed one. `None` means unpriced.
    #[must_use]
    pub fn find(
        &self,
        backend: &BackendId,
        provider: Option<Provider>,
        model: &str,
        at: WallTime,
    ) -> Option<Cow<'_, Price>> {
        self.find_among(backend, provider, model, |rows| valid_row(rows, at))
    }

    /// The price of an answer of the model `billed` to a request for `sent`, as `pick` chooses among
    /// the rows of a model. The user names their backend's models as they are sent, so their own row
    /// for `sent` holds whatever the answer names, unless they have one for `billed`. A listed price
    /// of `sent` holds only for a dated form of the name.
    pub(crate) fn find_for_answer<'a>(
        &'a self,
        backend: &BackendId,
        provider: Option<Provider>,
        sent: &str,
        billed: Option<&str>,
        pick: impl Fn(&'a [Price]) -> Option<&'a Price> + Copy,
    ) -> Option<Cow<'a, Price>> {
        let own_rows = self.own.get(&PriceOwner::Backend(backend.clone()));
        let is_own = |model: &str| own_rows.and_then(|rows| pick(rows.get(model)?)).is_some();
        let find = |provider, model: &str| self.find_among(backend, provider, model, pick);
        let Some(billed) = billed.filter(|billed| *billed != sent) else {
            return find(provider, sent);
        };
        let answered = find(provider, billed);
        let answered = match is_dated_form(billed, sent) {
            true => answered.or_else(|| find(provider, sent)),
            false => answered,
        };
        if is_own(billed) || !is_own(sent) {
            return answered;
        }
        match (find(None, sent), answered) {
            (Some(own), Some(base)) => Some(completed(own, &base)),
            (own, base) => own.or(base),
        }
    }

    /// The row of exactly this owner and model at time `at`.
    #[must_use]
    pub fn find_row(&self, owner: &PriceOwner, model: &str, at: WallTime) -> Option<&Price> {
        let valid = |price: &&Price| price.is_valid_at(at);
        let own = self.own.get(owner).and_then(|rows| rows.get(model)?.iter().rev().find(valid));
        own.or_else(|| match owner {
            PriceOwner::Provider(provider) => {
                self.listed(*provider)?.get(model)?.iter().rev().find(valid)
            }
            PriceOwner::Backend(_) => None,
        })
    }

    /// Every row, in no particular order. Reads all bundled prices.
    pub fn iter(&self) -> impl Iterator<Item = &Price> {
        let own = self.own.values().flat_map(HashMap::values);
        own.chain(self.listed_rows()).flatten()
    }

    /// The row of each place and model that is valid at `at`, in no particular order.
    pub fn valid_at(&self, at: WallTime) -> impl Iterator<Item = &Price> {
        let own = self.own.values().flat_map(HashMap::values);
        let listed = self
            .listed_rows()
            .filter(move |rows| !rows.iter().any(|row| self.is_replaced(row, at)));
        own.chain(listed)
            .filter_map(move |dated| dated.iter().rev().find(|price| price.is_valid_at(at)))
    }

    fn is_replaced(&self, listed: &Price, at: WallTime) -> bool {
        let own = self.own.get(&listed.owner).and_then(|rows| rows.get(&listed.model));
        own.is_some_and(|rows| rows.iter().any(|row| row.is_valid_at(at)))
    }

    fn find_among<'a>(
        &'a self,
        backend: &BackendId,
        provider: Option<Provider>,
        model: &str,
        pick: impl Fn(&'a [Price]) -> Option<&'a Price> + Copy,
    ) -> Option<Cow<'a, Price>> {
        let own = |owner: PriceOwner, model: &str| pick(self.own.get(&owner)?.get(model)?);
        let listed = |provider, model: &str| pick(self.listed(provider)?.get(model)?);
        let of_backend = |model| own(PriceOwner::Backend(backend.clone()), model);
        let of_provider = |model| {
            let provider = provider?;
            own(PriceOwner::Provider(provider), model).or_else(|| listed(provider, model))
        };
        // A row for all models is a price only where it prices tokens; else it adds to the others.
        let any = |price: &&Price| price.terms.rates.of(domain::Meter::Input).is_some();
        let of_every_model = of_backend(Price::EVERY_MODEL).filter(|_| model != Price::EVERY_MODEL);
        let listed = of_provider(model)
            .or_else(|| of_provider(provider?.documented_alias(model)?))
            .or_else(|| of_provider(Price::EVERY_MODEL).filter(any));
        // Calls alone price no model that is not known otherwise.
        let is_known = of_backend(model).is_some() || listed.is_some();
        let of_every_model = of_every_model.filter(|price| is_known || any(price));
        let stated = of_backend(model).into_iter().chain(of_every_model);
        stated.chain(listed).map(Cow::Borrowed).reduce(|first, next| completed(first, &next))
    }

    fn listed(&self, provider: Provider) -> Option<&PriceRows> {
        self.is_bundled.then(|| listed_prices(provider)).flatten()
    }

    fn listed_rows(&self) -> impl Iterator<Item = &Vec<Price>> {
        let providers = Provider::ALL.iter().filter_map(|provider| self.listed(*provider));
        providers.flat_map(HashMap::values)
    }
}

/// `first`, and `next` for what it does not state.
fn completed<'a>(first: Cow<'a, Price>, next: &Price) -> Cow<'a, Price> {
    let terms = first.terms.over(&next.terms);
    Cow::Owned(Price { terms, ..first.into_owned() })
}

/// The row that is valid at `at`, of those of one model by date.
pub(crate) fn valid_row(rows: &[Price], at: WallTime) -> Option<&Price> {
    rows.iter().rev().find(|row| row.is_valid_at(at))
}

/// [`valid_row`], or the first later one.
pub(crate) fn valid_or_first_row(rows: &[Price], at: WallTime) -> Option<&Price> {
    valid_row(rows, at).or_else(|| rows.iter().find(|row| at < row.valid_from))
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
        let provider = |text: &str| Provider::from_base_url(&text.parse().expect("a URL"), true);
        for (text, expected) in [
            ("https://api.openai.com/v1", Provider::OpenAi),
            ("https://API.groq.com/openai/v1", Provider::Groq),
            ("https://api.together.xyz/v1", Provider::Together),
            ("https://api.z.ai/api/paas/v4", Provider::Zai),
            ("https://api.deepseek.com/anthropic", Provider::DeepSeek),
        ] {
            assert_eq!(provider(text), Some(expected), "{text}");
        }
        for text in [
            "http://api.openai.com/v1",
            "https://api.openai.com.evil.test",
            "https://eu.api.openai.com/v1",
            "https://openrouter.ai/api/v1",
            // A plan that is not billed by tokens.
            "https://api.z.ai/api/anthropic",
            "http://127.0.0.1:11434/v1",
        ] {
            assert_eq!(provider(text), None, "{text}");
        }
        assert_eq!(found(None, "gpt-4.1"), None);
        assert_eq!(found(Some(Provider::Anthropic), "gpt-4.1"), None);
    }

    #[test]
    fn a_server_on_this_machine_is_free_if_a_preset_has_its_address_and_it_wants_no_key() {
        let provider = |text: &str| Provider::from_base_url(&text.parse().expect("a URL"), false);
        for text in ["http://127.0.0.1:11434", "http://localhost:1234/v1", "http://[::1]:8000/v1"] {
            assert_eq!(provider(text), Some(Provider::Local), "{text}");
        }
        for text in
            ["http://127.0.0.1:4000/v1", "http://192.168.1.2:11434", "http://ollama.test:11434"]
        {
            assert_eq!(provider(text), None, "{text}");
        }
        let book = PriceBook::bundled();
        let price = book.find(&backend(), Some(Provider::Local), "llama3.3:70b", NOW);
        let usage = TokenUsage { input_uncached: 9, reasoning: 7, ..TokenUsage::default() };
        assert_eq!(price.and_then(|price| price.text_cost(&usage)), Some(NanoUsd::ZERO));
    }

    #[test]
    fn a_row_for_all_models_prices_none_that_is_not_listed() {
        assert_eq!(found(Some(Provider::OpenAi), "gpt-unknown"), None);
        assert_eq!(
            found(Some(Provider::Anthropic), "*"),
            Some("anthropic/*@2026-11-01".to_owned())
        );
    }

    #[test]
    fn a_price_changes_on_its_day() {
        let argon = |day: &str| {
            let at = WallTime::from_day(day).expect("a day");
            let book = PriceBook::bundled();
            let price = book.find(&backend(), Some(Provider::Google), "gemini-4-argon", at);
            price.map(|price| price.terms.rates.of(Meter::Output))
        };
        assert_eq!(argon("2026-11-30"), Some(Some(Rate::new(10_000_000_000))));
        assert_eq!(argon("2026-12-01"), Some(Some(Rate::new(20_000_000_000))));
        assert_eq!(argon("2026-10-31"), None);
        let book = PriceBook::bundled();
        let first = book.find_among(&backend(), Some(Provider::Google), "gemini-4-argon", |rows| {
            valid_or_first_row(rows, WallTime::default())
        });
        assert_eq!(
            first.as_ref().map(|price| price.id.as_str()),
            Some("google/gemini-4-argon@2026-11-01")
        );
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
    fn a_backends_price_stands_before_the_list_in_what_it_states() {
        let declared = |model: &str, meter, nanos| {
            let rates = PriceTerms::flat(Rates::from_iter([(meter, Rate::new(nanos))]));
            Price::declared(&backend(), model, rates, NOW)
        };
        let rates = |book: &PriceBook, model: &str| {
            let found = book.find(&backend(), Some(Provider::OpenAi), model, NOW);
            let of = |meter| found.as_ref()?.terms.rates.of(meter).map(Rate::nanos_per_million);
            [Meter::Input, Meter::Output, Meter::Image].map(of)
        };
        let list = PriceBook::bundled();
        let [input, output, _] = rates(&list, "gpt-4.1");
        assert!(input.is_some() && output.is_some());
        let one = list.with_price(declared("gpt-4.1", Meter::Input, 7));
        assert_eq!(rates(&one, "gpt-4.1"), [Some(7), output, None]);
        assert_eq!(rates(&one, "gpt-4.1-2025-04-14"), [input, output, None], "another name");
        let all = one.with_price(declared(Price::EVERY_MODEL, Meter::Image, 5));
        assert_eq!(rates(&all, "gpt-4.1"), [Some(7), output, Some(5)]);
        // Calls alone are no price of a model that nothing else knows.
        assert_eq!(rates(&all, "unheard-of"), [None, None, None]);
        let priced = all.with_price(declared(Price::EVERY_MODEL, Meter::Input, 3));
        assert_eq!(rates(&priced, "unheard-of"), [Some(3), None, None]);
    }

    #[test]
    fn a_late_price_completes_what_was_known_at_the_time() {
        let rates = PriceTerms::flat(Rates::from_iter([(Meter::WebSearch, Rate::new(9))]));
        let later = NOW.plus_ms(1);
        let book =
            PriceBook::bundled().with_price(Price::declared(&backend(), "gpt-4.1", rates, later));
        let searches = |price: Option<Cow<'_, Price>>| {
            let price = price.expect("a price");
            assert!(price.terms.rates.of(Meter::Input).is_some());
            price.terms.rates.of(Meter::WebSearch)
        };
        let openai = Some(Provider::OpenAi);
        let listed = searches(book.find(&backend(), openai, "gpt-4.1", NOW));
        assert_ne!(listed, Some(Rate::new(9)));
        let late = searches(
            book.find_among(&backend(), openai, "gpt-4.1", |rows| valid_or_first_row(rows, NOW)),
        );
        assert_eq!(late, Some(Rate::new(9)));
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
