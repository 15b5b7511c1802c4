//! The bundled prices, one file of the program's own format for each provider, and output limits.
//!
//! The files list what the vendors' pages list, with the page and the day on each row. Left out are
//! ids that move between models (`…-latest`), since their price changes unannounced, and prices that
//! no row can say, such as those that depend on the time of day. A changed price is a new row with
//! a new day and an end for the old one, never an edit.
//!
//! A file is read when its provider is asked for, so that a start reads none.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::OnceLock;

use domain::WallTime;

use crate::{Price, PriceFileValue, Provider, read_price_file};

/// The rows of a provider by model, the oldest first.
pub(crate) type PriceRows = HashMap<String, Vec<Price>>;

static LISTED: [OnceLock<PriceRows>; Provider::ALL.len()] =
    [const { OnceLock::new() }; Provider::ALL.len()];

/// The day on which the lists were last written. Changes with them.
const AS_OF_DAY: &str = "2026-11-23";

/// The day of the bundled lists.
#[must_use]
pub fn bundled_as_of() -> WallTime {
    // A test reads the day; the epoch would count as very old.
    WallTime::from_day(AS_OF_DAY).unwrap_or(WallTime::from_unix_ms(0))
}

/// Every bundled price. Reads all files that have not been read yet.
pub fn bundled_prices() -> impl Iterator<Item = &'static Price> {
    Provider::ALL
        .iter()
        .filter_map(|provider| listed_prices(*provider))
        .flat_map(HashMap::values)
        .flatten()
}

/// Tells one state of the bundled prices from another. Parses no file.
#[must_use]
pub fn bundled_fingerprint() -> String {
    let mut hasher = DefaultHasher::new();
    Provider::ALL.iter().for_each(|provider| price_file(*provider).hash(&mut hasher));
    format!("{:016x}", hasher.finish())
}

/// The bundled price with this [`Price::id`].
#[must_use]
pub fn bundled_price(id: &str) -> Option<&'static Price> {
    let (provider, rest) = id.split_once('/')?;
    let (model, _) = rest.rsplit_once('@')?;
    let rows = listed_prices(provider.parse().ok()?)?;
    rows.get(model)?.iter().find(|price| price.id == id)
}

/// The list prices of `provider` for single models.
pub fn listed_by(provider: Provider) -> impl Iterator<Item = &'static Price> {
    let rows = listed_prices(provider).into_iter().flat_map(HashMap::values).flatten();
    rows.filter(|price| price.model != Price::EVERY_MODEL)
}

/// The list prices of `provider`; `None` if none are bundled.
pub(crate) fn listed_prices(provider: Provider) -> Option<&'static PriceRows> {
    let rows = LISTED.get(provider as usize)?;
    Some(rows.get_or_init(|| read_rows(price_file(provider))))
}

fn read_rows(text: &str) -> PriceRows {
    let Ok((_, file)) = read_price_file(text) else { return PriceRows::new() };
    let mut rows = PriceRows::new();
    for row in file.rows {
        if let (PriceFileValue::Terms(terms), Some(from)) = (row.value, row.from) {
            let price = Price::listed(row.owner, &row.model, terms, from, row.until, row.source);
            rows.entry(row.model).or_default().push(price);
        }
    }
    complete(&mut rows);
    rows
}

/// Gives every row the rates that all models share, and every tier the prices of calls.
fn complete(rows: &mut PriceRows) {
    let shared = rows.get(Price::EVERY_MODEL).and_then(|rows| rows.last());
    let shared = shared.map(|price| price.terms.rates.clone()).unwrap_or_default();
    let prices = rows.iter_mut().filter(|(model, _)| *model != Price::EVERY_MODEL);
    prices.flat_map(|(_, prices)| prices).for_each(|price| price.terms.share(&shared));
}

const fn price_file(provider: Provider) -> &'static str {
    match provider {
        Provider::Mock | Provider::Novita | Provider::Hyperbolic | Provider::DeepSeek => {
            "{\"prices\": []}"
        }
        Provider::Local => include_str!("../prices/local.json"),
        Provider::OpenAi => include_str!("../prices/openai.json"),
        Provider::Anthropic => include_str!("../prices/anthropic.json"),
        Provider::Google => include_str!("../prices/google.json"),
        Provider::Mistral => include_str!("../prices/mistral.json"),
        Provider::Groq => include_str!("../prices/groq.json"),
        Provider::XAi => include_str!("../prices/xai.json"),
        Provider::Together => include_str!("../prices/together.json"),
        Provider::Fireworks => include_str!("../prices/fireworks.json"),
        Provider::Cerebras => include_str!("../prices/cerebras.json"),
        Provider::DeepInfra => include_str!("../prices/deepinfra.json"),
        Provider::Cohere => include_str!("../prices/cohere.json"),
        Provider::Moonshot => include_str!("../prices/moonshot.json"),
        Provider::MiniMax => include_str!("../prices/minimax.json"),
        Provider::Zai => include_str!("../prices/zai.json"),
        Provider::Alibaba => include_str!("../prices/alibaba.json"),
        Provider::Nebius => include_str!("../prices/nebius.json"),
        Provider::SambaNova => include_str!("../prices/sambanova.json"),
        Provider::Friendli => include_str!("../prices/friendli.json"),
        Provider::Inception => include_str!("../prices/inception.json"),
        Provider::Baseten => include_str!("../prices/baseten.json"),
        Provider::WandB => include_str!("../prices/wandb.json"),
        Provider::Perplexity => include_str!("../prices/perplexity.json"),
    }
}

/// Most tokens of one answer, thinking included, from
/// <https://platform.claude.com/docs/en/about-claude/models/overview> by way of the catalogue.
/// Listed only where the dialect requires a limit in each request, which is Anthropic's.
const OUTPUT_TOKENS_MAX: &[(&str, u64)] = &[
    ("claude-fable-5-1", 128_000),
    ("claude-fable-5", 128_000),
    ("claude-opus-5-5", 128_000),
    ("claude-opus-5", 128_000),
    ("claude-opus-4-8", 128_000),
    ("claude-opus-4-7", 128_000),
    ("claude-opus-4-6", 128_000),
    ("claude-opus-4-5", 64_000),
    ("claude-sonnet-5-5", 128_000),
    ("claude-sonnet-5", 128_000),
    ("claude-sonnet-4-6", 128_000),
    ("claude-sonnet-4-5", 64_000),
    ("claude-haiku-5-5", 128_000),
    ("claude-haiku-4-5", 64_000),
    ("claude-mythos-5-1", 128_000),
    ("claude-mythos-5", 128_000),
];

impl Provider {
    /// Most tokens that `model` writes in one answer, thinking included. Accepts the exact id or
    /// its documented dated alias, with or without the prefix `anthropic/` of other gateways.
    /// `None` if unknown; only Anthropic's models are known.
    #[must_use]
    pub fn output_tokens_max(self, model: &str) -> Option<u64> {
        if self != Self::Anthropic {
            return None;
        }
        let bare = model.strip_prefix(self.word()).and_then(|rest| rest.strip_prefix('/'));
        let model = bare.unwrap_or(model);
        let limit = |name: &str| {
            OUTPUT_TOKENS_MAX.iter().find(|(known, _)| *known == name).map(|(_, most)| *most)
        };
        limit(model).or_else(|| limit(self.documented_alias(model)?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use domain::{Meter, PriceTier};

    use super::*;
    use crate::{PriceConfidence, PriceOwner, Rate};

    #[test]
    fn a_row_from_after_the_day_of_the_lists_is_an_announced_change() {
        let as_of = bundled_as_of();
        assert_eq!(WallTime::from_day(AS_OF_DAY), Some(as_of));
        let mut announced = 0;
        for price in bundled_prices().filter(|price| price.valid_from > as_of) {
            let ends = |row: &&Price| row.owner == price.owner && row.model == price.model;
            let ends_then = |row: &Price| row.valid_to == Some(price.valid_from);
            assert!(bundled_prices().filter(ends).any(ends_then), "{}", price.id);
            announced += 1;
        }
        assert!(announced > 0, "such rows exist, so this test sees them");
    }

    #[test]
    fn every_file_is_read_whole_and_names_its_own_provider() {
        let mut listing = 0;
        for provider in Provider::ALL {
            let text = price_file(*provider);
            let (_, file) = read_price_file(text).expect("a price list");
            assert_eq!(file.problems, [], "{provider}");
            let owner = PriceOwner::Provider(*provider);
            assert!(file.rows.iter().all(|row| row.owner == owner), "{provider}");
            listing += usize::from(!file.rows.is_empty());
        }
        // With the servers on this machine.
        assert!(listing > 15, "{listing}");
    }

    #[test]
    fn every_row_is_complete_unique_and_costs_something() {
        let rows: Vec<&Price> = bundled_prices().collect();
        let ids: HashSet<_> = rows.iter().map(|price| price.id.as_str()).collect();
        assert_eq!(ids.len(), rows.len());
        for price in &rows {
            assert_eq!(bundled_price(&price.id), Some(*price));
            assert_eq!(price.confidence, PriceConfidence::Listed);
            let is_local = price.owner == PriceOwner::Provider(Provider::Local);
            assert!(price.source.starts_with("https://") || is_local, "{}", price.id);
            if price.model == Price::EVERY_MODEL {
                continue;
            }
            let rate = |meter| price.terms.rates.of(meter);
            let is_free = ["glm-4.7-flash", "glm-4.5-flash"].contains(&price.model.as_str());
            assert!(rate(Meter::Input) > Some(Rate::new(0)) || is_free, "{}", price.id);
            let cheaper_read =
                rate(Meter::CacheRead).is_none_or(|it| Some(it) <= rate(Meter::Input));
            assert!(cheaper_read, "{}: reading a cache costs more than not", price.id);
            let write = rate(Meter::CacheWrite1h);
            let dearer_write = write.is_none_or(|it| Some(it) > rate(Meter::Input));
            assert!(dearer_write, "{}: writing a cache costs less than not", price.id);
            if let Some(above) = &price.terms.above {
                assert!(above.rates.of(Meter::Input) > rate(Meter::Input), "{}", price.id);
            }
        }
        assert!(rows.len() >= 400, "{}", rows.len());
    }

    #[test]
    fn a_price_that_ends_has_a_successor_from_that_day_on() {
        let ended: Vec<&Price> =
            bundled_prices().filter(|price| price.valid_to.is_some()).collect();
        for price in &ended {
            let mut others = bundled_prices()
                .filter(|other| (&other.owner, &other.model) == (&price.owner, &price.model));
            assert!(others.any(|other| Some(other.valid_from) == price.valid_to), "{}", price.id);
        }
        let models: HashSet<_> = ended.iter().map(|price| price.model.as_str()).collect();
        assert!(models.is_superset(&HashSet::from(["gemini-4-argon", "gemini-3.8-flash"])));
    }

    #[test]
    fn every_tier_has_the_prices_of_calls_that_all_models_share() {
        let sol = bundled_price("openai/gpt-6-sol@2026-11-01").expect("a price");
        let search = Some(Rate::new(10_000_000_000_000));
        assert_eq!(sol.terms.rates.of(Meter::WebSearch), search);
        assert_eq!(sol.terms.tiers[&PriceTier::Flex].rates.of(Meter::WebSearch), search);
        let above = sol.terms.above.as_ref().expect("a threshold");
        assert_eq!(above.rates.of(Meter::WebSearch), search);
    }

    #[test]
    fn every_model_whose_dialect_demands_a_limit_has_one() {
        let anthropic = listed_prices(Provider::Anthropic).expect("a list");
        for model in anthropic.keys().filter(|model| *model != Price::EVERY_MODEL) {
            let most = Provider::Anthropic.output_tokens_max(model).expect(model);
            assert!((64_000..=128_000).contains(&most), "{model}: {most}");
        }
    }

    #[test]
    fn the_days_of_a_price_are_those_of_its_id() {
        let argon = bundled_price("google/gemini-4-argon@2026-12-01").expect("a price");
        assert_eq!(Some(argon.valid_from), WallTime::from_day("2026-12-01"));
    }
}
