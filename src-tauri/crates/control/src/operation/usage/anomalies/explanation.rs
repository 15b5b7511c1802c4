//! Why an hour cost more: the split of its excess and the names that caused it, against the four
//! weeks before.

use std::collections::BTreeMap;

use analytics::ModelChange;
use domain::{NanoUsd, WallTime};
use engine::Engine;
use ledger::{GroupBy, UsageKey, UsageQuery, UsageSummary, UsageTotals};

use super::{Search, is_learning};
use crate::ApiError;
use crate::view::{UsageAnomalySplitView, UsageContributorView};

/// Dimensions of contributors. The first is also that of the split.
const DIMENSIONS: [GroupBy; 4] =
    [GroupBy::Model, GroupBy::Client, GroupBy::Credential, GroupBy::Project];
const CONTRIBUTORS_MAX: usize = 3;

type Sums = Vec<BTreeMap<UsageKey, UsageTotals>>;

pub(super) struct Explainer<'a> {
    engine: &'a Engine,
    history_start: WallTime,
    /// Where the time before ends for every anomaly; `None` while learning, when it ends where the
    /// anomaly begins.
    shared_end: Option<WallTime>,
    before: Option<(WallTime, Sums)>,
}

impl<'a> Explainer<'a> {
    pub(super) fn new(engine: &'a Engine, search: &Search) -> Self {
        let is_known = search.oldest.is_some_and(|first| !is_learning(first, search.from));
        Self {
            engine,
            history_start: search.hours.first().map_or(search.from, |hour| hour.start),
            shared_end: is_known.then_some(search.from),
            before: None,
        }
    }

    pub(super) async fn explain(
        &mut self,
        span: (WallTime, WallTime),
        expected: NanoUsd,
    ) -> Result<(UsageAnomalySplitView, Vec<UsageContributorView>), ApiError> {
        let now = sum_dimensions(self.engine, span).await?;
        let before = self.before(self.shared_end.unwrap_or(span.0)).await?;
        let changes: Vec<Vec<(UsageKey, UsageTotals, UsageTotals)>> =
            now.iter().zip(before).map(|(now, before)| side_by_side(now, before)).collect();
        let models = changes.first().into_iter().flatten().map(model_change);
        let split = analytics::split_excess(&models.collect::<Vec<_>>(), expected);
        let contributors = DIMENSIONS.iter().zip(&changes).filter_map(|(dimension, changes)| {
            let names: Vec<_> = changes
                .iter()
                .map(|(key, now, before)| (key.clone(), now.cost, before.cost))
                .collect();
            let ranked = analytics::contributions(&names, expected);
            ranked.into_iter().find_map(|(key, excess)| {
                let subject = super::subject_view(&key, *dimension)?;
                (excess > NanoUsd::ZERO).then(|| UsageContributorView {
                    dimension: subject.dimension,
                    key: subject.key,
                    label: subject.label,
                    excess_nano_usd: excess.into(),
                })
            })
        });
        let mut contributors: Vec<_> = contributors.collect();
        contributors.sort_by_key(|one| std::cmp::Reverse(one.excess_nano_usd.0));
        contributors.truncate(CONTRIBUTORS_MAX);
        let split = UsageAnomalySplitView {
            volume_nano_usd: split.volume.into(),
            mix_nano_usd: split.mix.into(),
            price_nano_usd: split.price.into(),
        };
        Ok((split, contributors))
    }

    async fn before(&mut self, end: WallTime) -> Result<&Sums, ApiError> {
        let known = self.before.take().filter(|(known, _)| *known == end);
        let sums = match known {
            Some((_, sums)) => sums,
            None => sum_dimensions(self.engine, (self.history_start, end)).await?,
        };
        Ok(&self.before.insert((end, sums)).1)
    }
}

async fn sum_dimensions(engine: &Engine, span: (WallTime, WallTime)) -> Result<Sums, ApiError> {
    let mut sums = Vec::new();
    for dimension in DIMENSIONS {
        sums.push(sum_span(engine, span, dimension).await?.groups.into_iter().collect());
    }
    Ok(sums)
}

/// Nothing in an empty span.
pub(super) async fn sum_span(
    engine: &Engine,
    (from, to): (WallTime, WallTime),
    group_by: GroupBy,
) -> Result<UsageSummary, ApiError> {
    match UsageQuery::whole(from, to, group_by) {
        Ok(question) => Ok(engine.ledger().usage(question).await?),
        Err(_) => Ok(UsageSummary::default()),
    }
}

fn side_by_side(
    now: &BTreeMap<UsageKey, UsageTotals>,
    before: &BTreeMap<UsageKey, UsageTotals>,
) -> Vec<(UsageKey, UsageTotals, UsageTotals)> {
    let mut all: BTreeMap<&UsageKey, (UsageTotals, UsageTotals)> = BTreeMap::new();
    now.iter().for_each(|(key, totals)| all.entry(key).or_default().0 = *totals);
    before.iter().for_each(|(key, totals)| all.entry(key).or_default().1 = *totals);
    all.into_iter().map(|(key, (now, before))| (key.clone(), now, before)).collect()
}

fn model_change((_, now, before): &(UsageKey, UsageTotals, UsageTotals)) -> ModelChange {
    ModelChange {
        tokens: now.tokens.total(),
        cost: now.cost,
        tokens_before: before.tokens.total(),
        cost_before: before.cost,
    }
}
