//! What neither quiet hours, the focus of the window nor a switch let through.

use domain::CredentialId;

use super::*;
use crate::facts::KeyFact;
use crate::notification::DesktopScreen;

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
fn what_changes_while_the_window_has_the_focus_is_shown_again_after_it() {
    let changed = || BackendFact { reason: "timed out.".to_owned(), ..down("a", uncovered()) };
    let mut bench = Bench::new();
    bench.set(down("a", uncovered()));
    bench.shown(10);
    bench.context.is_focused = true;
    bench.set(changed());
    assert_eq!(bench.told(60), [Told::Gone("fault/a".to_owned())], "it is not true any more");
    assert_eq!(bench.told(HOUR), [], "the window shows it");
    bench.context.is_focused = false;
    assert_eq!(bench.shown(0).body, "The route fast has no other backend. Timed out.");
    assert_eq!(bench.told(598), [], "it is repeated as if it was shown when the window was left");
    bench.shown(2);

    // It is heard, too.
    let mut bench = Bench::new();
    let wait = Duration::from_secs(300);
    bench.context.escalation = Some(EscalationPolicy { from: AlertSeverity::High, wait });
    bench.set(down("a", uncovered()));
    bench.shown(10);
    bench.context.is_focused = true;
    bench.set(changed());
    bench.told(400);
    bench.context.is_focused = false;
    assert!(!bench.shown(0).has_sound);
    assert!(bench.shown(1).has_sound);

    // Over, seen or switched off meanwhile.
    let after = |change: &dyn Fn(&mut Bench)| {
        let mut bench = Bench::new();
        bench.set(down("a", uncovered()));
        bench.shown(10);
        bench.context.is_focused = true;
        bench.set(changed());
        bench.told(1);
        change(&mut bench);
        bench.told(1);
        bench.context.is_focused = false;
        bench.told(60).len()
    };
    assert_eq!(after(&|bench| bench.clear("a")), 0);
    assert_eq!(after(&|bench| bench.context.is_on = false), 0);
    assert_eq!(after(&|_| {}), 1);
}

#[test]
fn what_was_lost_while_the_window_has_the_focus_is_shown_again_after_it() {
    let mut bench = Bench::new();
    bench.set(down("a", uncovered()));
    bench.shown(10);
    bench.context.is_focused = true;
    let lost = DesktopScreen { lost: ["fault/a".to_owned()].into(), ..DesktopScreen::default() };
    assert!(bench.book.note_screen(&lost));
    assert_eq!(bench.told(60), [], "the window shows it");
    bench.context.is_focused = false;
    bench.shown(1);
}

/// Evaluated as often as while nothing happens.
#[test]
fn what_is_only_for_the_inbox_is_not_waited_for() {
    let pause_after = |change: &dyn Fn(&mut Bench)| {
        let mut bench = Bench::new();
        change(&mut bench);
        bench.set(down("a", covered()));
        bench.run(5);
        assert!(bench.book.alerts()[0].is_firing());
        bench.book.pause(&bench.context)
    };
    let delivered = |bench: &mut Bench, delivery| {
        let tuning = bench.context.tunings.entry(AlertRule::BackendDown).or_default();
        tuning.delivery = delivery;
    };
    assert_eq!(pause_after(&|_| {}), WAITING_PAUSE, "it is shown after half a minute");
    let inbox = |bench: &mut Bench| delivered(bench, AlertDelivery::Inbox);
    assert_eq!(pause_after(&inbox), EVALUATION_PAUSE);
    assert_eq!(pause_after(&|bench| bench.context.is_on = false), EVALUATION_PAUSE);
}

#[test]
fn a_key_is_said_to_work_only_once_it_was_accepted_after_its_fault() {
    let id = || CredentialId::new("main").expect("a good id");
    let after = |accepted: Option<WallTime>| {
        let mut bench = Bench::new();
        bench.facts.keys = rejected_key();
        bench.shown(200);
        bench.facts.keys = Vec::new();
        bench.facts.accepted_keys = accepted.map(|at| (id(), at)).into_iter().collect();
        bench.secs += 1;
        bench.told(600)
    };
    let gone = [Told::Gone("key-blocked/main".to_owned())];
    assert_eq!(after(None), gone, "the user lifted its block");
    assert_eq!(after(Some(WallTime::from_unix_ms(1_200_000))), gone, "before it was seen blocked");
    let told = after(Some(WallTime::from_unix_ms(1_201_000)));
    let [Told::Shown(works)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((works.title.as_str(), works.urgency), ("The key main works", Urgency::Low));
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
