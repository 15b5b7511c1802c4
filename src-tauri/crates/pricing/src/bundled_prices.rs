//! Bundled prices and output limits, as one table to review.
//!
//! Standard tier, text, US dollars. Batch, flex and priority tiers, audio, images, search calls and
//! regional surcharges are left out: a backend that uses them declares its own prices. Ids that
//! move between models (`…-latest`) are left out too, since their price changes unannounced.
//!
//! A changed price is a new row with a new date and an end for the old one, never an edit.
//!
//! Output limits are listed only where the dialect requires one per request, which is Anthropic's.

use domain::{Meter, WallTime};

use crate::price::format_price_id;
use crate::{Price, PriceConfidence, PriceOwner, PriceTerms, Provider, Rate, Rates, RatesAbove};

/// Date since which the rows below are known to hold, and its midnight in UTC. The ledger records
/// only its own traffic, so no older price is needed.
const LISTED_SINCE: (&str, WallTime) = ("2026-11-01", WallTime::from_unix_ms(1_793_491_200_000));

/// Marks a class of tokens without a listed price. Using it makes a request unpriced.
const NONE: i64 = -1;

/// Every bundled price.
#[must_use]
pub fn bundled_prices() -> Vec<Price> {
    let providers = [Provider::OpenAi, Provider::Anthropic, Provider::Google];
    let prices = |provider| table(provider).iter().map(move |row| row.price(provider));
    providers.into_iter().flat_map(prices).collect()
}

impl Provider {
    /// Most tokens that `model` writes in one answer, thinking included. Accepts the exact id or
    /// its documented dated alias, with or without the prefix `anthropic/` of other gateways.
    /// `None` if unknown; only Anthropic's models are known, since only that dialect requires a
    /// limit. Scans some twenty rows, so no map is built at start.
    #[must_use]
    pub fn output_tokens_max(self, model: &str) -> Option<u64> {
        let bare = model.strip_prefix(self.word()).and_then(|rest| rest.strip_prefix('/'));
        let model = bare.unwrap_or(model);
        listed_output_tokens_max(self, model)
            .or_else(|| listed_output_tokens_max(self, self.documented_alias(model)?))
    }
}

fn listed_output_tokens_max(provider: Provider, model: &str) -> Option<u64> {
    table(provider).iter().find(|row| row.model == model)?.output_tokens_max
}

fn table(provider: Provider) -> &'static [BundledPrice] {
    match provider {
        Provider::Mock => &[],
        Provider::OpenAi => OPENAI,
        Provider::Anthropic => ANTHROPIC,
        Provider::Google => GOOGLE,
    }
}

/// Micro-dollars per million tokens: input, cache read, five-minute cache write, one-hour cache
/// write, output. OpenAI's only kind of cache write uses the five-minute column.
type RateFigures = [i64; 5];

struct BundledPrice {
    model: &'static str,
    figures: RateFigures,
    long: Option<(u64, RateFigures)>,
    output_tokens_max: Option<u64>,
}

const fn row(model: &'static str, figures: RateFigures) -> BundledPrice {
    BundledPrice { model, figures, long: None, output_tokens_max: None }
}

impl BundledPrice {
    /// Sets the rates for requests with more than `input_tokens` of input.
    const fn rates_above(mut self, input_tokens: u64, figures: RateFigures) -> Self {
        self.long = Some((input_tokens, figures));
        self
    }

    /// Sets the most tokens of one answer, thinking included, from
    /// <https://platform.claude.com/docs/en/about-claude/models/overview> by way of the catalogue.
    const fn output_limit(mut self, output_tokens_max: u64) -> Self {
        self.output_tokens_max = Some(output_tokens_max);
        self
    }

    fn price(&self, provider: Provider) -> Price {
        let source = match provider {
            Provider::Mock => "",
            Provider::OpenAi => "https://openai.com/api/pricing",
            Provider::Anthropic => "https://www.anthropic.com/pricing",
            Provider::Google => "https://ai.google.dev/gemini-api/docs/pricing",
        };
        let (date, valid_from) = LISTED_SINCE;
        let place = PriceOwner::Provider(provider);
        Price {
            id: format_price_id(&place, self.model, date),
            owner: place,
            model: self.model.to_owned(),
            terms: PriceTerms {
                above: self.long.map(|(input_tokens, figures)| RatesAbove {
                    input_tokens,
                    rates: rates(figures),
                }),
                ..PriceTerms::flat(rates(self.figures))
            },
            valid_from,
            valid_to: None,
            source: source.to_owned(),
            confidence: PriceConfidence::Listed,
        }
    }
}

fn rates(figures: RateFigures) -> Rates {
    let meters =
        [Meter::Input, Meter::CacheRead, Meter::CacheWrite5m, Meter::CacheWrite1h, Meter::Output];
    let listed = meters.into_iter().zip(figures).filter(|(_, micros)| *micros != NONE);
    listed.map(|(meter, micros)| (meter, Rate::new(micros * 1_000))).collect()
}

const OPENAI: &[BundledPrice] = &[
    row("gpt-6.1-sol", [2_000_000, 100_000, 2_500_000, NONE, 10_000_000])
        .rates_above(272_000, [4_000_000, 200_000, 5_000_000, NONE, 15_000_000]),
    row("gpt-6-astra", [10_000_000, 1_000_000, 12_500_000, NONE, 50_000_000])
        .rates_above(272_000, [20_000_000, 2_000_000, 25_000_000, NONE, 75_000_000]),
    row("gpt-6-sol", [2_000_000, 200_000, 2_500_000, NONE, 10_000_000])
        .rates_above(272_000, [4_000_000, 400_000, 5_000_000, NONE, 15_000_000]),
    row("gpt-6-luna", [100_000, 10_000, 125_000, NONE, 500_000])
        .rates_above(272_000, [200_000, 20_000, 250_000, NONE, 750_000]),
    row("gpt-5.6", [4_000_000, 400_000, 5_000_000, NONE, 20_000_000])
        .rates_above(272_000, [8_000_000, 800_000, 10_000_000, NONE, 30_000_000]),
    row("gpt-5.6-sol", [4_000_000, 400_000, 5_000_000, NONE, 20_000_000])
        .rates_above(272_000, [8_000_000, 800_000, 10_000_000, NONE, 30_000_000]),
    row("gpt-5.6-terra", [2_000_000, 200_000, 2_500_000, NONE, 12_000_000])
        .rates_above(272_000, [4_000_000, 400_000, 5_000_000, NONE, 18_000_000]),
    row("gpt-5.6-luna", [200_000, 20_000, 250_000, NONE, 1_200_000])
        .rates_above(272_000, [400_000, 40_000, 500_000, NONE, 1_800_000]),
    row("gpt-5.5", [5_000_000, 500_000, NONE, NONE, 30_000_000])
        .rates_above(272_000, [10_000_000, 1_000_000, NONE, NONE, 45_000_000]),
    row("gpt-5.5-pro", [30_000_000, NONE, NONE, NONE, 180_000_000])
        .rates_above(272_000, [60_000_000, NONE, NONE, NONE, 270_000_000]),
    row("gpt-5.4", [2_500_000, 250_000, NONE, NONE, 15_000_000])
        .rates_above(272_000, [5_000_000, 500_000, NONE, NONE, 22_500_000]),
    row("gpt-5.4-pro", [30_000_000, NONE, NONE, NONE, 180_000_000])
        .rates_above(272_000, [60_000_000, NONE, NONE, NONE, 270_000_000]),
    row("gpt-5.4-mini", [750_000, 75_000, NONE, NONE, 4_500_000]),
    row("gpt-5.4-nano", [200_000, 20_000, NONE, NONE, 1_250_000]),
    row("gpt-5.3-codex", [1_750_000, 175_000, NONE, NONE, 14_000_000]),
    row("gpt-5.2", [1_750_000, 175_000, NONE, NONE, 14_000_000]),
    row("gpt-5.2-pro", [21_000_000, NONE, NONE, NONE, 168_000_000]),
    row("gpt-5.1", [1_250_000, 125_000, NONE, NONE, 10_000_000]),
    row("gpt-5", [1_250_000, 125_000, NONE, NONE, 10_000_000]),
    row("gpt-5-pro", [15_000_000, NONE, NONE, NONE, 120_000_000]),
    row("gpt-5-mini", [250_000, 25_000, NONE, NONE, 2_000_000]),
    row("gpt-5-nano", [50_000, 5_000, NONE, NONE, 400_000]),
    row("gpt-4.1", [2_000_000, 500_000, NONE, NONE, 8_000_000]),
    row("gpt-4.1-mini", [400_000, 100_000, NONE, NONE, 1_600_000]),
    row("gpt-4.1-nano", [100_000, 25_000, NONE, NONE, 400_000]),
    row("gpt-4o", [2_500_000, 1_250_000, NONE, NONE, 10_000_000]),
    row("gpt-4o-2024-05-13", [5_000_000, NONE, NONE, NONE, 15_000_000]),
    row("gpt-4o-mini", [150_000, 75_000, NONE, NONE, 600_000]),
    row("o1", [15_000_000, 7_500_000, NONE, NONE, 60_000_000]),
    row("o3", [2_000_000, 500_000, NONE, NONE, 8_000_000]),
    row("o3-mini", [1_100_000, 550_000, NONE, NONE, 4_400_000]),
    row("o3-pro", [20_000_000, NONE, NONE, NONE, 80_000_000]),
    row("o4-mini", [1_100_000, 275_000, NONE, NONE, 4_400_000]),
    row("gpt-4-turbo", [10_000_000, NONE, NONE, NONE, 30_000_000]),
    row("gpt-3.5-turbo", [500_000, NONE, NONE, NONE, 1_500_000]),
    row("text-embedding-3-large", [130_000, NONE, NONE, NONE, NONE]),
    row("text-embedding-3-small", [20_000, NONE, NONE, NONE, NONE]),
    row("text-embedding-ada-002", [100_000, NONE, NONE, NONE, NONE]),
];

const ANTHROPIC: &[BundledPrice] = &[
    row("claude-fable-5-1", [10_000_000, 250_000, 12_500_000, 20_000_000, 50_000_000])
        .output_limit(128_000),
    row("claude-fable-5", [10_000_000, 1_000_000, 12_500_000, 20_000_000, 50_000_000])
        .output_limit(128_000),
    row("claude-opus-5-5", [4_000_000, 200_000, 5_000_000, 8_000_000, 20_000_000])
        .output_limit(128_000),
    row("claude-opus-5", [5_000_000, 500_000, 6_250_000, 10_000_000, 25_000_000])
        .output_limit(128_000),
    row("claude-opus-4-8", [5_000_000, 500_000, 6_250_000, 10_000_000, 25_000_000])
        .output_limit(128_000),
    row("claude-opus-4-7", [5_000_000, 500_000, 6_250_000, 10_000_000, 25_000_000])
        .output_limit(128_000),
    row("claude-opus-4-6", [5_000_000, 500_000, 6_250_000, 10_000_000, 25_000_000])
        .output_limit(128_000),
    row("claude-opus-4-5", [5_000_000, 500_000, 6_250_000, 10_000_000, 25_000_000])
        .output_limit(64_000),
    row("claude-sonnet-5-5", [2_000_000, 100_000, 2_500_000, 4_000_000, 10_000_000])
        .output_limit(128_000),
    row("claude-sonnet-5", [2_000_000, 200_000, 2_500_000, 4_000_000, 10_000_000])
        .output_limit(128_000),
    row("claude-sonnet-4-6", [3_000_000, 300_000, 3_750_000, 6_000_000, 15_000_000])
        .output_limit(128_000),
    row("claude-sonnet-4-5", [3_000_000, 300_000, 3_750_000, 6_000_000, 15_000_000])
        .output_limit(64_000),
    row("claude-haiku-5-5", [100_000, 10_000, 125_000, 200_000, 500_000])
        .rates_above(100_000, [500_000, 50_000, 625_000, 1_000_000, 2_500_000])
        .output_limit(128_000),
    row("claude-haiku-4-5", [1_000_000, 100_000, 1_250_000, 2_000_000, 5_000_000])
        .output_limit(64_000),
    row("claude-mythos-5-1", [10_000_000, 250_000, 12_500_000, 20_000_000, 50_000_000])
        .output_limit(128_000),
    row("claude-mythos-5", [10_000_000, 1_000_000, 12_500_000, 20_000_000, 50_000_000])
        .output_limit(128_000),
];

const GOOGLE: &[BundledPrice] = &[
    row("gemini-4-argon", [2_000_000, 100_000, NONE, NONE, 10_000_000]),
    row("gemini-3.8-flash", [750_000, 75_000, NONE, NONE, 3_750_000]),
    row("gemini-3.7-flash", [750_000, 75_000, NONE, NONE, 3_750_000]),
    row("gemini-3.6-flash", [750_000, 75_000, NONE, NONE, 3_750_000]),
    row("gemini-3.5-flash", [1_500_000, 150_000, NONE, NONE, 9_000_000]),
    row("gemini-3.5-flash-lite", [300_000, 30_000, NONE, NONE, 2_500_000]),
    row("gemini-3.1-pro-preview", [2_000_000, 200_000, NONE, NONE, 12_000_000])
        .rates_above(200_000, [4_000_000, 400_000, NONE, NONE, 18_000_000]),
    row("gemini-3.1-flash-lite", [250_000, 25_000, NONE, NONE, 1_500_000]),
    row("gemini-3-flash-preview", [500_000, 50_000, NONE, NONE, 3_000_000]),
    row("gemini-2.5-pro", [1_250_000, 125_000, NONE, NONE, 10_000_000])
        .rates_above(200_000, [2_500_000, 250_000, NONE, NONE, 15_000_000]),
    row("gemini-2.5-flash", [300_000, 30_000, NONE, NONE, 2_500_000]),
    row("gemini-2.5-flash-lite", [100_000, 10_000, NONE, NONE, 400_000]),
    row("gemini-embedding-001", [150_000, NONE, NONE, NONE, NONE]),
    row("gemini-embedding-2", [200_000, NONE, NONE, NONE, NONE]),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_is_complete_unique_and_costs_something() {
        let rows = bundled_prices();
        let ids: HashSet<_> = rows.iter().map(|price| price.id.as_str()).collect();
        assert_eq!(ids.len(), rows.len());
        for price in &rows {
            let rate = |meter| price.terms.rates.of(meter);
            assert!(rate(Meter::Input) > Some(Rate::new(0)), "{}", price.id);
            assert!(price.source.starts_with("https://"), "{}", price.id);
            let cheaper_read =
                rate(Meter::CacheRead).is_none_or(|it| Some(it) < rate(Meter::Input));
            assert!(cheaper_read, "{}: reading a cache costs more than not", price.id);
            let write = rate(Meter::CacheWrite1h);
            let dearer_write = write.is_none_or(|it| Some(it) > rate(Meter::Input));
            assert!(dearer_write, "{}: writing a cache costs less than not", price.id);
            if let Some(long) = &price.terms.above {
                let is_dearer = |meter| long.rates.of(meter) > rate(meter);
                assert!(is_dearer(Meter::Input) && is_dearer(Meter::Output), "{}", price.id);
            }
        }
        let listed =
            rows.iter().filter(|price| price.confidence == PriceConfidence::Listed).count();
        assert!(listed >= 25, "{listed}");
    }

    #[test]
    fn every_model_whose_dialect_demands_a_limit_has_one() {
        for row in ANTHROPIC {
            let most = row.output_tokens_max.expect(row.model);
            assert!((64_000..=128_000).contains(&most), "{}: {most}", row.model);
        }
    }

    #[test]
    fn the_date_and_its_moment_agree() {
        let (date, moment) = LISTED_SINCE;
        assert_eq!(moment.to_rfc3339(), format!("{date}T00:00:00.000Z"));
    }
}
