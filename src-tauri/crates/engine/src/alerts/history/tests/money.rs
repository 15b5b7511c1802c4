//! Back-tests of rules about what budgets are on the way to and what was billed.

use domain::{Budget, BudgetAllowance, BudgetId, BudgetSchedule, NanoUsd};
use jiff::tz::TimeZone;

use super::*;

const DOLLAR: i64 = 1_000_000_000;

/// A request of so many cents.
fn paid(number: u64, at: WallTime, cents: i64) -> ledger::Settlement {
    let secs_ago = (NOW.unix_ms() - at.unix_ms()) / 1_000;
    answered(number, secs_ago, Cost::Reported(NanoUsd::new(cents * DOLLAR / 100)), 100)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_was_on_the_way_to_be_used_up_while_its_pace_was_too_fast() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    let id = || BudgetId::new("daily").expect("a name");
    let budget = Budget { schedule: BudgetSchedule::Day, ..Budget::new(NanoUsd::new(DOLLAR)) };
    let (begun, _) = budget.schedule.around(ago(3 * DAY), &TimeZone::system()).expect("a day");
    let of_model = Budget {
        scope: Some((domain::BudgetDimension::Model, "llama".to_owned())),
        ..budget.clone()
    };
    let add = move |draft: &mut Settings| {
        draft.budgets.insert(id(), budget);
        draft.budgets.insert(BudgetId::new("model").expect("a name"), of_model);
    };
    engine.settings_editor().edit(add).await.expect("added");
    let hours = |hours: i64| begun.plus_ms(hours * HOUR * 1_000);
    // In the sixth hour $0.30 of a dollar: at its end 20 h are left to it, at that of the eighth too
    // many.
    settle(&engine, [paid(1, hours(5).plus_ms(600_000), 30)]).await;
    // The next day the same, when a second dollar was allowed in the hour before.
    settle(&engine, [paid(2, hours(24 + 5).plus_ms(600_000), 30)]).await;
    let allowed =
        BudgetAllowance { amount: NanoUsd::new(DOLLAR), at: hours(24 + 5), until: hours(48) };
    engine.ledger().allow_budget(id(), allowed).await.expect("allowed");
    let rule = AlertRule::BudgetForecast;
    let longer = tuned(&engine, rule, |it| it.hold = Duration::from_secs(7_201));
    let found = tested(&engine, rule, vec![rule_tunings(&engine.settings().alerts), longer]).await;
    let [only] = &found.firings[0][..] else { panic!("{found:?}") };
    assert_eq!(only.title, "Budget daily will be used up early");
    // It must hold for half an hour, and is kept for six.
    assert_eq!(only.fired, hours(6).plus_ms(1_800_000));
    assert_eq!(only.ended, Some(hours(8 + 6)));
    assert_eq!(found.firings[1], []);
    let spent = hours(5);
    assert_eq!(found.from, spent.hour_start(), "the ledger knows nothing before");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_of_the_past_counts_from_the_end_of_its_day() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    let rule = AlertRule::BillDrift;
    let saved = || vec![rule_tunings(&engine.settings().alerts)];
    let none = engine.alert_history().back_test(rule, saved(), 7).await.expect("read");
    assert_eq!(none, None, "nothing was billed");
    let today = engine.cost_reports().today();
    let day = |days: i64| today.saturating_sub(jiff::ToSpan::days(days));
    let noon = |days: i64| {
        let start = crate::costs::reports::day_start(day(days)).expect("a time");
        start.plus_ms(12 * HOUR * 1_000)
    };
    // Of the first day twice as much was billed as was computed; of the next one too little, so that
    // both together agree.
    settle(&engine, [paid(1, noon(5), 1_000), paid(2, noon(3), 3_000)]).await;
    let bill = |days: i64, cents: i64| ledger::BilledDay {
        provider: domain::BillingProvider::OpenAi,
        day: day(days),
        source: domain::BilledSource::Csv,
        fetched: NOW,
        lines: vec![("llama".to_owned(), NanoUsd::new(cents * DOLLAR / 100))],
    };
    engine.ledger().replace_billed(vec![bill(5, 2_000), bill(3, 2_000)]).await.expect("stored");
    let higher = tuned(&engine, rule, |it| it.threshold = 60);
    let found = tested(&engine, rule, vec![saved().remove(0), higher]).await;
    let midnight = |days: i64| crate::costs::reports::day_start(day(days)).expect("a time");
    assert_eq!(found.from, midnight(4), "no bill is of a day before");
    let [only] = &found.firings[0][..] else { panic!("{found:?}") };
    assert_eq!((only.fired, only.ended), (midnight(4), Some(midnight(2))));
    assert_eq!(found.firings[1], []);
    engine.stop().await;
}
