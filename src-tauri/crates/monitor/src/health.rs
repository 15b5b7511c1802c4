//! Whether one backend works: a plain state machine over what was observed of it.
//!
//! Counts in a row, not ratios: a developer's backend may see three calls an hour, so a ratio over a
//! window would be empty. Two good results make it up (Gatus' value), three bad ones make it down,
//! and a result that leaves the question open is followed by another probe after a second, so a
//! fresh start is settled within two. Real traffic counts like probes and makes them unnecessary.

use std::time::Duration;

use domain::{Clock, Entropy, Moment, WallTime};

use crate::words::{one_line, rough};

/// Good results in a row that make a backend [`State::Up`].
pub const SUCCESSES_FOR_UP: u32 = 2;
/// Bad results in a row that make a backend [`State::Down`].
pub const FAILURES_FOR_DOWN: u32 = 3;
/// Time to the next probe while results leave the state open.
pub const RECHECK_AFTER: Duration = Duration::from_secs(1);
/// How long a good result of real traffic makes a probe unnecessary.
pub const PASSIVE_TTL: Duration = Duration::from_secs(60);
/// Largest deviation of a probe from its interval, in thousandths of it. Backends that were added
/// together must not be probed together for ever.
pub const JITTER_PERMILLE_MAX: u64 = 100;
/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 200;

/// The health of one backend.
#[derive(Debug, Clone)]
pub struct Health {
    interval: Duration,
    jitter_permille: u64,
    state: State,
    cause: Cause,
    reason: String,
    since: Option<WallTime>,
    streak: Streak,
    created: Moment,
    last_result: Option<Reading>,
    last_probe: Option<Moment>,
    passive_success: Option<Moment>,
    probe_duration: Option<Duration>,
    last_known: Option<LastKnown>,
}

/// Whether a backend works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It answers.
    Up,
    /// It does not, or it rejects the key.
    Down,
    /// Nothing is known, or nothing recent.
    Unknown,
}

/// Why a backend is in its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It was added a moment ago.
    NotCheckedYet,
    /// Its state is from before a restart and was not confirmed yet.
    LastKnown,
    /// There was no result for too long.
    Silent,
    /// It answers.
    Answering,
    /// It answers and asks for fewer requests.
    RateLimited,
    /// It failed [`FAILURES_FOR_DOWN`] times in a row.
    Failing,
    /// It answers and does not accept the key.
    KeyRejected,
}

/// One result, of a probe or of real traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Where it is from.
    pub source: Source,
    /// What it says.
    pub finding: Finding,
    /// The failure in a sentence, free of secrets; empty when it answered. Cut at
    /// [`REASON_CHARS_MAX`].
    pub reason: String,
    /// How long the call took.
    pub duration: Duration,
}

/// Where a result is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// A light probe.
    Probe,
    /// A request of a client.
    Passive,
}

/// What a result says about the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    /// It works.
    Answered,
    /// It could not be reached, broke off or reported a fault of its own.
    Failed,
    /// It does not accept the key (401, 403). Not the endpoint's failure.
    KeyRejected,
    /// It asks for fewer requests (429). Not a failure.
    RateLimited,
    /// This machine could not ask: it was offline, asleep or out of file descriptors, or the vault is
    /// locked. Says nothing about the backend, so what is known grows old.
    LocalFault,
}

/// Both clocks, read together: the one for intervals, the other for labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// For intervals.
    pub now: Moment,
    /// For labels.
    pub wall: WallTime,
}

impl Reading {
    /// Reads `clock`.
    #[must_use]
    pub fn of(clock: &dyn Clock) -> Self {
        Self { now: clock.now(), wall: clock.wall() }
    }
}

/// A change of state, or of the cause of being down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state now.
    pub to: State,
    /// Why.
    pub cause: Cause,
    /// Why, in words.
    pub reason: String,
    /// When.
    pub wall: WallTime,
    /// How long the state before lasted, by the wall clock; `None` if it was never settled.
    pub lasted: Option<Duration>,
}

/// What is shown of a backend's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthView {
    /// Whether it works.
    pub state: State,
    /// Why.
    pub cause: Cause,
    /// Why, in words.
    pub reason: String,
    /// Since when it is in this state; `None` before the first result.
    pub since: Option<WallTime>,
    /// The last result of any source.
    pub observed: Option<WallTime>,
    /// How long the last probe took; `None` if the backend did not answer it.
    pub probe_duration: Option<Duration>,
    /// The last settled state with its reason, while the present one is unknown.
    pub last_known: Option<LastKnown>,
}

/// The last settled state, to be stored and given to [`Health::restored`] after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastKnown {
    /// [`State::Up`] or [`State::Down`].
    pub state: State,
    /// Why, in words.
    pub reason: String,
    /// Since when.
    pub since: WallTime,
    /// The last result, if that was written down.
    pub observed: Option<WallTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Streak {
    None,
    Good(u32),
    Bad(u32),
}

impl State {
    /// The word for it: `up`, `down`, `unknown`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Up, Self::Down, Self::Unknown].into_iter().find(|state| state.word() == word)
    }
}

impl Health {
    /// A backend that was added a moment ago: unknown, and due for a probe at once.
    #[must_use]
    pub fn new(interval: Duration, now: Moment) -> Self {
        Self {
            interval,
            jitter_permille: 0,
            state: State::Unknown,
            cause: Cause::NotCheckedYet,
            reason: "not checked yet".to_owned(),
            since: None,
            streak: Streak::None,
            created: now,
            last_result: None,
            last_probe: None,
            passive_success: None,
            probe_duration: None,
            last_known: None,
        }
    }

    /// A backend as it was before a restart: unknown until confirmed, due for a probe at once.
    #[must_use]
    pub fn restored(last_known: LastKnown, interval: Duration, now: Moment) -> Self {
        let known = last_known.state != State::Unknown;
        Self {
            cause: if known { Cause::LastKnown } else { Cause::NotCheckedYet },
            last_known: known.then_some(last_known),
            ..Self::new(interval, now)
        }
    }

    /// Takes a result into account. `entropy` spreads the next probe.
    pub fn observe(
        &mut self,
        observation: Observation,
        at: Reading,
        entropy: &dyn Entropy,
    ) -> Option<Transition> {
        let lapsed = self.lapse(at);
        let Observation { source, finding, reason, duration } = observation;
        if finding == Finding::LocalFault {
            if source == Source::Probe {
                self.note_probe(None, at, entropy);
            }
            return lapsed;
        }
        self.last_result = Some(at);
        match source {
            Source::Probe => {
                let took = (finding != Finding::Failed).then_some(duration);
                self.note_probe(took, at, entropy);
            }
            Source::Passive if finding == Finding::Answered => self.passive_success = Some(at.now),
            Source::Passive => {}
        }
        let reason = one_line(&reason, REASON_CHARS_MAX);
        let settled = match finding {
            Finding::Answered => self.answered(at),
            Finding::Failed => self.failed(&reason, at),
            Finding::LocalFault => None,
            Finding::RateLimited => {
                self.streak = Streak::None;
                if self.state != State::Down {
                    self.cause = Cause::RateLimited;
                    self.reason = "answers, but is rate limited".to_owned();
                }
                None
            }
            Finding::KeyRejected => {
                self.streak = Streak::None;
                let sentence = sentence_of("the key was rejected", &reason);
                self.settle(State::Down, Cause::KeyRejected, sentence, at)
            }
        };
        if let Some(known) = &mut self.last_known {
            known.observed = Some(at.wall);
        }
        match (lapsed, settled) {
            // A lapse nobody was told of and its end are one change.
            (Some(lapsed), Some(settled)) => Some(Transition { from: lapsed.from, ..settled }),
            (lapsed, settled) => settled.or(lapsed),
        }
    }

    /// Turns a state that nothing has confirmed for too long into [`State::Unknown`].
    pub fn lapse(&mut self, at: Reading) -> Option<Transition> {
        if !self.is_stale(at.now) {
            return None;
        }
        self.streak = Streak::None;
        let silence = self.silence(at.now);
        self.settle(State::Unknown, Cause::Silent, format!("no result for {}", rough(silence)), at)
    }

    /// What is known. Asking changes nothing.
    #[must_use]
    pub fn view(&self, at: Reading) -> HealthView {
        let stale = self.is_stale(at.now);
        let silent = stale || self.cause == Cause::Silent;
        let reason = match (&self.last_known, self.cause) {
            _ if silent => format!("no result for {}", rough(self.silence(at.now))),
            (Some(known), Cause::LastKnown) => last_known_sentence(known, at.wall),
            _ => self.reason.clone(),
        };
        let state = if stale { State::Unknown } else { self.state };
        HealthView {
            state,
            cause: if stale { Cause::Silent } else { self.cause },
            reason,
            since: self.since,
            observed: self
                .last_result
                .map(|result| result.wall)
                .or_else(|| self.last_known.as_ref().and_then(|known| known.observed)),
            probe_duration: self.probe_duration,
            last_known: self.last_known.clone().filter(|_| state == State::Unknown),
        }
    }

    /// When the next probe is due; in the past if it is due already.
    #[must_use]
    pub fn next_probe_at(&self) -> Moment {
        let Some(last) = self.last_result else {
            // A probe that this machine could not make is repeated in its turn, not at once.
            return self.last_probe.map_or(self.created, |last| last + self.spread_interval());
        };
        if self.is_open() {
            return last.now.max(self.last_probe.unwrap_or(last.now)) + RECHECK_AFTER;
        }
        let regular = self.last_probe.unwrap_or(self.created) + self.spread_interval();
        match self.passive_success {
            Some(success) if self.state == State::Up => regular.max(success + PASSIVE_TTL),
            _ => regular,
        }
    }

    /// Changes the time between two probes.
    pub const fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    /// What to store for [`Health::restored`]; `None` before the first settled state.
    #[must_use]
    pub const fn last_known(&self) -> Option<&LastKnown> {
        self.last_known.as_ref()
    }

    /// How long a state holds without a result: twice the passive TTL, or twice the interval where
    /// that is longer, so that a long interval does not make a good backend flicker.
    #[must_use]
    pub fn holds_for(&self) -> Duration {
        PASSIVE_TTL.max(self.interval).saturating_mul(2)
    }

    fn answered(&mut self, at: Reading) -> Option<Transition> {
        let count = match self.streak {
            Streak::Good(count) => count.saturating_add(1),
            Streak::None | Streak::Bad(_) => 1,
        };
        self.streak = Streak::Good(count);
        if self.state == State::Up || count >= SUCCESSES_FOR_UP {
            return self.settle(State::Up, Cause::Answering, "answers".to_owned(), at);
        }
        None
    }

    fn failed(&mut self, reason: &str, at: Reading) -> Option<Transition> {
        let count = match self.streak {
            Streak::Bad(count) => count.saturating_add(1),
            Streak::None | Streak::Good(_) => 1,
        };
        self.streak = Streak::Bad(count);
        if count >= FAILURES_FOR_DOWN {
            let sentence = if reason.is_empty() { "does not answer" } else { reason };
            return self.settle(State::Down, Cause::Failing, sentence.to_owned(), at);
        }
        if self.state == State::Up {
            let start = format!("{count} of {FAILURES_FOR_DOWN} failures in a row");
            self.reason = sentence_of(&start, reason);
        }
        None
    }

    fn settle(
        &mut self,
        to: State,
        cause: Cause,
        reason: String,
        at: Reading,
    ) -> Option<Transition> {
        let (from, cause_before) = (self.state, self.cause);
        let changed = from != to || (to == State::Down && cause_before != cause);
        let lasted = self.since.map(|since| {
            let ms = at.wall.unix_ms().saturating_sub(since.unix_ms());
            Duration::from_millis(u64::try_from(ms).unwrap_or(0))
        });
        if from != to {
            self.since = Some(at.wall);
        }
        (self.state, self.cause) = (to, cause);
        self.reason.clone_from(&reason);
        if to != State::Unknown {
            self.last_known = Some(LastKnown {
                state: to,
                reason: reason.clone(),
                since: self.since.unwrap_or(at.wall),
                observed: Some(at.wall),
            });
        }
        changed.then_some(Transition { from, to, cause, reason, wall: at.wall, lasted })
    }

    fn note_probe(&mut self, took: Option<Duration>, at: Reading, entropy: &dyn Entropy) {
        self.last_probe = Some(at.now);
        self.probe_duration = took;
        let mut random = [0_u8; 8];
        entropy.fill(&mut random);
        let steps = 2 * JITTER_PERMILLE_MAX + 1;
        self.jitter_permille = 1_000 - JITTER_PERMILLE_MAX + u64::from_le_bytes(random) % steps;
    }

    fn spread_interval(&self) -> Duration {
        let permille = if self.jitter_permille == 0 { 1_000 } else { self.jitter_permille };
        let micros = self.interval.as_micros().saturating_mul(u128::from(permille)) / 1_000;
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// Whether the results so far point away from the state without having decided yet.
    const fn is_open(&self) -> bool {
        match (self.state, self.streak) {
            (_, Streak::None)
            | (State::Up, Streak::Good(_))
            | (State::Down, Streak::Bad(FAILURES_FOR_DOWN..)) => false,
            (State::Down, Streak::Bad(_)) => !matches!(self.cause, Cause::Failing),
            (State::Up | State::Unknown, Streak::Bad(_))
            | (State::Down | State::Unknown, Streak::Good(_)) => true,
        }
    }

    fn silence(&self, now: Moment) -> Duration {
        self.last_result.map_or(Duration::ZERO, |last| now.since(last.now))
    }

    fn is_stale(&self, now: Moment) -> bool {
        self.state != State::Unknown && self.silence(now) >= self.holds_for()
    }
}

fn last_known_sentence(known: &LastKnown, now: WallTime) -> String {
    let word = known.state.word();
    let Some(observed) = known.observed else { return format!("last known: {word}") };
    let age = now.unix_ms().saturating_sub(observed.unix_ms());
    let age = Duration::from_millis(u64::try_from(age).unwrap_or(0));
    format!("last known: {word}, {} ago", rough(age))
}

fn sentence_of(start: &str, reason: &str) -> String {
    if reason.is_empty() {
        return start.to_owned();
    }
    one_line(&format!("{start}: {reason}"), REASON_CHARS_MAX)
}

#[cfg(test)]
mod tests;
