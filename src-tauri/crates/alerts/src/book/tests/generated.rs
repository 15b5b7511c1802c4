//! Rules that hold whatever happens: generated scripts over a provider with two backends and one key,
//! another backend, one on this machine, two routes and a service.

use std::collections::BTreeSet;

use domain::{CredentialId, ServiceId};
use proptest::prelude::*;

use super::*;
use crate::facts::{BurnFact, BurnSubject, KeyFact, RouteFact, RouteFault, ServiceFact};
use crate::measurement::Measurement;

const HOUR: u64 = 3_600;
const STEP_SECS: u64 = 15;
/// Least time between two showings of the same text while it stays true.
const REPEAT_SECS: u64 = 600;

/// The backends: two of one provider, which share a key, another, and one on this machine.
const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const SERVERS: [&str; 4] = ["api.test", "api.test", "c.test", "127.0.0.1:1"];
const ROUTES: [(&str, [usize; 2]); 2] = [("fast", [0, 1]), ("slow", [2, 3])];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Unknown,
    Down,
    Failing,
    Trial,
    Recovering,
}

#[derive(Debug, Clone)]
enum Event {
    Backend(usize, Fault),
    /// The provider as a whole.
    Provider(Fault),
    Key(bool),
    Service(bool),
    /// Failed requests of a hundred, or of five.
    Errors(usize, u64, bool),
    Burn(usize, bool),
    Offline(bool),
    Focus(bool),
    Quiet(bool),
    /// Notifications are switched on or off.
    Switch(bool),
    /// For an hour.
    Silence(usize),
    /// The user has seen the newest alert.
    Acknowledge,
    Restart,
    Sleep(u64),
    /// The wall clock is set, by seconds.
    Jump(i64),
    /// A backend fails and recovers again and again, every so many seconds.
    Flap(usize, u64),
}

/// What is so at a moment.
struct World {
    bench: Bench,
    faults: [Fault; 4],
    is_rejected: bool,
    is_service_down: bool,
    errors: [Option<(u64, u64)>; 4],
    burns: [bool; 4],
    told: Told,
    has_silences: bool,
}

/// What fired and what was shown.
#[derive(Default)]
struct Told {
    /// Numbers of what fired and has not ended.
    open: BTreeSet<u64>,
    visible: BTreeMap<String, Notification>,
    last: BTreeMap<String, Showing>,
}

struct Showing {
    at: u64,
    notification: Notification,
    /// Those that it is about.
    alerts: BTreeSet<Fingerprint>,
    /// True once none of these held any more.
    was_over: bool,
}

impl World {
    fn new() -> Self {
        Self {
            bench: Bench::new(),
            faults: [Fault::None; 4],
            is_rejected: false,
            is_service_down: false,
            errors: [None; 4],
            burns: [false; 4],
            told: Told::default(),
            has_silences: false,
        }
    }

    fn fault(&self, backend: usize) -> BackendFault {
        match self.faults[backend] {
            Fault::Down => BackendFault::Down,
            Fault::Unknown => BackendFault::Unknown,
            _ if self.is_rejected && backend < 2 => BackendFault::KeyRejected,
            Fault::Failing => BackendFault::BreakerOpen,
            Fault::Trial => BackendFault::Trial,
            Fault::Recovering => BackendFault::Recovering,
            Fault::None => BackendFault::None,
        }
    }

    fn answers(&self, backend: usize) -> bool {
        use BackendFault::{None, Recovering, Trial, Unknown};
        matches!(self.fault(backend), None | Recovering | Trial | Unknown)
    }

    fn backend(&self, backend: usize) -> BackendFact {
        let of_route = ROUTES.iter().filter(|(_, all)| all.contains(&backend));
        let mut impact = Impact::default();
        for (route, all) in of_route {
            let has_other = all.iter().any(|other| *other != backend && self.answers(*other));
            let kind = if has_other { &mut impact.covered } else { &mut impact.uncovered };
            kind.insert(RouteId::new(*route).expect("a good id"));
        }
        BackendFact {
            label: NAMES[backend].to_uppercase(),
            server: SERVERS[backend].to_owned(),
            is_local: backend == 3,
            fault: self.fault(backend),
            ..down(NAMES[backend], impact)
        }
    }

    fn burn(&self, place: usize) -> BurnFact {
        let [first, second] = ROUTES[0].1;
        let subject = match place {
            0 => BurnSubject::Gateway,
            1 => BurnSubject::Route {
                id: RouteId::new("fast").expect("a good id"),
                backends: vec![id(NAMES[first]), id(NAMES[second])],
            },
            place => {
                let name = NAMES[place - 2];
                BurnSubject::Backend { id: id(name), label: name.to_uppercase() }
            }
        };
        let (failed, requests, window) = (30, 100, "1h".to_owned());
        BurnFact { subject, is_fast: place != 1, failed, requests, window, times_allowed: 60.0 }
    }

    fn facts(&self) -> Facts {
        let dead = ROUTES.iter().filter_map(|(route, all)| {
            let able = all.iter().filter(|it| self.answers(**it)).map(|it| self.fault(*it));
            Some(RouteFact {
                id: RouteId::new(*route).expect("a good id"),
                reason: "its backends cannot answer".to_owned(),
                backends: all.iter().map(|it| id(NAMES[*it])).collect(),
                fault: RouteFault::of(able)?,
            })
        });
        let key = KeyFact {
            id: CredentialId::new("main").expect("a good id"),
            what: "was rejected",
            fix: "Replace the key.",
            needed_by: vec![id("a"), id("b")],
        };
        let service = ServiceFact {
            id: ServiceId::new("db").expect("a good id"),
            label: "Database".to_owned(),
            is_local: false,
            is_required: true,
            is_down: Some(self.is_service_down),
            reason: "connection refused".to_owned(),
        };
        let errors = self.errors.iter().enumerate().filter_map(|(place, errors)| {
            let (failed, requests) = (*errors)?;
            let (backend, label) = (id(NAMES[place]), NAMES[place].to_uppercase());
            Some(Measurement::Errors { backend, label, failed, requests })
        });
        Facts {
            is_offline: self.bench.facts.is_offline,
            backends: (0..4).map(|backend| self.backend(backend)).collect(),
            services: vec![service],
            dead_routes: dead.collect(),
            keys: if self.is_rejected { vec![key] } else { Vec::new() },
            burns: (0..4).filter(|it| self.burns[*it]).map(|it| self.burn(it)).collect(),
            measurements: errors.collect(),
            ..Facts::default()
        }
    }

    /// One evaluation, with everything that must hold after each.
    fn step(&mut self, secs: u64) -> Result<(), TestCaseError> {
        self.bench.secs += secs;
        self.bench.facts = self.facts();
        let judged = conditions(&self.bench.facts, &self.bench.context.tunings);
        for showing in self.told.last.values_mut() {
            let is_told = |it: &Condition| showing.alerts.contains(&it.fingerprint);
            showing.was_over |= !judged.held.iter().any(is_told);
        }
        for effect in self.bench.evaluate() {
            self.take(effect, &judged)?;
        }
        self.check_visible(&judged)?;
        self.check_servers(&judged)
    }

    fn take(&mut self, effect: AlertEffect, judged: &Conditions) -> Result<(), TestCaseError> {
        match effect {
            AlertEffect::Fired(alert) => {
                let number = alert.number.expect("a number");
                prop_assert!(self.told.open.insert(number));
                let is_held =
                    |by: &&Fingerprint| judged.held.iter().any(|it| it.fingerprint == **by);
                let parent = alert.condition.inhibited_by.iter().find(is_held);
                prop_assert_eq!(parent, None, "{} fires", alert.condition.fingerprint);
            }
            AlertEffect::Ended { number, .. } => prop_assert!(self.told.open.remove(&number)),
            AlertEffect::Send(shown) => self.take_shown(shown)?,
            AlertEffect::Withdraw(key) => prop_assert!(self.told.visible.remove(&key).is_some()),
            AlertEffect::Changed(_) | AlertEffect::ShowInWindow(_) | AlertEffect::Post { .. } => {}
        }
        Ok(())
    }

    /// The same text comes again only as a repetition, or when it was over in between.
    fn take_shown(&mut self, shown: Notification) -> Result<(), TestCaseError> {
        let (key, now) = (shown.key.clone(), self.bench.secs);
        prop_assert!(self.bench.may_show(&shown), "{:?}: {shown:?}", self.bench.context);
        if shown.urgency == Urgency::Low {
            self.told.visible.remove(&key);
            return Ok(());
        }
        self.told.visible.insert(key.clone(), shown.clone());
        let is_summary = key == OVERFLOW_KEY || key == QUIET_KEY;
        if let Some(last) = self.told.last.get(&key).filter(|it| !is_summary && !it.was_over) {
            let before = &last.notification;
            let is_same = (&before.title, &before.body) == (&shown.title, &shown.body);
            let is_twice = is_same && now - last.at < REPEAT_SECS;
            prop_assert!(!is_twice, "{key} is told at {} and at {now}: {before:?}", last.at);
        }
        let alerts = self.bench.book.alerts().into_iter();
        let own = alerts.filter(|it| it.is_firing() && it.condition.title == shown.title);
        let alerts = own.map(|it| it.condition.fingerprint.clone()).collect();
        let showing = Showing { at: now, notification: shown, alerts, was_over: false };
        self.told.last.insert(key, showing);
        Ok(())
    }

    /// What is on the screen is true, or nobody can tell for a moment.
    fn check_visible(&self, judged: &Conditions) -> Result<(), TestCaseError> {
        let alerts = self.bench.book.alerts();
        let may_be_true = |alert: &&&Alert| {
            let condition = &alert.condition;
            judged.is_unknown(&condition.fingerprint, condition.rule)
                || judged.near.contains(&condition.fingerprint)
                || judged.held.iter().any(|it| it.fingerprint == condition.fingerprint)
        };
        let live: Vec<&&Alert> =
            alerts.iter().filter(|it| it.is_firing()).filter(may_be_true).collect();
        for key in self.told.visible.keys() {
            let is_summary = key == OVERFLOW_KEY || key == QUIET_KEY;
            let is_of_key = |it: &&&&Alert| is_summary || it.condition.notification == *key;
            prop_assert!(live.iter().find(is_of_key).is_some(), "{key} is shown and over");
            let silenced = |it: &&Alert| self.bench.book.silence_of(it).is_some();
            let mut own = live.iter().filter(|it| it.condition.notification == *key).peekable();
            prop_assert!(
                own.peek().is_none() || own.any(|it| !silenced(it)),
                "{key} is shown and silenced"
            );
        }
        Ok(())
    }

    /// One dead server is one alert, but for what a silence divides.
    fn check_servers(&self, judged: &Conditions) -> Result<(), TestCaseError> {
        let is_held = |by: &Fingerprint| judged.held.iter().any(|it| it.fingerprint == *by);
        for server in SERVERS {
            let is_own = |alert: &&&Alert| {
                alert.is_firing()
                    && !alert.is_ending
                    && alert.condition.rule == AlertRule::BackendDown
                    && is_held(&alert.condition.fingerprint)
                    && alert.condition.failed.as_ref().is_some_and(|it| it.server == server)
            };
            let alerts = self.bench.book.alerts();
            let count = alerts.iter().filter(is_own).count();
            prop_assert!(self.has_silences || count <= 1, "{count} alerts for {server}");
        }
        Ok(())
    }

    fn run(&mut self, secs: u64) -> Result<(), TestCaseError> {
        for _ in 0..secs / STEP_SECS {
            self.step(STEP_SECS)?;
        }
        Ok(())
    }

    fn happen(&mut self, event: &Event) -> Result<(), TestCaseError> {
        match *event {
            Event::Backend(backend, fault) => self.faults[backend] = fault,
            Event::Provider(fault) => self.faults[..2].fill(fault),
            Event::Key(is_rejected) => self.is_rejected = is_rejected,
            Event::Service(is_down) => self.is_service_down = is_down,
            Event::Errors(backend, failed, is_busy) => {
                let requests = if is_busy { 100 } else { 5 };
                self.errors[backend] = Some((failed.min(requests), requests));
            }
            Event::Burn(place, burns) => self.burns[place] = burns,
            Event::Offline(is_offline) => self.bench.facts.is_offline = is_offline,
            Event::Focus(is_focused) => self.bench.context.is_focused = is_focused,
            Event::Quiet(is_quiet) => self.bench.context.is_quiet = is_quiet,
            Event::Switch(is_on) => self.bench.context.is_on = is_on,
            Event::Silence(backend) => self.silence(NAMES[backend]),
            Event::Acknowledge => {
                let newest = self.bench.book.alerts().iter().filter_map(|it| it.number).max();
                let wall = self.bench.reading().wall;
                prop_assert!(newest.is_none_or(|it| self.bench.book.acknowledge(it, wall)));
            }
            Event::Restart => {
                for key in self.bench.book.take_shown() {
                    prop_assert!(self.told.visible.remove(&key).is_some());
                }
                let saved = serde_json::to_string(&self.bench.book).expect("it can be saved");
                self.bench.book = serde_json::from_str(&saved).expect("it can be read");
            }
            Event::Sleep(secs) => self.step(secs)?,
            Event::Jump(secs) => self.bench.jump(secs),
            Event::Flap(backend, secs) => {
                for number in 0..12 {
                    self.faults[backend] = if number % 2 == 0 { Fault::Down } else { Fault::None };
                    self.run(secs)?;
                }
            }
        }
        self.step(STEP_SECS)
    }

    fn silence(&mut self, scope: &str) {
        self.has_silences = true;
        let (at, matcher) = (self.bench.reading().wall, SilenceMatcher::default());
        let matcher = SilenceMatcher { scope: Some(scope.to_owned()), ..matcher };
        let until = at.plus_ms(3_600_000);
        self.bench.book.silence(matcher, "planned".to_owned(), at, until).expect("room for it");
    }

    /// Everything is well, and stays so.
    fn recover(&mut self) -> Result<(), TestCaseError> {
        (self.faults, self.errors, self.burns) = ([Fault::None; 4], [None; 4], [false; 4]);
        (self.is_rejected, self.is_service_down) = (false, false);
        self.bench.facts.is_offline = false;
        self.bench.context.is_quiet = false;
        self.step(STEP_SECS)?;
        prop_assert!(self.told.visible.is_empty(), "after recovery: {:?}", self.told.visible);
        // The longest time that an alert is kept is half an hour.
        self.run(HOUR)?;
        prop_assert!(self.told.open.is_empty(), "all is over: {:?}", self.told.open);
        prop_assert!(self.bench.book.alerts().is_empty(), "{:?}", self.bench.book.alerts());
        prop_assert_eq!(self.bench.book.suppressed(), []);
        prop_assert!(self.told.visible.is_empty(), "{:?}", self.told.visible);
        // Whatever the clock was set to, a silence of an hour is over.
        prop_assert_eq!(self.bench.book.silences(), []);
        Ok(())
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::None),
        1 => Just(Fault::Unknown),
        3 => Just(Fault::Down),
        2 => Just(Fault::Failing),
        1 => Just(Fault::Trial),
        1 => Just(Fault::Recovering),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let flag = any::<bool>;
    prop_oneof![
        8 => (0..4_usize, fault()).prop_map(|(backend, fault)| Event::Backend(backend, fault)),
        3 => fault().prop_map(Event::Provider),
        2 => flag().prop_map(Event::Key),
        1 => flag().prop_map(Event::Service),
        4 => (0..4_usize, 0..40_u64, flag()).prop_map(|(it, bad, busy)| Event::Errors(it, bad, busy)),
        3 => (0..4_usize, flag()).prop_map(|(place, burns)| Event::Burn(place, burns)),
        2 => flag().prop_map(Event::Offline),
        1 => flag().prop_map(Event::Focus),
        2 => flag().prop_map(Event::Quiet),
        1 => flag().prop_map(Event::Switch),
        1 => (0..4_usize).prop_map(Event::Silence),
        1 => Just(Event::Acknowledge),
        1 => Just(Event::Restart),
        1 => (60..100_000_u64).prop_map(Event::Sleep),
        2 => (-1_000_000..1_000_000_i64).prop_map(Event::Jump),
        1 => (0..4_usize, 15..300_u64).prop_map(|(backend, secs)| Event::Flap(backend, secs)),
    ]
}

/// How long it lasts: often shorter than what alerts wait for.
fn pause() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0..150_u64, 2 => 150..900_u64, 1 => 900..6_000_u64]
}

/// The window had the focus until a moment before: the desktop shows it again, and it is repeated ten
/// minutes after that, not after the window last showed it.
#[test]
fn what_returns_to_the_desktop_is_repeated_a_whole_while_after_that() -> Result<(), TestCaseError> {
    let mut world = World::new();
    for (event, pause) in [
        (Event::Backend(3, Fault::Down), 30),
        (Event::Focus(true), 0),
        (Event::Backend(2, Fault::Down), 2_493),
    ] {
        world.happen(&event)?;
        world.run(pause)?;
    }
    world.happen(&Event::Focus(false))?;
    let returned = world.bench.secs;
    world.run(REPEAT_SECS + HOUR / 4)?;
    let shown = world.told.last.get("fault/127.0.0.1:1").expect("it was shown");
    prop_assert_eq!(shown.at, returned + REPEAT_SECS);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn no_cause_is_told_twice_no_child_beside_its_parent_and_all_of_it_ends(
        script in prop::collection::vec((event(), pause()), 1..50)
    ) {
        let mut world = World::new();
        for (event, pause) in &script {
            world.happen(event)?;
            world.run(*pause)?;
        }
        world.recover()?;
    }
}
