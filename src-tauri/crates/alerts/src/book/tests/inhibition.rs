//! What a cause keeps quiet: only that a consequence begins. It is measured and ends as any other.

use super::*;
use crate::configured::Configured;
use crate::facts::{RouteFact, RouteFault};
use crate::measurement::Measurement;

fn failing(failed: u64) -> Measurement {
    Measurement::Errors { backend: id("a"), label: "OpenAI".to_owned(), failed, requests: 100 }
}

fn up() -> BackendFact {
    BackendFact { fault: BackendFault::None, ..down("a", covered()) }
}

/// The alerts that fire, by rule and number.
fn firing(bench: &Bench) -> Vec<(AlertRule, u64)> {
    let mut all: Vec<_> = bench
        .book
        .alerts()
        .iter()
        .filter_map(|alert| Some((alert.condition.rule, alert.number?)))
        .collect();
    all.sort_by_key(|(_, number)| *number);
    all
}

/// Requests fail for ten minutes; then the backend is down too.
fn failing_then_down() -> Bench {
    let mut bench = Bench::new();
    bench.set(up());
    bench.facts.measurements = vec![failing(20)];
    bench.run(600);
    assert_eq!(firing(&bench), [(AlertRule::ErrorRate, 1)]);
    bench.set(down("a", covered()));
    bench.run(60);
    bench
}

#[test]
fn an_alert_that_fires_already_goes_on_beside_its_cause_and_is_measured() {
    let mut bench = failing_then_down();
    assert_eq!(firing(&bench), [(AlertRule::ErrorRate, 1), (AlertRule::BackendDown, 2)]);
    assert_eq!(bench.book.suppressed(), [], "it is an alert");
    bench.facts.measurements = vec![failing(90)];
    let effects = bench.evaluate();
    let changed: Vec<&str> = effects
        .iter()
        .filter_map(|effect| match effect {
            AlertEffect::Changed(alert) => Some(alert.condition.detail.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(changed.len(), 1, "{effects:?}");
    assert!(changed[0].starts_with("90 of 100 requests failed"), "{changed:?}");
}

#[test]
fn the_end_of_a_consequence_is_told_while_its_cause_goes_on() {
    let mut bench = failing_then_down();
    bench.facts.measurements = vec![failing(0)];
    let effects = bench.run(300);
    let ended = |it: &AlertEffect| {
        matches!(it, AlertEffect::Ended { number: 1, ending: AlertEnding::Resolved, .. })
    };
    assert!(effects.iter().any(ended), "{effects:?}");
    let told = |it: &AlertEffect| matches!(it, AlertEffect::Send(shown) if shown.title == "OpenAI fails less");
    assert!(effects.iter().any(told), "{effects:?}");
    assert_eq!(firing(&bench), [(AlertRule::BackendDown, 2)]);
}

#[test]
fn a_consequence_that_outlasts_its_cause_becomes_an_alert_after_its_own_time() {
    let mut bench = Bench::new();
    bench.set(down("a", covered()));
    bench.facts.measurements = vec![failing(20)];
    bench.run(3_600);
    assert_eq!(firing(&bench), [(AlertRule::BackendDown, 1)]);
    assert_eq!(bench.book.suppressed().len(), 1);
    bench.set(up());
    bench.run(299);
    assert_eq!(firing(&bench), [], "the cause ended after two minutes");
    bench.run(1);
    assert_eq!(firing(&bench), [(AlertRule::ErrorRate, 2)]);
}

#[test]
fn a_restart_while_something_is_pending_neither_fires_it_early_nor_begins_anew() {
    let mut bench = Bench::new();
    bench.set(up());
    bench.facts.measurements = vec![failing(20)];
    bench.run(200);
    let saved = serde_json::to_string(&bench.book).expect("it can be saved");
    bench.book = serde_json::from_str(&saved).expect("it can be read");
    // Two days later.
    bench.secs += 200_000;
    bench.run(99);
    assert_eq!(firing(&bench), []);
    bench.run(1);
    assert_eq!(firing(&bench), [(AlertRule::ErrorRate, 1)]);
}

/// A backend that is down at one server.
fn at_one_server(backend: &str, label: &str) -> BackendFact {
    let (server, label) = ("api.test".to_owned(), label.to_owned());
    BackendFact { server, label, ..down(backend, covered()) }
}

fn titles(bench: &Bench) -> Vec<String> {
    let firing = bench.book.alerts().into_iter().filter(|alert| alert.is_firing());
    firing.map(|alert| alert.condition.title.clone()).collect()
}

#[test]
fn a_dead_server_is_one_alert_whichever_of_its_backends_is_found_down_first() {
    for order in [&["a", "b"][..], &["b", "a"], &["b", "c", "a"]] {
        let mut bench = Bench::new();
        for backend in order {
            bench.set(at_one_server(backend, backend));
            bench.run(30);
        }
        assert_eq!(firing(&bench), [(AlertRule::BackendDown, 1)], "{order:?}");
        assert_eq!(titles(&bench), [format!("{} backends are down", order.len())]);
        assert_eq!(bench.book.suppressed().len(), order.len() - 1);
    }
    // All in one evaluation.
    let mut bench = Bench::new();
    for backend in ["a", "b", "c"] {
        bench.set(at_one_server(backend, backend));
    }
    bench.run(30);
    assert_eq!(titles(&bench), ["3 backends are down"]);

    // Backends of other servers are other causes.
    bench.set(down("d", covered()));
    bench.run(30);
    assert_eq!(firing(&bench).len(), 2);
}

#[test]
fn what_is_left_of_a_dead_server_is_told_when_the_backend_of_the_alert_recovers() {
    let mut bench = Bench::new();
    bench.set(at_one_server("a", "Alpha"));
    bench.set(at_one_server("b", "Beta"));
    bench.run(60);
    assert_eq!(titles(&bench), ["2 backends are down"]);
    bench.clear("a");
    bench.run(121);
    assert_eq!(firing(&bench), [(AlertRule::BackendDown, 2)]);
    assert_eq!(titles(&bench), ["Beta is down"]);
    bench.clear("b");
    bench.run(121);
    assert_eq!(firing(&bench), []);
}

#[test]
fn a_silenced_alert_does_not_hide_another_backend_of_its_server() {
    let mut bench = Bench::new();
    bench.set(at_one_server("a", "Alpha"));
    bench.run(30);
    let matcher = SilenceMatcher { rule: None, scope: Some("a".to_owned()) };
    let until = WallTime::from_unix_ms(i64::MAX);
    let at = bench.reading().wall;
    let silence = bench.book.silence(matcher, "known".to_owned(), at, until).expect("room for one");
    bench.set(at_one_server("b", "Beta"));
    bench.run(30);
    let second = (AlertRule::BackendDown, silence.number + 1);
    assert_eq!(firing(&bench), [(AlertRule::BackendDown, 1), second]);
}

#[test]
fn what_is_pending_when_its_cause_is_found_never_fires_beside_it() {
    let mut bench = Bench::new();
    bench.set(up());
    bench.facts.measurements = vec![failing(20)];
    bench.run(290);
    bench.set(down("a", covered()));
    bench.run(600);
    assert_eq!(firing(&bench), [(AlertRule::BackendDown, 1)]);
    assert_eq!(bench.book.suppressed().len(), 1);
    // It begins anew when its cause is over.
    bench.set(up());
    bench.run(299);
    assert_eq!(firing(&bench), []);
    bench.run(1);
    assert_eq!(firing(&bench), [(AlertRule::ErrorRate, 2)]);
}

#[test]
fn a_backend_that_comes_back_down_beside_another_of_its_server_is_part_of_that_alert() {
    let mut bench = Bench::new();
    bench.set(at_one_server("a", "Alpha"));
    bench.run(60);
    bench.clear("a");
    bench.run(30);
    bench.set(at_one_server("b", "Beta"));
    bench.run(30);
    bench.set(at_one_server("a", "Alpha"));
    let effects = bench.run(60);
    let ended = |it: &AlertEffect| matches!(it, AlertEffect::Ended { number: 1, .. });
    assert!(effects.iter().any(ended), "its time is over: {effects:?}");
    assert_eq!(firing(&bench), [(AlertRule::BackendDown, 2)]);
    assert_eq!(titles(&bench), ["2 backends are down"]);
    // The other recovers: what is left has an alert again.
    bench.clear("b");
    bench.run(121);
    assert_eq!(firing(&bench), [(AlertRule::BackendDown, 3)]);
    assert_eq!(titles(&bench), ["Alpha is down"]);
}

#[test]
fn a_backend_that_fails_at_a_dead_server_has_no_alert_of_its_own() {
    let mut bench = Bench::new();
    bench.set(at_one_server("a", "Alpha"));
    let failing = BackendFact { fault: BackendFault::BreakerOpen, ..at_one_server("b", "Beta") };
    bench.set(failing);
    bench.run(600);
    assert_eq!(firing(&bench), [(AlertRule::BackendDown, 1)]);
    bench.clear("a");
    bench.run(121);
    assert_eq!(firing(&bench), [(AlertRule::BreakerOpen, 2)]);
}

#[test]
fn a_repetition_counts_from_what_was_shown_last_whatever_changed_then() {
    let mut bench = Bench::new();
    let sent = |effects: Vec<AlertEffect>| {
        effects.iter().filter(|it| matches!(it, AlertEffect::Send(_))).count()
    };
    bench.set(BackendFact { impact: uncovered(), ..at_one_server("a", "Alpha") });
    assert_eq!(sent(bench.run(590)), 1);
    bench.set(at_one_server("b", "Beta"));
    assert_eq!(sent(bench.run(0)), 1, "two are down");
    assert_eq!(sent(bench.run(599)), 0);
    assert_eq!(sent(bench.run(1)), 1);
}

fn with_breaker(fault: BackendFault) -> BackendFact {
    BackendFact { fault, ..down("a", covered()) }
}

#[test]
fn a_breaker_that_opens_again_after_each_trial_is_one_trouble_until_it_closes() {
    let mut bench = Bench::new();
    let mut effects = Vec::new();
    for _ in 0..60 {
        bench.set(with_breaker(BackendFault::BreakerOpen));
        effects.extend(bench.run(50));
        bench.set(with_breaker(BackendFault::Trial));
        effects.extend(bench.run(5));
        bench.set(with_breaker(BackendFault::Recovering));
        if firing(&bench).is_empty() {
            effects.extend(bench.run(5));
        }
    }
    assert_eq!(firing(&bench), [(AlertRule::BreakerOpen, 1)]);
    let ended = |it: &&AlertEffect| matches!(it, AlertEffect::Ended { .. });
    assert_eq!(effects.iter().filter(ended).count(), 0, "a trial is no end");
    bench.set(up());
    bench.run(61);
    assert_eq!(firing(&bench), []);

    // One that is tried for long and was open for a moment alone has not failed for two minutes.
    bench.set(with_breaker(BackendFault::BreakerOpen));
    bench.run(20);
    bench.set(with_breaker(BackendFault::Trial));
    bench.run(3_600);
    assert_eq!(firing(&bench), []);
    bench.set(up());
    bench.run(0);
    bench.set(with_breaker(BackendFault::BreakerOpen));
    bench.run(119);
    assert_eq!(firing(&bench), [], "it was closed in between");
    bench.run(1);
    assert_eq!(firing(&bench), [(AlertRule::BreakerOpen, 2)]);
}

fn dead_route(fault: RouteFault) -> Vec<RouteFact> {
    vec![RouteFact {
        id: RouteId::new("fast").expect("a good id"),
        reason: "OpenAI cannot answer".to_owned(),
        backends: vec![id("a")],
        fault,
    }]
}

#[test]
fn a_route_whose_breakers_are_open_is_told_in_time_and_not_again_when_its_backend_is_found_down() {
    let mut bench = Bench::new();
    let alone = |fault| BackendFact { fault, ..down("a", uncovered()) };
    let mut told = Vec::new();
    // The breaker opens for five seconds, and for longer after its first trial.
    for (fault, route, secs) in [
        (BackendFault::BreakerOpen, RouteFault::Dead, 4),
        (BackendFault::Trial, RouteFault::Trial, 0),
        (BackendFault::BreakerOpen, RouteFault::Dead, 9),
    ] {
        bench.set(alone(fault));
        bench.facts.dead_routes = dead_route(route);
        told.extend(bench.told(secs));
        bench.secs += 1;
    }
    let [Told::Shown(shown)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(shown.title, "The route fast has no backend");
    assert_eq!(firing(&bench), [(AlertRule::RouteDead, 1)]);
    bench.set(alone(BackendFault::Down));
    assert_eq!(bench.told(300), [], "it is the same cause");
    assert_eq!(firing(&bench), [(AlertRule::RouteDead, 1)]);
    bench.facts.dead_routes.clear();
    bench.clear("a");
    bench.run(61);
    assert_eq!(firing(&bench), []);

    // One that is found down before its route is an alert is told by its own.
    bench.set(alone(BackendFault::BreakerOpen));
    bench.facts.dead_routes = dead_route(RouteFault::Dead);
    bench.run(8);
    bench.set(alone(BackendFault::Down));
    bench.run(0);
    assert_eq!(firing(&bench), [(AlertRule::BackendDown, 2)]);
}

#[test]
fn an_account_without_credit_is_told_with_what_to_do() {
    let mut bench = Bench::new();
    bench.set(BackendFact { fault: BackendFault::Unpaid, ..down("a", uncovered()) });
    let told = bench.shown(30);
    assert_eq!(told.title, "OpenAI: no credit left");
    assert_eq!(told.body, "The route fast has no other backend. Add credit or raise its limit.");
    assert_eq!(told.urgency, Urgency::Critical);
}

#[test]
fn an_alert_about_what_was_removed_ends_at_once_and_nothing_is_said_to_work_again() {
    for is_stopped_meanwhile in [false, true] {
        let mut bench = Bench::new();
        let configured = |backends: &[&str]| {
            let backends = backends.iter().map(|backend| id(backend)).collect();
            Some(Configured { backends, ..Configured::default() })
        };
        bench.facts.configured = configured(&["a", "b"]);
        bench.set(down("a", covered()));
        bench.run(600);
        assert_eq!(firing(&bench), [(AlertRule::BackendDown, 1)]);
        if is_stopped_meanwhile {
            let saved = serde_json::to_string(&bench.book).expect("written");
            bench.book = serde_json::from_str(&saved).expect("read");
        }
        bench.clear("a");
        bench.facts.configured = configured(&["b"]);
        let effects = bench.run(600);
        let ended: Vec<&AlertEffect> =
            effects.iter().filter(|it| matches!(it, AlertEffect::Ended { .. })).collect();
        let [AlertEffect::Ended { ending: AlertEnding::Removed, at, .. }] = ended[..] else {
            panic!("{effects:?}")
        };
        assert_eq!(at.unix_ms(), 1_600_000, "at once");
        let told = |it: &AlertEffect| matches!(it, AlertEffect::Send(_));
        assert!(!effects.iter().any(told), "{effects:?}");
        assert!(effects.iter().any(|it| matches!(it, AlertEffect::Withdraw(_))), "{effects:?}");
        assert!(bench.book.alerts().is_empty());
    }
}

#[test]
fn what_an_alert_is_about_is_looked_for_by_its_rule() {
    let configured = Configured {
        backends: [id("a")].into(),
        routes: ["code".parse().expect("an id")].into(),
        services: ["db".parse().expect("an id")].into(),
        keys: ["key".parse().expect("an id")].into(),
        budgets: ["all".parse().expect("an id")].into(),
        channels: [AlertChannel::Mail].into(),
    };
    let there = [
        (AlertRule::BackendDown, "a"),
        (AlertRule::QuotaLow, "a"),
        (AlertRule::RouteDead, "code"),
        (AlertRule::BurnSlow, "gateway"),
        (AlertRule::BurnFast, "route/code"),
        (AlertRule::BurnFast, "backend/a"),
        (AlertRule::BudgetMark, "all/80/0"),
        (AlertRule::KeyBlocked, "key"),
        (AlertRule::KeyBlocked, "a"),
        (AlertRule::KeyAge, "key"),
        (AlertRule::ServiceDown, "db"),
        (AlertRule::ChannelFault, "mail"),
        (AlertRule::VaultFault, "vault"),
    ];
    let gone = [
        (AlertRule::BackendDown, "code"),
        (AlertRule::QuotaLow, "b"),
        (AlertRule::RouteDead, "a"),
        (AlertRule::BurnFast, "route/a"),
        (AlertRule::BurnFast, "backend/code"),
        (AlertRule::BudgetMark, "other/80/0"),
        (AlertRule::KeyBlocked, "code"),
        (AlertRule::KeyAge, "a"),
        (AlertRule::ServiceDown, "a"),
        (AlertRule::ChannelFault, "webhook"),
    ];
    let lacks = |(rule, subject): (AlertRule, &str)| configured.lacks(subject, rule);
    assert_eq!(there.map(lacks), [false; 13]);
    assert_eq!(gone.map(lacks), [true; 10]);
}
