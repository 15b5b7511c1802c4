//! What an imported price changes, compared with the price in force.

use std::collections::BTreeSet;
use std::fmt;

use domain::{Meter, PriceTier};

use crate::{PriceTerms, Rate, Rates, RatesAbove};

/// A rate before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateChange {
    pub meter: Meter,
    /// `None` for the standard tier.
    pub tier: Option<PriceTier>,
    /// For more input tokens than this.
    pub above: Option<u64>,
    pub before: Option<Rate>,
    pub after: Option<Rate>,
}

impl RateChange {
    /// Change in percent, for sorting; a rate that comes or goes counts as the largest.
    #[must_use]
    pub fn percent(&self) -> i64 {
        match (self.before, self.after) {
            (Some(before), Some(after)) if before != Rate::new(0) => {
                let (before, after) = (before.nanos_per_million(), after.nanos_per_million());
                let percent = (i128::from(after) - i128::from(before)) * 100 / i128::from(before);
                i64::try_from(percent).unwrap_or(i64::MAX)
            }
            _ => i64::MAX,
        }
    }
}

/// `input $2 → $2.5 (+25 %)`.
impl fmt::Display for RateChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.meter.word().replace('_', " "))?;
        if let Some(tier) = self.tier {
            write!(f, ", {tier}")?;
        }
        if let Some(above) = self.above {
            write!(f, ", above {above} tokens")?;
        }
        let quote = |rate: Option<Rate>| match rate {
            Some(rate) => format!("${}", rate.quote(self.meter.unit())),
            None => "none".to_owned(),
        };
        match (self.before, self.after) {
            (None, after) => write!(f, " {}", quote(after)),
            (before, after) => {
                write!(f, " {} → {}", quote(before), quote(after))?;
                match self.percent() {
                    i64::MAX => Ok(()),
                    percent => write!(f, " ({percent:+} %)"),
                }
            }
        }
    }
}

impl PriceTerms {
    /// The rates that differ from those of `before`, in their order.
    #[must_use]
    pub fn changes_since(&self, before: Option<&Self>) -> Vec<RateChange> {
        let nothing = Self::default();
        let before = before.unwrap_or(&nothing);
        let mut changes = Vec::new();
        changes.extend(changes_of(
            None,
            (&before.rates, &before.above),
            (&self.rates, &self.above),
        ));
        let tiers: BTreeSet<PriceTier> =
            before.tiers.keys().chain(self.tiers.keys()).copied().collect();
        for tier in tiers {
            let of = |terms: &Self| terms.tiers.get(&tier).cloned().unwrap_or_default();
            let (old, new) = (of(before), of(self));
            changes.extend(changes_of(
                Some(tier),
                (&old.rates, &old.above),
                (&new.rates, &new.above),
            ));
        }
        changes
    }
}

type RatesAndAbove<'a> = (&'a Rates, &'a Option<RatesAbove>);

fn changes_of(
    tier: Option<PriceTier>,
    before: RatesAndAbove<'_>,
    after: RatesAndAbove<'_>,
) -> Vec<RateChange> {
    let mut changes = rate_changes(tier, None, before.0, after.0);
    let none = Rates::default();
    let long = |above: &Option<RatesAbove>| above.as_ref().map(|above| above.input_tokens);
    let rates = |above: &'_ Option<RatesAbove>| above.as_ref().map(|above| above.rates.clone());
    match (long(before.1), long(after.1)) {
        (None, None) => {}
        (old, new) if old == new || old.is_none() || new.is_none() => {
            let (old_rates, new_rates) =
                (rates(before.1).unwrap_or(none.clone()), rates(after.1).unwrap_or(none));
            changes.extend(rate_changes(tier, new.or(old), &old_rates, &new_rates));
        }
        (old, new) => {
            changes.extend(rate_changes(tier, old, &rates(before.1).unwrap_or_default(), &none));
            changes.extend(rate_changes(tier, new, &none, &rates(after.1).unwrap_or_default()));
        }
    }
    changes
}

fn rate_changes(
    tier: Option<PriceTier>,
    above: Option<u64>,
    before: &Rates,
    after: &Rates,
) -> Vec<RateChange> {
    let meters: BTreeSet<Meter> =
        before.iter().chain(after.iter()).map(|(meter, _)| meter).collect();
    let change = |meter: Meter| RateChange {
        meter,
        tier,
        above,
        before: before.listed(meter),
        after: after.listed(meter),
    };
    meters.into_iter().map(change).filter(|change| change.before != change.after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_tier_threshold_and_share() {
        let terms = |json: &str| serde_json::from_str::<PriceTerms>(json).expect("terms");
        let before = terms(
            r#"{"rates":{"input":2,"output":8},"above":{"input_tokens":200000,"rates":{"input":4}}}"#,
        );
        let after = terms(
            r#"{"rates":{"input":2.5,"output":8,"web_search":10},"above":{"input_tokens":200000,"rates":{"input":3}},"tiers":{"flex":{"rates":{"input":1}}}}"#,
        );
        let told = |after: &PriceTerms, before: Option<&PriceTerms>| -> Vec<String> {
            after.changes_since(before).iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            told(&after, Some(&before)),
            [
                "input $2 → $2.5 (+25 %)",
                "web search $10",
                "input, above 200000 tokens $4 → $3 (-25 %)",
                "input, flex $1",
            ]
        );
        assert_eq!(told(&before, Some(&before)), Vec::<String>::new());
        assert_eq!(told(&terms(r#"{"rates":{"input":0}}"#), None), ["input $0"]);
        let ended = terms(r#"{"rates":{"input":2}}"#);
        assert_eq!(
            told(&ended, Some(&before)).first().map(String::as_str),
            Some("output $8 → none")
        );
    }
}
