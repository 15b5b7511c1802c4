//! What a cause keeps quiet: only that a consequence begins. It is measured and ends as any other.

use super::*;
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
