//! The terms of a price: rates by service tier and length of the input, and what a region adds.
//!
//! In JSON as in a price file:
//! `{"rates": {…}, "above": {"input_tokens": 272000, "rates": {…}}, "tiers": {"flex": {"rates": {…}}},
//! "regions": {"us": 1.1}}`.

use std::collections::BTreeMap;
use std::iter;

use domain::{Meter, MeteredUsage, NanoUsd, PriceTier, Unit, Usage};
use serde::{Deserialize, Serialize};

use crate::{LineItem, Rates, Unpriced, UnpricedReason};

/// What a model costs at one place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTerms {
    pub rates: Rates,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<RatesAbove>,
    /// Rates of the tiers other than standard; nothing of the standard tier applies to them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tiers: BTreeMap<PriceTier, TierTerms>,
    /// What the tokens cost in a region, as a factor: Anthropic's `us` is 1.1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub regions: BTreeMap<String, Factor>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierTerms {
    pub rates: Rates,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<RatesAbove>,
}

impl TierTerms {
    fn of(rates: &Rates, above: &Option<RatesAbove>) -> Self {
        Self { rates: rates.clone(), above: above.clone() }
    }

    fn over(&self, base: &Self) -> Self {
        let rates = self.rates.over(&base.rates);
        let above = match (&self.above, &base.above) {
            (None, None) => None,
            (None, Some(long)) => Some(RatesAbove {
                input_tokens: long.input_tokens,
                rates: self.rates.over(&long.rates),
            }),
            (Some(own), base) => {
                let base = base.as_ref().filter(|base| base.input_tokens == own.input_tokens);
                let below = base.map_or_else(|| rates.clone(), |base| self.rates.over(&base.rates));
                let rates = own.rates.over(&below);
                Some(RatesAbove { input_tokens: own.input_tokens, rates })
            }
        };
        Self { rates, above }
    }
}

/// Other rates for the whole request once its input is long, as OpenAI and Google charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatesAbove {
    /// Applies if all input classes together exceed this many tokens.
    pub input_tokens: u64,
    pub rates: Rates,
}

/// A factor in thousandths; a decimal number in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Factor(u32);

impl Factor {
    #[must_use]
    pub const fn from_permille(permille: u32) -> Self {
        Self(permille)
    }
}

/// `1.1`.
impl std::fmt::Display for Factor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", f64::from(*self))
    }
}

impl TryFrom<f64> for Factor {
    type Error = &'static str;

    fn try_from(factor: f64) -> Result<Self, Self::Error> {
        let permille = factor * 1_000.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 1,000,000, checked before"
        )]
        match (0.0..=1_000_000.0).contains(&permille) && (permille - permille.round()).abs() < 1e-6
        {
            true => Ok(Self(permille.round() as u32)),
            false => Err("a factor is between 0 and 1000 and has at most three decimals"),
        }
    }
}

impl From<Factor> for f64 {
    fn from(factor: Factor) -> Self {
        Self::from(factor.0) / 1_000.0
    }
}

impl PriceTerms {
    /// Terms with these rates and nothing else.
    #[must_use]
    pub fn flat(rates: Rates) -> Self {
        Self { rates, ..Self::default() }
    }

    /// A line for each meter that a call of `usage` counted, in order and call by call, and one for the
    /// answer itself if it has a rate. A line has no rate if its meter has none here.
    ///
    /// # Errors
    /// If the terms have no rates for the tier or the region of `usage`, or a rate for seconds that
    /// were not counted.
    pub(crate) fn lines(&self, usage: &Usage) -> Result<Vec<LineItem>, Unpriced> {
        let (short, above) = self.rates_of(usage.tier)?;
        let region = self.region_permille(usage)?;
        let mut calls = usage.calls();
        let rates_for = |call: &MeteredUsage| {
            let input = call.tokens().input();
            let long = above.as_ref().filter(|above| input > above.input_tokens);
            long.map_or(short, |above| &above.rates)
        };
        if let Some(first) = calls.first_mut() {
            let rates = rates_for(first);
            let costs = |meter| rates.of(meter).is_some_and(|rate| rate.nanos_per_million() > 0);
            if costs(Meter::Second) && usage.quantities.get(Meter::Second) == 0 {
                return Err(Unpriced::new(UnpricedReason::NotCounted, Meter::Second.word()));
            }
            let requests = usage.quantities.get(Meter::Request);
            if rates.of(Meter::Request).is_some() && requests == 0 {
                first.count(Meter::Request, 1);
            }
        }
        let lines = calls.iter().flat_map(|call| {
            let rates = rates_for(call);
            call.iter().map(move |(meter, quantity)| {
                let rate = rates.of(meter).map(|rate| match meter.unit() {
                    Unit::Tokens => rate.times_permille(region),
                    _ => rate,
                });
                LineItem::new(meter, quantity, rate)
            })
        });
        Ok(lines.collect())
    }

    fn rates_of(&self, tier: PriceTier) -> Result<(&Rates, &Option<RatesAbove>), Unpriced> {
        if tier == PriceTier::Standard {
            return Ok((&self.rates, &self.above));
        }
        let terms = self.tiers.get(&tier);
        let terms = terms.ok_or_else(|| Unpriced::new(UnpricedReason::UnknownTier, tier.word()))?;
        Ok((&terms.rates, &terms.above))
    }

    fn region_permille(&self, usage: &Usage) -> Result<u32, Unpriced> {
        let Some(region) = &usage.region else { return Ok(1_000) };
        let factor = self.regions.get(region);
        factor
            .map(|factor| factor.0)
            .ok_or_else(|| Unpriced::new(UnpricedReason::UnknownRegion, region))
    }

    /// Adds the rates that all models of a provider share. A call costs the same in every tier and
    /// however long the input is, unless a tier says otherwise.
    pub(crate) fn share(&mut self, shared: &Rates) {
        let rates = std::mem::take(&mut self.rates).or(shared);
        let calls = rates.of_calls();
        self.rates = rates;
        let tiers = self.tiers.values_mut();
        let above = tiers.flat_map(|tier| {
            iter::once(&mut tier.rates).chain(tier.above.as_mut().map(|above| &mut above.rates))
        });
        for rates in above.chain(self.above.as_mut().map(|above| &mut above.rates)) {
            *rates = std::mem::take(rates).or(&calls);
        }
    }

    /// These terms, and those of `base` for what they do not state: the rule by which a backend's own
    /// price stands before the price list, and a new one before the last.
    ///
    /// - A rate that is stated holds in its tier however long the input is, unless these terms have
    ///   rates for long input themselves.
    /// - A call, which counts no tokens, costs the same in every tier that says nothing else.
    /// - A tier or a region that is not stated is as in `base`.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        let own = [(PriceTier::Standard, TierTerms::of(&self.rates, &self.above))];
        let listed = [(PriceTier::Standard, TierTerms::of(&base.rates, &base.above))];
        let tiers = |first: [(PriceTier, TierTerms); 1], more: &BTreeMap<PriceTier, TierTerms>| {
            first.into_iter().chain(more.clone()).collect::<BTreeMap<_, _>>()
        };
        let (own, mut merged) = (tiers(own, &self.tiers), tiers(listed, &base.tiers));
        for tier in self.tiers.keys() {
            merged.entry(*tier).or_default();
        }
        let (own_calls, base_calls) = (self.rates.of_calls(), base.rates.of_calls());
        for (tier, terms) in &mut merged {
            if *tier != PriceTier::Standard {
                let rates = iter::once(&mut terms.rates)
                    .chain(terms.above.as_mut().map(|it| &mut it.rates));
                rates.for_each(|rates| *rates = own_calls.over(rates).or(&base_calls));
            }
            if let Some(stated) = own.get(tier) {
                *terms = stated.over(terms);
            }
        }
        let standard = merged.remove(&PriceTier::Standard).unwrap_or_default();
        let mut regions = base.regions.clone();
        regions.extend(self.regions.clone());
        Self { rates: standard.rates, above: standard.above, tiers: merged, regions }
    }

    /// All rates of tokens times a factor; those of calls stay.
    #[must_use]
    pub fn times(&self, factor: Factor) -> Self {
        let scale = |rates: &Rates| rates.tokens_times(factor.0).or(rates);
        let scale_above = |above: &Option<RatesAbove>| {
            above.as_ref().map(|above| RatesAbove {
                input_tokens: above.input_tokens,
                rates: scale(&above.rates),
            })
        };
        let tier = |(tier, terms): (&PriceTier, &TierTerms)| {
            (*tier, TierTerms { rates: scale(&terms.rates), above: scale_above(&terms.above) })
        };
        Self {
            rates: scale(&self.rates),
            above: scale_above(&self.above),
            tiers: self.tiers.iter().map(tier).collect(),
            regions: self.regions.clone(),
        }
    }

    /// The standard tier's terms times a factor, as some vendors price a faster tier.
    pub(crate) fn standard_times(&self, factor: Factor) -> TierTerms {
        let above = self.above.as_ref().map(|above| RatesAbove {
            input_tokens: above.input_tokens,
            rates: above.rates.tokens_times(factor.0),
        });
        TierTerms { rates: self.rates.tokens_times(factor.0), above }
    }

    /// See [`crate::Price::text_cost_max`].
    pub(crate) fn text_cost_max(&self, input_tokens: u64, output_tokens: u64) -> Option<NanoUsd> {
        let standard = short_text_cost(&self.rates, input_tokens, output_tokens)?;
        let others = self
            .tiers
            .values()
            .filter_map(|terms| short_text_cost(&terms.rates, input_tokens, output_tokens));
        let dearest = others.fold(standard, NanoUsd::max);
        let region = self.regions.values().map(|factor| factor.0).fold(1_000, u32::max);
        let nanos = i128::from(dearest.nanos()).saturating_mul(region.into());
        let nanos = (nanos + 999).div_euclid(1_000);
        Some(NanoUsd::new(i64::try_from(nanos).unwrap_or(i64::MAX)))
    }
}

/// Most that a request for text costs at these rates: its answer may be all text or all reasoning, and
/// providers that charge for each request do so once.
fn short_text_cost(rates: &Rates, input_tokens: u64, output_tokens: u64) -> Option<NanoUsd> {
    let costs =
        |meter: Meter| rates.listed(meter).is_some_and(|it| it.amount(1_000_000) > NanoUsd::ZERO);
    if [Meter::OutputAudio, Meter::OutputImage, Meter::OutputVideo].into_iter().any(costs) {
        return None;
    }
    let amount = |meter: Meter, quantity: u64| rates.of(meter).map(|rate| rate.amount(quantity));
    let written = amount(Meter::Output, output_tokens)?;
    let reasoned = amount(Meter::Reasoning, output_tokens).unwrap_or(NanoUsd::ZERO);
    let request = amount(Meter::Request, 1).unwrap_or(NanoUsd::ZERO);
    Some(amount(Meter::Input, input_tokens)? + written.max(reasoned) + request)
}

#[cfg(test)]
mod tests {
    use domain::TokenUsage;

    use super::*;

    const TERMS: &str = r#"{"rates":{"input":2,"output":10},"above":{"input_tokens":100,"rates":{"input":4,"output":15}},"tiers":{"flex":{"rates":{"input":1,"output":5}}},"regions":{"us":1.1}}"#;

    fn amounts(usage: &Usage) -> Result<Vec<Option<i64>>, Unpriced> {
        let terms: PriceTerms = serde_json::from_str(TERMS).expect("terms");
        let lines = terms.lines(usage)?;
        Ok(lines.iter().map(|line| line.amount.map(NanoUsd::nanos)).collect())
    }

    fn tokens(input_uncached: u64, output_visible: u64) -> Usage {
        TokenUsage { input_uncached, output_visible, ..TokenUsage::default() }.into()
    }

    #[test]
    fn terms_read_back_as_they_were_written() {
        let terms: PriceTerms = serde_json::from_str(TERMS).expect("terms");
        assert_eq!(serde_json::to_string(&terms).expect("JSON"), TERMS);
        for wrong in [r#"{"rates":{},"tier":{}}"#, r#"{"rates":{},"regions":{"us":1.00005}}"#, "{}"]
        {
            assert!(serde_json::from_str::<PriceTerms>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tier_length_and_region_choose_the_rate() {
        assert_eq!(amounts(&tokens(100, 1)), Ok(vec![Some(200_000), Some(10_000)]));
        assert_eq!(amounts(&tokens(101, 1)), Ok(vec![Some(404_000), Some(15_000)]));
        let flex = Usage { tier: PriceTier::Flex, ..tokens(101, 1) };
        assert_eq!(amounts(&flex), Ok(vec![Some(101_000), Some(5_000)]));
        let us = Usage { region: Some("us".to_owned()), ..tokens(1, 1) };
        assert_eq!(amounts(&us), Ok(vec![Some(2_200), Some(11_000)]));
    }

    #[test]
    fn own_terms_stand_before_a_list_in_what_they_state_and_in_nothing_else() {
        let check = |own: &str, base: &str, expected: &str| {
            let terms = |json: &str| serde_json::from_str::<PriceTerms>(json).expect("terms");
            let merged = terms(own).over(&terms(base));
            assert_eq!(
                serde_json::to_string(&merged).expect("JSON"),
                expected,
                "{own} over {base}"
            );
            assert_eq!(merged.over(&terms(base)), merged, "again");
        };
        let list = r#"{"rates":{"input":2,"output":10,"reasoning":12}}"#;
        check(r#"{"rates":{}}"#, list, list);
        check(
            r#"{"rates":{"web_search":10}}"#,
            list,
            r#"{"rates":{"input":2,"output":10,"reasoning":12,"web_search":10}}"#,
        );
        // Reasoning is priced as output, of which another price is stated.
        check(r#"{"rates":{"output":5}}"#, list, r#"{"rates":{"input":2,"output":5}}"#);
        check(
            r#"{"rates":{"input":1,"web_search":5},"tiers":{"flex":{"rates":{"output":3}},"batch":{"rates":{"input":7,"web_search":6}}},"regions":{"eu":1.2}}"#,
            TERMS,
            r#"{"rates":{"input":1,"output":10,"web_search":5},"above":{"input_tokens":100,"rates":{"input":1,"output":15,"web_search":5}},"tiers":{"flex":{"rates":{"input":1,"output":3,"web_search":5}},"batch":{"rates":{"input":7,"web_search":6}}},"regions":{"eu":1.2,"us":1.1}}"#,
        );
        check(
            r#"{"rates":{},"above":{"input_tokens":100,"rates":{"input":3}}}"#,
            TERMS,
            r#"{"rates":{"input":2,"output":10},"above":{"input_tokens":100,"rates":{"input":3,"output":15}},"tiers":{"flex":{"rates":{"input":1,"output":5}}},"regions":{"us":1.1}}"#,
        );
        // Another threshold has nothing of the list's long rates.
        check(
            r#"{"rates":{},"above":{"input_tokens":50,"rates":{"input":3}}}"#,
            TERMS,
            r#"{"rates":{"input":2,"output":10},"above":{"input_tokens":50,"rates":{"input":3,"output":10}},"tiers":{"flex":{"rates":{"input":1,"output":5}}},"regions":{"us":1.1}}"#,
        );
    }

    #[test]
    fn what_the_terms_do_not_name_has_no_price() {
        let priority = Usage { tier: PriceTier::Priority, ..tokens(1, 1) };
        assert_eq!(amounts(&priority), Err(Unpriced::new(UnpricedReason::UnknownTier, "priority")));
        let eu = Usage { region: Some("eu".to_owned()), ..tokens(1, 1) };
        assert_eq!(amounts(&eu), Err(Unpriced::new(UnpricedReason::UnknownRegion, "eu")));
        let mut search = tokens(1, 0);
        search.quantities.count(Meter::WebSearch, 1);
        assert_eq!(amounts(&search), Ok(vec![Some(2_000), None]));
    }

    #[track_caller]
    fn check_cost_max(terms: &str, expected_nanos: Option<i64>) {
        let terms: PriceTerms = serde_json::from_str(terms).expect("terms");
        assert_eq!(terms.text_cost_max(100, 10).map(NanoUsd::nanos), expected_nanos);
    }

    #[test]
    fn the_most_that_a_text_costs_is_of_the_dearest_tier_and_region() {
        check_cost_max(r#"{"rates":{"input":2,"output":10}}"#, Some(300_000));
        check_cost_max(r#"{"rates":{"input":2,"output":10,"reasoning":30}}"#, Some(500_000));
        check_cost_max(
            r#"{"rates":{"input":2,"output":10},"tiers":{"flex":{"rates":{"input":1,"output":5}},"priority":{"rates":{"input":4,"output":20}}},"regions":{"us":1.1}}"#,
            Some(660_000),
        );
        check_cost_max(r#"{"rates":{"input":2,"output":10,"request":0.5}}"#, Some(500_300_000));
        check_cost_max(r#"{"rates":{"input":0,"output":0,"output_image":0}}"#, Some(0));
    }

    #[test]
    fn the_most_that_a_text_costs_is_unknown_without_a_rate_or_with_other_output() {
        check_cost_max(r#"{"rates":{"input":2}}"#, None);
        check_cost_max(r#"{"rates":{"output":2}}"#, None);
        check_cost_max(r#"{"rates":{"input":2,"output":10,"output_image":60}}"#, None);
    }
}
