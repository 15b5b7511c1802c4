//! Tests of the notification policy, one per rule.

use domain::{SeededEntropy, WallTime};

use super::*;

const AWAY: NotificationContext =
    NotificationContext { focus: WindowFocus::Elsewhere, notifications: NotificationSetting::On };
const LOOKING: NotificationContext =
    NotificationContext { focus: WindowFocus::Focused, notifications: NotificationSetting::On };
const OFF: NotificationContext =
    NotificationContext { focus: WindowFocus::Elsewhere, notifications: NotificationSetting::Off };

fn at(secs: u64) -> Moment {
    Moment::from_secs(secs)
}

fn run(number: i64, verdict: ReadinessVerdict) -> NotificationEvent {
    let run = RunId::generate(WallTime::from_unix_ms(number), &SeededEntropy::new(1));
    NotificationEvent::RunFinished { run, verdict, sentence: "Ready, 9.3 of 10".to_owned() }
}

fn id(text: &str) -> BackendId {
    BackendId::new(text).expect("a good id")
}

fn routes(ids: &[&str]) -> BTreeSet<RouteId> {
    ids.iter().map(|id| RouteId::new(*id).expect("a good id")).collect()
}

/// One route, which has another backend.
fn covered() -> Impact {
    Impact { covered: routes(&["fast"]), uncovered: BTreeSet::new() }
}

/// One route, which has no other backend.
fn uncovered() -> Impact {
    Impact { covered: BTreeSet::new(), uncovered: routes(&["fast"]) }
}

fn failed(backend: &str, server: &str, impact: Impact) -> FailedBackend {
    FailedBackend {
        backend: id(backend),
        label: "OpenAI".to_owned(),
        server: server.to_owned(),
        cause: HealthCause::Failing,
        reason: "connection refused.".to_owned(),
        impact,
    }
}

/// The backend is down, on its own server.
fn down(backend: &str, impact: Impact) -> NotificationEvent {
    NotificationEvent::BackendDown(failed(backend, backend, impact))
}

fn back(backend: &str) -> NotificationEvent {
    NotificationEvent::BackendRecovered { backend: id(backend), label: "OpenAI".to_owned() }
}

fn gone(backend: &str) -> NotificationEvent {
    NotificationEvent::BackendRemoved { backend: id(backend) }
}

#[track_caller]
fn shown(decision: NotificationDecision) -> Notification {
    match decision {
        NotificationDecision::Show(notification) => notification,
        other => panic!("not shown: {other:?}"),
    }
}

#[test]
fn a_finished_run_shows_its_verdict_and_opens_the_readiness_screen() {
    for (number, verdict, title, urgency) in [
        (1, ReadinessVerdict::Ready, "Ready to work", Urgency::Low),
        (2, ReadinessVerdict::ReadyWithWarnings, "Ready with warnings", Urgency::Normal),
        (3, ReadinessVerdict::NotReady, "Not ready", Urgency::Normal),
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
    let event = down("a", uncovered());
    assert_eq!(
        policy.decide(&event, OFF, at(1)),
        NotificationDecision::Suppress(SuppressionReason::SwitchedOff)
    );
    assert_eq!(
        policy.decide(&event, LOOKING, at(1)),
        NotificationDecision::Suppress(SuppressionReason::WindowFocused)
    );
    shown(policy.decide(&event, AWAY, at(1)));
}

#[test]
fn the_same_fault_is_shown_once_and_again_after_it_ended() {
    let mut policy = NotificationPolicy::new();
    let event = run(1, ReadinessVerdict::Ready);
    shown(policy.decide(&event, AWAY, at(1)));
    assert_eq!(
        policy.decide(&event, AWAY, at(2)),
        NotificationDecision::Suppress(SuppressionReason::AlreadyShown)
    );
    let event = down("a", covered());
    shown(policy.decide(&event, AWAY, at(3)));
    assert_eq!(
        policy.decide(&event, AWAY, at(700)),
        NotificationDecision::Suppress(SuppressionReason::AlreadyShown)
    );
    shown(policy.decide(&back("a"), AWAY, at(701)));
    shown(policy.decide(&event, AWAY, at(702)));
}

#[test]
fn another_cause_of_the_same_fault_replaces_what_is_shown() {
    let mut policy = NotificationPolicy::new();
    let first = shown(policy.decide(&down("a", uncovered()), AWAY, at(1)));
    let rejected =
        FailedBackend { cause: HealthCause::KeyRejected, ..failed("a", "a", uncovered()) };
    let second = shown(policy.decide(&NotificationEvent::BackendDown(rejected), AWAY, at(2)));
    assert_eq!((second.key, second.title.as_str()), (first.key, "OpenAI: key rejected"));
}

#[test]
fn backends_behind_one_server_are_one_notification() {
    let mut policy = NotificationPolicy::new();
    let one = |backend: &str, label: &str, impact| {
        let failed = failed(backend, "127.0.0.1:8080", impact);
        NotificationEvent::BackendDown(FailedBackend { label: label.to_owned(), ..failed })
    };
    let none = Impact::default;
    let first = shown(policy.decide(&one("a", "Alpha", none()), AWAY, at(1)));
    assert_eq!((first.title.as_str(), first.path.as_str()), ("Alpha is down", "/backends/a"));
    assert_eq!(first.body, "Requests for a/… fail. Connection refused.");
    let mut last = first.clone();
    for (backend, label, impact) in
        [("b", "Beta", covered()), ("c", "Gamma", none()), ("d", "Delta", uncovered())]
    {
        last = shown(policy.decide(&one(backend, label, impact), AWAY, at(2)));
        assert_eq!(last.key, first.key, "it replaces the one before");
    }
    assert_eq!((last.title.as_str(), last.path.as_str()), ("4 backends are down", "/backends"));
    let names = "Alpha, Beta, Gamma and 1 more at 127.0.0.1:8080.";
    assert_eq!(last.body, format!("The route fast has no other backend. {names}"));
    assert_eq!(last.urgency, Urgency::Critical);
    // A fault of another server is another notification.
    let other = shown(policy.decide(&down("e", none()), AWAY, at(3)));
    assert_ne!(other.key, first.key);

    for (backend, title) in
        [("d", "3 backends are down"), ("b", "2 backends are down"), ("c", "Alpha is down")]
    {
        let left = shown(policy.decide(&back(backend), AWAY, at(200)));
        assert_eq!((left.key, left.title.as_str()), (first.key.clone(), title));
    }
    let over = shown(policy.decide(&back("a"), AWAY, at(201)));
    assert_eq!((over.key, over.title.as_str()), (first.key, "OpenAI works again"));
}

#[test]
fn what_is_over_is_taken_away_and_said_after_two_minutes() {
    let mut policy = NotificationPolicy::new();
    let not_told = NotificationDecision::Suppress(SuppressionReason::FaultNotShown);
    let away = NotificationDecision::Withdraw("fault/a".to_owned());
    assert_eq!(policy.decide(&back("a"), AWAY, at(1)), not_told);
    shown(policy.decide(&down("a", covered()), AWAY, at(10)));
    assert_eq!(policy.decide(&back("a"), AWAY, at(129)), away, "119 s");
    assert_eq!(policy.decide(&back("a"), AWAY, at(131)), not_told, "it is over already");
    shown(policy.decide(&down("a", covered()), AWAY, at(200)));
    let told = shown(policy.decide(&back("a"), AWAY, at(320)));
    assert_eq!((told.title.as_str(), told.urgency), ("OpenAI works again", Urgency::Low));
    assert_eq!(told.key, "fault/a", "it replaces what is not true any more");
    // Focus, settings and rate limits do not keep an outdated notification on the screen.
    for (around, from) in [(LOOKING, 1_000), (OFF, 2_000)] {
        shown(policy.decide(&down("a", covered()), AWAY, at(from)));
        assert_eq!(policy.decide(&back("a"), around, at(from + 500)), away);
    }
    policy.decide(&down("b", covered()), LOOKING, at(5_000));
    assert_eq!(policy.decide(&back("b"), AWAY, at(6_000)), not_told, "it was held back");
}

#[test]
fn the_notification_of_a_backend_that_is_gone_goes_too() {
    let mut policy = NotificationPolicy::new();
    shown(policy.decide(&down("a", uncovered()), AWAY, at(1)));
    assert_eq!(policy.failed_backends(), [id("a")]);
    assert_eq!(policy.shown_faults(), ["fault/a"]);
    let away = NotificationDecision::Withdraw("fault/a".to_owned());
    assert_eq!(policy.decide(&gone("a"), AWAY, at(900)), away, "it does not work again");
    assert!(policy.failed_backends().is_empty() && policy.shown_faults().is_empty());
    assert_eq!(
        policy.decide(&gone("a"), AWAY, at(901)),
        NotificationDecision::Suppress(SuppressionReason::FaultNotShown)
    );
}

#[test]
fn three_in_ten_minutes_is_the_limit_and_what_is_critical_passes_it() {
    let mut policy = NotificationPolicy::new();
    for number in 1..=3 {
        shown(policy.decide(&run(number, ReadinessVerdict::Ready), AWAY, at(100)));
    }
    let next = run(4, ReadinessVerdict::Ready);
    assert_eq!(
        policy.decide(&next, AWAY, at(699)),
        NotificationDecision::Suppress(SuppressionReason::TooMany)
    );
    let critical = shown(policy.decide(&down("a", uncovered()), AWAY, at(699)));
    assert_eq!(critical.urgency, Urgency::Critical);
    shown(policy.decide(&next, AWAY, at(700)));
}

#[test]
fn twelve_a_day_is_the_limit() {
    let mut policy = NotificationPolicy::new();
    for number in 0..12 {
        let secs = 600 * u64::try_from(number).expect("small");
        shown(policy.decide(&run(number, ReadinessVerdict::Ready), AWAY, at(secs)));
    }
    let next = run(12, ReadinessVerdict::Ready);
    assert_eq!(
        policy.decide(&next, AWAY, at(86_399)),
        NotificationDecision::Suppress(SuppressionReason::TooMany)
    );
    shown(policy.decide(&next, AWAY, at(86_400)));
}

#[test]
fn a_fault_says_what_it_means_and_opens_its_backend() {
    let told = |impact| {
        let mut policy = NotificationPolicy::new();
        shown(policy.decide(&down("open-ai", impact), AWAY, at(1)))
    };
    let alone = told(uncovered());
    assert_eq!((alone.title.as_str(), alone.urgency), ("OpenAI is down", Urgency::Critical));
    assert_eq!(alone.body, "The route fast has no other backend. Connection refused.");
    assert_eq!(alone.path, "/backends/open-ai");
    let pinned_only = told(Impact::default());
    assert_eq!(pinned_only.body, "Requests for open-ai/… fail. Connection refused.");
    assert_eq!(pinned_only.urgency, Urgency::Critical);
    let others = told(covered());
    let body = "Routes use other backends; requests for open-ai/… fail. Connection refused.";
    assert_eq!((others.body.as_str(), others.urgency), (body, Urgency::Normal));
    let rejected =
        FailedBackend { cause: HealthCause::KeyRejected, ..failed("b", "b", uncovered()) };
    let told = shown(NotificationPolicy::new().decide(
        &NotificationEvent::BackendDown(rejected),
        AWAY,
        at(1),
    ));
    assert_eq!(told.title, "OpenAI: key rejected");
    assert_eq!(told.body, "The route fast has no other backend. Replace the key.");
}

#[test]
fn a_body_is_whole_sentences_and_what_does_not_fit_is_left_out() {
    let long = FailedBackend {
        label: "Label ".repeat(40),
        reason: "the reason has many words ".repeat(20),
        ..failed("a", "a", covered())
    };
    let told =
        shown(NotificationPolicy::new().decide(&NotificationEvent::BackendDown(long), AWAY, at(1)));
    assert_eq!(told.body, "Routes use other backends; requests for a/… fail.");
    assert!(told.title.chars().count() <= TITLE_CHARS_MAX && told.title.ends_with("Label…"));
    let sentence = |text: String| {
        let run = RunId::generate(WallTime::default(), &SeededEntropy::new(1));
        let verdict = ReadinessVerdict::NotReady;
        let event = NotificationEvent::RunFinished { run, verdict, sentence: text };
        shown(NotificationPolicy::new().decide(&event, AWAY, at(1))).body
    };
    assert_eq!(sentence("ä".repeat(BODY_CHARS_MAX)).chars().count(), BODY_CHARS_MAX);
    let cut = sentence("word ".repeat(BODY_CHARS_MAX));
    assert!(cut.chars().count() <= BODY_CHARS_MAX && cut.ends_with("word…"), "{cut}");
}

fn ledger(cause: &str, urgency: Urgency) -> NotificationEvent {
    NotificationEvent::LedgerFault(LedgerFault {
        cause: cause.to_owned(),
        title: "The ledger cannot be written".to_owned(),
        fix: "The disk is full. Free some space.".to_owned(),
        urgency,
    })
}

#[test]
fn a_ledger_fault_is_shown_once_per_cause_and_replaced_when_it_ends() {
    let mut policy = NotificationPolicy::new();
    let works = policy.decide(&NotificationEvent::LedgerRecovered, AWAY, at(0));
    assert_eq!(works, NotificationDecision::Suppress(SuppressionReason::FaultNotShown));
    let full = ledger("ledger/disk-full", Urgency::Critical);
    let told = shown(policy.decide(&full, AWAY, at(1)));
    assert_eq!((told.key.as_str(), told.urgency), ("ledger", Urgency::Critical));
    assert_eq!(told.path, "/settings?part=Ledger");
    assert_eq!(
        policy.decide(&full, AWAY, at(5_000)),
        NotificationDecision::Suppress(SuppressionReason::AlreadyShown)
    );
    let damaged = ledger("ledger/damaged", Urgency::Critical);
    let damaged = shown(policy.decide(&damaged, AWAY, at(5_001)));
    assert_eq!(policy.shown_faults(), ["ledger"]);
    let works = shown(policy.decide(&NotificationEvent::LedgerRecovered, AWAY, at(5_002)));
    assert_eq!((&works.key, works.title.as_str()), (&damaged.key, "The ledger works again"));
    let again = policy.decide(&NotificationEvent::LedgerRecovered, AWAY, at(5_003));
    assert_eq!(again, NotificationDecision::Suppress(SuppressionReason::FaultNotShown));
}

#[test]
fn a_recurring_ledger_fault_is_shown_once_in_ten_minutes() {
    let mut policy = NotificationPolicy::new();
    let locked = ledger("ledger/locked", Urgency::Normal);
    assert_eq!(shown(policy.decide(&locked, AWAY, at(0))).urgency, Urgency::Normal);
    shown(policy.decide(&NotificationEvent::LedgerRecovered, AWAY, at(10)));
    assert_eq!(
        policy.decide(&locked, AWAY, at(599)),
        NotificationDecision::Suppress(SuppressionReason::AlreadyShown)
    );
    let works = policy.decide(&NotificationEvent::LedgerRecovered, AWAY, at(599));
    assert_eq!(works, NotificationDecision::Suppress(SuppressionReason::FaultNotShown));
    shown(policy.decide(&locked, AWAY, at(600)));
}

#[test]
fn the_end_of_a_ledger_fault_takes_it_away_where_the_user_looks_already() {
    let mut policy = NotificationPolicy::new();
    let full = ledger("ledger/disk-full", Urgency::Critical);
    shown(policy.decide(&full, AWAY, at(0)));
    let works = policy.decide(&NotificationEvent::LedgerRecovered, LOOKING, at(1));
    assert_eq!(works, NotificationDecision::Withdraw("ledger".to_owned()));
    shown(policy.decide(&full, AWAY, at(700)));
}
