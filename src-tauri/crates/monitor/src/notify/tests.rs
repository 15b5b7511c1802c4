//! The notification policy, rule by rule.

use domain::{SeededEntropy, WallTime};

use super::*;

const AWAY: Surroundings =
    Surroundings { focus: WindowFocus::Elsewhere, notifications: Switch::On };
const LOOKING: Surroundings =
    Surroundings { focus: WindowFocus::Focused, notifications: Switch::On };
const OFF: Surroundings =
    Surroundings { focus: WindowFocus::Elsewhere, notifications: Switch::Off };

fn at(secs: u64) -> Moment {
    Moment::from_secs(secs)
}

fn run(number: i64, verdict: RunVerdict) -> Event {
    let run = RunId::generate(WallTime::from_unix_ms(number), &SeededEntropy::new(1));
    Event::RunFinished { run, verdict, sentence: "Ready, 9.3 of 10".to_owned() }
}

fn down(id: &str, impact: Impact) -> Event {
    Event::BackendDown {
        backend: BackendId::new(id).expect("a good id"),
        label: "OpenAI".to_owned(),
        cause: Cause::Failing,
        reason: "connection refused.".to_owned(),
        impact,
    }
}

fn back(id: &str) -> Event {
    Event::BackendBack {
        backend: BackendId::new(id).expect("a good id"),
        label: "OpenAI".to_owned(),
    }
}

#[track_caller]
fn shown(decision: Decision) -> Notification {
    match decision {
        Decision::Show(notification) => notification,
        Decision::Hold(hold) => panic!("held: {hold:?}"),
    }
}

#[test]
fn a_finished_run_tells_its_verdict_and_opens_the_readiness_screen() {
    for (number, verdict, title, urgency) in [
        (1, RunVerdict::Ready, "Ready to work", Urgency::Low),
        (2, RunVerdict::ReadyWithWarnings, "Ready, with warnings", Urgency::Normal),
        (3, RunVerdict::NotReady, "Not ready", Urgency::Normal),
    ] {
        let mut policy = NotificationPolicy::new();
        let told = shown(policy.decide(&run(number, verdict), AWAY, at(1)));
        assert_eq!((told.title.as_str(), told.urgency), (title, urgency));
        assert_eq!((told.body.as_str(), told.path.as_str()), ("Ready, 9.3 of 10", "/readiness"));
    }
}

#[test]
fn nothing_is_shown_while_switched_off_or_while_the_user_looks() {
    let mut policy = NotificationPolicy::new();
    let event = down("a", Impact::Uncovered);
    assert_eq!(policy.decide(&event, OFF, at(1)), Decision::Hold(Hold::SwitchedOff));
    assert_eq!(policy.decide(&event, LOOKING, at(1)), Decision::Hold(Hold::WindowFocused));
    shown(policy.decide(&event, AWAY, at(1)));
}

#[test]
fn the_same_thing_is_told_once_and_again_after_it_was_over() {
    let mut policy = NotificationPolicy::new();
    let event = run(1, RunVerdict::Ready);
    shown(policy.decide(&event, AWAY, at(1)));
    assert_eq!(policy.decide(&event, AWAY, at(2)), Decision::Hold(Hold::AlreadyTold));
    let event = down("a", Impact::Covered);
    shown(policy.decide(&event, AWAY, at(3)));
    assert_eq!(policy.decide(&event, AWAY, at(700)), Decision::Hold(Hold::AlreadyTold));
    shown(policy.decide(&back("a"), AWAY, at(701)));
    shown(policy.decide(&event, AWAY, at(702)));
}

#[test]
fn a_return_is_told_only_after_a_told_fault_of_two_minutes() {
    let mut policy = NotificationPolicy::new();
    let not_told = Decision::Hold(Hold::FaultNotTold);
    assert_eq!(policy.decide(&back("a"), AWAY, at(1)), not_told);
    shown(policy.decide(&down("a", Impact::Covered), AWAY, at(10)));
    assert_eq!(policy.decide(&back("a"), AWAY, at(129)), not_told, "119 s");
    assert_eq!(policy.decide(&back("a"), AWAY, at(131)), not_told, "it is over already");
    shown(policy.decide(&down("a", Impact::Covered), AWAY, at(200)));
    let told = shown(policy.decide(&back("a"), AWAY, at(320)));
    assert_eq!((told.title.as_str(), told.urgency), ("OpenAI is back", Urgency::Low));
    policy.decide(&down("b", Impact::Covered), LOOKING, at(1_000));
    assert_eq!(policy.decide(&back("b"), AWAY, at(2_000)), not_told, "it was held back");
}

#[test]
fn three_in_ten_minutes_is_the_limit_and_what_is_critical_passes_it() {
    let mut policy = NotificationPolicy::new();
    for number in 1..=3 {
        shown(policy.decide(&run(number, RunVerdict::Ready), AWAY, at(100)));
    }
    let next = run(4, RunVerdict::Ready);
    assert_eq!(policy.decide(&next, AWAY, at(699)), Decision::Hold(Hold::TooMany));
    let critical = shown(policy.decide(&down("a", Impact::Uncovered), AWAY, at(699)));
    assert_eq!(critical.urgency, Urgency::Critical);
    shown(policy.decide(&next, AWAY, at(700)));
}

#[test]
fn twelve_a_day_is_the_limit() {
    let mut policy = NotificationPolicy::new();
    for number in 0..12 {
        let secs = 600 * u64::try_from(number).expect("small");
        shown(policy.decide(&run(number, RunVerdict::Ready), AWAY, at(secs)));
    }
    let next = run(12, RunVerdict::Ready);
    assert_eq!(policy.decide(&next, AWAY, at(86_399)), Decision::Hold(Hold::TooMany));
    shown(policy.decide(&next, AWAY, at(86_400)));
}

#[test]
fn a_fault_says_what_it_means_and_opens_its_backend() {
    let mut policy = NotificationPolicy::new();
    let told = shown(policy.decide(&down("open-ai", Impact::Uncovered), AWAY, at(1)));
    assert_eq!(told.title, "OpenAI is down");
    assert_eq!(told.body, "connection refused. Its requests fail now.");
    assert_eq!(told.path, "/backends/open-ai");
    let rejected = Event::BackendDown {
        backend: BackendId::new("b").expect("a good id"),
        label: "OpenAI".to_owned(),
        cause: Cause::KeyRejected,
        reason: "401".to_owned(),
        impact: Impact::Covered,
    };
    let told = shown(policy.decide(&rejected, AWAY, at(1)));
    assert_eq!(told.title, "OpenAI: key rejected");
    assert_eq!(told.body, "Other backends take over. Replace the key.");
}

#[test]
fn a_body_keeps_its_limit_and_its_impact() {
    let long = Event::BackendDown {
        backend: BackendId::new("a").expect("a good id"),
        label: "L".repeat(200),
        cause: Cause::Failing,
        reason: "x\ny ".repeat(100),
        impact: Impact::Covered,
    };
    let told = shown(NotificationPolicy::new().decide(&long, AWAY, at(1)));
    assert!(told.body.chars().count() <= BODY_CHARS_MAX, "{}", told.body);
    assert!(told.body.ends_with("…. Other backends take over."), "{}", told.body);
    assert_eq!(told.title.chars().count(), TITLE_CHARS_MAX);
    let long = Event::RunFinished {
        run: RunId::generate(WallTime::default(), &SeededEntropy::new(1)),
        verdict: RunVerdict::NotReady,
        sentence: "ä".repeat(BODY_CHARS_MAX + 1),
    };
    let told = shown(NotificationPolicy::new().decide(&long, AWAY, at(1)));
    assert_eq!(told.body.chars().count(), BODY_CHARS_MAX);
}
