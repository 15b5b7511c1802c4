//! What the rows of public catalogues do not say.
//!
//! They are undated and tell the price of today: a change that the bundled list announces holds from
//! its day on all the same. And their formats have no field for much that is billed, such as terms of
//! caches, tiers and calls: that stays as it is known, unless the catalogue has another price of
//! tokens, since what goes with the old one is not known to go with the new one.

use std::collections::BTreeMap;

use domain::{Meter, WallTime};

use crate::bundled_prices::listed_prices;
use crate::{Price, PriceBook, PriceOwner, PriceTerms, Rates, RatesAbove, TierTerms};

impl PriceBook {
    /// `price` of a catalogue, with what it does not state as it is known at `now`.
    #[must_use]
    pub fn completed_import(&self, price: Price, now: WallTime) -> Price {
        let PriceOwner::Provider(provider) = price.owner else { return price };
        let known = |model: &str| self.find_row(&price.owner, model, now);
        let known = known(&price.model).or_else(|| known(provider.documented_alias(&price.model)?));
        match known {
            Some(known) => Price { terms: completed_terms(&price.terms, &known.terms), ..price },
            None => price,
        }
    }
}

fn completed_terms(stated: &PriceTerms, known: &PriceTerms) -> PriceTerms {
    let standard =
        |terms: &PriceTerms| TierTerms { rates: terms.rates.clone(), above: terms.above.clone() };
    let TierTerms { rates, above } = completed_tier(&standard(stated), &standard(known));
    let mut tiers = match is_same_price(&stated.rates, &known.rates) {
        true => known.tiers.clone(),
        false => BTreeMap::new(),
    };
    for (tier, terms) in &stated.tiers {
        let known = known.tiers.get(tier).cloned().unwrap_or_default();
        tiers.insert(*tier, completed_tier(terms, &known));
    }
    let mut regions = known.regions.clone();
    regions.extend(stated.regions.clone());
    PriceTerms { rates, above, tiers, regions }
}

fn completed_tier(stated: &TierTerms, known: &TierTerms) -> TierTerms {
    let rates = completed_rates(&stated.rates, &known.rates);
    let same_length = |long: &RatesAbove| {
        known.above.as_ref().filter(|known| known.input_tokens == long.input_tokens)
    };
    let completed = |long: &RatesAbove| {
        // A call costs the same however long the input is.
        let known = same_length(long).map_or_else(|| rates.of_calls(), |it| it.rates.clone());
        RatesAbove { rates: completed_rates(&long.rates, &known), ..*long }
    };
    let above = match &stated.above {
        Some(long) => Some(completed(long)),
        None => known.above.clone().filter(|_| is_same_price(&stated.rates, &known.rates)),
    };
    TierTerms { rates, above }
}

fn completed_rates(stated: &Rates, known: &Rates) -> Rates {
    match is_same_price(stated, known) {
        true => stated.clone().or(known),
        false => stated.clone().or(&known.of_calls()),
    }
}

/// True if no rate of the text of prompt and answer differs.
fn is_same_price(stated: &Rates, known: &Rates) -> bool {
    let is_same = |meter| match (stated.listed(meter), known.listed(meter)) {
        (Some(stated), Some(known)) => stated == known,
        _ => true,
    };
    is_same(Meter::Input) && is_same(Meter::Output)
}

impl Price {
    /// This price of a catalogue, which ends where the bundled list has the next one of the model.
    #[must_use]
    pub fn until_next_listed(self) -> Self {
        let valid_to = next_listed(&self.owner, &self.model, self.valid_from);
        Self { valid_to, ..self }
    }
}

/// The first day after `from` on which the list of `owner` has another price of `model`.
fn next_listed(owner: &PriceOwner, model: &str, from: WallTime) -> Option<WallTime> {
    let PriceOwner::Provider(provider) = owner else { return None };
    let rows = listed_prices(*provider)?;
    let rows = rows.get(model).or_else(|| rows.get(provider.documented_alias(model)?))?;
    rows.iter().map(|row| row.valid_from).filter(|begin| *begin > from).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Provider;

    #[track_caller]
    fn check_completed(stated: &str, expected: &str) {
        const KNOWN: &str = r#"{"rates":{"input":2,"cache_write_1h":4,"output":10,"web_search":10},"above":{"input_tokens":100,"rates":{"input":4,"cache_write_1h":8,"output":15}},"tiers":{"flex":{"rates":{"input":1,"cache_read":0.1,"output":5}}},"regions":{"us":1.1}}"#;
        let terms = |json: &str| serde_json::from_str::<PriceTerms>(json).expect("terms");
        let completed = completed_terms(&terms(stated), &terms(KNOWN));
        let expected = expected.replace("KNOWN", KNOWN);
        assert_eq!(serde_json::to_string(&completed).expect("JSON"), expected, "{stated}");
        assert_eq!(completed_terms(&completed, &terms(KNOWN)), completed, "again");
    }

    #[test]
    fn what_a_format_cannot_say_stays_as_it_is_known() {
        check_completed(r#"{"rates":{"input":2,"output":10}}"#, "KNOWN");
        check_completed(
            r#"{"rates":{"input":2,"cache_read":0.2,"output":10},"above":{"input_tokens":100,"rates":{"input":4,"output":15}},"tiers":{"flex":{"rates":{"input":1,"output":5}},"batch":{"rates":{"input":1}}},"regions":{"eu":1.2}}"#,
            r#"{"rates":{"input":2,"cache_read":0.2,"cache_write_1h":4,"output":10,"web_search":10},"above":{"input_tokens":100,"rates":{"input":4,"cache_write_1h":8,"output":15}},"tiers":{"flex":{"rates":{"input":1,"cache_read":0.1,"output":5}},"batch":{"rates":{"input":1}}},"regions":{"eu":1.2,"us":1.1}}"#,
        );
        // What another length of the input costs is not known.
        check_completed(
            r#"{"rates":{"input":2,"output":10},"above":{"input_tokens":50,"rates":{"input":4,"output":15}}}"#,
            r#"{"rates":{"input":2,"cache_write_1h":4,"output":10,"web_search":10},"above":{"input_tokens":50,"rates":{"input":4,"output":15,"web_search":10}},"tiers":{"flex":{"rates":{"input":1,"cache_read":0.1,"output":5}}},"regions":{"us":1.1}}"#,
        );
    }

    #[test]
    fn what_goes_with_another_price_is_not_known() {
        check_completed(
            r#"{"rates":{"input":1,"output":10}}"#,
            r#"{"rates":{"input":1,"output":10,"web_search":10},"regions":{"us":1.1}}"#,
        );
        check_completed(
            r#"{"rates":{"input":2,"output":9},"tiers":{"flex":{"rates":{"input":1}}}}"#,
            r#"{"rates":{"input":2,"output":9,"web_search":10},"tiers":{"flex":{"rates":{"input":1,"cache_read":0.1,"output":5}}},"regions":{"us":1.1}}"#,
        );
    }

    #[track_caller]
    fn check_end(provider: Provider, model: &str, from: &str, expected: Option<&str>) {
        let from = WallTime::from_day(from).expect("a day");
        let owner = PriceOwner::Provider(provider);
        let terms = PriceTerms::default();
        let price = Price::listed(owner, model, terms, from, None, String::new());
        let end = price.until_next_listed().valid_to.map(WallTime::to_day);
        assert_eq!(end.as_deref(), expected, "{model} from {from:?}");
    }

    #[test]
    fn a_price_of_a_catalogue_ends_where_the_list_announces_another() {
        let changes = Some("2026-12-01");
        check_end(Provider::Google, "gemini-4-argon", "2026-11-20", changes);
        // The list prices this name as the one without the prefix.
        check_end(Provider::Google, "models/gemini-4-argon", "2026-11-20", changes);
        check_end(Provider::Google, "gemini-4-argon", "2026-10-01", Some("2026-11-01"));
        check_end(Provider::Google, "gemini-4-argon", "2026-12-01", None);
        check_end(Provider::Google, "unheard-of", "2026-11-20", None);
        check_end(Provider::DeepSeek, "gemini-4-argon", "2026-11-20", None);
    }
}
