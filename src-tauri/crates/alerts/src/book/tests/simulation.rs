//! Simulated weeks: with scripted and with random outages, what fires and what is shown.

use proptest::prelude::*;

use super::*;
use crate::facts::{BudgetFact, BurnFact, BurnSubject, KeyFact, RouteFact, RouteFault};
use crate::measurement::Measurement;

/// A book that is asked every 15 s, as the engine does.
pub(super) struct Weeks {
    pub(super) bench: Bench,
    pub(super) log: Vec<String>,
    pub(super) visible: BTreeMap<String, Notification>,
    pub(super) sent: Vec<(u64, Notification)>,
    /// When something that is not critical was shown, without what replaced it.
    first_shown: Vec<u64>,
    /// Numbers of what fired and has not ended.
    pub(super) open: BTreeSet<u64>,
}

impl Weeks {
    pub(super) fn new() -> Self {
        let (log, visible, sent, first_shown, open) = Default::default();
        Self { bench: Bench::new(), log, visible, sent, first_shown, open }
    }

    fn step(&mut self, secs: u64) {
        self.bench.secs += secs;
        let at = self.bench.secs - 1_000;
        for effect in self.bench.evaluate() {
            match effect {
                AlertEffect::Fired(alert) => {
                    assert!(self.open.insert(alert.number.expect("a number")));
                    self.log.push(format!("{at} fires {}", alert.condition.fingerprint));
                }
                AlertEffect::Ended { number, ending, .. } => {
                    assert!(self.open.remove(&number), "{number} ended and did not fire");
                    self.log.push(format!("{at} ends {number} {ending}"));
                }
                AlertEffect::Send(shown) => {
                    assert!(self.bench.may_show(&shown), "{:?}: {shown:?}", self.bench.context);
                    let is_fault = shown.key.starts_with("fault/") && !shown.body.contains("keeps");
                    let is_first = !self.visible.contains_key(&shown.key);
                    if is_fault && is_first && shown.urgency == Urgency::Normal {
                        self.first_shown.push(at);
                    }
                    self.sent.push((at, shown.clone()));
                    match shown.urgency {
                        // Good news may stay.
                        Urgency::Low => drop(self.visible.remove(&shown.key)),
                        _ => drop(self.visible.insert(shown.key.clone(), shown)),
                    }
                }
                AlertEffect::Withdraw(key) => {
                    assert!(self.visible.remove(&key).is_some(), "{key} was not on the screen");
                }
                AlertEffect::Changed(_)
                | AlertEffect::ShowInWindow(_)
                | AlertEffect::Post { .. } => {}
            }
        }
    }

    pub(super) fn run(&mut self, secs: u64) {
        for _ in 0..secs / 15 {
            self.step(15);
        }
    }
}

#[test]
fn two_weeks_of_scripted_outages_fire_and_end_exactly_as_listed() {
    const HOUR: u64 = 3_600;
    const DAY: u64 = 24 * HOUR;
    let mut weeks = Weeks::new();
    weeks.run(DAY);
    assert_eq!(weeks.log, Vec::<String>::new(), "a quiet day");

    // An outage of an hour.
    weeks.bench.set(down("a", covered()));
    weeks.run(HOUR);
    weeks.bench.clear("a");
    weeks.run(DAY);
    // Offline: the remote backends' states are not known, and none is at fault.
    weeks.bench.facts.is_offline = true;
    weeks.bench.set(down("a", uncovered()));
    weeks.bench.set(down("b", uncovered()));
    weeks.run(6 * HOUR);
    weeks.bench.facts.is_offline = false;
    weeks.bench.clear("a");
    weeks.bench.clear("b");
    weeks.run(DAY);
    // A night's sleep in the middle of an outage.
    weeks.bench.set(down("b", covered()));
    weeks.run(60);
    weeks.step(9 * HOUR);
    weeks.bench.clear("b");
    weeks.run(DAY);
    // A route loses its backends for 5 s: too short. Then for a minute.
    let route = RouteFact {
        id: RouteId::new("fast").expect("a good id"),
        reason: "its backends are switched off".to_owned(),
        backends: vec![id("a")],
        fault: RouteFault::Dead,
    };
    weeks.bench.facts.dead_routes = vec![route.clone()];
    weeks.step(5);
    weeks.bench.facts.dead_routes.clear();
    weeks.step(10);
    weeks.bench.facts.dead_routes = vec![route];
    weeks.run(60);
    weeks.bench.facts.dead_routes.clear();
    weeks.run(8 * DAY);

    assert_eq!(
        weeks.log,
        [
            format!("{} fires backend-down/a", DAY + 15),
            format!("{} ends 1 resolved", DAY + HOUR + 15 + 120),
            format!("{} fires backend-down/b", 3 * DAY + 7 * HOUR + 15),
            format!("{} ends 2 resolved", 3 * DAY + 16 * HOUR + 60 + 15 + 120),
            format!("{} fires route-dead/fast", 4 * DAY + 16 * HOUR + 60 + 15 + 30),
            format!("{} ends 3 resolved", 4 * DAY + 16 * HOUR + 60 + 15 + 75 + 60),
        ]
    );
    let titles: Vec<&str> = weeks.sent.iter().map(|(_, it)| it.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "OpenAI is down",
            "OpenAI works again",
            "OpenAI is down",
            "OpenAI works again",
            "The route fast has no backend",
        ]
    );
    assert!(weeks.visible.is_empty() && weeks.open.is_empty());
}

#[test]
fn a_cause_keeps_its_consequences_from_being_created_and_no_longer() {
    let mut weeks = Weeks::new();
    let key = KeyFact {
        id: domain::CredentialId::new("main").expect("a good id"),
        what: "was rejected",
        fix: "Replace the key.",
        needed_by: vec![id("a")],
    };
    weeks.bench.facts.keys = vec![key];
    weeks.bench.set(BackendFact { fault: BackendFault::KeyRejected, ..down("a", uncovered()) });
    weeks.bench.facts.dead_routes = vec![RouteFact {
        id: RouteId::new("fast").expect("a good id"),
        reason: "its key was rejected".to_owned(),
        backends: vec![id("a")],
        fault: RouteFault::Dead,
    }];
    weeks.run(600);
    assert_eq!(weeks.log, ["15 fires key-blocked/main"]);
    let suppressed = weeks.bench.book.suppressed();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0].by.to_string(), "key-blocked/main");
    weeks.bench.facts.keys.clear();
    weeks.bench.clear("a");
    weeks.run(60);
    assert_eq!(weeks.log[1..], ["615 ends 1 resolved", "630 fires route-dead/fast"]);
}

#[test]
fn each_mark_of_a_budget_is_told_once_and_the_highest_alone() {
    use domain::BudgetMark;
    let mut weeks = Weeks::new();
    let mark = |mark: BudgetMark, period: i64| BudgetFact {
        id: domain::BudgetId::new("monthly").expect("a good id"),
        mark,
        period_from: WallTime::from_unix_ms(period),
        title: format!("Budget monthly: {mark}"),
        message: "$8.00 of $10.00 is spent.".to_owned(),
    };
    let reach = |weeks: &mut Weeks, marks: &[BudgetMark], period| {
        weeks.bench.facts.budgets = marks.iter().map(|it| mark(*it, period)).collect();
        weeks.run(3_600);
    };
    let (half, most) = (BudgetMark::Spent(50), BudgetMark::Spent(80));
    reach(&mut weeks, &[half], 0);
    assert!(weeks.sent.is_empty(), "half of it is for the inbox");
    reach(&mut weeks, &[half, most], 0);
    assert_eq!(weeks.sent.len(), 1);
    reach(&mut weeks, &[half, most, BudgetMark::Spent(100), BudgetMark::Refused], 0);
    let titles: Vec<&str> = weeks.sent.iter().map(|(_, it)| it.title.as_str()).collect();
    assert_eq!(titles[..2], ["Budget monthly: 80", "Budget monthly: refused"]);
    // A new period, in which two are reached at once.
    reach(&mut weeks, &[half, most], 1);
    assert_eq!(weeks.sent.last().map(|it| it.1.title.as_str()), Some("Budget monthly: 80"));
    let fired = weeks.log.iter().filter(|line| line.contains("fires")).count();
    assert_eq!(fired, 4, "{:?}", weeks.log);
}

/// A change of the facts, and the time until the next one.
#[derive(Debug, Clone)]
enum Event {
    Down(usize, bool),
    Up(usize),
    Offline(bool),
    Focus(bool),
    Quiet(bool),
    Switch(bool),
    Restart,
    Sleep(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..3_usize, any::<bool>()).prop_map(|(backend, bad)| Event::Down(backend, bad)),
        4 => (0..3_usize).prop_map(Event::Up),
        1 => any::<bool>().prop_map(Event::Offline),
        1 => any::<bool>().prop_map(Event::Focus),
        1 => any::<bool>().prop_map(Event::Quiet),
        1 => any::<bool>().prop_map(Event::Switch),
        1 => Just(Event::Restart),
        1 => (60..100_000_u64).prop_map(Event::Sleep),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Everything that fires ends or is still true; nothing stays on the screen after it is over; and
    /// the limits hold.
    #[test]
    fn whatever_happens_nothing_untrue_stays(
        events in prop::collection::vec((event(), 0..3_600_u64), 1..60)
    ) {
        const NAMES: [&str; 3] = ["a", "b", "c"];
        let mut weeks = Weeks::new();
        for (event, pause) in events {
            match event {
                Event::Down(backend, bad) => {
                    let impact = if bad { uncovered() } else { covered() };
                    weeks.bench.set(down(NAMES[backend], impact));
                }
                Event::Up(backend) => weeks.bench.clear(NAMES[backend]),
                Event::Offline(is_offline) => weeks.bench.facts.is_offline = is_offline,
                Event::Focus(is_focused) => weeks.bench.context.is_focused = is_focused,
                Event::Quiet(is_quiet) => weeks.bench.context.is_quiet = is_quiet,
                Event::Switch(is_on) => weeks.bench.context.is_on = is_on,
                Event::Restart => {
                    for key in weeks.bench.book.take_shown() {
                        prop_assert!(weeks.visible.remove(&key).is_some());
                    }
                    let saved = serde_json::to_string(&weeks.bench.book).expect("it can be saved");
                    weeks.bench.book = serde_json::from_str(&saved).expect("it can be read");
                }
                Event::Sleep(secs) => weeks.step(secs),
            }
            weeks.run(pause);
            weeks.step(15);
            for key in weeks.visible.keys().filter(|key| key.starts_with("fault/")) {
                let name = key.trim_start_matches("fault/");
                let is_down = weeks.bench.facts.backends.iter().any(|it| it.id.as_str() == name);
                prop_assert!(is_down, "{key} is on the screen and over");
            }
        }
        for (index, at) in weeks.first_shown.iter().enumerate() {
            let within = weeks.first_shown.iter().skip(index).take_while(|it| **it < at + 600);
            prop_assert!(within.count() <= SHOWN_PER_TEN_MINUTES_MAX, "{:?}", weeks.first_shown);
        }
        weeks.bench.facts = Facts::default();
        weeks.bench.context.is_quiet = false;
        weeks.run(1_200);
        prop_assert!(weeks.open.is_empty(), "all is over: {:?}", weeks.open);
        prop_assert!(weeks.visible.is_empty(), "{:?}", weeks.visible);
        prop_assert!(weeks.bench.book.alerts().is_empty());
    }
}

fn burn(subject: BurnSubject, is_fast: bool) -> BurnFact {
    BurnFact {
        subject,
        is_fast,
        failed: 30,
        requests: 100,
        window: "1h".to_owned(),
        times_allowed: 60.0,
    }
}

#[test]
fn a_burn_fires_after_its_time_names_the_narrowest_and_ends_after_a_pause() {
    let backend = || BurnSubject::Backend { id: id("a"), label: "OpenAI".to_owned() };
    let route = || BurnSubject::Route {
        id: RouteId::new("fast").expect("a good id"),
        backends: vec![id("a")],
    };
    let mut weeks = Weeks::new();
    // Too short.
    weeks.bench.facts.burns = vec![burn(backend(), true)];
    weeks.run(105);
    weeks.bench.facts.burns.clear();
    weeks.run(600);
    assert_eq!(weeks.log, Vec::<String>::new());
    // The gateway and the route fail by the backend: one alert, for ten minutes from second 705 on.
    weeks.bench.facts.burns =
        vec![burn(BurnSubject::Gateway, true), burn(route(), true), burn(backend(), true)];
    weeks.run(600);
    weeks.bench.facts.burns.clear();
    weeks.run(3_600);
    assert_eq!(
        weeks.log,
        [
            format!("{} fires burn-fast/backend/a", 705 + 15 + 120),
            format!("{} ends 1 resolved", 705 + 600 + 15 + 300),
        ]
    );
    // A backend that is down has an alert of its own, which says it all.
    weeks.log.clear();
    weeks.bench.set(down("a", covered()));
    weeks.bench.facts.burns = vec![burn(backend(), true), burn(BurnSubject::Gateway, false)];
    weeks.run(3_600);
    assert_eq!(weeks.log.len(), 1, "{:?}", weeks.log);
    assert!(weeks.log[0].ends_with("fires backend-down/a"), "{:?}", weeks.log);
    weeks.bench.clear("a");
    weeks.bench.facts.burns.clear();
    weeks.run(7_200);
    assert!(weeks.visible.is_empty() && weeks.open.is_empty(), "{:?}", weeks.log);
    // Nobody can tell while offline: nothing new fires.
    weeks.log.clear();
    weeks.bench.facts.is_offline = true;
    weeks.bench.facts.burns = vec![burn(backend(), true), burn(backend(), false)];
    weeks.run(7_200);
    assert_eq!(weeks.log, Vec::<String>::new());
}

/// Failed requests to a backend in the last half hour.
fn errors(failed: u64, requests: u64) -> Vec<Measurement> {
    let (backend, label) = (id("a"), "OpenAI".to_owned());
    vec![Measurement::Errors { backend, label, failed, requests }]
}

#[test]
fn a_clock_that_is_set_neither_fires_ends_nor_prolongs_anything() {
    const HOUR: u64 = 3_600;
    let mut weeks = Weeks::new();
    let forward = |weeks: &mut Weeks| weeks.bench.jump(7 * 86_400);
    let back = |weeks: &mut Weeks| weeks.bench.jump(-9 * 86_400);
    let route = RouteFact {
        id: RouteId::new("fast").expect("a good id"),
        reason: "its backends are switched off".to_owned(),
        backends: vec![id("a")],
        fault: RouteFault::Dead,
    };
    // While something is pending, fires and ends: a dead route fires after 10 s, and is kept for 60.
    for (begin, set) in [(0, forward as fn(&mut Weeks)), (10 * HOUR, back)] {
        weeks.log.clear();
        weeks.bench.facts.dead_routes = vec![route.clone()];
        weeks.step(5);
        set(&mut weeks);
        weeks.step(5);
        weeks.step(5);
        set(&mut weeks);
        weeks.run(HOUR);
        weeks.bench.facts.dead_routes.clear();
        weeks.step(15);
        set(&mut weeks);
        weeks.step(15);
        weeks.run(9 * HOUR - 45);
        let number = if begin == 0 { 1 } else { 2 };
        assert_eq!(
            weeks.log,
            [
                format!("{} fires route-dead/fast", begin + 15),
                format!("{} ends {number} resolved", begin + 15 + HOUR + 15 + 60),
            ]
        );
    }
    // A silence of an hour lasts an hour, though the clock is set back by a day in it.
    weeks.log.clear();
    let (now, matcher) = (weeks.bench.reading().wall, SilenceMatcher::default());
    let until = now.plus_ms(3_600_000);
    weeks.bench.book.silence(matcher, String::new(), now, until).expect("room for one");
    weeks.sent.clear();
    weeks.bench.set(down("b", covered()));
    weeks.run(600);
    weeks.bench.jump(-86_400);
    weeks.run(3_000 - 15);
    assert!(weeks.sent.is_empty() && weeks.log.len() == 1, "{:?}", weeks.sent);
    weeks.run(15);
    assert_eq!(weeks.sent.len(), 1, "it still holds when the silence ends");
    // Set forward, the silence ends early and hides nothing.
    let (now, matcher) = (weeks.bench.reading().wall, SilenceMatcher::default());
    let until = now.plus_ms(3_600_000);
    weeks.bench.book.silence(matcher, String::new(), now, until).expect("room for one");
    weeks.bench.jump(86_400);
    weeks.run(15);
    assert_eq!(weeks.bench.book.silences(), []);
    weeks.bench.clear("b");
    weeks.run(HOUR);
    assert!(weeks.visible.is_empty() && weeks.open.is_empty(), "{:?}", weeks.log);
}

#[test]
fn a_week_of_flapping_and_of_low_traffic_fires_and_ends_exactly_as_listed() {
    const HOUR: u64 = 3_600;
    const DAY: u64 = 24 * HOUR;
    let mut weeks = Weeks::new();
    // A backend that fails and recovers each minute for an hour: one alert.
    for _ in 0..30 {
        weeks.bench.set(down("a", covered()));
        weeks.run(60);
        weeks.bench.clear("a");
        weeks.run(60);
    }
    weeks.run(DAY - HOUR);
    // One that flaps slowly, with longer pauses than an alert is kept: each time is one of its own.
    for _ in 0..3 {
        weeks.bench.set(down("b", covered()));
        weeks.run(HOUR);
        weeks.bench.clear("b");
        weeks.run(HOUR);
    }
    weeks.run(DAY - 6 * HOUR);
    // Few requests: three of ten that fail are no rate. From twenty on they are.
    let begin = 2 * DAY;
    weeks.bench.facts.measurements = errors(3, 10);
    weeks.run(6 * HOUR);
    weeks.bench.facts.measurements = errors(6, 20);
    weeks.run(HOUR);
    // Too few again: nobody can tell, which is no end of the fault, and then no alert either.
    weeks.bench.facts.measurements = errors(2, 4);
    weeks.run(HOUR);
    weeks.bench.facts.measurements.clear();
    weeks.run(DAY);
    // Without any traffic an outage is told all the same.
    weeks.bench.set(down("a", uncovered()));
    weeks.run(60);
    weeks.bench.clear("a");
    weeks.run(3 * DAY);

    let outage = |number: u64| {
        let from = DAY + 2 * HOUR * (number - 2);
        let ends = format!("{} ends {number} resolved", from + HOUR + 15 + 120);
        [format!("{} fires backend-down/b", from + 15), ends]
    };
    let last = begin + 8 * HOUR + DAY;
    let expected = [
        vec![
            "15 fires backend-down/a".to_owned(),
            format!("{} ends 1 resolved", HOUR - 60 + 15 + 120),
        ],
        (2..5).flat_map(outage).collect(),
        vec![
            format!("{} fires error-rate/a", begin + 6 * HOUR + 15 + 300),
            format!("{} ends 5 unknown", begin + 7 * HOUR + 15 + 120),
            format!("{} fires backend-down/a", last + 15),
            format!("{} ends 6 resolved", last + 60 + 15 + 120),
        ],
    ];
    assert_eq!(weeks.log, expected.concat());
    let told: Vec<(&str, bool)> = weeks
        .sent
        .iter()
        .map(|(_, it)| (it.title.as_str(), it.body.contains("keeps failing")))
        .collect();
    let outage = [("OpenAI is down", false), ("OpenAI works again", false)];
    let expected = [
        // What lasts for a minute and flaps: one notification, and the notice that there are no more.
        vec![("OpenAI is down", false), ("OpenAI is down", true)],
        outage.repeat(3),
        vec![("OpenAI fails often", false), ("OpenAI is down", false)],
    ];
    assert_eq!(told, expected.concat());
    assert!(weeks.visible.is_empty() && weeks.open.is_empty());
}
