//! More of anything never costs less, whatever the tier, the region and the prices are.
//!
//! A context threshold changes the rates of the whole request. Across it the rule holds for every
//! price whose rates above are not lower than those below; the bundled prices are of that kind.

use std::iter;

use domain::{BackendId, Meter, MeteredUsage, NanoUsd, PriceTier, Unit, Usage, WallTime};
use pricing::{Factor, Price, PriceTerms, Rate, Rates, RatesAbove, TierTerms, bundled_prices};
use proptest::prelude::*;

const THRESHOLD: u64 = 200_000;
const REGIONS: [&str; 2] = ["us", "eu"];

fn cost(terms: &PriceTerms, usage: &Usage) -> Option<NanoUsd> {
    let backend = BackendId::new("home").ok()?;
    let price = Price::declared(&backend, "m", terms.clone(), WallTime::default());
    price.invoice(usage).1.ok()
}

fn any_meter() -> impl Strategy<Value = Meter> {
    prop::sample::select(Meter::ALL)
}

fn any_rates() -> impl Strategy<Value = Rates> {
    let rate = (0_i64..=100_000_000_000_000).prop_map(Rate::new);
    let rates = prop::collection::vec(rate, Meter::ALL.len());
    rates.prop_map(|rates| Meter::ALL.iter().copied().zip(rates).collect())
}

/// Rates of which none is lower than that of `rates`.
fn at_least(rates: &Rates, more: &Rates) -> Rates {
    rates
        .iter()
        .map(|(meter, rate)| (meter, more.of(meter).map_or(rate, |it| it.max(rate))))
        .collect()
}

/// A price with every tier and region; above the threshold nothing is cheaper.
fn any_terms() -> impl Strategy<Value = PriceTerms> {
    let terms = (any_rates(), any_rates()).prop_map(|(rates, more)| {
        let above = RatesAbove { input_tokens: THRESHOLD, rates: at_least(&rates, &more) };
        TierTerms { rates, above: Some(above) }
    });
    let tiers = prop::collection::vec(terms, PriceTier::ALL.len());
    let regions = prop::collection::vec(0_u32..=5_000, REGIONS.len());
    (tiers, regions).prop_map(|(terms, factors)| {
        let mut tiers: std::collections::BTreeMap<_, _> =
            PriceTier::ALL.iter().copied().zip(terms).collect();
        let standard = tiers.remove(&PriceTier::Standard).unwrap_or_default();
        let factors = factors.into_iter().map(Factor::from_permille);
        PriceTerms {
            rates: standard.rates,
            above: standard.above,
            tiers,
            regions: REGIONS.map(str::to_owned).into_iter().zip(factors).collect(),
        }
    })
}

fn any_usage() -> impl Strategy<Value = Usage> {
    let counts = prop::collection::vec((any_meter(), 0_u64..=120_000), 0..8);
    let tier = prop::sample::select(PriceTier::ALL);
    let region = prop::option::of(prop::sample::select(REGIONS.as_slice()));
    (counts, tier, region).prop_map(|(counts, tier, region)| Usage {
        // Terms with a rate for seconds price only what counts them.
        quantities: counts.into_iter().chain([(Meter::Second, 1)]).collect::<MeteredUsage>(),
        tier,
        region: region.map(str::to_owned),
        ..Usage::default()
    })
}

fn with_more(usage: &Usage, meter: Meter, quantity: u64) -> Usage {
    let mut more = usage.clone();
    more.quantities.count(meter, quantity);
    more
}

fn is_long(usage: &Usage) -> bool {
    usage.tokens().input() > THRESHOLD
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn more_of_a_meter_never_costs_less(
        terms in any_terms(),
        usage in any_usage(),
        meter in any_meter(),
        quantity in 0_u64..=400_000,
    ) {
        let more = with_more(&usage, meter, quantity);
        // Past what any request can cost the cost is unknown, never lower.
        if let (Some(less), Some(more)) = (cost(&terms, &usage), cost(&terms, &more)) {
            prop_assert!(less <= more, "{usage:?} and {quantity} of {meter}: {less} > {more}");
        }
    }

    /// Without the order of the rates, on the same side of the threshold.
    #[test]
    fn below_and_above_the_threshold_alone_any_rates_will_do(
        terms in any_terms(),
        above in any_rates(),
        usage in any_usage(),
        meter in any_meter(),
        quantity in 0_u64..=400_000,
    ) {
        let above = Some(RatesAbove { input_tokens: THRESHOLD, rates: above });
        let terms = PriceTerms { above, ..terms };
        let usage = Usage { tier: PriceTier::Standard, ..usage };
        let more = with_more(&usage, meter, quantity);
        prop_assume!(is_long(&usage) == is_long(&more));
        if let (Some(less), Some(more)) = (cost(&terms, &usage), cost(&terms, &more)) {
            prop_assert!(less <= more);
        }
    }

    /// However long they are together.
    #[test]
    fn an_answer_of_several_calls_costs_what_they_cost_alone(
        terms in any_terms(),
        first in any_usage(),
        others in prop::collection::vec(any_usage(), 0..4),
    ) {
        let alike = |usage: &Usage| {
            let mut usage = Usage { tier: first.tier, region: first.region.clone(), ..usage.clone() };
            usage.quantities.set(Meter::Request, 1);
            usage
        };
        let calls: Vec<Usage> = iter::once(&first).chain(&others).map(alike).collect();
        let inner_calls: Vec<_> = calls.iter().skip(1).map(|call| call.quantities).collect();
        let alone: Option<NanoUsd> = calls.iter().map(|call| cost(&terms, call)).sum();
        let quantities = calls.iter().fold(MeteredUsage::default(), |sum, call| sum + call.quantities);
        let together = Usage { quantities, inner_calls, ..alike(&first) };
        if let (Some(alone), Some(together)) = (alone, cost(&terms, &together)) {
            prop_assert_eq!(alone, together);
        }
    }

    #[test]
    fn a_cost_that_is_known_stays_known_with_less(
        terms in any_terms(),
        usage in any_usage(),
        meter in any_meter(),
        quantity in 0_u64..=400_000,
    ) {
        let more = with_more(&usage, meter, quantity);
        if cost(&terms, &more).is_some() {
            prop_assert!(cost(&terms, &usage).is_some());
        }
    }

    #[test]
    fn bundled_prices_never_fall_with_use(
        place in any::<prop::sample::Index>(),
        counts in prop::collection::vec(0_u64..=600_000, Meter::ALL.len()),
        meter in any_meter(),
        quantity in 0_u64..=600_000,
    ) {
        let prices: Vec<_> = bundled_prices().collect();
        let price = place.get(&prices);
        for tier in PriceTier::ALL.iter().copied() {
            // Only what the price has a rate for.
            let rated = |(meter, _): &(Meter, u64)| {
                cost(&price.terms, &with_more(&Usage { tier, ..Usage::default() }, *meter, 1)).is_some()
            };
            let counted = Meter::ALL.iter().copied().zip(counts.iter().copied()).filter(rated);
            let usage = Usage { tier, quantities: counted.collect(), ..Usage::default() };
            let more = with_more(&usage, meter, quantity);
            if let (Some(less), Some(more)) = (cost(&price.terms, &usage), cost(&price.terms, &more)) {
                prop_assert!(less <= more, "{} {tier}: {usage:?}, {quantity} of {meter}", price.id);
            }
        }
    }
}

/// A threshold may make a request cheaper only where somebody wrote such a price.
#[test]
fn bundled_rates_above_a_threshold_are_not_lower() {
    for price in bundled_prices() {
        let PriceTerms { rates, above, tiers, .. } = &price.terms;
        let standard = above.iter().map(|above| (rates, above));
        let others =
            tiers.values().flat_map(|it| it.above.iter().map(move |above| (&it.rates, above)));
        for (below, above) in standard.chain(others) {
            for (meter, rate) in below.iter() {
                let long = above.rates.of(meter);
                assert!(long.is_none_or(|long| long >= rate), "{}: {meter}", price.id);
            }
        }
    }
}

/// With such a price the cost falls once, at the threshold, and the invoice says why: its rates.
#[test]
fn a_cheaper_rate_above_the_threshold_lowers_the_cost_there() {
    let rates = |nanos| [(Meter::Input, Rate::new(nanos))].into_iter().collect::<Rates>();
    let above = RatesAbove { input_tokens: THRESHOLD, rates: rates(1_000_000) };
    let terms = PriceTerms { above: Some(above), ..PriceTerms::flat(rates(2_000_000)) };
    let of = |quantity| cost(&terms, &with_more(&Usage::default(), Meter::Input, quantity));
    assert_eq!(of(THRESHOLD), Some(NanoUsd::new(400_000)));
    assert_eq!(of(THRESHOLD + 1), Some(NanoUsd::new(200_001)));
    let tokens = Meter::ALL.iter().filter(|meter| meter.unit() == Unit::Tokens);
    assert!(tokens.count() > 6, "every meter is in these tests");
}
