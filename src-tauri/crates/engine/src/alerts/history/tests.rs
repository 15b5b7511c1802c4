//! Back-tests on ledgers with a known past.

use alerts::RuleTuning;
use domain::HealthState;
use ledger::{HealthChange, TransitionRecord};
use pricing::Cost;

use super::*;
use crate::Engine;
use crate::alerts::measurements::tests::{answered, settle, with_backend_and_keys};
use crate::alerts::rule_tunings::rule_tunings;
use crate::gateway::response_cache::tests::opened;
use crate::test_parts::NOW;

mod local;
mod money;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

fn ago(secs: i64) -> WallTime {
    NOW.minus_ms(secs * 1_000)
}

fn up() -> BackendId {
    BackendId::new("up").expect("a name")
}

async fn health(engine: &Engine, secs_ago: i64, to: HealthState) {
    let change = HealthChange {
        backend: up(),
        from: None,
        to,
        at: ago(secs_ago),
        reason: "connection refused".to_owned(),
    };
    engine.ledger().record_health(change).await.expect("recorded");
}

/// So many seconds of each of these hours were seen.
async fn observe(engine: &Engine, hours_ago: impl Iterator<Item = i64>) {
    let row = |hour: i64| ObservedTimeRow {
        subject: ObservedSubject::Backend(up()),
        slot: ago(hour * HOUR).hour_start(),
        width: Duration::from_secs(3_600),
        good: Duration::from_secs(600),
        bad: Duration::ZERO,
    };
    let rows = hours_ago.map(row).collect();
    engine.ledger().add_observed_time(rows, Vec::new()).await.expect("added");
}

/// The saved numbers, changed.
fn tuned(engine: &Engine, rule: AlertRule, change: impl Fn(&mut RuleTuning)) -> RuleTunings {
    let mut all = rule_tunings(&engine.settings().alerts);
    change(all.entry(rule).or_default());
    all
}

async fn tested(engine: &Engine, rule: AlertRule, tunings: Vec<RuleTunings>) -> RuleBackTest {
    let found = engine.alert_history().back_test(rule, tunings, 7).await.expect("read");
    found.expect("a history")
}

/// Minutes until now at which each fired and ended.
fn minutes(firings: &[PastFiring]) -> Vec<(i64, Option<i64>)> {
    let ago = |at: WallTime| (NOW.unix_ms() - at.unix_ms()) / 60_000;
    firings.iter().map(|it| (ago(it.fired), it.ended.map(ago))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn outages_of_the_past_fire_by_their_length_and_not_while_nobody_looked() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    observe(&engine, (0..200).filter(|hour| !(70..75).contains(hour))).await;
    health(&engine, 10 * DAY, HealthState::Up).await;
    // Ten minutes three days and a half ago, and a minute two days ago.
    health(&engine, 84 * HOUR, HealthState::Down).await;
    health(&engine, 84 * HOUR - 10 * MINUTE, HealthState::Up).await;
    health(&engine, 48 * HOUR, HealthState::Down).await;
    health(&engine, 48 * HOUR - MINUTE, HealthState::Up).await;
    // While nobody looked.
    health(&engine, 73 * HOUR, HealthState::Down).await;
    health(&engine, 73 * HOUR - 30 * MINUTE, HealthState::Up).await;

    let rule = AlertRule::BackendDown;
    let longer = |secs| tuned(&engine, rule, |it| it.hold = Duration::from_secs(secs));
    let found = tested(&engine, rule, vec![longer(0), longer(300), longer(900)]).await;
    assert_eq!((found.from, found.until), (ago(7 * DAY), NOW));
    assert_eq!(found.unseen, Duration::from_secs(5 * 3_600));
    let long = (84 * 60, Some(84 * 60 - 12));
    assert_eq!(minutes(&found.firings[0]), [long, (48 * 60, Some(48 * 60 - 3))]);
    assert_eq!(minutes(&found.firings[1]), [(84 * 60 - 5, Some(84 * 60 - 12))]);
    assert_eq!(minutes(&found.firings[2]), []);
    engine.stop().await;
}

fn change(
    secs_ago: i64,
    (from, to): (&str, &str),
    rule: &str,
    lasts: Option<u64>,
) -> TransitionRecord {
    TransitionRecord {
        at: ago(secs_ago),
        endpoint: domain::Endpoint { backend: up(), credential: None },
        model: None,
        from: from.to_owned(),
        to: to.to_owned(),
        rule: rule.to_owned(),
        evidence: Vec::new(),
        lasts: lasts.map(Duration::from_secs),
    }
}

/// To the backend alone.
async fn with_route(engine: &Engine) {
    let added = engine.settings_editor().edit(|draft| {
        let (backend, model, weight) = (up(), None, 100);
        let to = vec![settings::RouteCandidateSettings { backend, model, weight }];
        let route = settings::RouteSettings::new(vec!["fast".to_owned()], to);
        draft.routes.insert(domain::RouteId::new("fast").expect("a name"), route);
    });
    added.await.expect("added");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_was_dead_while_its_backend_was_held_or_waited_for_its_quota() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    with_route(&engine).await;
    health(&engine, 10 * DAY, HealthState::Up).await;
    settle(&engine, [answered(1, 9 * DAY, Cost::Unpriced, 100)]).await;
    let (hour, minute) = (3_600, 60);
    let all = vec![
        change(50 * HOUR, ("ready", "cooling-down"), "daily-quota", Some(6 * hour)),
        change(44 * HOUR, ("cooling-down", "ready"), "cooldown-over", None),
        change(40 * HOUR, ("ready", "cooling-down"), "rate-limited", Some(minute)),
        change(30 * HOUR, ("automatic", "forced-open"), "forced", None),
        change(29 * HOUR, ("forced-open", "automatic"), "forced", None),
        // Its account has an alert of its own.
        change(20 * HOUR, ("ready", "blocked"), "unpaid", None),
        change(19 * HOUR, ("blocked", "ready"), "recheck-passed", None),
    ];
    engine.ledger().record_endpoint_changes(all, Vec::new()).expect("queued");
    let saved = vec![rule_tunings(&engine.settings().alerts)];
    let found = tested(&engine, AlertRule::RouteDead, saved).await;
    let of_quota = (50 * 60 - 1, Some(44 * 60));
    assert_eq!(minutes(&found.firings[0]), [of_quota, (30 * 60 - 1, Some(29 * 60 - 1))]);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_was_not_dead_before_anything_was_known_of_its_backend() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    with_route(&engine).await;
    settle(&engine, [answered(1, 9 * DAY, Cost::Unpriced, 100)]).await;
    // It was added two days ago.
    health(&engine, 48 * HOUR, HealthState::Up).await;
    let held = change(30 * HOUR, ("automatic", "forced-open"), "forced", None);
    let freed = change(29 * HOUR, ("forced-open", "automatic"), "forced", None);
    engine.ledger().record_endpoint_changes(vec![held, freed], Vec::new()).expect("queued");
    let saved = vec![rule_tunings(&engine.settings().alerts)];
    let found = tested(&engine, AlertRule::RouteDead, saved).await;
    assert_eq!(minutes(&found.firings[0]), [(30 * 60 - 1, Some(29 * 60 - 1))]);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breaker_that_opened_is_one_trouble_until_it_closes() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    health(&engine, 10 * DAY, HealthState::Up).await;
    settle(&engine, [answered(1, 9 * DAY, Cost::Unpriced, 100)]).await;
    let change = |secs_ago, from, to, lasts| change(secs_ago, (from, to), "", lasts);
    let all = vec![
        change(5 * HOUR, "closed", "open", Some(60)),
        change(5 * HOUR - 10, "open", "half-open", None),
        change(5 * HOUR - 11, "half-open", "open", Some(600)),
        change(4 * HOUR, "half-open", "closed", None),
        change(3 * HOUR, "closed", "open", Some(900)),
        change(2 * HOUR, "open", "closed", None),
    ];
    engine.ledger().record_endpoint_changes(all, Vec::new()).expect("queued");
    let rule = AlertRule::BreakerOpen;
    let tunings = tuned(&engine, rule, |it| it.hold = Duration::from_secs(120));
    let found = tested(&engine, rule, vec![tunings]).await;
    let [first, second] = &minutes(&found.firings[0])[..] else { panic!("{found:?}") };
    // A trial in between is no end.
    assert_eq!(*first, (5 * 60 - 3, Some(4 * 60 - 1)));
    assert_eq!(*second, (3 * 60 - 2, Some(2 * 60 - 1)));
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_the_past_are_judged_with_the_numbers_that_are_tried() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    health(&engine, 10 * DAY, HealthState::Up).await;
    let cost = || Cost::Reported(domain::NanoUsd::new(1));
    settle(&engine, [answered(1, 9 * DAY, cost(), 100)]).await;
    // Within ten minutes two days ago: a fifth of a hundred failed.
    let requests = (0..100).map(|number| {
        let mut one =
            answered(100 + number, 2 * DAY - i64::try_from(number).unwrap_or(0) * 6, cost(), 100);
        if number % 5 == 0 {
            one.outcome = ledger::RequestOutcome::Failed;
            for attempt in &mut one.attempts {
                attempt.error_class = Some("server".to_owned());
                attempt.class = Some("server".to_owned());
            }
        }
        one
    });
    settle(&engine, requests).await;
    let rule = AlertRule::ErrorRate;
    let at_percent = |percent| {
        let mut all = tuned(&engine, rule, |it| it.threshold = percent);
        // So many failures are a fast burn too, which would say it all.
        all.entry(AlertRule::BurnFast).or_default().delivery = domain::AlertDelivery::Off;
        all
    };
    let found = tested(&engine, rule, vec![at_percent(1), at_percent(30)]).await;
    let [(fired, Some(ended))] = minutes(&found.firings[0])[..] else { panic!("{found:?}") };
    // Five minutes after the fifth failure, and until few are left in the half hour.
    let began = 2 * 24 * 60;
    assert!((began - 9..=began - 6).contains(&fired), "{}", began - fired);
    assert!((began - 47..=began - 40).contains(&ended), "{}", began - ended);
    assert_eq!(minutes(&found.firings[1]), []);
    // The chart has a step for each two hours; two days ago begins the 61st.
    let metric = found.metric.as_ref().expect("it has a threshold");
    assert_eq!((metric.steps.len(), metric.steps[60]), (84, ago(2 * DAY)));
    let [line] = &metric.lines[..] else { panic!("{metric:?}") };
    assert_eq!(line.scope, up().as_str());
    let measured: Vec<(usize, f64)> =
        line.values.iter().enumerate().filter_map(|(step, it)| Some((step, (*it)?))).collect();
    assert_eq!(measured, [(60, 20.0)]);
    let found = tested(&engine, AlertRule::BurnFast, vec![rule_tunings(&engine.settings().alerts)]);
    assert_eq!(found.await.firings[0].len(), 1, "the backend's, which the gateway's is part of");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_of_the_past_is_judged_by_whole_hours() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    let cents = |cents: i64| Cost::Reported(domain::NanoUsd::new(cents * 10_000_000));
    let usual = (50..=70_i64).flat_map(|hour| (0..6_i64).map(move |place| (hour, place)));
    let usual = usual.map(|(hour, place)| {
        let number = u64::try_from(1_000 + hour * 10 + place).expect("small");
        answered(number, hour * HOUR - place * MINUTE, cents(1), 1_000)
    });
    settle(&engine, usual).await;
    let spike = (0..80).map(|number| answered(number, 40 * HOUR + 60, cents(10), 5_000));
    settle(&engine, spike).await;
    settle(&engine, [answered(9_000, 30 * HOUR, Cost::Unpriced, 1_000)]).await;
    let saved = || vec![rule_tunings(&engine.settings().alerts)];
    for rule in [AlertRule::SpendAnomaly, AlertRule::UnpricedModel] {
        let found = tested(&engine, rule, saved()).await;
        assert_eq!(found.firings[0].len(), 1, "{rule}: {found:?}");
    }
    let many = tuned(&engine, AlertRule::UnpricedModel, |it| it.threshold = 2);
    let found = tested(&engine, AlertRule::UnpricedModel, vec![many]).await;
    assert_eq!(found.firings[0], []);
    assert!(found.from > ago(4 * DAY), "nothing is known of the days before the first request");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_answers_are_compared_with_the_week_before_them() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    health(&engine, 10 * DAY, HealthState::Up).await;
    let cost = || Cost::Reported(domain::NanoUsd::new(1));
    let usual = (0..60_i64).map(|place| {
        answered(u64::try_from(place).unwrap_or(0), 60 * HOUR - place * MINUTE, cost(), 1_000)
    });
    settle(&engine, usual).await;
    settle(&engine, (0..20).map(|place| answered(500 + place, 30 * HOUR + 60, cost(), 5_000)))
        .await;
    let rule = AlertRule::SlowAnswers;
    let at_percent = |percent| tuned(&engine, rule, |it| it.threshold = percent);
    let found = tested(&engine, rule, vec![at_percent(200), at_percent(600)]).await;
    assert_eq!(found.firings[0].len(), 1, "{found:?}");
    assert_eq!(found.firings[1], []);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_was_new_for_a_day_once_the_ledger_was_a_week_old() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    let cost = || Cost::Reported(domain::NanoUsd::new(1));
    let named = |number: u64, secs_ago: i64, client: &str, model: &str| {
        let mut one = answered(number, secs_ago, cost(), 100);
        one.request.client = ClientId::new(client).expect("a name");
        one.request.model_asked = model.to_owned();
        one.model_billed = Some(model.to_owned());
        one
    };
    let all = [
        named(1, 12 * DAY, "editor", "llama"),
        // The ledger is six and a half days old: until it is seven, everything is new.
        named(2, 12 * DAY - 13 * DAY / 2, "early", "llama"),
        named(3, 3 * DAY + 60, "agent", "llama"),
        named(4, 2 * DAY + 60, "agent", "gpt"),
        named(5, DAY, crate::gateway::snapshot::PLAYGROUND_CLIENT, "gpt"),
        named(6, 2 * HOUR, "late", "gpt"),
    ];
    settle(&engine, all).await;
    let found = tested(&engine, AlertRule::FirstUse, vec![rule_tunings(&engine.settings().alerts)]);
    let found = found.await;
    let whole_hour = |secs: i64| (NOW.unix_ms() - ago(secs).hour_start().unix_ms()) / 60_000;
    let told: Vec<_> = minutes(&found.firings[0]).into_iter().map(|it| it.0).collect();
    let early = 5 * 24 * 60 + whole_hour(12 * DAY) - 12 * 24 * 60;
    let expected =
        [early, whole_hour(3 * DAY + 60), whole_hour(2 * DAY + 60), whole_hour(2 * HOUR)];
    assert_eq!(told, expected, "{found:?}");
    assert_eq!(found.firings[0].last().expect("one").ended, None, "it is new still");
    let lasted =
        found.firings[0][1].ended.expect("over").unix_ms() - found.firings[0][1].fired.unix_ms();
    assert_eq!(lasted / HOUR / 1_000, 24);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_was_stopped_is_told_for_half_an_hour_and_longer_if_stopped_again() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    let stopped = |number, secs_ago: i64| ledger::StoppedLoop {
        request: answered(number, secs_ago, Cost::NotBilled, 100).request.id,
        client: ClientId::new("agent").expect("a name"),
        at: ago(secs_ago),
    };
    settle(&engine, [answered(4, 3 * DAY, Cost::NotBilled, 100)]).await;
    for one in [stopped(1, 2 * DAY), stopped(2, 2 * DAY - 600), stopped(3, DAY)] {
        engine.ledger().record_loop(one).expect("queued");
    }
    let saved = vec![rule_tunings(&engine.settings().alerts)];
    let found = tested(&engine, AlertRule::StoppedLoop, saved).await;
    let lasted: Vec<_> = found.firings[0]
        .iter()
        .map(|it| (it.ended.expect("over").unix_ms() - it.fired.unix_ms()) / 60_000)
        .collect();
    assert_eq!(lasted, [40, 30], "{found:?}");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_was_unused_from_thirty_days_after_its_last_request_to_the_next() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    let cost = || Cost::Reported(domain::NanoUsd::new(1));
    let used = [(1, 38 * DAY), (2, 35 * DAY), (3, 2 * DAY)];
    settle(&engine, used.map(|(number, secs)| answered(number, secs, cost(), 100))).await;
    let saved = vec![rule_tunings(&engine.settings().alerts)];
    let found = tested(&engine, AlertRule::KeyUnused, saved).await;
    let told = &found.firings[0];
    let of = |key: &str| told.iter().filter(|it| it.title.contains(key)).collect::<Vec<_>>();
    // The idle key is unused since the ledger is thirty days old, before these seven.
    let [idle] = of("key idle")[..] else { panic!("{told:?}") };
    assert!(idle.fired < found.from && idle.ended.is_none(), "{idle:?}");
    let [fired] = of("key used")[..] else { panic!("{told:?}") };
    let hour = |secs: i64| ago(secs).hour_start().unix_ms();
    assert_eq!(fired.fired.unix_ms(), hour(35 * DAY) + HOUR * 1_000 + 30 * DAY * 1_000);
    assert_eq!(fired.ended.expect("over").unix_ms(), hour(2 * DAY));
    assert_eq!(told.len(), 2, "nothing is said of a new key");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_was_at_fault_while_a_check_or_a_request_had_it_rejected() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    let used = CredentialId::new("used").expect("a name");
    let pool = used.clone();
    let with_key = move |draft: &mut Settings| {
        draft.backends.get_mut(&up()).expect("added").pool =
            settings::KeyPoolSettings::from_credential(Some(pool));
    };
    engine.settings_editor().edit(with_key).await.expect("edited");
    settle(&engine, [answered(1, 10 * DAY, Cost::Unpriced, 100)]).await;
    let blocked = |secs: i64, (from, to): (&str, &str), rule: &str| {
        let mut one = change(secs, (from, to), rule, None);
        one.endpoint.credential = Some(used.clone());
        one
    };
    let all = vec![
        blocked(80 * HOUR, ("ready", "blocked"), "key-rejected"),
        blocked(79 * HOUR, ("blocked", "ready"), "recheck-passed"),
    ];
    engine.ledger().record_endpoint_changes(all, Vec::new()).expect("queued");
    let verdict = |secs: i64, verdict| ledger::KeyVerdictRecord {
        at: ago(secs),
        credential: used.clone(),
        place: Some("up".to_owned()),
        verdict,
        source: ledger::KeyVerdictSource::Check,
    };
    for one in [
        verdict(40 * HOUR, ledger::KeyVerdict::Rejected),
        verdict(38 * HOUR, ledger::KeyVerdict::Accepted),
    ] {
        engine.ledger().record_key_verdict(one).expect("queued");
    }
    let rule = AlertRule::KeyBlocked;
    let at_once = tuned(&engine, rule, |it| it.hold = Duration::ZERO);
    let found = tested(&engine, rule, vec![at_once]).await;
    let told = &found.firings[0];
    let began: Vec<_> = minutes(told).into_iter().map(|it| it.0).collect();
    assert_eq!(began, [80 * 60, 40 * 60], "{found:?}");
    assert!(told.iter().all(|it| it.title == "The key used was rejected"), "{told:?}");
    for (own, over) in told.iter().zip([79 * HOUR, 38 * HOUR]) {
        let after = own.ended.expect("over").unix_ms() - ago(over).unix_ms();
        assert!((0..=10 * MINUTE * 1_000).contains(&after), "{own:?}");
    }
    engine.stop().await;
}

fn run_of_checks(number: u64, secs_ago: i64, set: domain::CheckSet) -> ledger::ReadinessRunRecord {
    ledger::ReadinessRunRecord {
        summary: ledger::ReadinessRunSummary {
            id: domain::RunId::generate(ago(secs_ago), &domain::SeededEntropy::new(number)),
            started: ago(secs_ago + 10),
            ended: ago(secs_ago),
            set,
            score: 90,
            verdict: domain::ReadinessVerdict::Ready,
        },
        report: "{}".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_were_old_until_all_of_them_ran_again() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    for run in [
        run_of_checks(1, 36 * DAY, domain::CheckSet::Full),
        run_of_checks(2, 5 * DAY, domain::CheckSet::Quick),
        run_of_checks(3, 2 * DAY, domain::CheckSet::Full),
    ] {
        engine.ledger().record_run(run).await.expect("recorded");
    }
    let rule = AlertRule::ChecksOld;
    let at_days = |days| tuned(&engine, rule, |it| it.threshold = days);
    let found = tested(&engine, rule, vec![at_days(32), at_days(35)]).await;
    assert_eq!(minutes(&found.firings[0]), [(4 * 24 * 60, Some(2 * 24 * 60))]);
    assert_eq!(minutes(&found.firings[1]), []);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_full_run_counts_however_many_quick_ones_came_after_it() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    let quick = (0..i64::try_from(ledger::RUNS_KEPT_MAX).expect("small")).map(|number| {
        let secs_ago = 3 * DAY + number * MINUTE;
        run_of_checks(u64::try_from(number).expect("small"), secs_ago, domain::CheckSet::Quick)
    });
    let full = run_of_checks(9_999, 36 * DAY, domain::CheckSet::Full);
    for run in std::iter::once(full).chain(quick.rev()) {
        engine.ledger().record_run(run).await.expect("recorded");
    }
    let rule = AlertRule::ChecksOld;
    let saved = tuned(&engine, rule, |it| it.threshold = 30);
    let found = tested(&engine, rule, vec![saved]).await;
    let [only] = &found.firings[0][..] else { panic!("{found:?}") };
    assert_eq!(only.ended, None, "it is old still");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_no_longer_kept_nothing_is_said() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    let shorter = |draft: &mut Settings| draft.ledger.retention_days = 3;
    engine.settings_editor().edit(shorter).await.expect("edited");
    settle(&engine, [answered(1, 10 * DAY, Cost::Unpriced, 100)]).await;
    for rule in [AlertRule::KeyBlocked, AlertRule::BackendDown] {
        let saved = vec![rule_tunings(&engine.settings().alerts)];
        assert_eq!(tested(&engine, rule, saved).await.from, ago(3 * DAY), "{rule}");
    }
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_grow_old_at_the_hour_that_they_were_made_and_some_rules_have_no_history() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    let rule = AlertRule::KeyAge;
    // Two keys are 40 days old, one is new.
    let at_days = |days| tuned(&engine, rule, |it| it.threshold = days);
    let found = tested(&engine, rule, vec![at_days(38), at_days(20), at_days(90)]).await;
    assert_eq!(minutes(&found.firings[0]), [(2 * 24 * 60, None), (2 * 24 * 60, None)]);
    let went_on = &found.firings[1];
    assert_eq!(went_on.len(), 2);
    assert!(went_on.iter().all(|it| it.fired < found.from && it.ended.is_none()), "{went_on:?}");
    assert_eq!(found.firings[2], []);
    let without = [
        AlertRule::GatewayFault,
        AlertRule::LedgerFault,
        AlertRule::ChannelFault,
        AlertRule::Digest,
        AlertRule::VaultFault,
        AlertRule::PlainKey,
        AlertRule::QuotaLow,
        AlertRule::BalanceLow,
    ];
    let all = AlertRule::ALL.iter().copied();
    let untested: Vec<_> = all.filter(|rule| PastSource::of(*rule).is_none()).collect();
    assert_eq!(untested, without);
    for rule in without {
        let saved = vec![rule_tunings(&engine.settings().alerts)];
        let found = engine.alert_history().back_test(rule, saved, 7).await.expect("read");
        assert_eq!(found, None, "{rule}");
    }
    engine.stop().await;
}
