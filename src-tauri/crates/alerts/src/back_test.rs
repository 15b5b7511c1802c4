//! When a rule would have fired in the past.
//!
//! Past facts go the way of live ones: [`conditions`] judges them and an [`AlertBook`] of their own
//! holds, fires and ends the alerts, on virtual time. It is asked wherever the facts change, and every
//! [`STEP`] while an alert is pending or ends: in between nothing can happen.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use domain::{AlertDelivery, ClockReading, Moment, WallTime};

use crate::book::{AlertBook, AlertContext, AlertEffect};
use crate::condition::Fingerprint;
use crate::facts::Facts;
use crate::judge::conditions;
use crate::rule::{AlertRule, RuleTunings};

/// Time between two evaluations while an alert is pending or ends, as the engine's while nothing else
/// happens.
const STEP: Duration = Duration::from_secs(15);

/// A time of which facts are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastTime {
    pub from: WallTime,
    pub until: WallTime,
    /// When the facts changed, oldest first.
    pub changes: Vec<WallTime>,
    /// When nobody looked, oldest first and apart from each other.
    pub gaps: Vec<Range<WallTime>>,
}

/// An alert that would have fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastFiring {
    pub fingerprint: Fingerprint,
    pub title: String,
    pub fired: WallTime,
    /// `None` if it still fires at the end.
    pub ended: Option<WallTime>,
}

/// The alerts of `rule` that `tunings` would have fired, oldest first. The rule counts as switched on.
#[must_use]
pub fn back_test(
    rule: AlertRule,
    tunings: &RuleTunings,
    past: &PastTime,
    mut facts_at: impl FnMut(WallTime) -> Facts,
) -> Vec<PastFiring> {
    let context = context(rule, tunings);
    let mut at = past.after_gap(past.from);
    let mut judged = conditions(&facts_at(at), &context.tunings);
    let mut book = AlertBook::default();
    let mut firings = Firings { rule, by_number: BTreeMap::new() };
    let mut next_change = past.next_change(at);
    while at < past.until {
        firings.take(book.evaluate(&judged, &context, past.reading(at)), at);
        let step = if book.is_settled() { past.until } else { at + STEP };
        at = past.after_gap(step.min(next_change));
        if next_change <= at {
            judged = conditions(&facts_at(at), &context.tunings);
            next_change = past.next_change(at);
        }
    }
    firings.by_number.into_values().collect()
}

/// Nothing is shown: the firing alone counts.
fn context(rule: AlertRule, tunings: &RuleTunings) -> AlertContext {
    let mut tunings = tunings.clone();
    tunings.entry(rule).or_default().delivery = AlertDelivery::Inbox;
    AlertContext {
        is_on: false,
        is_focused: false,
        is_quiet: false,
        is_resuming: false,
        escalation: None,
        tunings,
        channels: BTreeMap::new(),
    }
}

impl PastTime {
    /// The first change after this, or the end.
    pub(crate) fn next_change(&self, after: WallTime) -> WallTime {
        let place = self.changes.partition_point(|change| *change <= after);
        self.changes.get(place).copied().unwrap_or(self.until)
    }

    /// `at`, or the end of the gap that it is in.
    pub(crate) fn after_gap(&self, at: WallTime) -> WallTime {
        let place = self.gaps.partition_point(|gap| gap.start <= at);
        let gap = place.checked_sub(1).and_then(|before| self.gaps.get(before));
        gap.map_or(at, |gap| gap.end.max(at))
    }

    fn reading(&self, at: WallTime) -> ClockReading {
        let ms = u64::try_from(at.unix_ms() - self.from.unix_ms()).unwrap_or_default();
        ClockReading { now: Moment::from_micros(ms.saturating_mul(1_000)), wall: at }
    }
}

struct Firings {
    rule: AlertRule,
    by_number: BTreeMap<u64, PastFiring>,
}

impl Firings {
    fn take(&mut self, effects: Vec<AlertEffect>, at: WallTime) {
        for effect in effects {
            match effect {
                AlertEffect::Fired(alert) if alert.condition.rule == self.rule => {
                    let firing = PastFiring {
                        fingerprint: alert.condition.fingerprint,
                        title: alert.condition.title,
                        fired: at,
                        ended: None,
                    };
                    self.by_number.insert(alert.number.unwrap_or_default(), firing);
                }
                AlertEffect::Ended { number, at, .. } => {
                    if let Some(firing) = self.by_number.get_mut(&number) {
                        firing.ended = Some(at);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{BackendId, MINUTE_MS};
    use proptest::prelude::*;

    use super::*;
    use crate::facts::{BackendFact, BackendFault, Impact};
    use crate::measurement::Measurement;
    use crate::rule::tunings;

    fn at(ms: i64) -> WallTime {
        WallTime::from_unix_ms(ms)
    }

    /// Of one server.
    fn backend(id: &str, fault: BackendFault) -> BackendFact {
        BackendFact {
            id: BackendId::new(id).expect("a good id"),
            label: "OpenAI".to_owned(),
            server: "api.test".to_owned(),
            is_local: false,
            fault,
            reason: "connection refused".to_owned(),
            impact: Impact::default(),
        }
    }

    /// What was so from a moment on.
    #[derive(Debug, Clone)]
    struct Stretch {
        steps: i64,
        fault: BackendFault,
        /// Of another backend at the same server.
        other: BackendFault,
        failed: u64,
        is_seen: bool,
    }

    fn facts(stretch: &Stretch) -> Facts {
        let measurement = Measurement::Errors {
            backend: BackendId::new("a").expect("a good id"),
            label: "OpenAI".to_owned(),
            failed: stretch.failed,
            requests: 100,
        };
        Facts {
            backends: vec![backend("a", stretch.fault), backend("b", stretch.other)],
            measurements: vec![measurement],
            ..Facts::default()
        }
    }

    const STEP_MS: i64 = 15_000;

    /// The stretches as a back-test gets them, and the facts of each moment.
    fn past_of(stretches: &[Stretch]) -> (PastTime, Vec<(WallTime, Facts)>) {
        let (mut start, mut known) = (0, Vec::new());
        let mut gaps: Vec<Range<WallTime>> = Vec::new();
        for stretch in stretches {
            let end = start + stretch.steps * STEP_MS;
            match stretch.is_seen {
                true => known.push((at(start), facts(stretch))),
                false => match gaps.last_mut() {
                    Some(gap) if gap.end == at(start) => gap.end = at(end),
                    _ => gaps.push(at(start)..at(end)),
                },
            }
            start = end;
        }
        let changes = known.iter().map(|(at, _)| *at).collect();
        (PastTime { from: at(0), until: at(start), changes, gaps }, known)
    }

    fn known_at(known: &[(WallTime, Facts)], at: WallTime) -> Facts {
        let place = known.partition_point(|(since, _)| *since <= at);
        place.checked_sub(1).map_or_else(Facts::default, |place| known[place].1.clone())
    }

    /// A book that is asked every 15 s, as the engine's is, but for the gaps.
    fn live(rule: AlertRule, past: &PastTime, known: &[(WallTime, Facts)]) -> Vec<PastFiring> {
        let context = context(rule, &tunings());
        let mut book = AlertBook::default();
        let mut firings = Firings { rule, by_number: BTreeMap::new() };
        let mut now = past.from;
        while now < past.until {
            if past.after_gap(now) == now {
                let judged = conditions(&known_at(known, now), &context.tunings);
                firings.take(book.evaluate(&judged, &context, past.reading(now)), now);
            }
            now = now + STEP;
        }
        firings.by_number.into_values().collect()
    }

    fn stretch() -> impl Strategy<Value = Stretch> {
        let fault = || {
            prop_oneof![
                4 => Just(BackendFault::None),
                2 => Just(BackendFault::Down),
                2 => Just(BackendFault::BreakerOpen),
                1 => Just(BackendFault::Unknown),
            ]
        };
        let steps = prop_oneof![1_i64..12, 12_i64..120];
        let is_seen = prop::bool::weighted(0.85);
        (steps, fault(), fault(), 0_u64..20, is_seen).prop_map(
            |(steps, fault, other, failed, is_seen)| Stretch {
                steps,
                fault,
                other,
                failed,
                is_seen,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn it_fires_exactly_as_the_live_book_did(
            mut stretches in prop::collection::vec(stretch(), 1..24),
        ) {
            // Somebody looked at the beginning.
            stretches[0].is_seen = true;
            let (past, known) = past_of(&stretches);
            for rule in [AlertRule::BackendDown, AlertRule::BreakerOpen, AlertRule::ErrorRate] {
                let expected = live(rule, &past, &known);
                let found = back_test(rule, &tunings(), &past, |at| known_at(&known, at));
                prop_assert_eq!(found, expected, "{}", rule);
            }
        }
    }

    #[test]
    fn a_longer_hold_fires_less_often_and_a_rule_that_is_off_is_tested_all_the_same() {
        let stretch =
            |steps, fault, other| Stretch { steps, fault, other, failed: 0, is_seen: true };
        let down = |steps| stretch(steps, BackendFault::Down, BackendFault::Down);
        let up = |steps| stretch(steps, BackendFault::None, BackendFault::None);
        // Down for a minute, and for ten.
        let (past, known) = past_of(&[up(4), down(4), up(400), down(40), up(400)]);
        let mut all = tunings();
        let count = |all: &RuleTunings| {
            back_test(AlertRule::BackendDown, all, &past, |at| known_at(&known, at)).len()
        };
        all.entry(AlertRule::BackendDown).or_default().delivery = AlertDelivery::Off;
        assert_eq!(count(&all), 2);
        all.entry(AlertRule::BackendDown).or_default().hold = Duration::from_secs(120);
        assert_eq!(count(&all), 1);
        let fired = back_test(AlertRule::BackendDown, &all, &past, |at| known_at(&known, at));
        let began = 4 + 4 + 400;
        assert_eq!(fired[0].fired, at(began * STEP_MS + 2 * MINUTE_MS));
        // Two minutes after it was over, which is how long it is kept.
        assert_eq!(fired[0].ended, Some(at((began + 40) * STEP_MS + 2 * MINUTE_MS)));
    }

    #[test]
    fn what_still_fires_at_the_end_has_no_end() {
        let down = Stretch {
            steps: 40,
            fault: BackendFault::Down,
            other: BackendFault::None,
            failed: 0,
            is_seen: true,
        };
        let (past, known) = past_of(&[down]);
        let fired = back_test(AlertRule::BackendDown, &tunings(), &past, |at| known_at(&known, at));
        assert_eq!(fired.len(), 1);
        assert_eq!((fired[0].fired, fired[0].ended), (at(0), None));
    }
}
