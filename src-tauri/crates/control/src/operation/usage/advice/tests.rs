//! Suggestions from failed attempts, their test on the month before, and the sentence above them.

use domain::{BackendId, CredentialId, Endpoint};

use super::*;

fn dollars(cents: i64) -> NanoUsd {
    NanoUsd::new(cents * 10_000_000)
}

fn failed(backend: &str, class: &str, attempts: u64, cost: NanoUsd) -> FailedAttempts {
    FailedAttempts {
        endpoint: Endpoint {
            backend: BackendId::new(backend).expect("a name"),
            credential: CredentialId::new("k").ok(),
        },
        class: class.to_owned(),
        attempts,
        cost,
        unpriced_attempts: 0,
    }
}

fn period(failures: Vec<FailedAttempts>) -> PeriodUse {
    let mut failed: BTreeMap<String, Vec<FailedAttempts>> = BTreeMap::new();
    for one in failures {
        failed.entry(one.endpoint.backend.to_string()).or_default().push(one);
    }
    PeriodUse { failed, ..PeriodUse::default() }
}

fn evidence(now: PeriodUse, before: PeriodUse) -> Evidence {
    let currency = currency_view(&settings::Settings::default()).shown();
    let labels = HashMap::from([("up".to_owned(), "Upstream".to_owned())]);
    Evidence { now, before, labels, currency }
}

#[test]
fn failed_attempts_that_cost_enough_are_a_card_with_their_classes() {
    let now = vec![
        failed("up", "timeout", 12, dollars(120)),
        failed("up", "server", 3, dollars(40)),
        failed("cheap", "server", 900, dollars(99)),
    ];
    let found = failed_attempts(&evidence(period(now), PeriodUse::default()));
    let [card] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(card.title, "Failed attempts at Upstream cost $1.60");
    assert_eq!(card.saving_nano_usd_per_month, Some(dollars(160).into()));
    assert_eq!((card.subject.key.as_str(), card.subject.label.as_str()), ("up", "Upstream"));
    let rows: Vec<_> = card.evidence.iter().map(|row| (&*row.label, &*row.value)).collect();
    assert_eq!(rows, [("timeout", "12 attempts, $1.20"), ("server", "3 attempts, $0.40")]);
    assert!(card.evidence.iter().all(|row| row.filter.backend.as_deref() == Some("up")));
    assert!(card.back_test.is_none());
}

#[test]
fn the_period_before_is_the_test_if_the_rule_had_found_something() {
    let check = |before: i64, expected: Option<(i64, i64)>| {
        let now = period(vec![failed("up", "timeout", 1, dollars(160))]);
        let before = period(vec![failed("up", "timeout", 1, dollars(before))]);
        let found = failed_attempts(&evidence(now, before));
        let tested = found.first().and_then(|card| card.back_test);
        let tested = tested.map(|it| (it.estimated_nano_usd.0, it.saved_nano_usd.0));
        assert_eq!(
            tested,
            expected.map(|(then, since)| (dollars(then).nanos(), dollars(since).nanos()))
        );
    };
    check(99, None);
    check(100, Some((100, 160)));
}

#[test]
fn the_finding_counts_and_sums() {
    let currency = currency_view(&settings::Settings::default()).shown();
    let card = |saving: Option<NanoUsd>| UsageAdviceCardView {
        rule: UsageAdviceRule::UnusedKey,
        title: String::new(),
        subject: UsageSubjectView {
            dimension: GroupBy::Backend,
            key: String::new(),
            label: String::new(),
        },
        saving_nano_usd_per_month: saving.map(Into::into),
        evidence: Vec::new(),
        next_step: String::new(),
        back_test: None,
    };
    assert_eq!(advice_finding(&[], currency), "Nothing to suggest");
    assert_eq!(advice_finding(&[card(None)], currency), "1 suggestion");
    let both = [card(Some(dollars(1_240))), card(None)];
    assert_eq!(advice_finding(&both, currency), "2 suggestions, up to $12.40 a month");
}
