//! Operations on usage: sums, for the Usage screen and the Overview.

pub(in crate::operation) mod advice;
pub(in crate::operation) mod anomalies;
pub(in crate::operation) mod efficiency;
pub(in crate::operation) mod expensive;
pub(in crate::operation) mod forecast;
pub(in crate::operation) mod latency;
pub(in crate::operation) mod period;
pub(in crate::operation) mod pins;
pub(in crate::operation) mod plans;
pub(in crate::operation) mod recent;

use std::collections::HashMap;

use domain::{CostBasis, DAY_MS, NanoUsd, ShownCurrency, WallTime, count_noun};
use engine::{Engine, backend_labels};
use jiff::tz::TimeZone;
use ledger::{
    BucketWidth, CrossQuery, GroupBy, MeterTotals, USAGE_SERIES_MAX, UnpricedModel, UsageBasis,
    UsageBucket, UsageKey, UsageQuery as Question, UsageSummary, UsageTotals,
};
use pricing::Cost;

use crate::ApiError;
use crate::operation::currency::currency_view;
use crate::operation::invoice::{meter_label, unpriced_view};
use crate::operation::usage::period::{
    Period, cost_change_percent, format_zoned, ledger_filter, requests_change_percent, zone_name,
};
use crate::view::{
    CostBasisView, CurrencyView, MeterTotalsView, NanoDollars, UnpricedModelView, UsageBucketView,
    UsageCrossGroupView, UsageCrossQuery, UsageCrossView, UsageGroupKind, UsageGroupView,
    UsagePeriodQuery, UsagePreviousView, UsageReportQuery, UsageSegmentView, UsageSeriesView,
    UsageTotalsView, UsageView,
};

pub(crate) async fn usage(engine: &Engine, req: UsageReportQuery) -> Result<UsageView, ApiError> {
    let UsageReportQuery { range, group_by, zone, from, to, filter, compare, basis } = req;
    let query = UsagePeriodQuery { range, zone, from, to, filter };
    let period = Period::resolve(&query, engine.clock().wall())?;
    let filter = ledger_filter(&query.filter);
    let sums = sum_on(engine, &period, group_by, &filter, basis).await?;
    let named = backend_labels(&engine.settings(), engine.mock_id());
    let label = |key: &UsageKey| group_label(key, group_by, &named);
    let currency = currency_view(&engine.settings());
    let is_of_attempts = [group_by.is_of_attempts(), filter.is_of_attempts()];
    let mut view = usage_view(&sums, is_of_attempts, &period, (basis, currency), label);
    // What a backend states is one amount, without meters.
    if filter.is_empty() && basis != CostBasis::Reported {
        let meters = engine.ledger().meter_totals(period.from, period.to).await?;
        view.meters = meter_views(&meters);
    }
    if basis == CostBasis::Known && sums.totals.is_partly_unpriced() {
        let models =
            engine.ledger().unpriced_models(period.from, period.to, filter.clone()).await?;
        view.unpriced =
            models.into_iter().map(|model| unpriced_model_view(model, &named)).collect();
    }
    if let Some((before, name)) = compare.then(|| period.previous()).flatten() {
        let previous = sum_on(engine, &before, group_by, &filter, basis).await?;
        add_previous(&mut view, &sums, &previous, &before, name);
    }
    Ok(view)
}

/// Sums of all known costs.
pub(super) async fn sum_period(
    engine: &Engine,
    period: &Period,
    group_by: GroupBy,
    filter: &ledger::DimensionFilter,
) -> Result<UsageSummary, ApiError> {
    sum_on(engine, period, group_by, filter, CostBasis::Known).await
}

async fn sum_on(
    engine: &Engine,
    period: &Period,
    group_by: GroupBy,
    filter: &ledger::DimensionFilter,
    basis: CostBasis,
) -> Result<UsageSummary, ApiError> {
    let Period { from, to, bucket, zone } = period;
    let question = Question::new(*from, *to, *bucket, zone, group_by)
        .map_err(|error| ApiError::invalid("range", error.to_string()))?;
    Ok(engine.ledger().usage(question.filter(filter.clone()).basis(basis)).await?)
}

/// Puts the period before beside the totals and each group.
fn add_previous(
    view: &mut UsageView,
    sums: &UsageSummary,
    previous: &UsageSummary,
    before: &Period,
    label: String,
) {
    let earlier: HashMap<&UsageKey, &UsageTotals> =
        previous.groups.iter().map(|(key, totals)| (key, totals)).collect();
    for (group, (key, totals)) in view.groups.iter_mut().zip(&sums.groups) {
        let earlier = earlier.get(key).copied().copied().unwrap_or_default();
        group.previous = Some(totals_view(&earlier));
        group.cost_change_percent = cost_change_percent(totals, &earlier);
    }
    view.previous = Some(UsagePreviousView {
        from: before.from.into(),
        to: before.to.into(),
        label,
        totals: totals_view(&previous.totals),
        cost_change_percent: cost_change_percent(&sums.totals, &previous.totals),
        requests_change_percent: requests_change_percent(&sums.totals, &previous.totals),
    });
}

/// Sums by two dimensions.
pub(crate) async fn usage_cross(
    engine: &Engine,
    req: UsageCrossQuery,
) -> Result<UsageCrossView, ApiError> {
    let period = Period::resolve(&req.period, engine.clock().wall())?;
    let filter = ledger_filter(&req.period.filter);
    let is_of_attempts = filter.is_of_attempts();
    let question = CrossQuery::new(period.from, period.to, (req.rows, req.columns), filter)
        .map_err(|error| ApiError::invalid("range", error.to_string()))?;
    let sums = engine.ledger().usage_cross(question.basis(req.basis)).await?;
    let named = backend_labels(&engine.settings(), engine.mock_id());
    let groups = |groups: &[(UsageKey, UsageTotals)], group_by| {
        let view = |(key, totals): &(UsageKey, UsageTotals)| UsageCrossGroupView {
            kind: group_kind(key),
            key: group_key(key),
            label: group_label(key, group_by, &named),
            totals: totals_view(totals),
            cost_share_percent: known_cost_share_percent(totals, &sums.totals),
        };
        groups.iter().map(view).collect()
    };
    let totals = known_totals_view(&sums.totals, is_of_attempts);
    Ok(UsageCrossView {
        from: period.from.into(),
        to: period.to.into(),
        basis: basis_sentence(req.basis, totals.priced_percent),
        cost_basis: req.basis,
        rows: groups(&sums.rows, req.rows),
        columns: groups(&sums.columns, req.columns),
        cells: sums.cells.iter().map(|row| row.iter().map(totals_view).collect()).collect(),
        totals,
    })
}

fn unpriced_model_view(
    unpriced: UnpricedModel,
    named: &HashMap<String, String>,
) -> UnpricedModelView {
    let UnpricedModel { model, backend, requests, unpriced } = unpriced;
    UnpricedModelView {
        model,
        backend_label: backend.as_ref().map(|id| named.get(id).unwrap_or(id).clone()),
        backend,
        requests: requests.into(),
        why: unpriced.as_ref().map(unpriced_view),
    }
}

fn meter_views(meters: &[MeterTotals]) -> Vec<MeterTotalsView> {
    let whole = meters.iter().map(|total| total.cost).sum();
    let view = |total: &MeterTotals| MeterTotalsView {
        meter: total.meter,
        label: meter_label(total.meter),
        unit: total.meter.unit(),
        quantity: total.quantity.into(),
        cost_nano_usd: total.cost.into(),
        is_cost_unknown: total.known_cost().is_none(),
        unpriced_quantity: total.unpriced_quantity.into(),
        cost_share_percent: total.known_cost().and_then(|cost| cost_share_percent(cost, whole)),
    };
    meters.iter().map(view).collect()
}

/// Sums by group over the last `days` days.
pub(super) async fn sum_last_days(
    engine: &Engine,
    days: i64,
    group_by: GroupBy,
) -> Result<HashMap<UsageKey, UsageTotals>, ApiError> {
    let to = engine.clock().wall();
    let from = to.minus_ms(days * DAY_MS);
    let question = Question::new(from, to, BucketWidth::Day, &TimeZone::UTC, group_by)
        .map_err(|error| ApiError::failed(error.to_string()))?;
    Ok(engine.ledger().usage(question).await?.groups.into_iter().collect())
}

/// Usage of the last 24 hours by hour and backend, each of them by name.
pub(super) async fn sum_last_day_by_backend(engine: &Engine) -> Result<UsageSummary, ApiError> {
    let to = engine.clock().wall();
    let from = to.minus_ms(DAY_MS);
    let question = Question::new(from, to, BucketWidth::Hour, &TimeZone::UTC, GroupBy::Backend)
        .map_err(|error| ApiError::failed(error.to_string()))?;
    Ok(engine.ledger().usage(question.every_group()).await?)
}

/// Labels the start of a bar: `08:00` or `21 Nov`.
pub(super) fn bar_label(start: WallTime, period: &Period) -> String {
    let format = match period.bucket {
        BucketWidth::Hour => "%H:%M",
        BucketWidth::Day => "%-d %b",
    };
    format_zoned(start, &period.zone, format)
}

/// The two are true where the groups, and the totals, are those of a backend, key or model.
fn usage_view(
    sums: &UsageSummary,
    [groups_of_attempts, all_of_attempts]: [bool; 2],
    period: &Period,
    (basis, currency): (CostBasis, CurrencyView),
    label: impl Fn(&UsageKey) -> String,
) -> UsageView {
    let groups: Vec<UsageGroupView> = sums
        .groups
        .iter()
        .map(|(key, totals)| UsageGroupView {
            kind: group_kind(key),
            key: group_key(key),
            label: label(key),
            totals: known_totals_view(totals, groups_of_attempts),
            cost_share_percent: known_cost_share_percent(totals, &sums.totals),
            previous: None,
            cost_change_percent: None,
        })
        .collect();
    let series = series_keys(&sums.groups);
    let totals = known_totals_view(&sums.totals, all_of_attempts);
    UsageView {
        from: period.from.into(),
        to: period.to.into(),
        zone: zone_name(&period.zone),
        finding: usage_finding(&groups, &sums.totals, basis, currency.shown()),
        basis: basis_sentence(basis, totals.priced_percent),
        cost_basis: basis,
        unpriced_word: basis.unknown_word().to_owned(),
        totals,
        buckets: sums.buckets.iter().map(|it| bucket_view(it, &series, period)).collect(),
        series: series
            .iter()
            .map(|key| UsageSeriesView {
                kind: group_kind(key),
                key: group_key(key),
                label: label(key),
            })
            .collect(),
        groups,
        currency,
        meters: Vec::new(),
        previous: None,
        unpriced: Vec::new(),
    }
}

/// The groups that the buckets name, highest cost first, then the rest as one.
fn series_keys(groups: &[(UsageKey, UsageTotals)]) -> Vec<UsageKey> {
    let named = groups.iter().take(USAGE_SERIES_MAX).map(|(key, _)| key.clone());
    let rest = (groups.len() > USAGE_SERIES_MAX).then_some(UsageKey::Other);
    named.chain(rest).collect()
}

fn bucket_view(bucket: &UsageBucket, series: &[UsageKey], period: &Period) -> UsageBucketView {
    let inside: HashMap<&UsageKey, &UsageTotals> =
        bucket.groups.iter().map(|(key, totals)| (key, totals)).collect();
    let segment = |key| segment_view(&inside.get(key).copied().copied().unwrap_or_default());
    let mut whole = UsageTotals::default();
    bucket.groups.iter().for_each(|(_, totals)| whole += *totals);
    UsageBucketView {
        start: bucket.start.into(),
        label: bar_label(bucket.start, period),
        segments: series.iter().map(segment).collect(),
        total: segment_view(&whole),
    }
}

pub(super) fn segment_view(totals: &UsageTotals) -> UsageSegmentView {
    UsageSegmentView {
        cost_nano_usd: totals.cost.into(),
        is_cost_unknown: totals.is_cost_unknown(),
        requests: totals.requests.into(),
        unpriced_requests: totals.unpriced_requests.into(),
        tokens: totals.tokens.total().into(),
    }
}

/// The chart's title: its main finding.
fn usage_finding(
    groups: &[UsageGroupView],
    totals: &UsageTotals,
    basis: CostBasis,
    currency: ShownCurrency,
) -> String {
    let spent = currency.format(totals.cost);
    let mut requests = count_noun(totals.requests, "request");
    if let unknown @ 1.. = totals.unpriced_requests {
        let (unknown, word) = (domain::group_digits(unknown), basis.unknown_word());
        requests.push_str(&format!(", {unknown} of them {word}"));
    }
    match groups.first() {
        None => "No requests in this period".to_owned(),
        Some(_) if totals.is_cost_unknown() => {
            let what = if basis == CostBasis::Known { "price" } else { "cost" };
            format!("{}, none with a {basis} {what}", count_noun(totals.requests, "request"))
        }
        Some(_) if basis == CostBasis::Known && totals.cost == NanoUsd::ZERO => {
            format!("Nothing billed for {requests}")
        }
        Some(first) => match first.cost_share_percent {
            Some(100) if groups.len() > 1 => {
                format!("{}: all of {spent} for {requests}", first.label)
            }
            Some(share) if groups.len() > 1 => {
                format!("{}: {share} % of {spent} for {requests}", first.label)
            }
            _ => format!("{spent} for {requests}"),
        },
    }
}

/// `None` where no request of the part has a known cost.
fn known_cost_share_percent(part: &UsageTotals, whole: &UsageTotals) -> Option<u32> {
    part.is_cost_known().then(|| cost_share_percent(part.cost, whole.cost))?
}

pub(super) fn cost_share_percent(part: NanoUsd, whole: NanoUsd) -> Option<u32> {
    let (part, whole) = (part.nanos(), whole.nanos());
    if whole <= 0 {
        return None;
    }
    let percent = (i128::from(part) * 200 + i128::from(whole)) / (i128::from(whole) * 2);
    u32::try_from(percent).ok()
}

/// Rounded down, so that 100 means all. Where attempts of unknown cost were made, more requests may be
/// unpriced than were answered.
pub(super) fn priced_percent(requests: u64, unpriced: u64) -> Option<u32> {
    let priced = u128::from(requests.saturating_sub(unpriced)) * 100;
    u32::try_from(priced.checked_div(u128::from(requests.max(unpriced)))?).ok()
}

/// The basis of a total, and the share of the requests that it has the cost of. What providers billed
/// is in the drift, apart.
fn basis_sentence(basis: CostBasis, known_percent: Option<u32>) -> String {
    let (rests_on, before, after) = match basis {
        CostBasis::Known => ("Stated by the backend, else computed", "; ", " priced"),
        CostBasis::Reported => ("Reported by the backend", ", for ", ""),
        CostBasis::Computed => ("Computed from the price list", ", for ", ""),
    };
    match known_percent {
        None => rests_on.to_owned(),
        Some(percent) => format!("{rests_on}{before}{percent} % of requests{after}"),
    }
}

/// [`totals_view`], without the share of priced requests where that is not known.
fn known_totals_view(totals: &UsageTotals, is_of_attempts: bool) -> UsageTotalsView {
    let view = totals_view(totals);
    match totals.known_priced_requests(is_of_attempts) {
        Some(_) => view,
        None => UsageTotalsView { priced_percent: None, ..view },
    }
}

pub(super) const fn group_kind(key: &UsageKey) -> UsageGroupKind {
    match key {
        UsageKey::Named(_) => UsageGroupKind::Named,
        UsageKey::Unnamed => UsageGroupKind::Unnamed,
        UsageKey::Other => UsageGroupKind::Rest,
    }
}

pub(super) fn group_key(key: &UsageKey) -> String {
    match key {
        UsageKey::Named(name) => name.clone(),
        UsageKey::Unnamed => String::new(),
        UsageKey::Other => "other".to_owned(),
    }
}

pub(super) fn group_label(
    key: &UsageKey,
    group_by: GroupBy,
    backends: &HashMap<String, String>,
) -> String {
    match (key, group_by) {
        (UsageKey::Named(name), GroupBy::Backend) => backends.get(name).unwrap_or(name).clone(),
        (UsageKey::Named(name), _) => name.clone(),
        (UsageKey::Unnamed, GroupBy::Backend) => "No backend".to_owned(),
        (UsageKey::Unnamed, GroupBy::Model) => "No model".to_owned(),
        (UsageKey::Unnamed, GroupBy::Client) => "No client".to_owned(),
        (UsageKey::Unnamed, GroupBy::Credential) => "No key".to_owned(),
        (UsageKey::Unnamed, GroupBy::Project) => "No project".to_owned(),
        (UsageKey::Unnamed, GroupBy::Route) => "No route".to_owned(),
        (UsageKey::Other, _) => "Other".to_owned(),
    }
}

fn totals_view(totals: &UsageTotals) -> UsageTotalsView {
    UsageTotalsView {
        cost_nano_usd: totals.cost.into(),
        is_cost_unknown: totals.is_cost_unknown(),
        requests: totals.requests.into(),
        unpriced_requests: totals.unpriced_requests.into(),
        priced_percent: priced_percent(totals.billed_requests(), totals.unpriced_requests),
        failed_requests: totals.failed.into(),
        input_tokens: totals.tokens.input().into(),
        cache_read_tokens: totals.tokens.cache_read.into(),
        output_tokens: totals.tokens.output().into(),
        reasoning_tokens: totals.tokens.reasoning.into(),
        retries: totals.retries.into(),
        wasted_nano_usd: totals.wasted.into(),
        saved_nano_usd: totals.cache.saved.into(),
        cache_hits: (totals.cache.hits + totals.cache.shared).into(),
        cache_misses: totals.cache.misses.into(),
    }
}

/// Returns a cost and its basis. A cost computed from estimated tokens is an estimate.
pub(super) fn cost_view(
    cost: &Cost,
    tokens: Option<UsageBasis>,
) -> (Option<NanoDollars>, CostBasisView) {
    match cost {
        Cost::Reported(amount) => (Some((*amount).into()), CostBasisView::Reported),
        Cost::Computed { amount, .. } if tokens == Some(UsageBasis::Estimated) => {
            (Some((*amount).into()), CostBasisView::Estimated)
        }
        Cost::Computed { amount, .. } => (Some((*amount).into()), CostBasisView::Computed),
        Cost::NotBilled => (Some(NanoDollars(0)), CostBasisView::NotBilled),
        Cost::Unpriced => (None, CostBasisView::Unpriced),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(label: &str, cost: i64, requests: u64) -> (UsageKey, UsageTotals) {
        let totals =
            UsageTotals { requests, cost: NanoUsd::new(cost * 1_000), ..UsageTotals::default() };
        (UsageKey::Named(label.to_owned()), totals)
    }

    fn shown(groups: Vec<(UsageKey, UsageTotals)>) -> UsageView {
        shown_on(CostBasis::Known, groups)
    }

    fn shown_on(basis: CostBasis, groups: Vec<(UsageKey, UsageTotals)>) -> UsageView {
        let mut totals = UsageTotals::default();
        groups.iter().for_each(|(_, part)| totals += *part);
        let sums = UsageSummary { buckets: Vec::new(), groups, totals };
        let (from, to) = (WallTime::default(), WallTime::default());
        let period = Period { from, to, bucket: BucketWidth::Day, zone: TimeZone::UTC };
        let currency = currency_view(&settings::Settings::default());
        usage_view(&sums, [false; 2], &period, (basis, currency), group_key)
    }

    #[test]
    fn the_title_is_the_finding() {
        let check = |groups, finding: &str| assert_eq!(shown(groups).finding, finding);
        check(vec![], "No requests in this period");
        check(vec![group("a", 4_100_000, 1)], "$4.10 for 1 request");
        check(vec![group("mock", 0, 10_000)], "Nothing billed for 10,000 requests");
        check(
            vec![group("a", 3_000_000, 7), group("mock", 0, 3)],
            "a: all of $3.00 for 10 requests",
        );
        check(
            vec![group("a", 3_000_000, 7), group("b", 1_000_000, 3)],
            "a: 75 % of $4.00 for 10 requests",
        );
        let unknown = UsageTotals { requests: 2, unpriced_requests: 2, ..UsageTotals::default() };
        check(
            vec![(UsageKey::Named("a".to_owned()), unknown)],
            "2 requests, none with a known price",
        );
    }

    #[test]
    fn a_total_says_on_what_it_rests_and_for_how_many_requests() {
        let known = UsageTotals { unpriced_requests: 3, ..group("a", 1_000_000, 8).1 };
        let none = UsageTotals { cost: NanoUsd::ZERO, unpriced_requests: 8, ..known };
        let cached = UsageTotals { unpriced_requests: 5, ..none };
        let free = UsageTotals { unpriced_requests: 0, ..none };
        let check = |basis, totals, basis_words: &str, finding: &str| {
            let view = shown_on(basis, vec![(UsageKey::Named("a".to_owned()), totals)]);
            assert_eq!((view.basis.as_str(), view.finding.as_str()), (basis_words, finding));
            assert_eq!(view.cost_basis, basis);
        };
        check(
            CostBasis::Known,
            known,
            "Stated by the backend, else computed; 62 % of requests priced",
            "$1.00 for 8 requests, 3 of them unpriced",
        );
        check(
            CostBasis::Reported,
            known,
            "Reported by the backend, for 62 % of requests",
            "$1.00 for 8 requests, 3 of them unreported",
        );
        check(
            CostBasis::Computed,
            known,
            "Computed from the price list, for 62 % of requests",
            "$1.00 for 8 requests, 3 of them uncomputed",
        );
        // Unknown is not zero, and a known zero is not unknown; zero is no word about what was billed.
        check(
            CostBasis::Reported,
            none,
            "Reported by the backend, for 0 % of requests",
            "8 requests, none with a reported cost",
        );
        check(
            CostBasis::Reported,
            cached,
            "Reported by the backend, for 37 % of requests",
            "$0.00 for 8 requests, 5 of them unreported",
        );
        check(
            CostBasis::Reported,
            free,
            "Reported by the backend, for 100 % of requests",
            "$0.00 for 8 requests",
        );
        assert_eq!(shown_on(CostBasis::Computed, vec![]).basis, "Computed from the price list");
    }

    #[test]
    fn requests_that_nothing_was_billed_for_are_no_priced_ones() {
        let one_of_two = UsageTotals {
            requests: 8,
            unbilled_requests: 6,
            unpriced_requests: 1,
            cost: NanoUsd::new(1_000_000_000),
            ..UsageTotals::default()
        };
        let view = |totals| shown_on(CostBasis::Known, vec![(UsageKey::Unnamed, totals)]);
        assert_eq!(
            view(one_of_two).basis,
            "Stated by the backend, else computed; 50 % of requests priced"
        );
        let none = UsageTotals { unbilled_requests: 7, cost: NanoUsd::ZERO, ..one_of_two };
        assert_eq!(view(none).finding, "8 requests, none with a known price");
        let refused = UsageTotals { unbilled_requests: 8, unpriced_requests: 0, ..none };
        let view = view(refused);
        assert_eq!(view.basis, "Stated by the backend, else computed");
        assert_eq!(view.finding, "Nothing billed for 8 requests");
    }

    #[test]
    fn an_unpriced_group_has_no_share_and_the_title_says_so() {
        let unpriced = UsageTotals { requests: 3, unpriced_requests: 3, ..UsageTotals::default() };
        let groups = vec![group("a", 2_000_000, 1), (UsageKey::Named("b".to_owned()), unpriced)];
        let view = shown(groups);
        let shares: Vec<_> = view.groups.iter().map(|group| group.cost_share_percent).collect();
        assert_eq!(shares, [Some(100), None], "unknown is never zero");
        assert_eq!(view.finding, "a: all of $2.00 for 4 requests, 3 of them unpriced");
    }

    #[test]
    fn a_cost_of_estimated_tokens_is_an_estimate_and_a_reported_one_is_not() {
        let computed =
            Cost::Computed { amount: NanoUsd::new(7), price_id: "openai/x@2026-11-01".to_owned() };
        let check = |cost: &Cost, tokens, expected| assert_eq!(cost_view(cost, tokens).1, expected);
        check(&computed, None, CostBasisView::Computed);
        check(&computed, Some(UsageBasis::Reported), CostBasisView::Computed);
        check(&computed, Some(UsageBasis::Adjusted), CostBasisView::Computed);
        check(&computed, Some(UsageBasis::Estimated), CostBasisView::Estimated);
        let reported = Cost::Reported(NanoUsd::new(7));
        check(&reported, Some(UsageBasis::Estimated), CostBasisView::Reported);
        check(&Cost::Unpriced, Some(UsageBasis::Estimated), CostBasisView::Unpriced);
        check(&Cost::NotBilled, Some(UsageBasis::Estimated), CostBasisView::NotBilled);
    }

    #[test]
    fn a_group_of_the_name_other_is_not_the_rest() {
        let mut groups = vec![group("other", 900, 1), (UsageKey::Unnamed, UsageTotals::default())];
        groups.extend((0..USAGE_SERIES_MAX).map(|place| group(&format!("m{place}"), 1, 1)));
        groups.push((UsageKey::Other, UsageTotals::default()));
        let view = shown(groups);
        let kinds = |kind| view.groups.iter().filter(|group| group.kind == kind).count();
        assert_eq!([UsageGroupKind::Unnamed, UsageGroupKind::Rest].map(kinds), [1, 1]);
        let (first, last) = (&view.series[0], &view.series[USAGE_SERIES_MAX]);
        assert_eq!((first.key.as_str(), first.kind), ("other", UsageGroupKind::Named));
        assert_eq!((last.key.as_str(), last.kind), ("other", UsageGroupKind::Rest));
    }

    #[test]
    fn shares_are_rounded_and_absent_without_cost() {
        let view = shown(vec![group("a", 2, 1), group("b", 1, 1)]);
        let shares: Vec<_> = view.groups.iter().map(|group| group.cost_share_percent).collect();
        assert_eq!(shares, [Some(67), Some(33)]);
        assert_eq!(shown(vec![group("a", 0, 1)]).groups[0].cost_share_percent, None);
    }
}
