//! Tests of the book, one for each rule of what is shown.

use domain::{BackendId, ReadinessVerdict, RouteId, SeededEntropy};

use super::*;
use crate::facts::{BackendFact, BackendFault, Facts, Impact, LedgerFact};
use crate::notification::{BODY_CHARS_MAX, TITLE_CHARS_MAX, Urgency};
use crate::rule::{RuleTuning, tunings};
use crate::silence::{SILENCES_MAX, SilenceMatcher};
use crate::{AlertSeverity, conditions};

mod generated;
mod inhibition;
mod measured;
mod quiet;
mod screen;
mod simulation;

/// A book with a clock and the facts of the moment.
pub(super) struct Bench {
    pub(super) book: AlertBook,
    pub(super) facts: Facts,
    pub(super) context: AlertContext,
    pub(super) secs: u64,
    /// How far the wall clock was set forward, in seconds.
    pub(super) jumped: i64,
}

impl Bench {
    pub(super) fn new() -> Self {
        let context = AlertContext {
            is_on: true,
            is_focused: false,
            is_quiet: false,
            is_resuming: false,
            escalation: None,
            tunings: tunings(),
            channels: BTreeMap::new(),
        };
        Self {
            book: AlertBook::default(),
            facts: Facts::default(),
            context,
            secs: 1_000,
            jumped: 0,
        }
    }

    pub(super) fn reading(&self) -> ClockReading {
        let wall = i64::try_from(self.secs).expect("small") + self.jumped;
        let wall = WallTime::from_unix_ms(wall * 1_000);
        ClockReading { now: Moment::from_secs(self.secs), wall }
    }

    /// The wall clock is set forward, or back; the monotonic one goes on as before.
    pub(super) const fn jump(&mut self, secs: i64) {
        self.jumped += secs;
    }

    pub(super) fn evaluate(&mut self) -> Vec<AlertEffect> {
        let reading = self.reading();
        self.book.evaluate(&conditions(&self.facts, &self.context.tunings), &self.context, reading)
    }

    /// Lets so many seconds pass, evaluating once a second.
    pub(super) fn run(&mut self, secs: u64) -> Vec<AlertEffect> {
        let mut effects = self.evaluate();
        for _ in 0..secs {
            self.secs += 1;
            effects.extend(self.evaluate());
        }
        effects
    }

    /// False for what may not be shown now: nothing at all while notifications are off or the window shows
    /// it, and in quiet hours only what passes them.
    pub(super) fn may_show(&self, shown: &Notification) -> bool {
        let passes = |alert: &Alert| {
            let condition = &alert.condition;
            alert.is_live() && condition.notification == shown.key && condition.passes_quiet_hours
        };
        let is_loud = shown.urgency != Urgency::Low && self.book.alerts().into_iter().any(passes);
        self.context.is_on && !self.context.is_focused && (is_loud || !self.context.is_quiet)
    }

    /// What reaches the screen in so many seconds.
    fn told(&mut self, secs: u64) -> Vec<Told> {
        self.run(secs).into_iter().filter_map(Told::of).collect()
    }

    #[track_caller]
    fn shown(&mut self, secs: u64) -> Notification {
        match self.told(secs).as_slice() {
            [Told::Shown(one)] => one.clone(),
            other => panic!("not one notification: {other:?}"),
        }
    }

    pub(super) fn set(&mut self, backend: BackendFact) {
        self.clear(backend.id.as_str());
        self.facts.backends.push(backend);
    }

    pub(super) fn clear(&mut self, id: &str) {
        self.facts.backends.retain(|known| known.id.as_str() != id);
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Shown(Notification),
    Gone(String),
}

impl Told {
    fn of(effect: AlertEffect) -> Option<Self> {
        match effect {
            AlertEffect::Send(notification) => Some(Self::Shown(notification)),
            AlertEffect::Withdraw(key) => Some(Self::Gone(key)),
            AlertEffect::Fired(_)
            | AlertEffect::Changed(_)
            | AlertEffect::Ended { .. }
            | AlertEffect::ShowInWindow(_)
            | AlertEffect::Post { .. } => None,
        }
    }
}

pub(super) fn id(text: &str) -> BackendId {
    BackendId::new(text).expect("a good id")
}

/// One route, which has another backend.
pub(super) fn covered() -> Impact {
    let fast = RouteId::new("fast").expect("a good id");
    Impact { covered: [fast].into(), ..Impact::default() }
}

/// One route, which has no other backend.
pub(super) fn uncovered() -> Impact {
    let fast = RouteId::new("fast").expect("a good id");
    Impact { uncovered: [fast].into(), ..Impact::default() }
}

/// The backend is down, on its own server.
pub(super) fn down(backend: &str, impact: Impact) -> BackendFact {
    BackendFact {
        id: id(backend),
        label: "OpenAI".to_owned(),
        server: backend.to_owned(),
        is_local: false,
        fault: BackendFault::Down,
        reason: "connection refused.".to_owned(),
        impact,
    }
}

fn run_notice() -> Notification {
    Notification {
        key: "run/1".to_owned(),
        title: ReadinessVerdict::Ready.label().to_owned(),
        body: "Ready, 9.3 of 10".to_owned(),
        urgency: Urgency::Low,
        path: "/readiness".to_owned(),
        has_sound: false,
        alerts: Vec::new(),
    }
}

fn run_id(number: i64) -> RunId {
    RunId::generate(WallTime::from_unix_ms(number), &SeededEntropy::new(1))
}

#[test]
fn nothing_is_shown_while_switched_off_or_while_the_user_looks() {
    let mut bench = Bench::new();
    bench.context.is_on = false;
    bench.set(down("a", uncovered()));
    assert_eq!(bench.told(60), []);
    bench.context.is_on = true;
    bench.shown(1);

    let mut bench = Bench::new();
    bench.context.is_focused = true;
    bench.set(down("a", uncovered()));
    let shown = bench.run(60).into_iter().filter_map(|effect| match effect {
        AlertEffect::ShowInWindow(shown) => Some(shown.title),
        AlertEffect::Send(_) | AlertEffect::Withdraw(_) => panic!("{effect:?}"),
        _ => None,
    });
    assert_eq!(shown.collect::<Vec<_>>(), ["OpenAI is down"], "once");
    bench.context.is_focused = false;
    assert_eq!(bench.told(60), [], "the window showed it");
}

#[test]
fn what_is_over_within_the_wait_is_never_shown() {
    let mut bench = Bench::new();
    for (impact, wait) in [(uncovered(), 10), (covered(), 30)] {
        bench.set(down("a", impact.clone()));
        assert_eq!(bench.told(wait - 1), []);
        bench.clear("a");
        assert_eq!(bench.told(200), []);
        bench.set(down("a", impact));
        assert_eq!(bench.shown(wait).title, "OpenAI is down");
        bench.clear("a");
        bench.run(3_600);
    }
}

#[test]
fn the_same_fault_is_shown_once_and_again_after_it_ended() {
    let mut bench = Bench::new();
    bench.set(down("a", covered()));
    bench.shown(31);
    assert_eq!(bench.told(700), []);
    bench.clear("a");
    assert_eq!(bench.told(0), [Told::Gone("fault/a".to_owned())]);
    assert_eq!(bench.shown(120).title, "OpenAI works again");
    bench.set(down("a", covered()));
    bench.shown(31);
}

#[test]
fn what_comes_back_at_once_is_shown_again_only_when_it_lasts() {
    let mut bench = Bench::new();
    bench.set(down("a", covered()));
    bench.shown(31);
    bench.clear("a");
    assert_eq!(bench.told(60).len(), 1, "withdrawn");
    bench.set(down("a", covered()));
    assert_eq!(bench.told(119), []);
    assert_eq!(bench.shown(1).title, "OpenAI is down");
    let numbers = bench.book.alerts().iter().map(|it| it.number).collect::<Vec<_>>();
    assert_eq!(numbers, [Some(1)], "it is one alert");
}

#[test]
fn backends_behind_one_server_are_one_notification() {
    let mut bench = Bench::new();
    let one = |backend: &str, label: &str, impact| BackendFact {
        label: label.to_owned(),
        server: "127.0.0.1:8080".to_owned(),
        ..down(backend, impact)
    };
    bench.set(one("a", "Alpha", Impact::default()));
    let first = bench.shown(10);
    assert_eq!((first.title.as_str(), first.path.as_str()), ("Alpha is down", "/backends/a"));
    assert_eq!(first.body, "Requests for a/… fail. Connection refused.");
    assert_eq!(first.urgency, Urgency::Critical);
    let mut last = first.clone();
    for (backend, label, impact) in
        [("b", "Beta", covered()), ("c", "Gamma", Impact::default()), ("d", "Delta", uncovered())]
    {
        bench.set(one(backend, label, impact));
        last = bench.shown(0);
        assert_eq!(last.key, first.key, "it replaces the one before");
    }
    assert_eq!((last.title.as_str(), last.path.as_str()), ("4 backends are down", "/backends"));
    assert!(last.body.starts_with("The route fast has no other backend. "), "{}", last.body);
    assert!(last.body.ends_with(" and 1 more at 127.0.0.1:8080."), "{}", last.body);
    // A fault of another server is another notification.
    bench.set(down("e", Impact::default()));
    assert_ne!(bench.shown(10).key, first.key);
    bench.clear("e");
    bench.run(0);

    for (backend, title) in
        [("d", "3 backends are down"), ("b", "2 backends are down"), ("c", "Alpha is down")]
    {
        bench.clear(backend);
        let left = bench.shown(0);
        assert_eq!((left.key, left.title.as_str()), (first.key.clone(), title));
    }
    bench.run(200);
    bench.clear("a");
    let over = bench.told(120);
    let [Told::Gone(key), Told::Shown(over)] = over.as_slice() else { panic!("{over:?}") };
    assert_eq!((key, over.title.as_str()), (&first.key, "Alpha works again"));
}

#[test]
fn what_is_over_goes_at_once_and_is_told_if_it_lasted_two_minutes() {
    let mut bench = Bench::new();
    let gone = Told::Gone("fault/a".to_owned());
    bench.set(down("a", covered()));
    bench.shown(119);
    bench.clear("a");
    assert_eq!(bench.told(600), std::slice::from_ref(&gone), "119 s");
    bench.set(down("a", covered()));
    bench.shown(120);
    bench.clear("a");
    assert_eq!(bench.told(119), std::slice::from_ref(&gone));
    let told = bench.shown(1);
    assert_eq!((told.title.as_str(), told.urgency), ("OpenAI works again", Urgency::Low));
    assert_eq!(told.key, "fault/a");
    // Focus and settings do not keep an outdated notification on the screen.
    bench.run(3_600);
    for (is_on, is_focused) in [(true, true), (false, false)] {
        (bench.context.is_on, bench.context.is_focused) = (true, false);
        bench.set(down("a", covered()));
        bench.shown(500);
        (bench.context.is_on, bench.context.is_focused) = (is_on, is_focused);
        bench.clear("a");
        assert_eq!(bench.told(3_600), std::slice::from_ref(&gone));
    }
}

#[test]
fn three_in_ten_minutes_is_the_limit_and_what_is_critical_passes_it() {
    let mut bench = Bench::new();
    let reading = bench.reading();
    for number in 1..=3 {
        let told = bench.book.announce_run(run_id(number), run_notice(), &bench.context, reading);
        assert!(told.is_some());
    }
    let again = bench.book.announce_run(run_id(1), run_notice(), &bench.context, reading);
    assert_eq!(again, None, "it was shown");
    bench.set(down("a", uncovered()));
    assert_eq!(bench.shown(60).urgency, Urgency::Critical);
    bench.set(down("b", covered()));
    let more = bench.shown(60);
    assert_eq!((more.key.as_str(), more.title.as_str()), (OVERFLOW_KEY, "1 more in the inbox"));
    bench.clear("b");
    assert_eq!(bench.told(0), [Told::Gone(OVERFLOW_KEY.to_owned())]);
    bench.run(480);
    let reading = bench.reading();
    let told = bench.book.announce_run(run_id(4), run_notice(), &bench.context, reading);
    assert!(told.is_some(), "ten minutes are over");
}

#[test]
fn twelve_a_day_is_the_limit() {
    let mut bench = Bench::new();
    for number in 0..12 {
        let reading = bench.reading();
        let told = bench.book.announce_run(run_id(number), run_notice(), &bench.context, reading);
        assert!(told.is_some(), "{number}");
        bench.run(600);
    }
    let announce = |bench: &mut Bench| {
        let reading = bench.reading();
        bench.book.announce_run(run_id(12), run_notice(), &bench.context, reading).is_some()
    };
    bench.run(86_400 - 12 * 600 - 1);
    assert!(!announce(&mut bench));
    bench.run(1);
    assert!(announce(&mut bench));
}

#[test]
fn a_fault_says_what_it_means_and_opens_its_backend() {
    let told = |impact| {
        let mut bench = Bench::new();
        bench.set(down("open-ai", impact));
        bench.shown(30)
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
    let models = told(Impact { models_uncovered: 12, ..covered() });
    let body = "12 models have no other backend. Connection refused.";
    assert_eq!((models.body.as_str(), models.urgency), (body, Urgency::Critical));

    let mut bench = Bench::new();
    bench.set(BackendFact { fault: BackendFault::KeyRejected, ..down("b", uncovered()) });
    let told = bench.shown(30);
    assert_eq!(told.title, "OpenAI: key rejected");
    assert_eq!(told.body, "The route fast has no other backend. Replace the key.");
}

#[test]
fn a_body_is_whole_sentences_and_what_does_not_fit_is_left_out() {
    let mut bench = Bench::new();
    bench.set(BackendFact {
        label: "Label ".repeat(40),
        reason: "the reason has many words ".repeat(20),
        ..down("a", covered())
    });
    let told = bench.shown(30);
    assert_eq!(told.body, "Routes use other backends; requests for a/… fail.");
    assert!(told.title.chars().count() <= TITLE_CHARS_MAX && told.title.ends_with("Label…"));
    bench.facts.ledger = Some(ledger("x", "word ".repeat(BODY_CHARS_MAX)));
    let cut = bench.shown(30).body;
    assert!(cut.chars().count() <= BODY_CHARS_MAX && cut.ends_with("word…"), "{cut}");
    bench.facts.ledger = Some(ledger("y", "ä".repeat(BODY_CHARS_MAX)));
    assert_eq!(bench.shown(30).body.chars().count(), BODY_CHARS_MAX);
}

fn ledger(cause: &str, fix: String) -> LedgerFact {
    let title = "The ledger cannot be written".to_owned();
    LedgerFact { cause: cause.to_owned(), title, fix, is_problem: true }
}

#[test]
fn a_ledger_fault_is_shown_once_per_cause_and_goes_when_it_ends() {
    let mut bench = Bench::new();
    let fix = || "The disk is full. Free some space.".to_owned();
    bench.facts.ledger = Some(ledger("ledger/disk-full", fix()));
    let told = bench.shown(10);
    assert_eq!((told.key.as_str(), told.urgency), ("ledger", Urgency::Critical));
    assert_eq!(told.path, "/settings?part=Ledger");
    assert_eq!(bench.told(500), []);
    let damaged = "The file is damaged. Restore a backup.".to_owned();
    bench.facts.ledger = Some(ledger("ledger/damaged", damaged));
    assert_eq!(bench.told(0).len(), 1, "it replaces the one before");
    bench.facts.ledger = None;
    let over = bench.shown(0);
    assert_eq!((over.key.as_str(), over.title.as_str()), ("ledger", "The ledger works again"));
    assert_eq!(bench.told(3_600), []);
    bench.facts.ledger = Some(ledger("ledger/disk-full", fix()));
    bench.shown(10);
    bench.context.is_focused = true;
    bench.facts.ledger = None;
    assert_eq!(bench.told(3_600), [Told::Gone("ledger".to_owned())], "the window shows it");
}

#[test]
fn a_recurring_ledger_fault_is_shown_once_in_ten_minutes() {
    let mut bench = Bench::new();
    let locked = || Some(ledger("ledger/locked", "It is locked.".to_owned()));
    bench.facts.ledger = locked();
    bench.shown(10);
    bench.facts.ledger = None;
    bench.run(100);
    bench.facts.ledger = locked();
    assert_eq!(bench.told(599), []);
    bench.shown(1);
}

#[test]
fn what_keeps_failing_and_recovering_is_one_notice_until_it_is_stable() {
    let mut bench = Bench::new();
    let mut told = Vec::new();
    for _ in 0..20 {
        bench.set(down("a", uncovered()));
        told.extend(bench.told(60));
        bench.clear("a");
        told.extend(bench.told(60));
    }
    let shown: Vec<&str> = told
        .iter()
        .filter_map(|told| match told {
            Told::Shown(shown) => Some(shown.body.as_str()),
            Told::Gone(_) => None,
        })
        .collect();
    let notice = "It keeps failing and recovering. No more notifications until it is stable.";
    assert_eq!(shown, ["The route fast has no other backend. Connection refused.", notice]);
    assert_eq!(told.last(), Some(&Told::Gone("fault/a".to_owned())), "nothing stays");
    bench.run(1_800);
    bench.set(down("a", uncovered()));
    assert_eq!(bench.shown(10).title, "OpenAI is down", "it was stable for half an hour");
}

#[test]
fn a_critical_alert_comes_again_until_it_is_acknowledged() {
    let mut bench = Bench::new();
    bench.set(down("a", uncovered()));
    bench.shown(10);
    for pause in [600, 1_800, 3_600, 3_600] {
        assert_eq!(bench.told(pause - 1), []);
        bench.shown(1);
    }
    assert_eq!(bench.told(40_000), [], "four times at most");

    let mut bench = Bench::new();
    bench.set(down("a", uncovered()));
    bench.shown(10);
    let number = bench.book.alerts().first().and_then(|it| it.number).expect("it fires");
    assert!(bench.book.acknowledge(number, bench.reading().wall));
    assert!(!bench.book.acknowledge(number + 1, bench.reading().wall), "there is none");
    assert_eq!(bench.told(20_000), [Told::Gone("fault/a".to_owned())]);
}

/// Evaluates only as often as the book asks for, as the engine does.
#[test]
fn a_sound_comes_within_two_seconds_of_its_time_whenever_the_alert_began() {
    for begins_after in 0..=EVALUATION_PAUSE.as_secs() {
        for wait_secs in [37, 300, 901] {
            let mut bench = Bench::new();
            let wait = Duration::from_secs(wait_secs);
            bench.context.escalation = Some(EscalationPolicy { from: AlertSeverity::High, wait });
            bench.set(down("other", covered()));
            bench.run(begins_after);
            bench.set(down("a", uncovered()));
            bench.evaluate();
            let (fired, mut heard) = (bench.secs, None);
            while heard.is_none() && bench.secs < fired + wait_secs + 60 {
                let pause = bench.book.pause(&bench.context);
                assert!(pause <= EVALUATION_PAUSE && !pause.is_zero(), "{pause:?}");
                bench.secs += pause.as_secs();
                let is_sound =
                    |it: &AlertEffect| matches!(it, AlertEffect::Send(shown) if shown.has_sound);
                heard = bench.evaluate().iter().any(is_sound).then_some(bench.secs - fired);
            }
            let heard = heard.expect("a sound");
            let in_time = wait_secs..=wait_secs + 2;
            assert!(in_time.contains(&heard), "{wait_secs}: heard after {heard} s");
        }
    }
}

#[test]
fn an_alert_that_nobody_acknowledges_is_shown_again_with_a_sound_once() {
    let policy = |from| EscalationPolicy { from, wait: Duration::from_secs(300) };
    let heard = |told: &[Told]| {
        let sounds = told.iter().filter(|it| matches!(it, Told::Shown(shown) if shown.has_sound));
        sounds.count()
    };
    let mut bench = Bench::new();
    bench.context.escalation = Some(policy(AlertSeverity::Medium));
    bench.set(down("a", covered()));
    assert_eq!(heard(&bench.told(299)), 0);
    assert!(bench.shown(1).has_sound);
    assert_eq!(heard(&bench.told(20_000)), 0, "once");

    // A less severe one, one that is acknowledged, in quiet hours, and while somebody looks.
    let mut bench = Bench::new();
    bench.context.escalation = Some(policy(AlertSeverity::High));
    bench.set(down("a", covered()));
    assert_eq!(heard(&bench.told(600)), 0);
    bench.context.escalation = Some(policy(AlertSeverity::Medium));
    bench.context.is_quiet = true;
    assert_eq!(heard(&bench.told(600)), 0);
    bench.context.is_quiet = false;
    bench.context.is_focused = true;
    assert_eq!(heard(&bench.told(600)), 0);
    bench.context.is_focused = false;
    let wall = bench.reading().wall;
    assert!(bench.book.acknowledge(1, wall));
    assert_eq!(heard(&bench.told(600)), 0);
}

#[test]
fn a_silenced_alert_is_not_shown_but_measured_and_listed() {
    let mut bench = Bench::new();
    let (now, until) = (bench.reading().wall, WallTime::from_unix_ms(1_000_000 + 3_600_000));
    let matcher = SilenceMatcher { rule: None, scope: Some("a".to_owned()) };
    let silence = bench.book.silence(matcher, "planned".to_owned(), now, until).expect("room");
    bench.set(down("a", uncovered()));
    assert_eq!(bench.told(3_599), []);
    let listed = bench.book.alerts();
    assert_eq!(listed.len(), 1);
    assert_eq!(bench.book.silence_of(listed[0]).map(|it| it.number), Some(silence.number));
    assert_eq!(bench.shown(1).title, "OpenAI is down", "the silence is over");
}

#[test]
fn only_so_many_silences_are_kept() {
    let mut bench = Bench::new();
    let (now, until) = (bench.reading().wall, WallTime::from_unix_ms(i64::MAX));
    let mut add = || bench.book.silence(SilenceMatcher::default(), String::new(), now, until);
    for _ in 0..SILENCES_MAX {
        assert!(add().is_some());
    }
    assert_eq!(add(), None);
    let first = bench.book.silences()[0].number;
    assert!(bench.book.remove_silence(first) && !bench.book.remove_silence(first));
}

#[test]
fn quiet_hours_hold_back_what_can_wait_and_are_summed_up() {
    let mut bench = Bench::new();
    bench.context.is_quiet = true;
    bench.set(down("a", covered()));
    bench.set(down("b", covered()));
    bench.set(down("c", covered()));
    assert_eq!(bench.told(3_600), []);
    bench.set(down("d", uncovered()));
    assert_eq!(bench.shown(10).key, "fault/d", "requests fail");
    bench.clear("c");
    bench.run(150);
    bench.context.is_quiet = false;
    let told = bench.shown(0);
    assert_eq!(
        (told.key.as_str(), told.title.as_str()),
        (QUIET_KEY, "2 alerts from the quiet hours")
    );
    assert_eq!(bench.told(300), []);
    bench.clear("a");
    bench.clear("b");
    assert_eq!(bench.told(0), [Told::Gone(QUIET_KEY.to_owned())]);
}

#[test]
fn a_rule_that_is_off_has_no_alerts_and_one_in_the_inbox_no_notification() {
    let mut bench = Bench::new();
    bench.context.tunings.entry(AlertRule::BackendDown).or_default().delivery =
        AlertDelivery::Inbox;
    bench.set(down("a", uncovered()));
    assert_eq!(bench.told(600), []);
    assert_eq!(bench.book.alerts().len(), 1);
    bench.context.tunings.entry(AlertRule::BackendDown).or_default().delivery = AlertDelivery::Off;
    let effects = bench.run(0);
    let off = |it: &AlertEffect| matches!(it, AlertEffect::Ended { ending, .. } if *ending == AlertEnding::SwitchedOff);
    assert!(effects.iter().any(off) && bench.book.alerts().is_empty());
}

#[test]
fn a_restart_neither_repeats_nor_forgets() {
    let mut bench = Bench::new();
    bench.set(down("a", covered()));
    bench.shown(30);
    assert_eq!(bench.book.take_shown(), ["fault/a"]);
    let saved = serde_json::to_string(&bench.book).expect("it can be saved");
    bench.book = serde_json::from_str(&saved).expect("it can be read");
    // Hours later, and before anything is known.
    bench.secs += 40_000;
    bench.facts.backends[0].fault = BackendFault::Unknown;
    assert_eq!(bench.told(60), []);
    bench.facts.backends[0].fault = BackendFault::Down;
    assert_eq!(bench.told(600), []);
    assert_eq!(bench.book.alerts()[0].number, Some(1));
    bench.clear("a");
    let ended = |it: &AlertEffect| matches!(it, AlertEffect::Ended { number: 1, .. });
    assert!(bench.run(120).iter().any(ended));
}

#[test]
fn the_severity_of_an_alert_follows_what_depends_on_it() {
    let mut bench = Bench::new();
    bench.set(down("a", covered()));
    assert_eq!(bench.shown(30).urgency, Urgency::Normal);
    bench.set(down("a", uncovered()));
    let told = bench.shown(0);
    assert_eq!(told.urgency, Urgency::Critical, "its last stand-in failed");
    assert_eq!(bench.book.alerts()[0].condition.severity, AlertSeverity::Critical);
}

#[test]
fn just_after_sleep_nothing_begins_and_nothing_new_is_shown() {
    let mut bench = Bench::new();
    bench.set(down("a", covered()));
    bench.run(20);
    bench.secs += 32_000;
    bench.context.is_resuming = true;
    bench.set(down("b", uncovered()));
    assert_eq!(bench.told(15), []);
    assert_eq!(bench.book.alerts().len(), 1, "the one from before goes on");
    // What is over is over, though.
    bench.clear("a");
    bench.run(0);
    assert!(bench.book.alerts()[0].is_ending);
    bench.context.is_resuming = false;
    bench.run(0);
    assert_eq!(bench.book.alerts().len(), 2);
    assert_eq!(bench.shown(10).key, "fault/b");
}
