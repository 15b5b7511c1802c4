//! Sums of usage: every form of them shows the same amounts.

use control::view::*;
use domain::{BackendId, HOUR_MS, NanoUsd, RequestId, TokenUsage};
use ledger::Settlement;
use pricing::Cost;
use test_support::{Reply, ScriptedUpstream};

use crate::world::{World, world};

/// More than the bars name.
const GROUPS: i64 = 12;

/// An answer `hours` ago by the backend and model of this number; the first are the dearest.
fn answer(world: &World, number: i64, hours: i64) -> Settlement {
    let mut ended = world.answered("c");
    let started = ended.request.started.minus_ms(hours * HOUR_MS);
    ended.request.id = RequestId::generate(started, world.engine().entropy());
    (ended.request.started, ended.ended) = (started, started);
    ended.request.model_asked = format!("m-{number:02}");
    ended.backend = Some(BackendId::new(format!("b-{number:02}")).expect("a name"));
    ended.cost = Cost::Reported(NanoUsd::new((GROUPS - number) * 1_000_000_007));
    let tokens = 1_000 + number.unsigned_abs();
    ended.usage =
        Some(TokenUsage { input_uncached: tokens, output_visible: 10, ..TokenUsage::default() });
    ended
}

type Sums = (i64, u64, u64);

fn of_segment(segment: &UsageSegmentView) -> Sums {
    (segment.cost_nano_usd.0, segment.requests.0, segment.tokens.0)
}

fn of_totals(totals: &UsageTotalsView) -> Sums {
    let tokens = totals.input_tokens.0 + totals.output_tokens.0;
    (totals.cost_nano_usd.0, totals.requests.0, tokens)
}

fn sum(parts: impl Iterator<Item = Sums>) -> Sums {
    parts.fold((0, 0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1, sum.2 + part.2))
}

#[tokio::test]
async fn with_twelve_groups_the_bars_the_table_and_the_total_are_one_amount() {
    let world = world().await;
    for number in 0..GROUPS {
        for hours in 0..3 {
            world.settle(answer(&world, number, hours)).await;
        }
    }
    for group_by in [GroupBy::Backend, GroupBy::Model, GroupBy::Client] {
        let query = UsageReportQuery { group_by, ..whole_week() };
        let usage = control::usage(&world.core, query).await.expect("usage");
        let whole = of_totals(&usage.totals);
        assert_eq!(whole.1, 36);
        assert_eq!(sum(usage.groups.iter().map(|group| of_totals(&group.totals))), whole);
        assert_eq!(sum(usage.buckets.iter().map(|bucket| of_segment(&bucket.total))), whole);
        for bucket in &usage.buckets {
            assert_eq!(bucket.segments.len(), usage.series.len());
            assert_eq!(sum(bucket.segments.iter().map(of_segment)), of_segment(&bucket.total));
        }
        for (place, series) in usage.series.iter().enumerate().take(8) {
            let segments = usage.buckets.iter().map(|bucket| of_segment(&bucket.segments[place]));
            assert_eq!(usage.groups[place].key, series.key);
            assert_eq!(sum(segments), of_totals(&usage.groups[place].totals), "{}", series.key);
        }
        let (series, groups) = if group_by == GroupBy::Client { (1, 1) } else { (9, 12) };
        assert_eq!((usage.series.len(), usage.groups.len()), (series, groups));
        let has_rest = usage.series.last().is_some_and(|last| last.key == "other");
        assert_eq!(has_rest, series == 9);
    }
}

fn whole_week() -> UsageReportQuery {
    UsageReportQuery {
        range: UsageRange::LastWeek,
        group_by: GroupBy::Backend,
        zone: TimeZoneChoice::Utc,
        from: None,
        to: None,
        filter: UsageFilter::default(),
        compare: false,
        basis: CostBasis::Known,
    }
}

#[tokio::test]
async fn what_has_no_name_is_found_by_an_empty_one_in_sums_and_requests() {
    let world = world().await;
    for (number, project) in [(1, Some("web")), (2, None), (3, None)] {
        let mut ended = answer(&world, number, 0);
        ended.request.project = project.map(str::to_owned);
        world.settle(ended).await;
    }
    let usage = UsageReportQuery { group_by: GroupBy::Project, ..whole_week() };
    let usage = control::usage(&world.core, usage).await.expect("usage");
    let unnamed: Vec<_> =
        usage.groups.iter().filter(|group| group.kind == UsageGroupKind::Unnamed).collect();
    let [group] = unnamed.as_slice() else { panic!("{:?}", usage.groups) };
    assert_eq!((group.key.as_str(), group.label.as_str()), ("", "No project"));
    let query = RequestsQuery {
        limit: 9,
        project: Some(group.key.clone()),
        since: Some(usage.from),
        ..RequestsQuery::default()
    };
    let found = control::requests(&world.core, query).await.expect("requests").requests;
    let cost: i64 = found.iter().filter_map(|request| request.cost_nano_usd).map(|it| it.0).sum();
    assert_eq!((found.len(), cost), (2, group.totals.cost_nano_usd.0));
    assert!(found.iter().all(|request| request.project.is_none()), "{found:?}");
    let filter = UsageFilter { project: Some(String::new()), ..UsageFilter::default() };
    let own = control::usage(&world.core, UsageReportQuery { filter, ..whole_week() }).await;
    assert_eq!(own.expect("usage").totals.cost_nano_usd.0, cost);
}

/// The ninth of nine: the free one, as a local server is.
#[tokio::test]
async fn the_chart_of_a_backend_that_costs_least_is_not_flat() {
    let world = world().await;
    let upstream = ScriptedUpstream::start_with(|_| Some(Reply::models(&["m"]))).await;
    let upstream = upstream.expect("an upstream");
    world.add_up(&upstream, BackendKey::None).await;
    for number in 0..GROUPS {
        world.settle(answer(&world, number, 0)).await;
    }
    let mut local = world.answered("c");
    local.cost = Cost::NotBilled;
    world.settle(local).await;
    let day = world.up().await.last_day;
    assert_eq!(day.requests_per_hour.iter().sum::<u32>(), 1, "{:?}", day.requests_per_hour);
}

/// The ninth client and model by cost.
#[tokio::test]
async fn a_cache_that_is_no_longer_read_is_found_for_the_cheapest_too() {
    let world = world().await;
    for day in 0..20 {
        for number in 0..GROUPS {
            let mut ended = answer(&world, number, day * 24);
            let reads = if number == GROUPS - 1 && day == 0 { 0 } else { 90_000 };
            let uncached = 100_000 - reads;
            ended.usage = Some(TokenUsage {
                input_uncached: uncached,
                cache_read: reads,
                ..TokenUsage::default()
            });
            world.settle(ended).await;
        }
    }
    let query = UsageAnomaliesQuery { zone: TimeZoneChoice::Utc, days: 7 };
    let found = control::usage_anomalies(&world.core, query).await.expect("anomalies");
    let collapses =
        found.anomalies.iter().filter(|one| one.rule == UsageAnomalyRule::CacheCollapse);
    let names: Vec<_> =
        collapses.filter_map(|one| Some(one.subject.as_ref()?.key.as_str())).collect();
    assert_eq!(names, ["m-11"]);
}
