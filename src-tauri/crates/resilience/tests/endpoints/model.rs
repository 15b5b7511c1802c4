//! Random histories: the endpoints and the reference model must agree at each step.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{CredentialId, Endpoint, Moment};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};
use resilience::{
    Availability, BlockReason, BreakerOverride, BreakerRules, CallOutcome, ClosedReason,
    EndpointTransition, Endpoints, FailureWeight, LimitKind, LimitScope, Permit, ProbeOutcome,
    TransitionState,
};

use crate::reference::{Event, Reference};
use crate::world::{endpoint, request, secs};

const MODELS: [&str; 2] = ["small", "large"];

/// One step of a history. Numbers select among what exists at that point.
#[derive(Debug, Clone)]
enum HistoryStep {
    Pass(Duration),
    Begin { of: usize, model: usize, beside: bool },
    Answering { which: usize },
    End { which: usize, happened: CallOutcome, chance: f64 },
    Drop { which: usize },
    Calls { of: usize, model: usize, count: usize, happened: CallOutcome, chance: f64 },
    Nearest { model: usize },
    Probe { of: usize, good: bool, chance: f64 },
    Force { of: usize, forced: BreakerOverride, time: Option<Duration> },
    KeyChanged,
    Recheck { of: usize },
    Reset { of: usize },
    Lapse,
}

/// Digits of one random number, so that a history is cheap to generate.
struct Digits(u64);

impl Digits {
    fn below(&mut self, count: usize) -> usize {
        let count = count as u64;
        let digit = self.0 % count;
        self.0 /= count;
        usize::try_from(digit).unwrap()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn chance(&mut self) -> f64 {
        self.pick(&[0.0, 0.5, 1.0])
    }

    fn happened(&mut self) -> CallOutcome {
        let failure = |weight, retry_after| CallOutcome::Failure { weight, retry_after };
        let success = |ms| CallOutcome::Success { first_token: Some(Duration::from_millis(ms)) };
        match self.below(75) {
            0..30 => success(1_000),
            30..36 => success(100_000),
            36..60 => failure(FailureWeight::Full, None),
            60..62 => failure(FailureWeight::Full, Some(secs(33))),
            62..66 => failure(FailureWeight::Half, None),
            66..70 => CallOutcome::RateLimited {
                scope: self.pick(&[LimitScope::Endpoint, LimitScope::Model]),
                wait: self.pick(&[None, Some(secs(1)), Some(secs(7)), Some(secs(90))]),
                kind: self.pick(LimitKind::ALL),
            },
            70 => CallOutcome::Blocked(self.pick(BlockReason::ALL)),
            71..74 => CallOutcome::Neutral,
            _ => CallOutcome::Success { first_token: None },
        }
    }

    fn step(mut self) -> HistoryStep {
        const SHORT_US: [u64; 8] =
            [0, 1, 999_999, 1_000_000, 4_000_000, 5_000_000, 7_000_000, 10_000_000];
        const LONG_S: [u64; 6] = [20, 30, 55, 60, 600, 3_600];
        let (kind, of, model) = (self.below(100), self.below(2), self.below(2));
        match kind {
            0..20 => HistoryStep::Pass(Duration::from_micros(self.pick(&SHORT_US))),
            20..24 => HistoryStep::Pass(secs(self.pick(&LONG_S))),
            24..36 => HistoryStep::Begin { of, model, beside: self.below(4) > 0 },
            36..38 => HistoryStep::Answering { which: self.below(64) },
            38..52 => {
                let (which, chance) = (self.below(64), self.chance());
                HistoryStep::End { which, happened: self.happened(), chance }
            }
            52..54 => HistoryStep::Drop { which: self.below(64) },
            54..76 => {
                let (count, chance) = (self.pick(&[1, 2, 3, 5, 12]), self.chance());
                HistoryStep::Calls { of, model, count, happened: self.happened(), chance }
            }
            76..83 => HistoryStep::Nearest { model },
            83..91 => HistoryStep::Probe { of, good: self.below(2) == 0, chance: self.chance() },
            91..94 => {
                let time = self.pick(&[None, Some(secs(3)), Some(secs(900))]);
                HistoryStep::Force { of, forced: self.pick(BreakerOverride::ALL), time }
            }
            94 => HistoryStep::KeyChanged,
            95..97 => HistoryStep::Recheck { of },
            97 => HistoryStep::Reset { of },
            _ => HistoryStep::Lapse,
        }
    }
}

/// The endpoints under test, the model of each, and the permits in flight.
struct Pair {
    endpoints: Endpoints,
    names: [Endpoint; 2],
    /// `None` skips the comparison.
    models: Option<[Reference; 2]>,
    out: Vec<(usize, usize, Permit)>,
    now: Moment,
    permits: usize,
    log: Vec<EndpointTransition>,
}

impl Pair {
    fn new() -> Self {
        Self {
            endpoints: Endpoints::new(BreakerRules::default()),
            names: [endpoint("one"), endpoint("two")],
            models: Some([Reference::default(), Reference::default()]),
            out: Vec::new(),
            now: Moment::from_secs(1_000),
            permits: 0,
            log: Vec::new(),
        }
    }

    fn without_model(rules: BreakerRules) -> Self {
        Self { endpoints: Endpoints::new(rules), models: None, ..Self::new() }
    }

    fn tell(&mut self, of: usize, event: Event) {
        if let Some(models) = &mut self.models {
            models[of].push(self.now, event);
        }
    }

    fn take(&mut self, step: &HistoryStep) {
        match step.clone() {
            HistoryStep::Pass(time) => self.now = self.now + time,
            HistoryStep::Begin { of, model, beside } => {
                self.begin(of, model, beside);
            }
            HistoryStep::Answering { which } if !self.out.is_empty() => {
                self.answering(which % self.out.len());
            }
            HistoryStep::End { which, happened, chance } if !self.out.is_empty() => {
                self.end(which % self.out.len(), happened, chance);
            }
            HistoryStep::Drop { which } if !self.out.is_empty() => {
                let (of, number, permit) = self.out.swap_remove(which % self.out.len());
                self.endpoints.release(permit, self.now);
                self.tell(of, Event::Released { permit: number });
            }
            HistoryStep::End { .. } | HistoryStep::Drop { .. } | HistoryStep::Answering { .. } => {}
            HistoryStep::Calls { of, model, count, happened, chance } => {
                for _ in 0..count {
                    if self.begin(of, model, true) {
                        self.end(self.out.len() - 1, happened, chance);
                    }
                }
            }
            HistoryStep::Nearest { model } => self.nearest(model),
            HistoryStep::Probe { of, good, chance } => {
                let outcome = if good { ProbeOutcome::Passed } else { ProbeOutcome::Failed };
                let log = self.endpoints.report_probe(&self.names[of], outcome, self.now, chance);
                self.log.extend(log);
                self.tell(of, Event::Probed { good, chance });
            }
            HistoryStep::Force { of, forced, time } => {
                let until = time.map(|time| self.now + time);
                let log = self.endpoints.force(&self.names[of], forced, until, self.now);
                self.log.extend(log);
                self.tell(of, Event::Forced { forced, until });
            }
            HistoryStep::KeyChanged => {
                let key = CredentialId::new("key").unwrap();
                self.log.extend(self.endpoints.lift_after_credential_change(&key, self.now));
                (0..2).for_each(|of| self.tell(of, Event::KeyChanged));
            }
            HistoryStep::Recheck { of } => {
                self.log.extend(self.endpoints.lift_block_after_recheck(&self.names[of], self.now));
                self.tell(of, Event::Rechecked);
            }
            HistoryStep::Reset { of } => {
                self.log.extend(self.endpoints.reset(&self.names[of], self.now));
                self.tell(of, Event::Reset);
            }
            HistoryStep::Lapse => self.log.extend(self.endpoints.apply_elapsed_time(self.now)),
        }
    }

    /// `beside`: the other endpoint could answer the same request.
    fn begin(&mut self, of: usize, model: usize, beside: bool) -> bool {
        let models = self.models.as_ref();
        let look = |of: usize| Some(models?[of].availability(MODELS[model], self.now));
        let expected = look(of);
        let closed = matches!(look(1 - of), Some(Availability::Closed { .. }));
        let sole = !beside || closed;
        let other = &self.names[1 - of];
        let others = beside.then_some((other, MODELS[model]));
        let name = &self.names[of];
        let admitted =
            self.endpoints.admit_with_alternatives(name, MODELS[model], others, self.now);
        match admitted {
            Ok(permit) => {
                assert!(!matches!(expected, Some(Availability::Closed { .. })), "{expected:?}");
                self.tell(of, Event::Admitted { permit: self.permits, sole });
                self.out.push((of, self.permits, permit));
                self.permits += 1;
                true
            }
            Err(refused) => {
                assert_eq!(refused, expected.unwrap_or(refused));
                false
            }
        }
    }

    fn end(&mut self, place: usize, happened: CallOutcome, chance: f64) {
        let (of, number, permit) = self.out.swap_remove(place);
        let model = permit.model().to_owned();
        let evidence = request(i64::try_from(number).unwrap());
        self.log.extend(self.endpoints.report(permit, happened, evidence, self.now, chance));
        let event = Event::Reported { permit: number, model, happened, chance };
        self.tell(of, event);
    }

    fn answering(&mut self, place: usize) {
        let (of, number, permit) = &self.out[place];
        let (of, permit_number) = (*of, *number);
        let evidence = request(i64::try_from(permit_number).unwrap());
        self.log.extend(self.endpoints.answer_started(permit, evidence, self.now));
        self.tell(of, Event::Answering { permit: permit_number });
    }

    fn nearest(&mut self, model: usize) {
        let name = MODELS[model];
        let expected = self.models.as_ref().map(|models| expected_nearest(models, name, self.now));
        let [one, two] = self.names.clone();
        let given = self.endpoints.admit_sole_trial(&[(&one, name), (&two, name)], self.now);
        let place = given.as_ref().map(|(place, _)| *place);
        assert_eq!(place, expected.unwrap_or(place));
        if let Some((of, permit)) = given {
            self.tell(of, Event::AdmittedEarly { permit: self.permits });
            self.out.push((of, self.permits, permit));
            self.permits += 1;
        }
    }

    fn check(&self) {
        let mut silent = BTreeSet::new();
        for (name, model) in self.names.iter().zip(self.models.iter().flatten()) {
            for asked in MODELS {
                let real = self.endpoints.availability(name, asked, self.now);
                assert_eq!(real, model.availability(asked, self.now), "{name} for {asked}");
            }
            if model.wants_probe(self.now) {
                silent.insert(name.clone());
            }
        }
        let asked: BTreeSet<_> =
            self.endpoints.endpoints_due_for_probe(self.now).into_iter().collect();
        assert_eq!(asked, silent);
    }

    /// The observable state, with times relative to now.
    fn seen(&self) -> String {
        let name_and_model = self.names.iter().flat_map(|name| MODELS.map(|model| (name, model)));
        let looks = name_and_model.map(|(name, model)| {
            match self.endpoints.availability(name, model, self.now) {
                Availability::Closed { reason: why, until } => {
                    format!("{why:?} for {:?}", until.map(|until| until.since(self.now)))
                }
                other => format!("{other:?}"),
            }
        });
        let silent = self.endpoints.endpoints_due_for_probe(self.now);
        format!("{:?} {silent:?}", looks.collect::<Vec<_>>())
    }

    /// Each log entry starts in the state where the one before it ended, and none is earlier.
    fn check_log(&self) {
        let mut last = std::collections::BTreeMap::new();
        for entry in &self.log {
            let key = (entry.endpoint.clone(), entry.model.clone(), mechanism(entry));
            let before: Option<&EndpointTransition> = last.insert(key, entry);
            if let Some(before) = before {
                // A limit that replaces another starts again without an end in between.
                let prolonged = mechanism(entry) == "cooldown" && before.to == entry.to;
                assert!(prolonged || entry.from == before.to, "{before:?}\n{entry:?}");
                assert!(entry.at >= before.at, "{before:?}\n{entry:?}");
            }
            assert!(entry.evidence.len() <= resilience::EVIDENCE_MAX);
        }
    }
}

fn expected_nearest(models: &[Reference; 2], name: &str, now: Moment) -> Option<usize> {
    let looks = models.each_ref().map(|model| model.availability(name, now));
    let busy = Availability::Closed { reason: ClosedReason::HalfOpenBusy, until: None };
    let all_closed = looks.iter().all(|look| matches!(look, Availability::Closed { .. }));
    let just_opened = models.iter().any(|model| model.has_just_opened(now));
    if !all_closed || looks.contains(&busy) || just_opened {
        return None;
    }
    match models.each_ref().map(|model| model.early_trial_at(name, now)) {
        [Some(one), Some(two)] => Some(usize::from(two < one)),
        [one, two] => one.map(|_| 0).or(two.map(|_| 1)),
    }
}

fn mechanism(entry: &EndpointTransition) -> &'static str {
    use TransitionState::{Blocked, Closed, CoolingDown, HalfOpen, Open, Recovering};
    match (entry.from, entry.to) {
        (CoolingDown, _) | (_, CoolingDown) => "cooldown",
        (Blocked, _) | (_, Blocked) => "block",
        (Closed | Open | HalfOpen | Recovering, _) => "breaker",
        _ => "hand",
    }
}

fn look_everywhere(endpoints: &Endpoints, names: &[Endpoint; 2], now: Moment) {
    for name in names {
        let _ = endpoints.availability(name, "small", now);
        let _ = endpoints.status(name, now);
        let _ = endpoints.model_cooldowns(name, now);
        let _ = endpoints.time_until_reopen([(name, "large")].into_iter(), now);
    }
    let _ = endpoints.endpoints_due_for_probe(now);
    let _ = endpoints.save(now);
}

fn run(steps: &[HistoryStep]) -> Pair {
    let mut pair = Pair::new();
    for step in steps {
        pair.take(step);
        pair.check();
    }
    pair.take(&HistoryStep::Lapse);
    pair.check_log();
    pair
}

fn history() -> impl Strategy<Value = Vec<HistoryStep>> {
    proptest::collection::vec(any::<u64>().prop_map(|number| Digits(number).step()), 1..160)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_accesses_do_what_the_model_says(steps in history()) {
        run(&steps);
    }

    #[test]
    fn asking_changes_nothing(steps in history(), ask in proptest::collection::vec(any::<bool>(), 160)) {
        let (mut asked, mut left_alone) = (Pair::new(), Pair::new());
        for (step, ask) in steps.iter().zip(ask) {
            if ask {
                look_everywhere(&asked.endpoints, &asked.names, asked.now);
            }
            asked.take(step);
            left_alone.take(step);
            prop_assert_eq!(format!("{:?}", asked.endpoints), format!("{:?}", left_alone.endpoints));
        }
        prop_assert_eq!(asked.log, left_alone.log);
    }

    #[test]
    fn the_state_does_not_depend_on_the_log_being_fetched(steps in history()) {
        let (mut fetched, mut left_alone) = (Pair::new(), Pair::new());
        for step in &steps {
            fetched.take(step);
            fetched.take(&HistoryStep::Lapse);
            left_alone.take(step);
            for (name, model) in fetched.names.iter().flat_map(|name| MODELS.map(|model| (name, model))) {
                prop_assert_eq!(
                    fetched.endpoints.availability(name, model, fetched.now),
                    left_alone.endpoints.availability(name, model, left_alone.now)
                );
            }
        }
    }

    /// Except for what a restart drops on purpose (calls of the last minute, trials in flight), a
    /// restored program behaves like one that kept running.
    #[test]
    fn a_restart_changes_nothing(
        before in history(),
        after in history(),
        off in proptest::sample::select(vec![0, 1, 4_999_999, 5_000_000, 30_000_000, 700_000_000]),
    ) {
        let rules = BreakerRules { calls_min: u32::MAX, ..BreakerRules::default() };
        let (mut ran_on, mut restarted) = (Pair::without_model(rules), Pair::without_model(rules));
        before.iter().for_each(|step| ran_on.take(step));
        while let Some((.., permit)) = ran_on.out.pop() {
            ran_on.endpoints.release(permit, ran_on.now);
        }
        let off = Duration::from_micros(off);
        restarted.endpoints.restore(ran_on.endpoints.save(ran_on.now), off, restarted.now);
        ran_on.now = ran_on.now + off;
        for step in &after {
            ran_on.take(step);
            restarted.take(step);
            prop_assert_eq!(ran_on.seen(), restarted.seen());
        }
    }
}

/// Every transition of breaker, cooldown and block: from, to, rule. While recovering, the stricter
/// rule of the ramp always sees a high share of failures first.
const TRANSITIONS: &[&str] = &[
    "closed>open failures-in-a-row",
    "closed>open failure-rate",
    "closed>open slow-rate",
    "closed>open probes-failed",
    "open>half-open open-time-over",
    "open>half-open nothing-else",
    "half-open>open trial-failed",
    "half-open>recovering trials-passed",
    "half-open>closed trials-passed",
    "recovering>open ramp-failed",
    "recovering>open failures-in-a-row",
    "recovering>open slow-rate",
    "recovering>open probes-failed",
    "recovering>closed ramp-passed",
    "open>closed forced",
    "half-open>closed forced",
    "recovering>closed forced",
    "open>closed reset",
    "half-open>closed reset",
    "recovering>closed reset",
    "ready>cooling-down rate-limited",
    "ready>cooling-down daily-quota",
    "cooling-down>ready cooldown-over",
    "cooling-down>ready credential-changed",
    "cooling-down>ready reset",
    "ready>blocked key-rejected",
    "ready>blocked forbidden",
    "ready>blocked unpaid",
    "ready>blocked quota-exhausted",
    "blocked>ready credential-changed",
    "blocked>ready recheck-passed",
    "blocked>ready reset",
];

#[test]
fn the_histories_reach_every_transition_and_no_other() {
    let seen = std::cell::RefCell::new(BTreeSet::new());
    let config = Config { cases: 5_000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let ran = TestRunner::new_with_rng(config, rng).run(&history(), |steps| {
        let mut pair = Pair::without_model(BreakerRules::default());
        steps.iter().for_each(|step| pair.take(step));
        pair.take(&HistoryStep::Lapse);
        let entries = pair.log.iter().map(|t| format!("{}>{} {}", t.from, t.to, t.rule));
        seen.borrow_mut().extend(entries);
        Ok(())
    });
    ran.unwrap();
    let mut expected: BTreeSet<String> = TRANSITIONS.iter().map(|it| (*it).to_owned()).collect();
    let hand = ["forced-open", "forced-closed", "monitor-only", "disabled"];
    for one in hand {
        expected.extend(["force-expired", "reset"].map(|rule| format!("{one}>automatic {rule}")));
        expected.extend(hand.map(|other| format!("{one}>{other} forced")));
        expected.insert(format!("automatic>{one} forced"));
    }
    let seen = seen.into_inner();
    let differ: Vec<_> = seen.symmetric_difference(&expected).collect();
    assert!(differ.is_empty(), "unknown or never reached: {differ:?}");
}
