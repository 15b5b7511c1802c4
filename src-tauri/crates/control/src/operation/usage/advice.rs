//! What to change to spend less. Each suggestion says what it would have saved in the last 30 days,
//! and what the same rule had said 30 days earlier.

mod models;
mod unused;

use std::collections::{BTreeMap, HashMap};

use analytics::{ModelUse, SAVING_MIN};
use domain::{NanoUsd, ShownCurrency, WallTime, count_noun};
use engine::{Engine, backend_labels};
use ledger::{CrossQuery, DimensionFilter, FailedAttempts, GroupBy, UsageKey};

use crate::ApiError;
use crate::moment::time_zone;
use crate::operation::currency::currency_view;
use crate::operation::usage::period::days_before;
use crate::view::{
    UsageAdviceBackTestView, UsageAdviceCardView, UsageAdviceQuery, UsageAdviceRule,
    UsageAdviceView, UsageEvidenceView, UsageFilter, UsageSubjectView,
};

/// Days of a period.
const DAYS: i64 = 30;
const CARDS_MAX: usize = 8;
/// Classes of failure that are shown as evidence.
const CLASSES_MAX: usize = 3;

const UNAVAILABLE_RULES: [&str; 1] = [
    "No route is suggested for the cache: hashes of prompts are not recorded, so it is not known \
     which requests repeat.",
];

pub(crate) async fn usage_advice(
    engine: &Engine,
    req: UsageAdviceQuery,
) -> Result<UsageAdviceView, ApiError> {
    let (zone, to) = (time_zone(req.zone), engine.clock().wall());
    let calendar = || ApiError::failed("the date is outside the supported dates");
    let from = days_before(to, DAYS - 1, &zone).ok_or_else(calendar)?;
    let earlier = days_before(from, DAYS, &zone).ok_or_else(calendar)?;
    let first = engine.ledger().first_hour().await?;
    let mut evidence = Evidence {
        now: PeriodUse::read(engine, from, to).await?,
        before: PeriodUse::default(),
        labels: backend_labels(&engine.settings(), engine.mock_id()),
        currency: currency_view(&engine.settings()).shown(),
    };
    let mut advice = measured_advice(engine, &evidence);
    // A part of a period would say less than it was.
    if !advice.is_empty() && first.is_some_and(|first| first <= earlier) {
        evidence.before = PeriodUse::read(engine, earlier, from).await?;
        advice = measured_advice(engine, &evidence);
    }
    if first.is_some_and(|first| first <= from) {
        advice.extend(unused::advice(engine, &evidence, from, to).await?);
    }
    // Stable: those without an estimate stay in the order of the rules.
    advice.sort_by_key(|card| {
        std::cmp::Reverse(card.saving_nano_usd_per_month.map_or(0, |saving| saving.0))
    });
    advice.truncate(CARDS_MAX);
    Ok(UsageAdviceView {
        from: from.into(),
        to: to.into(),
        finding: advice_finding(&advice, evidence.currency),
        advice,
        unavailable_rules: UNAVAILABLE_RULES.map(str::to_owned).to_vec(),
    })
}

/// Suggestions from what was used and paid.
fn measured_advice(engine: &Engine, evidence: &Evidence) -> Vec<UsageAdviceCardView> {
    let mut advice = models::advice(engine, evidence);
    advice.extend(failed_attempts(evidence));
    advice
}

/// What the rules look at.
struct Evidence {
    now: PeriodUse,
    /// Empty if the ledger does not reach back that far.
    before: PeriodUse,
    labels: HashMap<String, String>,
    currency: ShownCurrency,
}

/// What was used and what failed in a period.
#[derive(Default)]
struct PeriodUse {
    /// By backend and model.
    models: BTreeMap<(String, String), ModelUse>,
    /// By backend.
    failed: BTreeMap<String, Vec<FailedAttempts>>,
}

impl PeriodUse {
    async fn read(engine: &Engine, from: WallTime, to: WallTime) -> Result<Self, ApiError> {
        let pair = (GroupBy::Backend, GroupBy::Model);
        let question = CrossQuery::new(from, to, pair, DimensionFilter::default())
            .map_err(|error| ApiError::failed(error.to_string()))?;
        let pairs = engine.ledger().usage_pairs(question).await?;
        let named = |(keys, totals): ((UsageKey, UsageKey), ledger::UsageTotals)| {
            let (UsageKey::Named(backend), UsageKey::Named(model)) = keys else { return None };
            let usage = ModelUse {
                requests: totals.requests,
                unpriced_requests: totals.unpriced_requests,
                tokens: totals.tokens,
                cost: totals.cost,
            };
            Some(((backend, model), usage))
        };
        let mut failed: BTreeMap<String, Vec<FailedAttempts>> = BTreeMap::new();
        for one in engine.ledger().failed_attempts(from, to).await? {
            failed.entry(one.endpoint.backend.to_string()).or_default().push(one);
        }
        Ok(Self { models: pairs.into_iter().filter_map(named).collect(), failed })
    }

    fn failed_cost(&self, backend: &str) -> NanoUsd {
        self.failed.get(backend).into_iter().flatten().map(|one| one.cost).sum()
    }
}

impl Evidence {
    fn backend_label<'a>(&'a self, backend: &'a str) -> &'a str {
        self.labels.get(backend).map_or(backend, String::as_str)
    }

    fn money(&self, amount: NanoUsd) -> String {
        self.currency.format(amount)
    }

    fn subject(&self, dimension: GroupBy, key: &str) -> UsageSubjectView {
        let label = match dimension {
            GroupBy::Backend => self.backend_label(key),
            _ => key,
        };
        UsageSubjectView { dimension, key: key.to_owned(), label: label.to_owned() }
    }
}

/// Backends whose failed attempts cost something.
fn failed_attempts(evidence: &Evidence) -> Vec<UsageAdviceCardView> {
    let card = |(backend, failed): (&String, &Vec<FailedAttempts>)| {
        let cost = evidence.now.failed_cost(backend);
        let filter = UsageFilter { backend: Some(backend.clone()), ..UsageFilter::default() };
        let label = evidence.backend_label(backend);
        let before = evidence.before.failed_cost(backend);
        (cost >= SAVING_MIN).then(|| UsageAdviceCardView {
            rule: UsageAdviceRule::FailedAttempts,
            title: format!("Failed attempts at {label} cost {}", evidence.money(cost)),
            subject: evidence.subject(GroupBy::Backend, backend),
            saving_nano_usd_per_month: Some(cost.into()),
            evidence: failure_rows(failed, evidence, &filter),
            next_step: format!(
                "Put {label} behind the others in its routes, or allow fewer attempts."
            ),
            back_test: back_test(before, cost),
        })
    };
    evidence.now.failed.iter().filter_map(card).collect()
}

/// The dearest classes of failure.
fn failure_rows(
    failed: &[FailedAttempts],
    evidence: &Evidence,
    filter: &UsageFilter,
) -> Vec<UsageEvidenceView> {
    let mut classes: BTreeMap<&str, (NanoUsd, u64)> = BTreeMap::new();
    for one in failed {
        let (cost, attempts) = classes.entry(&one.class).or_default();
        *cost += one.cost;
        *attempts += one.attempts;
    }
    let mut classes: Vec<_> = classes.into_iter().collect();
    classes.sort_by_key(|(_, sums)| std::cmp::Reverse(*sums));
    let row = |(class, (cost, attempts)): (&str, (NanoUsd, u64))| {
        let value = format!("{}, {}", count_noun(attempts, "attempt"), evidence.money(cost));
        row(class, value, filter)
    };
    classes.into_iter().take(CLASSES_MAX).map(row).collect()
}

fn row(label: &str, value: String, filter: &UsageFilter) -> UsageEvidenceView {
    UsageEvidenceView { label: label.to_owned(), value, filter: filter.clone() }
}

/// `None` where the rule would have found nothing worth a look then.
fn back_test(estimated: NanoUsd, saved: NanoUsd) -> Option<UsageAdviceBackTestView> {
    (estimated >= SAVING_MIN).then(|| UsageAdviceBackTestView {
        estimated_nano_usd: estimated.into(),
        saved_nano_usd: saved.into(),
    })
}

fn advice_finding(advice: &[UsageAdviceCardView], currency: ShownCurrency) -> String {
    let saving: i64 = advice
        .iter()
        .filter_map(|card| card.saving_nano_usd_per_month)
        .map(|saving| saving.0)
        .sum();
    let number = u64::try_from(advice.len()).unwrap_or_default();
    match (number, saving) {
        (0, _) => "Nothing to suggest".to_owned(),
        (_, 0) => count_noun(number, "suggestion"),
        _ => format!(
            "{}, up to {} a month",
            count_noun(number, "suggestion"),
            currency.format(NanoUsd::new(saving))
        ),
    }
}

#[cfg(test)]
mod tests;
