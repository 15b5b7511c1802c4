//! Health of one backend or service: a plain state machine over observed results.
//!
//! It counts consecutive results instead of ratios, because a backend with three calls an hour
//! leaves any window empty. Two good results make it up (the value Gatus uses), three bad ones
//! down. An inconclusive result leads to another probe after a second, so a fresh start is settled
//! within two. Results of real traffic count like probes and make probes unnecessary.

use std::time::Duration;

use domain::{ClockReading, Entropy, HealthState, Moment, WallTime, format_length, one_line};

/// Consecutive good results that make a backend [`HealthState::Up`].
pub(crate) const SUCCESSES_FOR_UP: u32 = 2;
/// Consecutive bad results that make a backend [`HealthState::Down`].
pub(crate) const FAILURES_FOR_DOWN: u32 = 3;
/// Delay of the next probe while the results are inconclusive.
pub(crate) const RECHECK_AFTER: Duration = Duration::from_secs(1);
/// How long a successful client request makes a probe unnecessary.
pub(crate) const PASSIVE_TTL: Duration = Duration::from_secs(60);
/// Maximum jitter of the probe interval, in thousandths of it. It keeps backends that were added
/// together from being probed together.
pub(crate) const JITTER_PERMILLE_MAX: u64 = 100;
/// Maximum length of a reason, in characters.
pub const REASON_CHARS_MAX: usize = 200;

#[derive(Debug, Clone)]
pub struct Health {
    interval: Duration,
    /// The longest interval since the last result: a shorter one does not make it stale.
    longest_interval: Duration,
    jitter_permille: u64,
    state: HealthState,
    cause: HealthCause,
    reason: String,
    since: Option<WallTime>,
    streak: Streak,
    created: Moment,
    last_result: Option<ClockReading>,
    last_probe: Option<Moment>,
    passive_success: Option<Moment>,
    probe_duration: Option<Duration>,
    last_known: Option<LastKnownHealth>,
}

/// Why a backend is in its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HealthCause {
    /// There is no result since it was added.
    NotCheckedYet,
    /// There are results, but too few in a row for a state.
    Unsettled,
    /// The state is from before a restart and not confirmed yet.
    LastKnown,
    /// No result for longer than `stale_after`.
    NoRecentResult,
    Answering,
    /// It answers, but returns 429.
    RateLimited,
    /// It failed `FAILURES_FOR_DOWN` times in a row.
    Failing,
    /// It answers, but rejects the key.
    KeyRejected,
}

/// One result of a probe or of real traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    pub source: ObservationSource,
    pub finding: HealthFinding,
    /// The failure as a sentence without secrets; empty on success. Cut at [`REASON_CHARS_MAX`].
    pub reason: String,
    pub duration: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObservationSource {
    /// An unbilled probe.
    Probe,
    Passive,
}

/// What a result says about the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HealthFinding {
    Answered,
    /// It could not be reached, closed the connection, or reported an internal error.
    Failed,
    /// It rejected the key (401, 403). Not a failure of the endpoint.
    KeyRejected,
    /// It returned 429. Not a failure.
    RateLimited,
    /// This machine could not make the call: it was offline, asleep or out of file descriptors, or
    /// the vault is locked. It says nothing about the backend, so the known state goes stale.
    LocalFault,
}

/// A change of the state, or of the cause of being down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthTransition {
    pub from: HealthState,
    pub to: HealthState,
    pub cause: HealthCause,
    /// The cause in words.
    pub reason: String,
    pub wall: WallTime,
    /// How long the previous state lasted by the wall clock; `None` for the first change.
    pub lasted: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedHealth {
    pub state: HealthState,
    pub cause: HealthCause,
    /// The cause in words.
    pub reason: String,
    /// Start of the present state; `None` before the first change of state.
    pub since: Option<WallTime>,
    /// Time of the last result from any source.
    pub observed: Option<WallTime>,
    /// Duration of the last probe; `None` if the backend did not answer it.
    pub probe_duration: Option<Duration>,
    /// The last settled state; `None` unless the present state is unknown.
    pub last_known: Option<LastKnownHealth>,
}

/// The last settled state. It is stored and passed to [`Health::restored`] after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastKnownHealth {
    /// [`HealthState::Up`] or [`HealthState::Down`].
    pub state: HealthState,
    /// The cause in words.
    pub reason: String,
    pub since: WallTime,
    /// Time of the last result; `None` if it was not stored.
    pub observed: Option<WallTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Streak {
    None,
    Good(u32),
    Bad(u32),
}

impl Health {
    /// A new backend: unknown, with a probe due immediately.
    #[must_use]
    pub fn new(interval: Duration, now: Moment) -> Self {
        Self {
            interval,
            longest_interval: interval,
            jitter_permille: 0,
            state: HealthState::Unknown,
            cause: HealthCause::NotCheckedYet,
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

    /// A backend with its state from before a restart: unknown until confirmed, with a probe due
    /// immediately.
    #[must_use]
    pub fn restored(last_known: LastKnownHealth, interval: Duration, now: Moment) -> Self {
        let known = last_known.state != HealthState::Unknown;
        Self {
            cause: if known { HealthCause::LastKnown } else { HealthCause::NotCheckedYet },
            last_known: known.then_some(last_known),
            ..Self::new(interval, now)
        }
    }

    /// Applies a result and returns the transition it causes. `entropy` sets the jitter of the next
    /// probe.
    pub fn observe(
        &mut self,
        observation: Observation,
        at: ClockReading,
        entropy: &dyn Entropy,
    ) -> Option<HealthTransition> {
        let lapsed = self.expire_if_stale(at);
        let Observation { source, finding, reason, duration } = observation;
        if finding == HealthFinding::LocalFault {
            if source == ObservationSource::Probe {
                self.record_probe(None, at, entropy);
            }
            return lapsed;
        }
        self.last_result = Some(at);
        self.longest_interval = self.interval;
        match source {
            ObservationSource::Probe => {
                let took = (finding != HealthFinding::Failed).then_some(duration);
                self.record_probe(took, at, entropy);
            }
            ObservationSource::Passive if finding == HealthFinding::Answered => {
                self.passive_success = Some(at.now);
            }
            ObservationSource::Passive => {}
        }
        let reason = one_line(&reason, REASON_CHARS_MAX);
        let settled = match finding {
            HealthFinding::Answered => self.apply_success(at),
            HealthFinding::Failed => self.apply_failure(&reason, at),
            HealthFinding::LocalFault => None,
            HealthFinding::RateLimited => self.apply_rate_limit(at),
            HealthFinding::KeyRejected => {
                self.streak = Streak::None;
                let sentence = reason_sentence("the key was rejected", &reason);
                self.set_state(HealthState::Down, HealthCause::KeyRejected, sentence, at)
            }
        };
        if let Some(known) = &mut self.last_known {
            known.observed = Some(at.wall);
        }
        match (lapsed, settled) {
            // A lapse that was not reported yet and its end form one transition.
            (Some(lapsed), Some(settled)) => {
                Some(HealthTransition { from: lapsed.from, ..settled })
            }
            (lapsed, settled) => settled.or(lapsed),
        }
    }

    /// Changes the state to [`HealthState::Unknown`] if there was no result for [`Self::stale_after`].
    pub(crate) fn expire_if_stale(&mut self, at: ClockReading) -> Option<HealthTransition> {
        if !self.is_stale(at.now) {
            return None;
        }
        self.streak = Streak::None;
        let silence = self.time_since_result(at.now);
        self.set_state(
            HealthState::Unknown,
            HealthCause::NoRecentResult,
            format!("no result for {}", format_length(silence)),
            at,
        )
    }

    /// Returns the present health without changing it.
    #[must_use]
    pub fn view(&self, at: ClockReading) -> ObservedHealth {
        let stale = self.is_stale(at.now);
        let silent = stale || self.cause == HealthCause::NoRecentResult;
        let reason = match (&self.last_known, self.cause) {
            _ if silent => {
                format!("no result for {}", format_length(self.time_since_result(at.now)))
            }
            (Some(known), HealthCause::LastKnown) => last_known_sentence(known, at.wall),
            _ => self.reason.clone(),
        };
        let state = if stale { HealthState::Unknown } else { self.state };
        // What was known before says nothing while it is known to answer.
        let is_unknown = state == HealthState::Unknown && self.cause != HealthCause::RateLimited;
        ObservedHealth {
            state,
            cause: if stale { HealthCause::NoRecentResult } else { self.cause },
            reason,
            since: self.since,
            observed: self
                .last_result
                .map(|result| result.wall)
                .or_else(|| self.last_known.as_ref().and_then(|known| known.observed)),
            probe_duration: self.probe_duration,
            last_known: self.last_known.clone().filter(|_| is_unknown || stale),
        }
    }

    /// When the next probe is due; in the past if it is overdue.
    #[must_use]
    pub(crate) fn next_probe_at(&self) -> Moment {
        let Some(last) = self.last_result else {
            // A probe that this machine could not make is repeated after the interval, not
            // immediately.
            return self.last_probe.map_or(self.created, |last| last + self.jittered_interval());
        };
        if self.is_inconclusive() {
            return last.now.max(self.last_probe.unwrap_or(last.now)) + RECHECK_AFTER;
        }
        let regular = self.last_probe.unwrap_or(self.created) + self.jittered_interval();
        match self.passive_success {
            Some(success) if self.state == HealthState::Up => regular.max(success + PASSIVE_TTL),
            _ => regular,
        }
    }

    pub fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
        self.longest_interval = self.longest_interval.max(interval);
    }

    /// The state to store for [`Health::restored`]; `None` before the first settled one.
    #[must_use]
    pub const fn last_known(&self) -> Option<&LastKnownHealth> {
        self.last_known.as_ref()
    }

    /// How long a state stays valid without a result: twice the longer of the passive TTL and the
    /// interval, so that a long interval does not make a healthy backend flap.
    #[must_use]
    pub(crate) fn stale_after(&self) -> Duration {
        PASSIVE_TTL.max(self.longest_interval).saturating_mul(2)
    }

    fn apply_success(&mut self, at: ClockReading) -> Option<HealthTransition> {
        let count = match self.streak {
            Streak::Good(count) => count.saturating_add(1),
            Streak::None | Streak::Bad(_) => 1,
        };
        self.streak = Streak::Good(count);
        if self.state == HealthState::Up || count >= SUCCESSES_FOR_UP {
            return self.set_state(
                HealthState::Up,
                HealthCause::Answering,
                "answers".to_owned(),
                at,
            );
        }
        self.note_progress(&format!("{count} of {SUCCESSES_FOR_UP} answers in a row"));
        None
    }

    /// It answers, so that what was down because it did not is down no more; whether it is up, nobody
    /// knows. A key that was rejected may still be.
    fn apply_rate_limit(&mut self, at: ClockReading) -> Option<HealthTransition> {
        self.streak = Streak::None;
        if self.state == HealthState::Down && self.cause == HealthCause::KeyRejected {
            return None;
        }
        let (cause, reason) = (HealthCause::RateLimited, "answers, but is rate limited".to_owned());
        if self.state == HealthState::Down {
            return self.set_state(HealthState::Unknown, cause, reason, at);
        }
        (self.cause, self.reason) = (cause, reason);
        None
    }

    /// Says how far the results are from a state, while there is none.
    fn note_progress(&mut self, progress: &str) {
        let is_open = matches!(
            self.cause,
            HealthCause::NotCheckedYet | HealthCause::NoRecentResult | HealthCause::Unsettled
        );
        if self.state == HealthState::Unknown && is_open {
            self.cause = HealthCause::Unsettled;
            self.reason = progress.to_owned();
        }
    }

    fn apply_failure(&mut self, reason: &str, at: ClockReading) -> Option<HealthTransition> {
        let count = match self.streak {
            Streak::Bad(count) => count.saturating_add(1),
            Streak::None | Streak::Good(_) => 1,
        };
        self.streak = Streak::Bad(count);
        if count >= FAILURES_FOR_DOWN {
            let sentence = if reason.is_empty() { "does not answer" } else { reason };
            return self.set_state(
                HealthState::Down,
                HealthCause::Failing,
                sentence.to_owned(),
                at,
            );
        }
        let start = format!("{count} of {FAILURES_FOR_DOWN} failures in a row");
        let progress = reason_sentence(&start, reason);
        match self.state {
            HealthState::Up => self.reason = progress,
            HealthState::Down | HealthState::Unknown => self.note_progress(&progress),
        }
        None
    }

    fn set_state(
        &mut self,
        to: HealthState,
        cause: HealthCause,
        reason: String,
        at: ClockReading,
    ) -> Option<HealthTransition> {
        let (from, cause_before) = (self.state, self.cause);
        let changed = from != to || (to == HealthState::Down && cause_before != cause);
        let lasted = self.since.map(|since| {
            let ms = at.wall.unix_ms().saturating_sub(since.unix_ms());
            Duration::from_millis(u64::try_from(ms).unwrap_or(0))
        });
        if from != to {
            self.since = Some(at.wall);
        }
        (self.state, self.cause) = (to, cause);
        self.reason.clone_from(&reason);
        if to != HealthState::Unknown {
            self.last_known = Some(LastKnownHealth {
                state: to,
                reason: reason.clone(),
                since: self.since.unwrap_or(at.wall),
                observed: Some(at.wall),
            });
        }
        changed.then_some(HealthTransition { from, to, cause, reason, wall: at.wall, lasted })
    }

    fn record_probe(&mut self, took: Option<Duration>, at: ClockReading, entropy: &dyn Entropy) {
        self.last_probe = Some(at.now);
        self.probe_duration = took;
        let mut random = [0_u8; 8];
        entropy.fill(&mut random);
        let steps = 2 * JITTER_PERMILLE_MAX + 1;
        self.jitter_permille = 1_000 - JITTER_PERMILLE_MAX + u64::from_le_bytes(random) % steps;
    }

    fn jittered_interval(&self) -> Duration {
        let permille = if self.jitter_permille == 0 { 1_000 } else { self.jitter_permille };
        let micros = self.interval.as_micros().saturating_mul(u128::from(permille)) / 1_000;
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// True while the recent results contradict the state but are too few to change it.
    const fn is_inconclusive(&self) -> bool {
        match (self.state, self.streak) {
            (_, Streak::None)
            | (HealthState::Up, Streak::Good(_))
            | (HealthState::Down, Streak::Bad(FAILURES_FOR_DOWN..)) => false,
            (HealthState::Down, Streak::Bad(_)) => !matches!(self.cause, HealthCause::Failing),
            (HealthState::Up | HealthState::Unknown, Streak::Bad(_))
            | (HealthState::Down | HealthState::Unknown, Streak::Good(_)) => true,
        }
    }

    fn time_since_result(&self, now: Moment) -> Duration {
        self.last_result.map_or(Duration::ZERO, |last| now.since(last.now))
    }

    fn is_stale(&self, now: Moment) -> bool {
        self.state != HealthState::Unknown && self.time_since_result(now) >= self.stale_after()
    }
}

fn last_known_sentence(known: &LastKnownHealth, now: WallTime) -> String {
    let word = known.state.word();
    let Some(observed) = known.observed else { return format!("last known: {word}") };
    let age = now.unix_ms().saturating_sub(observed.unix_ms());
    let age = Duration::from_millis(u64::try_from(age).unwrap_or(0));
    format!("last known: {word}, {} ago", format_length(age))
}

fn reason_sentence(start: &str, reason: &str) -> String {
    if reason.is_empty() {
        return start.to_owned();
    }
    one_line(&format!("{start}: {reason}"), REASON_CHARS_MAX)
}

#[cfg(test)]
mod tests;
