//! Why a period cost more than expected: how much comes from more tokens, from dearer models, and
//! from dearer tokens of the same model.
//!
//! The three are steps from what was expected to what was paid. Each is a whole number of
//! nano-dollars and begins where the one before ends, so they sum to the excess exactly.

use domain::NanoUsd;

/// What one model used and cost, in the period and in the time before that it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModelChange {
    pub tokens: u64,
    pub cost: NanoUsd,
    pub tokens_before: u64,
    pub cost_before: NanoUsd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExcessSplit {
    /// More tokens at the mean cost of before.
    pub volume: NanoUsd,
    /// Other models than before, at their cost of before. A model that is new has no cost of
    /// before: its own counts.
    pub mix: NanoUsd,
    /// The same models at another cost per token: prices, less cache, longer answers.
    pub price: NanoUsd,
}

/// Splits what `models` cost above `expected`.
#[must_use]
pub fn split_excess(models: &[ModelChange], expected: NanoUsd) -> ExcessSplit {
    let sum = |value: fn(&ModelChange) -> i128| -> i128 { models.iter().map(value).sum() };
    let paid = sum(|model| model.cost.nanos().into());
    let (tokens, tokens_before) =
        (sum(|model| model.tokens.into()), sum(|model| model.tokens_before.into()));
    let cost_before = sum(|model| model.cost_before.nanos().into());
    let at_mean_cost = share_of(cost_before, tokens, tokens_before).unwrap_or(paid);
    let at_own_cost = match tokens_before {
        0 => paid,
        _ => models.iter().map(cost_at_rate_before).sum(),
    };
    let expected = i128::from(expected.nanos());
    ExcessSplit {
        volume: to_nanos(at_mean_cost - expected),
        mix: to_nanos(at_own_cost - at_mean_cost),
        price: to_nanos(paid - at_own_cost),
    }
}

fn cost_at_rate_before(model: &ModelChange) -> i128 {
    let before = model.cost_before.nanos().into();
    share_of(before, model.tokens.into(), model.tokens_before.into())
        .unwrap_or_else(|| model.cost.nanos().into())
}

/// How much of an excess each name accounts for: what it cost above its usual share of `expected`.
/// Largest first. Without anything before, nothing of a name was expected.
#[must_use]
pub fn contributions<K: Ord + Clone>(
    names: &[(K, NanoUsd, NanoUsd)],
    expected: NanoUsd,
) -> Vec<(K, NanoUsd)> {
    let before: i128 = names.iter().map(|(_, _, before)| i128::from(before.nanos())).sum();
    let excess = |(name, cost, cost_before): &(K, NanoUsd, NanoUsd)| {
        let usual = share_of(expected.nanos().into(), cost_before.nanos().into(), before);
        (name.clone(), to_nanos(i128::from(cost.nanos()) - usual.unwrap_or_default()))
    };
    let mut all: Vec<_> = names.iter().map(excess).collect();
    all.sort_by(|(name, left), (other, right)| right.cmp(left).then_with(|| name.cmp(other)));
    all
}

/// `whole * part / parts`, rounded; `None` without parts.
fn share_of(whole: i128, part: i128, parts: i128) -> Option<i128> {
    let twice = whole.checked_mul(part)?.checked_mul(2)?;
    (parts > 0).then(|| (twice + parts).div_euclid(2 * parts))
}

fn to_nanos(amount: i128) -> NanoUsd {
    NanoUsd::new(i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(tokens: u64, cost: i64, tokens_before: u64, cost_before: i64) -> ModelChange {
        let [cost, cost_before] = [cost, cost_before].map(NanoUsd::new);
        ModelChange { tokens, cost, tokens_before, cost_before }
    }

    #[track_caller]
    fn check(models: &[ModelChange], expected: i64, split: (i64, i64, i64)) {
        let found = split_excess(models, NanoUsd::new(expected));
        assert_eq!((found.volume.nanos(), found.mix.nanos(), found.price.nanos()), split);
    }

    #[test]
    fn each_cause_alone_is_named() {
        // Twice the tokens at the same cost per token.
        check(&[model(200, 2_000, 1_000, 10_000)], 1_000, (1_000, 0, 0));
        // As many tokens, all of the dearer one of two models.
        let dearer = [model(100, 3_000, 500, 15_000), model(0, 0, 500, 5_000)];
        check(&dearer, 2_000, (0, 1_000, 0));
        // As many tokens of the same model, at twice the price.
        check(&[model(100, 2_000, 1_000, 10_000)], 1_000, (0, 0, 1_000));
        // A model that is new has no price of before.
        check(&[model(100, 1_000, 1_000, 10_000), model(10, 900, 0, 0)], 1_000, (100, 800, 0));
        // Nothing before: all of it is more.
        check(&[model(10, 900, 0, 0)], 0, (900, 0, 0));
        check(&[], 0, (0, 0, 0));
    }

    #[test]
    fn contributors_are_ranked_by_what_they_cost_above_their_share() {
        let names = [("a", 100, 900), ("b", 800, 100), ("new", 50, 0)];
        let names =
            names.map(|(name, now, before)| (name, NanoUsd::new(now), NanoUsd::new(before)));
        let found = contributions(&names, NanoUsd::new(100));
        let found: Vec<_> = found.iter().map(|(name, excess)| (*name, excess.nanos())).collect();
        assert_eq!(found, [("b", 790), ("new", 50), ("a", 10)]);
    }

    proptest! {
        #[test]
        fn the_parts_sum_to_the_excess(
            models in prop::collection::vec(
                (0_u64..10_000_000, 0_i64..1_000_000_000_000, 0_u64..10_000_000, 0_i64..1_000_000_000_000),
                0..12,
            ),
            expected in 0_i64..1_000_000_000_000,
        ) {
            let models: Vec<_> = models.into_iter().map(|(a, b, c, d)| model(a, b, c, d)).collect();
            let paid: i64 = models.iter().map(|model| model.cost.nanos()).sum();
            let split = split_excess(&models, NanoUsd::new(expected));
            let sum = split.volume.nanos() + split.mix.nanos() + split.price.nanos();
            prop_assert_eq!(sum, paid - expected);
        }
    }
}
