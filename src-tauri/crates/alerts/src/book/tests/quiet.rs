//! What neither quiet hours, the focus of the window nor a switch let through.

use domain::CredentialId;

use super::*;
use crate::facts::KeyFact;

const HOUR: u64 = 3_600;

/// A rejected key whose backend has a stand-in: it repeats, and does not pass quiet hours.
fn rejected_key() -> Vec<KeyFact> {
    vec![KeyFact {
        id: CredentialId::new("main").expect("a good id"),
        what: "was rejected",
        fix: "Replace the key.",
        needed_by: Vec::new(),
    }]
}

#[test]
fn a_repetition_waits_until_quiet_hours_are_over() {
    let mut bench = Bench::new();
    bench.facts.keys = rejected_key();
    assert_eq!(bench.shown(30).key, "key-blocked/main");
    bench.context.is_quiet = true;
    assert_eq!(bench.told(9 * HOUR), [], "it can wait");
    bench.context.is_quiet = false;
    assert_eq!(bench.shown(0).key, "key-blocked/main");
    assert_eq!(bench.told(24 * HOUR), [], "a high one comes again once");
}

#[test]
fn a_repetition_counts_from_when_the_window_showed_it_last() {
    let mut bench = Bench::new();
    bench.set(down("a", uncovered()));
    bench.shown(10);
    bench.context.is_focused = true;
    assert_eq!(bench.told(2 * HOUR), [], "the window shows it");
    bench.context.is_focused = false;
    assert_eq!(bench.told(599), []);
    bench.shown(1);
}

#[test]
fn what_becomes_untrue_in_quiet_hours_goes_and_is_summed_up_after_them() {
    let mut bench = Bench::new();
    let one =
        |backend: &str| BackendFact { server: "api.test".to_owned(), ..down(backend, covered()) };
    bench.set(one("a"));
    assert_eq!(bench.shown(60).title, "OpenAI is down");
    bench.context.is_quiet = true;
    bench.set(one("b"));
    assert_eq!(bench.told(HOUR), [Told::Gone("fault/api.test".to_owned())], "two are down");
    bench.context.is_quiet = false;
    let summary = bench.shown(0);
    assert_eq!((summary.key.as_str(), summary.title.as_str()), (QUIET_KEY, "2 backends are down"));

    // What became critical passes.
    let mut bench = Bench::new();
    bench.set(down("a", covered()));
    bench.shown(60);
    bench.context.is_quiet = true;
    bench.set(down("a", uncovered()));
    assert_eq!(bench.shown(0).urgency, Urgency::Critical);
}

#[test]
fn each_night_has_its_own_summary() {
    let mut bench = Bench::new();
    for (night, backend) in ["a", "b"].into_iter().enumerate() {
        bench.context.is_quiet = true;
        bench.set(down(backend, covered()));
        assert_eq!(bench.told(HOUR), []);
        bench.context.is_quiet = false;
        assert_eq!(bench.shown(0).key, QUIET_KEY, "night {night}");
    }
}

fn flap(bench: &mut Bench) -> Vec<Told> {
    let mut told = Vec::new();
    for _ in 0..6 {
        bench.set(down("a", covered()));
        told.extend(bench.told(20));
        bench.clear("a");
        told.extend(bench.told(20));
    }
    bench.set(down("a", covered()));
    told.extend(bench.told(20));
    told
}

#[test]
fn that_something_flaps_is_no_news_at_night_while_somebody_looks_or_beyond_the_limit() {
    let mut bench = Bench::new();
    bench.context.is_quiet = true;
    assert_eq!(flap(&mut bench), []);
    bench.context.is_quiet = false;
    assert_eq!(bench.shown(0).key, QUIET_KEY);

    let mut bench = Bench::new();
    bench.context.is_focused = true;
    assert_eq!(flap(&mut bench), []);
    bench.context.is_focused = false;
    assert_eq!(bench.told(600), [], "the window showed it");

    let mut bench = Bench::new();
    bench.context.is_resuming = true;
    assert_eq!(flap(&mut bench), []);

    let mut bench = Bench::new();
    let reading = bench.reading();
    for number in 0..3 {
        assert!(
            bench
                .book
                .announce_run(run_id(number), run_notice(), &bench.context, reading)
                .is_some()
        );
    }
    let told = flap(&mut bench);
    let keys = told.iter().filter_map(|told| match told {
        Told::Shown(shown) => Some(shown.key.as_str()),
        Told::Gone(_) => None,
    });
    assert_eq!(keys.collect::<Vec<_>>(), [OVERFLOW_KEY]);
}

/// Three notifications and two alerts more.
fn overflowing() -> Bench {
    let mut bench = Bench::new();
    for backend in ["a", "b", "c", "d", "e"] {
        bench.set(down(backend, covered()));
    }
    let told = bench.told(60);
    let last = told.last().map(|told| match told {
        Told::Shown(shown) => (shown.key.clone(), shown.title.clone()),
        Told::Gone(key) => panic!("{key} is gone"),
    });
    assert_eq!(last, Some((OVERFLOW_KEY.to_owned(), "2 more in the inbox".to_owned())));
    bench
}

#[test]
fn what_a_limit_held_back_is_one_summary_that_is_not_told_again_when_some_of_it_is_over() {
    let mut bench = overflowing();
    bench.clear("e");
    assert_eq!(bench.told(600), []);
    bench.clear("d");
    assert_eq!(bench.told(0), [Told::Gone(OVERFLOW_KEY.to_owned())]);

    // A storm: the number is told at most once in ten minutes.
    let mut bench = overflowing();
    let storm = ["f", "g", "h", "i"];
    let mut told = Vec::new();
    for backend in storm {
        bench.set(down(backend, covered()));
        told.extend(bench.told(60));
    }
    assert_eq!(told, []);
    let more = bench.shown(600);
    assert_eq!((more.key.as_str(), more.title.as_str()), (OVERFLOW_KEY, "6 more in the inbox"));
}

#[test]
fn a_summary_of_what_a_limit_held_back_goes_when_it_is_seen_silenced_or_switched_off() {
    let mut bench = overflowing();
    let wall = bench.reading().wall;
    let gone = [Told::Gone(OVERFLOW_KEY.to_owned())];
    for backend in ["d", "e"] {
        let alerts = bench.book.alerts();
        let own = alerts.iter().find(|it| it.condition.fingerprint.to_string().ends_with(backend));
        let number = own.and_then(|it| it.number).expect("it fires");
        assert!(bench.book.acknowledge(number, wall));
    }
    assert_eq!(bench.told(0), gone);

    let mut bench = overflowing();
    for backend in ["d", "e"] {
        let matcher = SilenceMatcher { rule: None, scope: Some(backend.to_owned()) };
        let until = WallTime::from_unix_ms(i64::MAX);
        bench.book.silence(matcher, String::new(), wall, until).expect("room");
    }
    assert_eq!(bench.told(0), gone);

    let mut bench = overflowing();
    bench.context.is_on = false;
    let told = bench.told(0);
    assert_eq!(told.len(), 4, "all of it is withdrawn: {told:?}");
    bench.clear("e");
    assert_eq!(bench.told(3_600), []);

    let mut bench = overflowing();
    bench.context.is_quiet = true;
    bench.clear("e");
    assert_eq!(bench.told(3_600), []);
}
