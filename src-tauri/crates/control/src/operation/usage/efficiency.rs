//! What the caches saved and what was wasted.

use domain::{NanoUsd, ShownCurrency, capitalize, count_noun};
use engine::Engine;
use ledger::{
    DimensionFilter, FailedCosts, GroupBy, Purpose, RetriedRequests, UsageKey, UsageQuery,
    UsageSummary, UsageTotals,
};

use crate::ApiError;
use crate::operation::currency::currency_view;
use crate::operation::usage::period::{Period, ledger_filter};
use crate::operation::usage::{group_key, group_kind, group_label};
use crate::sign::Label;
use crate::view::{
    UsageEfficiencyView, UsagePeriodQuery, UsageSavingView, UsageWasteView, WasteKind,
};

pub(crate) async fn usage_efficiency(
    engine: &Engine,
    req: UsagePeriodQuery,
) -> Result<UsageEfficiencyView, ApiError> {
    let period = Period::resolve(&req, engine.clock().wall())?;
    let filter = ledger_filter(&req.filter);
    let sums = |group_by, purpose| sum_whole(engine, &period, group_by, purpose, &filter);
    let routes = sums(GroupBy::Route, Purpose::User).await?;
    let models = sums(GroupBy::Model, Purpose::User).await?;
    let clients = sums(GroupBy::Client, Purpose::User).await?;
    let health = sums(GroupBy::Backend, Purpose::Health).await?.totals;
    let checks = sums(GroupBy::Backend, Purpose::Check).await?.totals;
    let failed = engine.ledger().failed_costs(period.from, period.to, filter.clone()).await?;
    let retried = engine.ledger().retried_requests(period.from, period.to, filter.clone()).await?;
    let totals = routes.totals;
    let waste = waste_views(&totals, &failed, &retried, [&health, &checks]);
    let currency = currency_view(&engine.settings()).shown();
    Ok(UsageEfficiencyView {
        from: period.from.into(),
        to: period.to.into(),
        finding: efficiency_finding(&totals, &failed, &retried, currency),
        cost_nano_usd: totals.cost.into(),
        is_cost_unknown: totals.is_cost_unknown(),
        requests: totals.requests.into(),
        unpriced_requests: totals.unpriced_requests.into(),
        saved_nano_usd: totals.cache.saved.into(),
        without_cache_nano_usd: (totals.cost + totals.cache.saved).into(),
        cache_savings: saving_views(&routes, GroupBy::Route),
        cache_savings_by_model: saving_views(&models, GroupBy::Model),
        cache_savings_by_client: saving_views(&clients, GroupBy::Client),
        provider_cache_read_percent: cache_read_percent(&totals),
        waste,
    })
}

async fn sum_whole(
    engine: &Engine,
    period: &Period,
    group_by: GroupBy,
    purpose: Purpose,
    filter: &DimensionFilter,
) -> Result<UsageSummary, ApiError> {
    let question = UsageQuery::whole(period.from, period.to, group_by)
        .map_err(|error| ApiError::invalid("range", error.to_string()))?;
    Ok(engine.ledger().usage(question.purpose(purpose).filter(filter.clone())).await?)
}

/// Groups that looked into the cache, most saved first.
fn saving_views(sums: &UsageSummary, group_by: GroupBy) -> Vec<UsageSavingView> {
    let mut groups: Vec<&(UsageKey, UsageTotals)> =
        sums.groups.iter().filter(|(_, totals)| totals.cache.eligible() > 0).collect();
    groups.sort_by(|(key, left), (other, right)| {
        let rank = |totals: &UsageTotals| (totals.cache.saved, totals.cache.eligible());
        rank(right).cmp(&rank(left)).then_with(|| key.cmp(other))
    });
    let view = |(key, totals): &(UsageKey, UsageTotals)| UsageSavingView {
        kind: group_kind(key),
        key: group_key(key),
        label: group_label(key, group_by, &Default::default()),
        saved_nano_usd: totals.cache.saved.into(),
        hits: (totals.cache.hits + totals.cache.shared).into(),
        eligible_requests: totals.cache.eligible().into(),
        saved_ms: (totals.cache.saved_us / 1_000).into(),
    };
    groups.into_iter().map(view).collect()
}

fn cache_read_percent(totals: &UsageTotals) -> Option<f64> {
    let (read, input) = (totals.tokens.cache_read, totals.tokens.input());
    (input > 0).then(|| (read as f64 * 1_000.0 / input as f64).round() / 10.0)
}

fn waste_views(
    totals: &UsageTotals,
    failed: &FailedCosts,
    retried: &RetriedRequests,
    [health, checks]: [&UsageTotals; 2],
) -> Vec<UsageWasteView> {
    let view = |kind: WasteKind, requests: u64, cost: NanoUsd, unpriced: u64, is_cost_unknown| {
        UsageWasteView {
            kind,
            label: capitalize(kind.label()),
            requests: requests.into(),
            cost_nano_usd: cost.into(),
            is_cost_unknown,
            unpriced: unpriced.into(),
        }
    };
    let own = |kind, sums: &UsageTotals| {
        let is_unknown = sums.is_cost_unknown();
        view(kind, sums.requests, sums.cost, sums.unpriced_requests, is_unknown)
    };
    // Of the failed requests, those that nothing was billed for are in neither sum.
    let unpriced = failed.unpriced_requests;
    let is_failed_unknown = domain::is_cost_unknown(failed.cost, unpriced, unpriced);
    let (retries, unpriced_retries) = (retried_cost(totals, failed), retried.unpriced_requests);
    let is_retried_unknown = domain::is_cost_unknown(retries, retried.requests, unpriced_retries);
    vec![
        view(WasteKind::Failed, totals.failed, failed.cost, unpriced, is_failed_unknown),
        view(WasteKind::Retries, retried.requests, retries, unpriced_retries, is_retried_unknown),
        own(WasteKind::Health, health),
        own(WasteKind::Checks, checks),
    ]
}

/// Cost of failed attempts of requests that did not fail.
fn retried_cost(totals: &UsageTotals, failed: &FailedCosts) -> NanoUsd {
    totals.wasted - failed.wasted
}

fn efficiency_finding(
    totals: &UsageTotals,
    failed: &FailedCosts,
    retried: &RetriedRequests,
    currency: ShownCurrency,
) -> String {
    let is_nothing = totals.requests == 0 && totals.cost == NanoUsd::ZERO;
    if is_nothing && !totals.is_partly_unpriced() {
        return "No requests in this period".to_owned();
    }
    let wasted = failed.cost + retried_cost(totals, failed);
    // A request either failed or was retried, so that none is counted twice.
    let unpriced = failed.unpriced_requests + retried.unpriced_requests;
    let of_unknown_cost = |what: &str| {
        let verb = if unpriced == 1 { "was" } else { "were" };
        let requests = count_noun(unpriced, "request");
        format!("{requests} of unknown cost {verb} wasted{what}")
    };
    let wasted = match (wasted, unpriced) {
        (NanoUsd::ZERO, 0) => "nothing was wasted".to_owned(),
        (NanoUsd::ZERO, _) => of_unknown_cost(""),
        (_, 0) => format!("{} was wasted", currency.format(wasted)),
        (_, _) => {
            format!("{} was wasted, and {}", currency.format(wasted), of_unknown_cost(" too"))
        }
    };
    let saved = match totals.cache.saved {
        NanoUsd::ZERO => "The cache saved nothing".to_owned(),
        saved => format!("The cache saved {}", currency.format(saved)),
    };
    format!("{saved}; {wasted}")
}

#[cfg(test)]
mod tests {
    use ledger::CacheTotals;

    use super::*;

    fn spent(cost: i64, wasted: i64) -> UsageTotals {
        let [cost, wasted] = [cost, wasted].map(NanoUsd::new);
        UsageTotals { requests: 3, cost, wasted, retries: 2, ..UsageTotals::default() }
    }

    fn failed(cost: i64) -> FailedCosts {
        let cost = NanoUsd::new(cost);
        FailedCosts { cost, wasted: cost, ..FailedCosts::default() }
    }

    #[test]
    fn kinds_of_waste_do_not_overlap() {
        let totals = UsageTotals { failed: 1, ..spent(9_000, 700) };
        let retried = RetriedRequests { requests: 2, unpriced_requests: 0 };
        let own = [&UsageTotals::default(), &spent(5, 0)];
        let views = waste_views(&totals, &failed(300), &retried, own);
        let rows: Vec<_> =
            views.iter().map(|row| (row.kind, row.requests.0, row.cost_nano_usd.0)).collect();
        let expected = [
            (WasteKind::Failed, 1, 300),
            (WasteKind::Retries, 2, 400),
            (WasteKind::Health, 0, 0),
            (WasteKind::Checks, 3, 5),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn the_finding_names_both_sums() {
        let currency = currency_view(&settings::Settings::default()).shown();
        let find = |totals: UsageTotals, cost: i64, [failed_ones, retried_ones]: [u64; 2]| {
            let failed = FailedCosts { unpriced_requests: failed_ones, ..failed(cost) };
            let retried = RetriedRequests { requests: 9, unpriced_requests: retried_ones };
            efficiency_finding(&totals, &failed, &retried, currency)
        };
        let check = |totals: UsageTotals, cost: i64, expected: &str| {
            assert_eq!(find(totals, cost, [0, 0]), expected);
        };
        check(UsageTotals::default(), 0, "No requests in this period");
        check(spent(9, 0), 0, "The cache saved nothing; nothing was wasted");
        let saved = NanoUsd::new(4_100_000_000);
        let cache = CacheTotals { saved, hits: 1, ..CacheTotals::default() };
        let totals = UsageTotals { cache, ..spent(9_000_000_000, 300_000_000) };
        check(totals, 200_000_000, "The cache saved $4.10; $0.30 was wasted");
        assert_eq!(
            find(spent(9, 0), 0, [1, 0]),
            "The cache saved nothing; 1 request of unknown cost was wasted"
        );
        assert_eq!(
            find(totals, 200_000_000, [1, 2]),
            "The cache saved $4.10; $0.30 was wasted, and 3 requests of unknown cost were wasted too"
        );
    }

    #[test]
    fn groups_without_a_look_up_are_left_out_and_the_most_saved_comes_first() {
        let group = |name: &str, saved, hits| {
            let saved = NanoUsd::new(saved);
            let cache = CacheTotals { saved, hits, saved_us: 2_500, ..CacheTotals::default() };
            (UsageKey::Named(name.to_owned()), UsageTotals { cache, ..spent(1, 0) })
        };
        let groups = vec![group("none", 0, 0), group("less", 1, 4), group("most", 2, 1)];
        let sums = UsageSummary { groups, ..UsageSummary::default() };
        let views = saving_views(&sums, GroupBy::Route);
        let rows: Vec<_> =
            views.iter().map(|row| (row.key.as_str(), row.hits.0, row.saved_ms.0)).collect();
        assert_eq!(rows, [("most", 1, 2), ("less", 4, 2)]);
    }
}
