//! A reference model: keeps every event of one endpoint and replays all of them for each query. No
//! windows, no counters, no deadlines; only the numbers of the rules.

use std::time::Duration;

use domain::Moment;
use resilience::{
    Availability, BlockReason, BreakerOverride, BreakerRules, CallOutcome, ClosedReason,
    FailureWeight, LimitKind, LimitScope,
};

#[derive(Debug, Clone)]
pub(crate) enum Event {
    Admitted {
        permit: usize,
        /// No other endpoint could answer.
        sole: bool,
    },
    /// The nearest of a closed group: a trial before its time.
    AdmittedEarly {
        permit: usize,
    },
    /// Its answer has begun.
    Answering {
        permit: usize,
    },
    Reported {
        permit: usize,
        model: String,
        happened: CallOutcome,
        chance: f64,
    },
    Released {
        permit: usize,
    },
    Probed {
        good: bool,
        chance: f64,
    },
    Forced {
        forced: BreakerOverride,
        until: Option<Moment>,
    },
    KeyChanged,
    Rechecked,
    Reset,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Reference {
    pub(crate) rules: BreakerRules,
    events: Vec<RecordedEvent>,
}

/// An event and its effects when it happened.
#[derive(Debug, Clone)]
struct RecordedEvent {
    at: Moment,
    event: Event,
    /// The chapter after it.
    chapter: Chapter,
    /// The call was admitted by the breaker, not past it.
    through: bool,
    /// The breaker counted the result…
    counted: bool,
    /// …and counted it as a trial.
    trial: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Closed,
    Open { lasts: Duration, rate_limited: Duration },
    HalfOpen,
    Recovering,
}

/// A phase, its start, and the event that started it.
#[derive(Debug, Clone, Copy)]
struct Chapter {
    phase: Phase,
    began: Moment,
    /// The first event that belongs to it.
    from: usize,
    /// Only results of calls that began at this event or later count.
    round: usize,
    /// Number of openings since the open time was last reset to the first.
    openings: u32,
}

impl Reference {
    pub(crate) fn push(&mut self, now: Moment, event: Event) {
        let place = self.events.len();
        let before = self.chapter(place, now);
        let forced = self.forced(place, now).map(|(forced, _)| forced);
        let trial = matches!(before.phase, Phase::HalfOpen);
        let through = match &event {
            Event::AdmittedEarly { .. } => true,
            Event::Admitted { .. } => {
                forced != Some(BreakerOverride::Disabled)
                    && match before.phase {
                        Phase::Closed | Phase::Recovering => true,
                        Phase::Open { .. } => false,
                        Phase::HalfOpen => self.has_room(&before, place, now),
                    }
            }
            _ => false,
        };
        let counted = match &event {
            Event::Reported { permit, .. } | Event::Answering { permit } => {
                let admitted = self.admitted(*permit);
                forced != Some(BreakerOverride::Disabled)
                    && admitted >= before.round
                    && self.events[admitted].through
                    && !self.is_lost(*permit, place, now)
            }
            _ => false,
        };
        let rate_limited =
            RecordedEvent { at: now, event, chapter: before, through, counted, trial };
        self.events.push(rate_limited);
        self.events[place].chapter = self.turned(before, place, now);
    }

    pub(crate) fn availability(&self, model: &str, now: Moment) -> Availability {
        if let Some(reason) = self.blocked() {
            return Availability::Closed { reason: ClosedReason::Blocked(reason), until: None };
        }
        let forced = self.forced(self.events.len(), now);
        if let Some((BreakerOverride::Open, until)) = forced {
            return Availability::Closed { reason: ClosedReason::ForcedOpen, until };
        }
        let cooling = [self.cooling(None, now), self.cooling(Some(model), now)];
        let cooling = cooling.into_iter().flatten().max_by_key(|(until, _)| *until);
        let chapter = self.chapter(self.events.len(), now);
        let of_breaker = match (forced, chapter.phase) {
            (Some(_), _) | (_, Phase::Closed) => Availability::Ready,
            (_, Phase::Open { lasts, .. }) => {
                let until = Some(chapter.began + lasts);
                Availability::Closed { reason: ClosedReason::BreakerOpen, until }
            }
            (_, Phase::HalfOpen) => {
                if self.has_room(&chapter, self.events.len(), now) {
                    Availability::Trial
                } else {
                    Availability::Closed { reason: ClosedReason::HalfOpenBusy, until: None }
                }
            }
            (_, Phase::Recovering) => {
                let stage = self.stage(&chapter, self.events.len(), now).0;
                Availability::Ramp { percent: [10, 25, 50][stage] }
            }
        };
        let Some((until, kind)) = cooling else { return of_breaker };
        match of_breaker {
            Availability::Closed { reason: ClosedReason::BreakerOpen, until: Some(open) }
                if open >= until =>
            {
                of_breaker
            }
            _ => {
                Availability::Closed { reason: ClosedReason::CoolingDown(kind), until: Some(until) }
            }
        }
    }

    /// True if the breaker opened less than a second ago.
    pub(crate) fn has_just_opened(&self, now: Moment) -> bool {
        let chapter = self.chapter(self.events.len(), now);
        matches!(chapter.phase, Phase::Open { .. })
            && now.since(chapter.began) < Duration::from_secs(1)
    }

    /// When the breaker would reopen, if its open time may be cut short.
    pub(crate) fn early_trial_at(&self, model: &str, now: Moment) -> Option<Moment> {
        let chapter = self.chapter(self.events.len(), now);
        let free = self.blocked().is_none()
            && self.forced(self.events.len(), now).is_none()
            && self.cooling(None, now).is_none()
            && self.cooling(Some(model), now).is_none();
        match chapter.phase {
            Phase::Open { lasts, rate_limited }
                if free && now.since(chapter.began) >= rate_limited =>
            {
                Some(chapter.began + lasts)
            }
            _ => None,
        }
    }

    pub(crate) fn wants_probe(&self, now: Moment) -> bool {
        let end = self.events.len();
        let chapter = self.chapter(end, now);
        let forced = self.forced(end, now);
        let last = (chapter.from.min(end)..end).filter(|place| {
            self.let_out(*place).is_some()
                || matches!(self.events[*place].event, Event::Probed { .. })
        });
        let last = last
            .map(|place| self.events[place].at)
            .max()
            .unwrap_or(chapter.began)
            .max(chapter.began);
        matches!(chapter.phase, Phase::HalfOpen)
            && self.blocked().is_none()
            && self.cooling(None, now).is_none()
            && !matches!(forced, Some((forced, _)) if forced != BreakerOverride::MonitorOnly)
            && self.out(&chapter, end, now) == 0
            && now.since(last) >= self.rules.trial_silence
    }

    fn forced(&self, end: usize, now: Moment) -> Option<(BreakerOverride, Option<Moment>)> {
        let last =
            self.events[..end].iter().rev().find_map(|rate_limited| match &rate_limited.event {
                Event::Forced { forced, until } => Some(Some((*forced, *until))),
                Event::Reset => Some(None),
                _ => None,
            });
        last.flatten().filter(|(_, until)| until.is_none_or(|until| now < until))
    }

    fn blocked(&self) -> Option<BlockReason> {
        let lifted = self.events.iter().rposition(|rate_limited| {
            matches!(rate_limited.event, Event::KeyChanged | Event::Rechecked | Event::Reset)
        });
        let from = lifted.map_or(0, |place| place + 1);
        self.events[from..].iter().find_map(|rate_limited| match &rate_limited.event {
            Event::Reported { permit, happened: CallOutcome::Blocked(reason), .. }
                if self.admitted(*permit) >= from =>
            {
                Some(*reason)
            }
            _ => None,
        })
    }

    /// The wait in force for the endpoint (`None`) or one model.
    fn cooling(&self, scope: Option<&str>, now: Moment) -> Option<(Moment, LimitKind)> {
        let mut holds: Option<(Moment, LimitKind, bool)> = None;
        let mut guesses = 0;
        for RecordedEvent { at, event, .. } in &self.events {
            match event {
                Event::KeyChanged | Event::Reset => (holds, guesses) = (None, 0),
                Event::Reported { model, happened, .. } => {
                    let over = holds.is_none_or(|(until, ..)| until <= *at);
                    let concerns = scope.is_none_or(|scope| scope == model);
                    let own =
                        if scope.is_some() { LimitScope::Model } else { LimitScope::Endpoint };
                    match happened {
                        CallOutcome::Success { .. } if over && concerns => {
                            (holds, guesses) = (None, 0);
                        }
                        CallOutcome::RateLimited { scope, wait, kind }
                            if *scope == own && concerns =>
                        {
                            let next = (holds, guesses, *wait, *kind, *at);
                            (holds, guesses) = self.limited(next);
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        holds.filter(|(until, ..)| now < *until).map(|(until, kind, _)| (until, kind))
    }

    #[expect(clippy::type_complexity, reason = "one step of a fold")]
    fn limited(
        &self,
        (holds, guesses, wait, kind, at): (
            Option<(Moment, LimitKind, bool)>,
            u32,
            Option<Duration>,
            LimitKind,
            Moment,
        ),
    ) -> (Option<(Moment, LimitKind, bool)>, u32) {
        let forgotten =
            holds.is_some_and(|(until, ..)| at.since(until) >= Duration::from_secs(600));
        let before = if forgotten { 0 } else { guesses };
        let (first, longest) = match kind {
            LimitKind::Rate => (self.rules.cooldown_first, self.rules.cooldown_longest),
            LimitKind::DailyQuota => (self.rules.quota_first, self.rules.quota_longest),
        };
        let guess = (0..before.min(20)).fold(first, |wait, _| (wait * 2).min(longest));
        let until = at + wait.unwrap_or(guess);
        let next = (Some((until, kind, wait.is_none())), before + u32::from(wait.is_none()));
        match holds {
            Some((held, held_kind, guessed)) if at < held => {
                let replaces = if held_kind != kind {
                    until > held
                } else if wait.is_none() {
                    false
                } else {
                    guessed || until > held
                };
                if replaces { next } else { (holds, guesses) }
            }
            _ => next,
        }
    }

    /// The chapter after the first `end` events, at `now`.
    fn chapter(&self, end: usize, now: Moment) -> Chapter {
        let start = Moment::default();
        let first = Chapter { phase: Phase::Closed, began: start, from: 0, round: 0, openings: 0 };
        let rate_limited = end.checked_sub(1).map_or(first, |last| self.events[last].chapter);
        self.aged(rate_limited, end, now)
    }

    /// Applies what time alone changes.
    fn aged(&self, chapter: Chapter, place: usize, now: Moment) -> Chapter {
        match chapter.phase {
            Phase::Open { lasts, .. } if now.since(chapter.began) >= lasts => {
                let began = chapter.began + lasts;
                Chapter { phase: Phase::HalfOpen, began, from: place, ..chapter }
            }
            Phase::Recovering => match self.stage(&chapter, place, now) {
                (3, closed) => {
                    Chapter { phase: Phase::Closed, began: closed, from: place, ..chapter }
                }
                _ => chapter,
            },
            _ => chapter,
        }
    }

    fn turned(&self, chapter: Chapter, place: usize, at: Moment) -> Chapter {
        let fresh = Chapter {
            phase: Phase::Closed,
            began: at,
            from: place + 1,
            round: place + 1,
            openings: 0,
        };
        let disabled = matches!(self.forced(place, at), Some((BreakerOverride::Disabled, _)));
        match &self.events[place].event {
            Event::Reset => fresh,
            Event::Forced {
                forced: BreakerOverride::Closed | BreakerOverride::Disabled, ..
            } => fresh,
            Event::AdmittedEarly { .. } => {
                Chapter { phase: Phase::HalfOpen, began: at, from: place, ..chapter }
            }
            Event::Answering { permit }
                if self.events[place].counted
                    && self.is_sole(*permit)
                    && chapter.phase == Phase::HalfOpen =>
            {
                Chapter { phase: Phase::Closed, began: at, from: place + 1, ..chapter }
            }
            Event::Probed { good, chance } if !disabled => {
                self.after_probe(chapter, place, at, *good, *chance)
            }
            Event::Reported { happened, chance, .. } if self.events[place].counted => {
                self.after_result(chapter, place, at, happened, *chance)
            }
            _ => chapter,
        }
    }

    fn after_probe(
        &self,
        chapter: Chapter,
        place: usize,
        at: Moment,
        good: bool,
        chance: f64,
    ) -> Chapter {
        match chapter.phase {
            Phase::HalfOpen if !good => self.opened(chapter, place, at, None, chance),
            Phase::HalfOpen if self.trials(&chapter, place + 1) >= 3 => {
                Chapter { phase: Phase::Recovering, began: at, from: place + 1, ..chapter }
            }
            Phase::Closed | Phase::Recovering if !good && self.may_trip(place, at) => {
                let mut bad = 0;
                for number in (chapter.round..=place).rev() {
                    let rate_limited = &self.events[number];
                    let forced = self.forced(number, rate_limited.at);
                    let disabled = matches!(forced, Some((BreakerOverride::Disabled, _)));
                    match rate_limited.event {
                        Event::Probed { good: false, .. } if !disabled => bad += 1,
                        Event::Probed { good: true, .. } if !disabled => break,
                        Event::Reported { happened: CallOutcome::Success { .. }, .. }
                            if rate_limited.counted =>
                        {
                            break;
                        }
                        _ => {}
                    }
                }
                if bad >= 3 { self.opened(chapter, place, at, None, chance) } else { chapter }
            }
            _ => chapter,
        }
    }

    fn after_result(
        &self,
        chapter: Chapter,
        place: usize,
        at: Moment,
        happened: &CallOutcome,
        chance: f64,
    ) -> Chapter {
        let (failed, rate_limited) = match happened {
            CallOutcome::Success { .. } => (0.0, None),
            CallOutcome::Failure { weight: FailureWeight::Full, retry_after } => {
                (1.0, *retry_after)
            }
            CallOutcome::Failure { weight: FailureWeight::Half, retry_after } => {
                (0.5, *retry_after)
            }
            _ => return chapter,
        };
        match chapter.phase {
            Phase::Open { .. } => chapter,
            Phase::HalfOpen if failed > 0.0 => {
                self.opened(chapter, place, at, rate_limited, chance)
            }
            Phase::HalfOpen if self.is_sole_report(place) => {
                Chapter { phase: Phase::Closed, began: at, from: place + 1, ..chapter }
            }
            Phase::HalfOpen if self.trials(&chapter, place + 1) >= 3 => {
                Chapter { phase: Phase::Recovering, began: at, from: place + 1, ..chapter }
            }
            Phase::HalfOpen => chapter,
            Phase::Closed | Phase::Recovering => {
                let ramp =
                    self.results(&chapter, place + 1).into_iter().filter(|r| r.0 >= chapter.from);
                let ramp: Vec<f64> = ramp.map(|(.., failed, _)| failed).collect();
                let broken = failed > 0.0
                    && chapter.phase == Phase::Recovering
                    && ramp.iter().sum::<f64>() / ramp.len() as f64 > 0.2;
                if broken || (self.may_trip(place, at) && self.trips(&chapter, place, at)) {
                    return self.opened(chapter, place, at, rate_limited, chance);
                }
                match self.stage(&chapter, place + 1, at) {
                    (3, closed) if chapter.phase == Phase::Recovering => {
                        Chapter { phase: Phase::Closed, began: closed, from: place + 1, ..chapter }
                    }
                    _ => chapter,
                }
            }
        }
    }

    /// Applies the three trip rules to the results of this round.
    fn trips(&self, chapter: &Chapter, place: usize, now: Moment) -> bool {
        let results = self.results(chapter, place + 1);
        let row: f64 = results.iter().rev().map(|r| r.2).take_while(|failed| *failed > 0.0).sum();
        if row >= 3.0 {
            return true;
        }
        let part = |at: Moment| at.as_micros() / 5_000_000;
        let recent: Vec<_> = results
            .into_iter()
            .filter(|(number, at, ..)| part(*at) + 12 > part(now) && !self.events[*number].trial)
            .collect();
        let calls = recent.len() as f64;
        let failed: f64 = recent.iter().map(|r| r.2).sum();
        let slow = recent.iter().filter(|r| r.3).count() as f64;
        recent.len() >= 10 && (failed / calls >= 0.5 || slow / calls >= 0.8)
    }

    /// Counted results of this round: place, time, failure weight, and whether slow.
    fn results(&self, chapter: &Chapter, end: usize) -> Vec<(usize, Moment, f64, bool)> {
        let of = |place: usize| {
            let rate_limited = &self.events[place];
            let Event::Reported { happened, .. } = &rate_limited.event else { return None };
            let (failed, slow) = match happened {
                CallOutcome::Success { first_token } => {
                    (0.0, first_token.is_some_and(|took| self.is_slow(took, place)))
                }
                CallOutcome::Failure { weight: FailureWeight::Full, .. } => (1.0, false),
                CallOutcome::Failure { weight: FailureWeight::Half, .. } => (0.5, false),
                _ => return None,
            };
            rate_limited.counted.then_some((place, rate_limited.at, failed, slow))
        };
        (chapter.round..end).filter_map(of).collect()
    }

    /// True if slower than 10 s and than three times the 95th percentile of all earlier calls.
    fn is_slow(&self, took: Duration, end: usize) -> bool {
        let mut all: Vec<Duration> = self.events[..end]
            .iter()
            .filter_map(|rate_limited| match &rate_limited.event {
                Event::Reported { happened: CallOutcome::Success { first_token }, .. } => {
                    *first_token
                }
                _ => None,
            })
            .collect();
        all.sort();
        let rank = (all.len() * 95).div_ceil(100);
        let usual = if all.len() < 20 { Duration::ZERO } else { all[rank - 1] };
        took > (usual * 3).max(Duration::from_secs(10))
    }

    /// The step of the ramp (3: it is over) and its start.
    fn stage(&self, chapter: &Chapter, end: usize, now: Moment) -> (usize, Moment) {
        let (mut stage, mut began, mut good) = (0, chapter.began, 0);
        if chapter.phase != Phase::Recovering {
            return (0, began);
        }
        let results = self.results(chapter, end);
        let results = results.into_iter().filter(|result| result.0 >= chapter.from);
        let moments = results.map(|(_, at, failed, _)| (at, failed == 0.0));
        for (at, success) in moments.chain([(now, false)]) {
            while stage < 3 && at.since(began) >= Duration::from_secs(10) {
                (stage, began, good) = (stage + 1, began + Duration::from_secs(10), 0);
            }
            good += u32::from(success);
            if stage < 3 && good == 5 {
                (stage, began, good) = (stage + 1, at, 0);
            }
        }
        (stage, began)
    }

    fn opened(
        &self,
        chapter: Chapter,
        place: usize,
        at: Moment,
        rate_limited: Option<Duration>,
        chance: f64,
    ) -> Chapter {
        let calm =
            chapter.phase == Phase::Closed && at.since(chapter.began) >= Duration::from_secs(600);
        let openings = if calm { 0 } else { chapter.openings };
        let steps = [5.0, 10.0, 20.0, 40.0, 60.0];
        let secs = steps[(openings as usize).min(4)] * (0.8 + 0.4 * chance);
        let rate_limited = rate_limited.unwrap_or_default();
        let lasts = Duration::from_secs_f64(secs).max(rate_limited);
        Chapter {
            phase: Phase::Open { lasts, rate_limited },
            began: at,
            from: place + 1,
            round: place + 1,
            openings: openings + 1,
        }
    }

    fn may_trip(&self, place: usize, at: Moment) -> bool {
        let forced = self.forced(place, at).map(|(forced, _)| forced);
        !matches!(forced, Some(BreakerOverride::Closed | BreakerOverride::Disabled))
    }

    /// Successes of calls and probes in half-open.
    fn trials(&self, chapter: &Chapter, end: usize) -> usize {
        let results = self.results(chapter, end);
        let calls = results.iter().filter(|(place, ..)| *place >= chapter.from).count();
        let probes = self.events[chapter.from.min(end)..end].iter();
        let good = probes
            .filter(|rate_limited| matches!(rate_limited.event, Event::Probed { good: true, .. }));
        calls + good.count()
    }

    /// Trials in flight.
    fn out(&self, chapter: &Chapter, end: usize, now: Moment) -> usize {
        let trials = (chapter.from.min(end)..end).filter_map(|place| self.let_out(place));
        trials
            .filter(|permit| !self.is_back(*permit, end))
            .filter(|permit| !self.is_lost(*permit, end, now))
            .count()
    }

    fn is_back(&self, wanted: usize, end: usize) -> bool {
        self.events[..end].iter().any(|rate_limited| match &rate_limited.event {
            Event::Reported { permit, .. } | Event::Released { permit } => *permit == wanted,
            _ => false,
        })
    }

    fn has_room(&self, chapter: &Chapter, end: usize, now: Moment) -> bool {
        self.out(chapter, end, now) < [1, 2, 4][self.trials(chapter, end).min(2)]
    }

    /// The permit of a call that the breaker admitted at `place`.
    fn let_out(&self, place: usize) -> Option<usize> {
        match &self.events[place] {
            RecordedEvent {
                through: true,
                event: Event::Admitted { permit, .. } | Event::AdmittedEarly { permit },
                ..
            } => Some(*permit),
            _ => None,
        }
    }

    /// True if no other trial was admitted for the length of a lease while this one was in flight
    /// in half-open.
    fn is_lost(&self, permit: usize, end: usize, now: Moment) -> bool {
        let from = self.admitted(permit);
        let half_open = |chapter: &Chapter| matches!(chapter.phase, Phase::HalfOpen);
        if !half_open(&self.events[from].chapter) {
            return false;
        }
        let mut last = self.events[from].at;
        for place in from + 1..end {
            let rate_limited = &self.events[place];
            if rate_limited.at.since(last) >= Duration::from_secs(600) {
                return true;
            }
            if self.let_out(place).is_some() {
                last = rate_limited.at;
            }
            if !half_open(&rate_limited.chapter) {
                return false;
            }
        }
        now.since(last) >= Duration::from_secs(600)
    }

    /// True if no other endpoint could answer when it was admitted.
    fn is_sole(&self, permit: usize) -> bool {
        let event = &self.events[self.admitted(permit)].event;
        matches!(event, Event::AdmittedEarly { .. } | Event::Admitted { sole: true, .. })
    }

    fn is_sole_report(&self, place: usize) -> bool {
        let Event::Reported { permit, .. } = self.events[place].event else { return false };
        self.is_sole(permit)
    }

    fn admitted(&self, wanted: usize) -> usize {
        let found = self.events.iter().position(|rate_limited| match &rate_limited.event {
            Event::Admitted { permit, .. } | Event::AdmittedEarly { permit } => *permit == wanted,
            _ => false,
        });
        found.expect("it was let out")
    }
}
