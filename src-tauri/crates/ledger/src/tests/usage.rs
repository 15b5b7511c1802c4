//! Compares sums by zone, filter and two dimensions with a recount of the requests.

use std::collections::BTreeMap;

use domain::{CostBasis, HOUR_MS, RequestId, SeededEntropy, WallTime};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::LedgerFixture;
use super::rollups::{DIMENSIONS, Part, any_settlement, key_of, parts_on};
use crate::rollup::hourly_rollup;
use crate::{
    BucketWidth, CacheOutcome, CrossQuery, DimensionFilter, FailedCosts, GroupBy, LatencyGroupBy,
    LatencyPart, LatencyParts, Ledger, RequestQuery, RequestRow, RequestState, Settlement,
    UsageKey, UsageQuery, UsageTotals,
};

/// Starts of periods, most with a change of clock in some zone.
const PERIODS: [&str; 6] = [
    "2026-03-07T00:00Z", // North America
    "2026-03-28T00:00Z", // Europe
    "2026-04-04T00:00Z", // Lord Howe, by half an hour
    "2026-10-24T00:00Z", // Europe
    "2026-10-31T00:00Z", // North America
    "2026-11-21T00:00Z",
];

fn time(text: &str) -> WallTime {
    WallTime::from_unix_ms(text.parse::<Timestamp>().expect("a time").as_millisecond())
}

fn date_in(time: WallTime, zone: &TimeZone) -> Date {
    let time = Timestamp::from_millisecond(time.unix_ms()).expect("a time");
    time.to_zoned(zone.clone()).date()
}

/// Any zone of the database, and often one of those that are off by less than an hour.
fn any_zone() -> impl Strategy<Value = TimeZone> {
    let names: Vec<String> =
        jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
    let odd = ["Asia/Kathmandu", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"];
    prop_oneof![prop::sample::select(names), prop::sample::select(odd.map(str::to_owned).to_vec())]
        .prop_map(|name| TimeZone::get(&name).expect("a zone"))
}

/// Requests at any moment of 60 hours, so that some settle after their hour was folded.
fn any_traffic() -> impl Strategy<Value = (WallTime, Vec<Settlement>)> {
    let moved = (any_settlement(), 0_i64..60 * HOUR_MS);
    (prop::sample::select(PERIODS.to_vec()), prop::collection::vec(moved, 1..60)).prop_map(
        |(start, settlements)| {
            let start = time(start);
            let settle = |(number, (mut ended, after)): (u64, (Settlement, i64))| {
                ended.request.started = start.plus_ms(after);
                let entropy = SeededEntropy::new(number);
                ended.request.id = RequestId::generate(ended.request.started, &entropy);
                ended
            };
            (start, (0..).zip(settlements).map(settle).collect())
        },
    )
}

fn sum_by<K: Ord>(
    parts: &[Part],
    key: impl Fn(&RequestRow) -> Option<K>,
) -> BTreeMap<K, UsageTotals> {
    let mut sums: BTreeMap<K, UsageTotals> = BTreeMap::new();
    for part in parts {
        if let Some(key) = key(&part.row) {
            *sums.entry(key).or_default() += part.totals;
        }
    }
    sums.retain(|_, sum| *sum != UsageTotals::default());
    sums
}

fn filter_value(key: UsageKey) -> String {
    match key {
        UsageKey::Named(name) => name,
        UsageKey::Unnamed | UsageKey::Other => String::new(),
    }
}

async fn check_days(
    ledger: &Ledger,
    (basis, rows): (CostBasis, &[Part]),
    range: (WallTime, WallTime),
    zone: &TimeZone,
    filter: Option<(GroupBy, UsageKey)>,
) {
    let wanted = |row: &RequestRow| {
        filter.as_ref().is_none_or(|(group_by, key)| key_of(row, *group_by) == *key)
    };
    for group_by in DIMENSIONS {
        let query = UsageQuery::new(range.0, range.1, BucketWidth::Day, zone, group_by);
        let chosen = filter.clone().map(|(group_by, key)| (group_by, filter_value(key)));
        let query = query.expect("a range").filter(chosen.into_iter().collect()).basis(basis);
        let summary = ledger.usage(query).await.expect("read");
        let days = summary.buckets.iter().flat_map(|bucket| {
            let date = date_in(bucket.start, zone);
            bucket.groups.iter().map(move |(key, sum)| ((date, key.clone()), *sum))
        });
        let expected = sum_by(rows, |row| {
            let day = date_in(row.request.started, zone);
            wanted(row).then(|| (day, key_of(row, group_by)))
        });
        assert_eq!(days.collect::<BTreeMap<_, _>>(), expected, "{basis} {zone:?} {filter:?}");
    }
}

async fn check_hours(
    ledger: &Ledger,
    rows: &[Part],
    range: (WallTime, WallTime),
    filter: Option<(GroupBy, UsageKey)>,
) {
    let chosen = filter.clone().map(|(group_by, key)| (group_by, filter_value(key)));
    let hours = ledger.usage_by_hour(range.0, range.1, chosen.into_iter().collect()).await;
    let expected = sum_by(rows, |row| {
        let ms = row.request.started.unix_ms();
        let hour = WallTime::from_unix_ms(ms - ms.rem_euclid(HOUR_MS));
        filter.as_ref().is_none_or(|(by, key)| key_of(row, *by) == *key).then_some(hour)
    });
    assert_eq!(hours.expect("read").into_iter().collect::<BTreeMap<_, _>>(), expected);
}

/// Names from the middle of the range on that were not in use before.
async fn check_first_uses(ledger: &Ledger, rows: &[Part], group_by: GroupBy, from: WallTime) {
    let expected = first_hours(rows, group_by);
    let oldest = first_hours(rows, GroupBy::Client).into_values().min();
    assert_eq!(ledger.first_hour().await.expect("read"), oldest);
    for hours in [0, 30] {
        let since = from.plus_ms(hours * HOUR_MS);
        let found = ledger.first_uses(group_by, since).await.expect("read");
        let expected = expected.iter().filter(|(_, hour)| **hour >= since);
        let expected: BTreeMap<_, _> = expected.map(|(name, hour)| (name.clone(), *hour)).collect();
        assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), expected);
    }
}

fn first_hours(rows: &[Part], group_by: GroupBy) -> BTreeMap<String, WallTime> {
    let mut first: BTreeMap<String, WallTime> = BTreeMap::new();
    for Part { row, .. } in rows {
        let ms = row.request.started.unix_ms();
        let hour = WallTime::from_unix_ms(ms - ms.rem_euclid(HOUR_MS));
        if let UsageKey::Named(name) = key_of(row, group_by) {
            first.entry(name).and_modify(|known| *known = hour.min(*known)).or_insert(hour);
        }
    }
    first
}

/// What failed, and every group of a range as one bucket.
async fn check_whole(
    ledger: &Ledger,
    rows: &[Part],
    (from, to): (WallTime, WallTime),
    filter: (GroupBy, UsageKey),
) {
    let wanted = |part: &&Part| key_of(&part.row, filter.0) == filter.1;
    let chosen: DimensionFilter =
        std::iter::once((filter.0, filter_value(filter.1.clone()))).collect();
    for (filter, rows) in [
        (DimensionFilter::default(), rows.to_vec()),
        (chosen, rows.iter().filter(wanted).cloned().collect()),
    ] {
        let failed = |row: &RequestRow| {
            // One that cost nothing had no failed attempt that did.
            let is_billed = row.cost.amount() != Some(domain::NanoUsd::ZERO);
            (row.state == RequestState::Failed && is_billed).then_some(())
        };
        let expected = sum_by(&rows, failed).remove(&()).unwrap_or_default();
        let found = ledger.failed_costs(from, to, filter.clone()).await.expect("read");
        let expected = FailedCosts {
            cost: expected.cost,
            unpriced_requests: expected.unpriced_requests,
            wasted: expected.wasted,
            unpriced_attempts: expected.unpriced_attempts,
        };
        assert_eq!(found, expected);
        for group_by in DIMENSIONS {
            if filter.is_empty() {
                check_first_uses(ledger, &rows, group_by, from).await;
            }
            let query = UsageQuery::whole(from, to, group_by).expect("a range");
            let summary = ledger.usage(query.filter(filter.clone())).await.expect("read");
            let expected = sum_by(&rows, |row| Some(key_of(row, group_by)));
            assert_eq!(summary.groups.into_iter().collect::<BTreeMap<_, _>>(), expected);
        }
    }
}

/// Of each part the number of requests and its largest latency, which no merge may change.
async fn check_latencies(
    ledger: &Ledger,
    rows: &[Part],
    range: (WallTime, WallTime),
    group_by: LatencyGroupBy,
) {
    let query =
        UsageQuery::new(range.0, range.1, BucketWidth::Hour, &TimeZone::UTC, GroupBy::Backend);
    let query = query.expect("a range");
    let found = ledger.latencies(query, group_by, None).await.expect("read");
    let shown = |parts: &LatencyParts| {
        let total = parts.get(&LatencyPart::Total);
        total.map_or(0, |histogram| histogram.count())
    };
    let counts = |row: &&RequestRow| {
        let is_cached = matches!(row.cache, CacheOutcome::Hit | CacheOutcome::Coalesced);
        row.state == RequestState::Complete && !is_cached
    };
    let by_hour = sum_by(rows, |row| {
        let ms = row.request.started.unix_ms();
        counts(&row).then(|| WallTime::from_unix_ms(ms - ms.rem_euclid(HOUR_MS)))
    });
    let buckets = found.buckets.iter().filter(|(_, parts)| shown(parts) > 0);
    let buckets: BTreeMap<_, _> = buckets.map(|(at, parts)| (*at, shown(parts))).collect();
    let expected: BTreeMap<_, _> =
        by_hour.into_iter().map(|(at, totals)| (at, totals.requests)).collect();
    assert_eq!(buckets, expected);
    assert_eq!(shown(&found.all), expected.values().sum::<u64>());
    let dimension = match group_by {
        LatencyGroupBy::All => return,
        LatencyGroupBy::Backend => GroupBy::Backend,
        LatencyGroupBy::Model => GroupBy::Model,
        LatencyGroupBy::Route => GroupBy::Route,
    };
    let groups = found.groups.iter().map(|(name, parts)| (name.clone(), shown(parts)));
    let expected = sum_by(rows, |row| counts(&row).then(|| filter_value(key_of(row, dimension))));
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(name, totals)| (name, totals.requests)).collect();
    assert_eq!(groups.collect::<BTreeMap<_, _>>(), expected);
}

async fn check_cross(
    ledger: &Ledger,
    (basis, rows): (CostBasis, &[Part]),
    range: (WallTime, WallTime),
) {
    for (down, across) in [
        (GroupBy::Project, GroupBy::Route),
        (GroupBy::Model, GroupBy::Backend),
        (GroupBy::Client, GroupBy::Client),
    ] {
        let query = CrossQuery::new(range.0, range.1, (down, across), DimensionFilter::default());
        let query = query.expect("a range").basis(basis);
        let summary = ledger.usage_cross(query).await.expect("read");
        let mut cells = BTreeMap::new();
        for ((down, _), line) in summary.rows.iter().zip(&summary.cells) {
            for ((across, _), cell) in summary.columns.iter().zip(line) {
                if *cell != UsageTotals::default() {
                    cells.insert((down.clone(), across.clone()), *cell);
                }
            }
        }
        let expected = sum_by(rows, |row| Some((key_of(row, down), key_of(row, across))));
        assert_eq!(cells, expected, "{basis}: {down:?} by {across:?}");
        let by_row = sum_by(rows, |row| Some(key_of(row, down)));
        assert_eq!(summary.rows.into_iter().collect::<BTreeMap<_, _>>(), by_row);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// In any zone, by any dimension, with any name as filter, and by two dimensions; however far
    /// the hours are folded.
    #[test]
    fn sums_equal_a_recount_in_every_zone(
        (start, traffic) in any_traffic(),
        zone in any_zone(),
        filter_by in prop::sample::select(DIMENSIONS.to_vec()),
        filter_row in any::<prop::sample::Index>(),
        unfolded_hour in 0_i64..70,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let place = LedgerFixture::new();
            let ledger = place.open();
            for settlement in traffic {
                ledger.settle(settlement).await.expect("settled");
            }
            ledger.wait_until_folded().await;
            let unfolded = start.plus_ms(unfolded_hour * HOUR_MS);
            hourly_rollup::unfold(&place.raw(), unfolded).expect("unfolded");
            let rows = ledger.requests(RequestQuery::newest(500)).await.expect("read");
            let whole: Vec<Part> = rows.iter().map(Part::whole).collect();
            let parts = parts_on(CostBasis::Known, &ledger, &rows).await;
            let end = start.plus_ms(60 * HOUR_MS);
            for basis in CostBasis::ALL {
                let chosen = Some((filter_by, key_of(filter_row.get(&rows), filter_by)));
                let parts = parts_on(*basis, &ledger, &rows).await;
                check_days(&ledger, (*basis, &parts), (start, end), &zone, None).await;
                check_days(&ledger, (*basis, &parts), (start, end), &zone, chosen).await;
                check_cross(&ledger, (*basis, &parts), (start, end)).await;
            }
            let chosen = key_of(filter_row.get(&rows), filter_by);
            check_hours(&ledger, &parts, (start, end), None).await;
            check_hours(&ledger, &parts, (start, end), Some((filter_by, chosen))).await;
            let chosen = key_of(filter_row.get(&rows), filter_by);
            check_whole(&ledger, &parts, (start, end), (filter_by, chosen)).await;
            for group_by in [LatencyGroupBy::All, LatencyGroupBy::Backend, LatencyGroupBy::Model, LatencyGroupBy::Route] {
                check_latencies(&ledger, &whole, (start, end), group_by).await;
            }
        });
    }
}
