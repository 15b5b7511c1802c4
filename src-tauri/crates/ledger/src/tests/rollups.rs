//! Compares roll-ups with a recount and proves that sums read no request rows.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{
    BudgetDimension, ClientId, CostBasis, CredentialId, DAY_MS, Meter, NanoUsd, TokenUsage,
    WallTime,
};
use jiff::tz::TimeZone;
use pricing::{Cost, LineItem, Rate};
use proptest::prelude::*;

use super::{LedgerFixture, NOW_MS, at, backend, request, settlement};
use crate::columns::integer_columns::COUNT_MAX;
use crate::requests::request_query::REQUESTS_EXAMINED_MAX;
use crate::requests::{attempts, failed_requests};
use crate::rollup::{
    cross_rollup,
    rollup_range::{RangePiece, SlotWidth},
    rollup_sums,
};
use crate::{
    AttemptRecord, BucketWidth, CacheOutcome, CacheTotals, DimensionFilter, GroupBy, Ledger,
    Purpose, RequestOutcome, RequestQuery, RequestRow, RequestState, Settlement, Spend, UsageKey,
    UsageQuery, UsageTotals, WasteKind, requests, rollup,
};

pub(super) const DIMENSIONS: [GroupBy; 6] = [
    GroupBy::Backend,
    GroupBy::Model,
    GroupBy::Client,
    GroupBy::Credential,
    GroupBy::Project,
    GroupBy::Route,
];

pub(super) fn query(group_by: GroupBy) -> UsageQuery {
    let (from, to) = (at(-DAY_MS), at(2 * DAY_MS));
    UsageQuery::new(from, to, BucketWidth::Day, &TimeZone::UTC, group_by).expect("a range")
}

pub(super) async fn totals(ledger: &Ledger) -> UsageTotals {
    ledger.usage(query(GroupBy::Backend)).await.expect("read").totals
}

#[tokio::test]
async fn a_request_is_counted_once_however_often_it_is_settled() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    ledger.reserve(request(1)).expect("room");
    ledger.reserve(request(1)).expect("room");
    ledger.settle(settlement(1)).await.expect("settled");
    let mut again = settlement(1);
    again.cost = Cost::Reported(NanoUsd::new(999));
    again.outcome = RequestOutcome::Failed;
    ledger.settle(again.clone()).await.expect("accepted");
    drop(ledger);
    let ledger = place.open();
    ledger.settle(again).await.expect("accepted after a restart");
    ledger.settle(settlement(2)).await.expect("settled though never reserved");
    let summary = ledger.usage(query(GroupBy::Backend)).await.expect("read");
    let totals = summary.totals;
    assert_eq!((totals.requests, totals.complete, totals.failed), (2, 2, 0));
    assert_eq!((totals.cost, totals.unpriced_requests), (NanoUsd::new(2_468_000), 0));
    assert_eq!(totals.tokens.total(), 420);
    assert_eq!(totals.first_token_mean().map(|mean| mean.as_micros()), Some(310_000));
    let attempts = ledger.request(request(1).id).await.expect("read").expect("a row").1;
    assert_eq!(attempts.len(), 2);
}

#[tokio::test]
async fn other_traffic_is_not_in_the_users_totals() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    for (number, purpose) in [(1, Purpose::User), (2, Purpose::Health), (3, Purpose::Check)] {
        let mut settlement = settlement(number);
        settlement.request.purpose = purpose;
        ledger.settle(settlement).await.expect("settled");
    }
    let spend = ledger.spend(at(0), at(DAY_MS)).await.expect("read");
    let expected = Spend { cost: NanoUsd::new(1_234_000), requests: 1, ..Spend::default() };
    assert_eq!(spend, expected);
    for purpose in [Purpose::User, Purpose::Health, Purpose::Check] {
        let asked = query(GroupBy::Client).purpose(purpose);
        let summary = ledger.usage(asked).await.expect("read");
        assert_eq!(summary.totals.requests, 1, "{purpose:?}");
    }
}

#[tokio::test]
async fn absurd_counts_are_clamped_and_the_sums_stay_whole() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    for number in 0..3 {
        let mut settlement = settlement(number);
        settlement.usage = Some(TokenUsage { input_uncached: u64::MAX, ..TokenUsage::default() });
        settlement.cost = Cost::Reported(NanoUsd::new(i64::MAX));
        ledger.settle(settlement).await.expect("settled");
    }
    let totals = ledger.usage(query(GroupBy::Model)).await.expect("read").totals;
    assert_eq!(totals.tokens.input_uncached, 3 * COUNT_MAX);
    assert_eq!(totals.cost, NanoUsd::new(3 * crate::columns::integer_columns::COST_MAX.nanos()));
}

#[tokio::test]
async fn a_day_of_a_zone_off_by_half_an_hour_is_exact() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    // Midnight in Kolkata is 18:30 UTC: 10.5 hours after 08:00.
    let midnight_s = 10 * 3_600 + 1_800;
    for number in [midnight_s - 1, midnight_s, midnight_s + 1] {
        ledger.settle(settlement(number)).await.expect("settled");
    }
    let zone = TimeZone::get("Asia/Kolkata").expect("a zone");
    let (from, to) = (at(0), at(DAY_MS));
    let asked =
        UsageQuery::new(from, to, BucketWidth::Day, &zone, GroupBy::Model).expect("a range");
    let summary = ledger.usage(asked).await.expect("read");
    let counts: Vec<u64> = summary
        .buckets
        .iter()
        .map(|bucket| bucket.groups.iter().map(|(_, group)| group.requests).sum())
        .collect();
    assert_eq!(counts, [1, 2]);
    assert_eq!(summary.buckets[1].start, at(i64::from(midnight_s) * 1_000));
}

#[tokio::test]
async fn past_hours_are_folded_while_nothing_is_queued_and_again_after_who_comes_late() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    // In hours after 08:00, when the first request starts.
    let folded = || {
        let until = "SELECT until_ms FROM rollup_folded";
        let until: i64 = place.raw().query_row(until, [], |row| row.get(0)).expect("a row");
        (until - NOW_MS) / 3_600_000
    };
    let mut second = 0;
    // The last hour with requests stays unfolded, and so does the one before.
    for (hour, expected) in
        [(0, -1), (1, 0), (8, 7), (20, 19), (20, 19), (20, 19), (3, 19), (21, 20)]
    {
        second += 1;
        ledger.settle(settlement(hour * 3_600 + second)).await.expect("settled");
        for group_by in DIMENSIONS {
            check_against_recount(&ledger, group_by).await;
        }
        ledger.wait_until_folded().await;
        assert_eq!(folded(), expected, "after request {second}");
        for group_by in DIMENSIONS {
            check_against_recount(&ledger, group_by).await;
        }
        let spend = ledger.spend(at(0), at(DAY_MS)).await.expect("read");
        assert_eq!(spend.requests, u64::from(second));
    }
}

/// Between the requests of a rare client lie more of another one than a call looks at.
#[tokio::test]
async fn a_rare_name_is_found_without_reading_what_lies_between() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let mut numbers = Vec::new();
    for hour in [0, 5, 6, 20, 30, 40] {
        let number = hour * 3_600;
        let mut ended = settlement(number);
        if hour < 30 {
            ended.request.client = ClientId::new("rare").expect("a name");
            ended.request.project = Some("rare".to_owned());
            ended.backend = Some(backend("rare"));
            ended.credential = CredentialId::new("rare-key").ok();
            ended.request.route = "rare-route".to_owned();
            ended.request.model_asked = "rare-asked".to_owned();
            ended.model_billed = Some("rare-billed".to_owned());
            numbers.push(number);
        }
        ledger.settle(ended).await.expect("settled");
        if hour == 6 {
            let usual = settlement(hour * 3_600 + 10);
            ledger.settle(usual).await.expect("settled");
        }
    }
    // Eight hours after the newest rare one that is settled, and longer than an hour ago.
    let mut running = request(25 * 3_600);
    running.client = ClientId::new("rare").expect("a name");
    running.project = Some("rare".to_owned());
    ledger.reserve(running.clone()).expect("room");
    ledger.wait_until_folded().await;
    place.raw().execute_batch(&copies_of_a_request(10 * 3_600)).expect("many");

    let named = RequestQuery::newest(50);
    let client = Some(running.client.clone());
    let project = running.project.clone();
    for (query, is_running_found) in [
        (RequestQuery { client, ..named.clone() }, true),
        (RequestQuery { project, ..named.clone() }, true),
        (RequestQuery { backend: Some(backend("rare")), ..named.clone() }, false),
        (RequestQuery { credential: CredentialId::new("rare-key").ok(), ..named.clone() }, false),
        (RequestQuery { route: Some("rare-route".to_owned()), ..named.clone() }, false),
        (RequestQuery { model: Some("rare-asked".to_owned()), ..named.clone() }, false),
        (RequestQuery { model: Some("rare-billed".to_owned()), ..named }, false),
    ] {
        let mut expected: Vec<_> = numbers.iter().map(|number| request(*number).id).collect();
        expected.extend(is_running_found.then_some(running.id));
        expected.sort();
        expected.reverse();
        let mut found = Vec::new();
        let mut before = None;
        for _page in 0..expected.len() {
            let page = RequestQuery { before, limit: 2, ..query.clone() };
            let page = ledger.request_page(page).await.expect("a page");
            assert!(!page.is_cut, "{query:?}");
            found.extend(page.rows.iter().map(|row| row.request.id));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{query:?}");
        let old = at(7 * 3_600_000);
        let page = RequestQuery { until: Some(old), ..query.clone() };
        let page = ledger.request_page(page).await.expect("a page");
        assert_eq!(page.rows.len(), 3, "{query:?}");
    }
}

/// Copies the settled request that began `seconds` after the start of the test's time by another
/// name, more often than a call looks at rows.
fn copies_of_a_request(seconds: i64) -> String {
    let id = requests::oldest_id_at(at(seconds * 1_000));
    let copied = request(30 * 3_600).id;
    let count = REQUESTS_EXAMINED_MAX * 2;
    format!(
        "CREATE TEMP TABLE one AS SELECT * FROM requests WHERE id = '{copied}';
         WITH RECURSIVE counted (n) AS
          (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {count})
         INSERT INTO requests (id, started_ms, client, route, model_asked, dialect, streamed, purpose,
          state)
         SELECT '{id}' || printf('%020x', n), started_ms, client, route, model_asked, dialect,
          streamed, purpose, 'failed' FROM one, counted;"
    )
}

#[test]
fn sums_and_pages_never_scan_the_requests() {
    let place = LedgerFixture::new();
    drop(place.open());
    let connection = place.raw();
    let none = DimensionFilter::default();
    let sum = |sql: &str, search: &str| {
        let values: &[&dyn rusqlite::ToSql] = match sql.contains("?4") {
            true => rusqlite::params![NOW_MS, NOW_MS + DAY_MS, "user", "editor"],
            false => rusqlite::params![NOW_MS, NOW_MS + DAY_MS, "user"],
        };
        let plan = place.query_plan(sql, values);
        assert!(plan.contains(search) && !plan.contains("requests"), "{plan}");
    };
    let some: DimensionFilter = [(GroupBy::Client, "editor".to_owned())].into_iter().collect();
    let piece = |width, hours: i64| {
        let end_ms = NOW_MS + hours * 3_600_000;
        RangePiece { width, start_ms: NOW_MS, end_ms }
    };
    for (piece, search) in [
        (piece(SlotWidth::Quarter, 1), "SEARCH rollup_quarter USING PRIMARY KEY"),
        (piece(SlotWidth::Hour, 23), "SEARCH rollup_cross USING INDEX rollup_cross_slots"),
        (piece(SlotWidth::Hour, 24), "SEARCH rollup_cross USING PRIMARY KEY"),
        (piece(SlotWidth::Day, 48), "SEARCH rollup_cross USING PRIMARY KEY"),
    ] {
        for group_by in DIMENSIONS {
            for basis in CostBasis::ALL {
                sum(&cross_rollup::rows_sql(&piece, group_by.word(), &none, *basis), search);
                sum(&cross_rollup::rows_sql(&piece, group_by.word(), &some, *basis), search);
            }
        }
    }
    let hours = "SEARCH rollup_hour USING PRIMARY KEY";
    let days = "SEARCH rollup_day USING PRIMARY KEY";
    for group_by in DIMENSIONS {
        for basis in CostBasis::ALL {
            let rows = |width| rollup_sums::dimension_rows_sql(width, group_by, "name", *basis);
            sum(&rows(SlotWidth::Hour), hours);
            sum(&rows(SlotWidth::Day), days);
        }
    }
    let ids = rusqlite::params![900_000, "req_0", "req_f", "user", "editor"];
    for by in [GroupBy::Backend, GroupBy::Model, GroupBy::Client] {
        let filter: DimensionFilter = [(by, "editor".to_owned())].into_iter().collect();
        let plan = place.query_plan(&failed_requests::sum_sql(&filter), ids);
        assert!(plan.contains("INDEX requests_failed_costs"), "{plan}");
        let plan = place.query_plan(&failed_requests::retried_sql(&filter), ids);
        assert!(
            plan.contains("INDEX requests_retried") && !plan.contains("SCAN attempts"),
            "{plan}"
        );
    }
    let spent = rusqlite::params![NOW_MS, NOW_MS + DAY_MS, "user", "editor"];
    for dimension in BudgetDimension::ALL.iter().copied().map(Some).chain([None]) {
        let plan = |width| place.query_plan(&rollup::spend_sql(width, dimension), spent);
        assert!(plan(SlotWidth::Hour).contains(hours));
        assert!(plan(SlotWidth::Quarter).contains("SEARCH rollup_quarter USING PRIMARY KEY"));
    }
    let check = |asked: RequestQuery, index: &str| {
        let (sql, values) = asked.first_walk();
        let values: Vec<_> = values.iter().map(|value| value as &dyn rusqlite::ToSql).collect();
        let plan = place.query_plan(&sql, &values);
        assert!(plan.contains(index) && !plan.contains("SCAN requests"), "{asked:?}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{asked:?}: {plan}");
    };
    let newest = RequestQuery::newest(50);
    check(newest.clone(), "SEARCH requests USING PRIMARY KEY");
    let client = ClientId::new("editor").ok();
    check(RequestQuery { client, ..newest.clone() }, "SEARCH requests USING PRIMARY KEY");
    let failed = Some(RequestState::Failed);
    check(RequestQuery { state: failed, ..newest.clone() }, "INDEX requests_trouble");
    let running = Some(RequestState::Running);
    check(RequestQuery { state: running, ..newest.clone() }, "INDEX requests_reserved");
    let route = Some("fast".to_owned());
    check(RequestQuery { route, ..newest.clone() }, "SEARCH requests USING PRIMARY KEY");
    for (kind, index) in [
        (WasteKind::Failed, "INDEX requests_trouble"),
        (WasteKind::Retries, "INDEX requests_retried"),
        (WasteKind::Health, "INDEX requests_own"),
        (WasteKind::Checks, "INDEX requests_own"),
    ] {
        check(RequestQuery { waste: Some(kind), ..newest.clone() }, index);
    }
    let status = |range| RequestQuery { http_status: Some(range), ..newest.clone() };
    let failure = RequestQuery { failure: Some("overloaded".to_owned()), ..newest.clone() };
    check(failure.clone(), "INDEX attempts_class");
    check(failure, "INDEX requests_error_class");
    let unindexed = RequestQuery {
        credential: CredentialId::new("home-key").ok(),
        cache: Some(CacheOutcome::Hit),
        cost_min: Some(NanoUsd::new(1)),
        cost_max: Some(NanoUsd::new(2)),
        took_min: Some(Duration::from_secs(1)),
        took_max: Some(Duration::from_secs(2)),
        is_unpriced: true,
        ..newest.clone()
    };
    check(unindexed, "SEARCH requests USING PRIMARY KEY");
    check(status(503..=503), "INDEX requests_error_status");
    check(status(500..=599), "INDEX requests_error_status");
    let model = RequestQuery { model: Some("gpt".to_owned()), ..newest.clone() };
    check(model, "SEARCH requests USING PRIMARY KEY");
    let pattern = RequestQuery { model: Some("gpt*".to_owned()), ..newest.clone() };
    check(pattern, "SEARCH requests USING PRIMARY KEY");
    let lost = "UPDATE requests SET state = 'unknown' WHERE state = 'reserved'";
    assert!(place.query_plan(lost, &[]).contains("INDEX requests_reserved"));
    assert!(requests::mark_reserved_unknown(&connection) == Ok(0));
}

#[test]
fn settling_a_request_makes_no_table_on_the_way() {
    let place = LedgerFixture::new();
    drop(place.open());
    let connection = place.raw();
    for sql in [requests::SETTLE.as_str(), attempts::INSERT.as_str()] {
        let mut statement = connection.prepare(&format!("EXPLAIN {sql}")).expect("a statement");
        let unbound = vec![rusqlite::types::Null; statement.parameter_count()];
        let steps = statement
            .query_map(rusqlite::params_from_iter(unbound), |row| row.get::<_, String>(1))
            .expect("rows")
            .collect::<Result<Vec<_>, _>>()
            .expect("steps");
        assert!(steps.contains(&"OpenWrite".to_owned()), "{sql}");
        assert!(!steps.contains(&"OpenEphemeral".to_owned()), "{sql}");
    }
}

pub(super) fn any_settlement() -> impl Strategy<Value = Settlement> {
    let names = (0_u32..40, 0_u32..3, 0_u32..3, 0_u32..2);
    let outcome = prop::sample::select(vec![
        RequestOutcome::Complete,
        RequestOutcome::Partial,
        RequestOutcome::Failed,
        RequestOutcome::Cancelled,
    ]);
    let tokens = prop::option::of((0_u64..5_000, 0_u64..5_000, 0_u64..5_000));
    let cost = prop_oneof![
        Just(Cost::Unpriced),
        Just(Cost::NotBilled),
        (0_i64..9_000_000).prop_map(|micros| Cost::Reported(NanoUsd::new(micros))),
        (0_i64..9_000_000).prop_map(computed),
    ];
    (names, outcome, tokens, cost, any::<bool>()).prop_map(
        |((number, place, model, client), outcome, tokens, cost, has_project)| {
            // 40 requests over 40 hours cover several days and quarter hours.
            let mut ended = settlement(number * 3_600);
            ended.outcome = outcome;
            ended.backend = (place > 0).then(|| backend(&format!("b{place}")));
            ended.credential = CredentialId::new(format!("k{model}")).ok().filter(|_| place > 1);
            ended.model_billed = (model > 0).then(|| format!("m{model}"));
            ended.request.client = ClientId::new(format!("c{client}")).expect("a name");
            ended.request.route = format!("r{}", number % 3);
            ended.request.project = has_project.then(|| "p".to_owned());
            ended.usage = tokens.map(|(input_uncached, cache_read, reasoning)| TokenUsage {
                input_uncached,
                cache_read,
                reasoning,
                ..TokenUsage::default()
            });
            ended.attempts.truncate(usize::try_from(number % 3).expect("small"));
            ended.attempts.iter_mut().for_each(|attempt| attempt.cost = cost.clone());
            if let Some(last) = ended.attempts.last_mut() {
                // The attempt before it was made elsewhere, at another model, and had its own price.
                last.backend = ended.backend.clone().unwrap_or_else(|| backend("home"));
                last.credential = ended.credential.clone();
            }
            if let [first, _] = ended.attempts.as_mut_slice() {
                first.cost = match number % 4 {
                    0 => Cost::Unpriced,
                    1 => computed(i64::from(number % 5)),
                    _ => Cost::Reported(NanoUsd::new(i64::from(number) * 7)),
                };
                first.model = format!("other-{client}");
            }
            // What the price list computes beside a stated cost, if it does.
            let amount = [None, Some(None), Some(Some(NanoUsd::new(i64::from(number) / 9)))]
                [usize::try_from(number / 3 % 3).expect("small")];
            let line = amount.map(|amount| LineItem {
                meter: Meter::Input,
                quantity: 9,
                rate: amount.map(|_| Rate::new(1_000)),
                amount,
            });
            ended.attempts.iter_mut().for_each(|attempt| attempt.lines = Vec::from_iter(line));
            let outcomes = [CacheOutcome::Hit, CacheOutcome::Miss, CacheOutcome::Coalesced];
            ended.cache = outcomes[usize::try_from(place).expect("small")];
            let cost = match ended.attempts.as_slice() {
                [] => cost,
                attempts => Cost::total(attempts.iter().map(|attempt| &attempt.cost)),
            };
            ended.saved = cost.amount().filter(|_| ended.cache == CacheOutcome::Hit);
            ended.saved_time = ended.saved.map(|_| Duration::from_micros(5));
            ended.cost = cost;
            ended.timings.first_token = has_project.then_some(Duration::from_micros(9));
            ended
        },
    )
}

fn computed(nanos: i64) -> Cost {
    Cost::Computed { amount: NanoUsd::new(nanos), price_id: "p".to_owned() }
}

fn micros(interval: Duration) -> u64 {
    u64::try_from(interval.as_micros()).expect("short")
}

pub(super) fn totals_of(row: &RequestRow) -> UsageTotals {
    UsageTotals {
        requests: 1,
        complete: u64::from(row.state == RequestState::Complete),
        failed: u64::from(row.state == RequestState::Failed),
        tokens: row.usage.unwrap_or_default(),
        // Of a request without a known cost, what is known of its failed attempts.
        cost: row.cost.amount().unwrap_or(row.wasted),
        unpriced_requests: u64::from(row.cost.amount().is_none() || row.unpriced_attempts > 0),
        unbilled_requests: u64::from(row.cost == Cost::NotBilled),
        first_token_us_sum: row.timings.first_token.map_or(0, micros),
        first_token_count: u64::from(row.timings.first_token.is_some()),
        duration_us_sum: row.timings.total.map_or(0, micros),
        retries: u64::from(row.attempts.saturating_sub(1)),
        wasted: row.wasted,
        unpriced_attempts: u64::from(row.unpriced_attempts),
        cache: CacheTotals {
            hits: u64::from(row.cache == CacheOutcome::Hit),
            shared: u64::from(row.cache == CacheOutcome::Coalesced),
            misses: u64::from(row.cache == CacheOutcome::Miss),
            saved: row.saved.unwrap_or_default(),
            saved_us: row.saved_time.map_or(0, micros),
        },
    }
}

fn cost_on(basis: CostBasis, attempt: &AttemptRecord) -> Option<NanoUsd> {
    match (basis, &attempt.cost) {
        (_, Cost::NotBilled) => Some(NanoUsd::ZERO),
        (CostBasis::Known, cost) => cost.amount(),
        (CostBasis::Reported, Cost::Reported(amount))
        | (CostBasis::Computed, Cost::Computed { amount, .. }) => Some(*amount),
        (CostBasis::Computed, Cost::Reported(_)) if !attempt.lines.is_empty() => {
            attempt.lines.iter().map(|line| line.amount).sum()
        }
        _ => None,
    }
}

/// [`totals_of`] on a basis other than the known costs, from the attempts.
fn totals_on(basis: CostBasis, row: &RequestRow, attempts: &[AttemptRecord]) -> UsageTotals {
    let costs: Vec<Option<NanoUsd>> = match (attempts, &row.cost) {
        ([_, _, ..], _) => attempts.iter().map(|attempt| cost_on(basis, attempt)).collect(),
        (_, Cost::NotBilled) => vec![Some(NanoUsd::ZERO)],
        (_, Cost::Reported(amount)) if basis == CostBasis::Reported => vec![Some(*amount)],
        (_, Cost::Computed { amount, .. }) if basis == CostBasis::Computed => vec![Some(*amount)],
        _ => vec![attempts.first().and_then(|attempt| cost_on(basis, attempt))],
    };
    let before_last = costs.len() - 1;
    let unknown = |costs: &[Option<NanoUsd>]| costs.iter().filter(|cost| cost.is_none()).count();
    UsageTotals {
        cost: costs.iter().flatten().copied().sum(),
        unpriced_requests: u64::from(unknown(&costs) > 0),
        unpriced_attempts: u64::try_from(unknown(&costs[..before_last])).expect("few"),
        ..totals_of(row)
    }
}

pub(super) fn key_of(row: &RequestRow, group_by: GroupBy) -> UsageKey {
    let name = match group_by {
        GroupBy::Backend => row.backend.as_ref().map(ToString::to_string),
        GroupBy::Model => {
            Some(row.model_billed.clone().unwrap_or_else(|| row.request.model_asked.clone()))
        }
        GroupBy::Client => Some(row.request.client.to_string()),
        GroupBy::Credential => row.credential.as_ref().map(ToString::to_string),
        GroupBy::Project => row.request.project.clone(),
        GroupBy::Route => Some(row.request.route.clone()),
    };
    name.map_or(UsageKey::Unnamed, UsageKey::Named)
}

/// What a request counts in one place.
#[derive(Clone)]
pub(super) struct Part {
    /// Named as the place.
    pub(super) row: RequestRow,
    pub(super) totals: UsageTotals,
}

impl Part {
    /// All of a request where it was answered.
    pub(super) fn whole(row: &RequestRow) -> Self {
        Self { row: row.clone(), totals: totals_of(row) }
    }
}

/// What an attempt elsewhere counts there on a basis; `None` if it is not booked there at all.
fn made_there(
    basis: CostBasis,
    row: &RequestRow,
    attempts: &[AttemptRecord],
    place: usize,
) -> Option<UsageTotals> {
    let attempt = &attempts[place];
    let known = attempt.cost.amount().unwrap_or_default();
    let is_unpriced = attempt.cost == Cost::Unpriced && row.is_unpriced();
    let counts = |basis| cost_on(basis, attempt) != Some(NanoUsd::ZERO);
    let is_booked = known > NanoUsd::ZERO
        || is_unpriced
        || counts(CostBasis::Reported)
        || counts(CostBasis::Computed);
    let is_unknown = |attempt: &AttemptRecord| cost_on(basis, attempt).is_none();
    let is_last_unknown = attempts.iter().rposition(is_unknown) == Some(place);
    let (unpriced_requests, unpriced_attempts) = match basis {
        // Until version 3 they were not counted.
        CostBasis::Known => (
            is_last_unknown && row.is_unpriced(),
            is_unpriced && attempt.has_failed() && row.unpriced_attempts > 0,
        ),
        _ => (is_last_unknown, is_unknown(attempt) && place + 1 < attempts.len()),
    };
    is_booked.then(|| UsageTotals {
        cost: cost_on(basis, attempt).unwrap_or_default(),
        unpriced_requests: u64::from(unpriced_requests),
        unpriced_attempts: u64::from(unpriced_attempts),
        wasted: if attempt.has_failed() { known } else { NanoUsd::ZERO },
        ..UsageTotals::default()
    })
}

/// Each request, and what its attempts cost elsewhere.
pub(super) async fn parts_on(basis: CostBasis, ledger: &Ledger, rows: &[RequestRow]) -> Vec<Part> {
    let mut parts = Vec::new();
    for row in rows {
        let mut own = Part::whole(row);
        let (_, attempts) = ledger.request(row.request.id).await.expect("read").expect("a row");
        if basis != CostBasis::Known {
            own.totals = totals_on(basis, row, &attempts);
        }
        let last = attempts.last().map(|last| last.model.clone());
        for (place, attempt) in attempts.iter().enumerate() {
            let mut there = row.clone();
            there.backend = Some(attempt.backend.clone());
            there.credential = attempt.credential.clone();
            if last.as_ref() != Some(&attempt.model) {
                there.model_billed = Some(attempt.model.clone());
            }
            let is_elsewhere = DIMENSIONS.iter().any(|by| key_of(&there, *by) != key_of(row, *by));
            let made = made_there(basis, row, &attempts, place).filter(|_| is_elsewhere);
            if let Some(totals) = made {
                own.totals.cost = own.totals.cost - totals.cost;
                own.totals.wasted = own.totals.wasted - totals.wasted;
                own.totals.unpriced_requests -= totals.unpriced_requests;
                own.totals.unpriced_attempts -= totals.unpriced_attempts;
                parts.push(Part { row: there, totals });
            }
        }
        parts.push(own);
    }
    parts
}

pub(super) async fn check_against_recount(ledger: &Ledger, group_by: GroupBy) {
    for basis in CostBasis::ALL {
        check_basis_against_recount(ledger, group_by, *basis).await;
    }
}

async fn check_basis_against_recount(ledger: &Ledger, group_by: GroupBy, basis: CostBasis) {
    let rows = ledger.requests(RequestQuery::newest(500)).await.expect("read");
    let summary = ledger.usage(query(group_by).basis(basis)).await.expect("read");
    let mut groups: BTreeMap<UsageKey, UsageTotals> = BTreeMap::new();
    let mut buckets: BTreeMap<(WallTime, UsageKey), UsageTotals> = BTreeMap::new();
    let mut totals = UsageTotals::default();
    let parts = parts_on(basis, ledger, &rows).await;
    for Part { row, totals: one } in
        parts.iter().filter(|part| part.row.state != RequestState::Running)
    {
        let started = row.request.started;
        let bucket = summary.buckets.iter().find(|b| b.start <= started && started < b.end);
        let start = bucket.expect("a bucket").start;
        *groups.entry(key_of(row, group_by)).or_default() += *one;
        *buckets.entry((start, key_of(row, group_by))).or_default() += *one;
        totals += *one;
    }
    groups.retain(|_, sum| *sum != UsageTotals::default());
    buckets.retain(|_, sum| *sum != UsageTotals::default());
    assert_eq!(summary.totals, totals, "{basis}");
    for (key, sum) in summary.buckets.iter().flat_map(|bucket| &bucket.groups) {
        let is_part = basis != CostBasis::Known || sum.wasted <= sum.cost;
        assert!(NanoUsd::ZERO <= sum.wasted && is_part, "{key:?} {sum:?}");
    }
    assert_eq!(summary.groups.iter().cloned().collect::<BTreeMap<_, _>>(), groups, "{basis}");
    let shown = summary.buckets.iter().flat_map(|bucket| {
        bucket.groups.iter().map(|(key, group)| ((bucket.start, key.clone()), *group))
    });
    assert_eq!(shown.collect::<BTreeMap<_, _>>(), buckets, "{basis}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any mix of reservations, settlements, repeats and a restart: the roll-ups equal a recount.
    #[test]
    fn roll_ups_equal_a_recount(
        settlements in prop::collection::vec(any_settlement(), 1..60),
        reserved in prop::collection::vec(0_u32..40, 0..10),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let place = LedgerFixture::new();
            let ledger = place.open();
            for number in reserved {
                ledger.reserve(request(number * 3_600)).expect("room");
            }
            for settlement in settlements {
                ledger.settle(settlement).await.expect("settled");
            }
            check_against_recount(&ledger, GroupBy::Model).await;
            drop(ledger);
            // Requests that were only reserved now count as unknown.
            let ledger = place.open();
            for group_by in DIMENSIONS {
                check_against_recount(&ledger, group_by).await;
            }
        });
    }
}
