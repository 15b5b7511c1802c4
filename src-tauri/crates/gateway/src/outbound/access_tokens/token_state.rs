//! When an access token is used, refreshed and given up, decided from times alone.
//!
//! Its age is the greater of what both clocks say: the monotonic one stands still while the machine
//! sleeps, and the wall clock may be set back.

use std::sync::Arc;
use std::time::Duration;

use domain::{BoundSecret, ClockReading, Moment, WallTime};
use resilience::full_jitter;

/// Part of its life after which a token is refreshed at the latest.
pub(super) const REFRESH_AT: f64 = 0.80;
/// Part of its life by which a refresh may come earlier, so that tokens issued together are not
/// refreshed together.
pub(super) const REFRESH_SPREAD: f64 = 0.05;

/// Life of a token whose server names none (`expires_in` is optional, RFC 6749 section 5.1).
pub(super) const LIFE_ASSUMED: Duration = Duration::from_secs(3_600);
/// Longest life that is believed.
pub(super) const LIFE_MAX: Duration = Duration::from_secs(90 * 86_400);

/// Longest time before its end in which a token is no longer sent, for the way to the provider and
/// for clocks that differ. For a short life it is a tenth of that.
pub(super) const EXPIRY_MARGIN_MAX: Duration = Duration::from_secs(10);

/// Wait before the second attempt to refresh; it doubles, with jitter, up to [`RETRY_MAX`].
pub(super) const RETRY_FIRST: Duration = Duration::from_secs(2);
pub(super) const RETRY_MAX: Duration = Duration::from_secs(60);

/// Age below which a token that its provider refuses is kept: one just issued would be refused too.
pub(super) const REFUSED_AGE_MIN: Duration = Duration::from_secs(300);

/// Why there is no new access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RefreshFault {
    /// True if another attempt with the same secret would fail too.
    pub(super) is_final: bool,
    /// A clause with its remedy, free of secrets.
    pub(super) message: String,
}

impl RefreshFault {
    pub(super) const fn temporary(message: String) -> Self {
        Self { is_final: false, message }
    }

    pub(super) const fn rejected(message: String) -> Self {
        Self { is_final: true, message }
    }
}

/// What became of an attempt.
#[derive(Debug)]
pub(super) enum RefreshOutcome {
    Issued {
        token: Arc<BoundSecret>,
        asked: ClockReading,
        /// `None` if the server names none.
        life: Option<Duration>,
        /// A rotated refresh token that the vault did not take, and why.
        unsaved: Option<(BoundSecret, RefreshFault)>,
    },
    /// The vault has taken the rotated refresh token now.
    Saved,
    Failed(RefreshFault),
}

#[derive(Debug)]
pub(super) enum TokenUse {
    Usable(Arc<BoundSecret>),
    /// The first attempt is still to come, or under way.
    Awaited,
    Failed(RefreshFault),
}

/// The access token of one key.
#[derive(Debug, Default)]
pub(super) struct TokenState {
    token: Option<IssuedToken>,
    /// Since the last success.
    fault: Option<RefreshFault>,
    /// Failed attempts since the last success.
    failures: u32,
    next_attempt: Moment,
    /// A request has asked for it. From then on it is kept fresh.
    is_wanted: bool,
    is_running: bool,
    /// A rotated refresh token, to be stored before it is used.
    unsaved: Option<BoundSecret>,
    /// Told apart from a state that was forgotten while an attempt for it ran.
    number: u64,
}

#[derive(Debug)]
struct IssuedToken {
    token: Arc<BoundSecret>,
    issued: ClockReading,
    life: Duration,
    refresh_age: Duration,
}

impl IssuedToken {
    fn age(&self, at: ClockReading) -> Duration {
        let wall_ms = at.wall.unix_ms().saturating_sub(self.issued.wall.unix_ms());
        let by_wall = Duration::from_millis(u64::try_from(wall_ms).unwrap_or(0));
        at.now.since(self.issued.now).max(by_wall)
    }

    fn is_expired(&self, at: ClockReading) -> bool {
        let margin = EXPIRY_MARGIN_MAX.min(self.life / 10);
        self.age(at) + margin >= self.life
    }
}

impl TokenState {
    pub(super) fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// What a request gets that asks now.
    pub(super) fn token(&self, at: ClockReading) -> TokenUse {
        match (&self.token, &self.fault) {
            (Some(issued), _) if !issued.is_expired(at) => {
                TokenUse::Usable(Arc::clone(&issued.token))
            }
            (_, Some(fault)) => TokenUse::Failed(fault.clone()),
            (_, None) => TokenUse::Awaited,
        }
    }

    /// Notes that a request asks for it.
    pub(super) const fn want(&mut self) {
        self.is_wanted = true;
    }

    /// Time until the next attempt; `None` if none is due at any time.
    pub(super) fn due_in(&self, at: ClockReading) -> Option<Duration> {
        if self.is_running || !self.is_wanted {
            return None;
        }
        match (&self.fault, &self.token) {
            (Some(fault), _) if fault.is_final => None,
            (Some(_), _) => Some(self.next_attempt.since(at.now)),
            (None, Some(issued)) => Some(issued.refresh_age.saturating_sub(issued.age(at))),
            (None, None) => Some(Duration::ZERO),
        }
    }

    /// Begins the one attempt. Returns what is to be stored before.
    pub(super) fn begin(&mut self) -> Option<BoundSecret> {
        self.is_running = true;
        self.unsaved.clone()
    }

    /// Ends the attempt. `chance` (0 to 1) spreads the next one.
    pub(super) fn settle(&mut self, outcome: RefreshOutcome, at: ClockReading, chance: f64) {
        self.is_running = false;
        match outcome {
            RefreshOutcome::Issued { token, asked, life, unsaved } => {
                let life = life.unwrap_or(LIFE_ASSUMED).min(LIFE_MAX);
                let refresh_age =
                    life.mul_f64(REFRESH_AT - REFRESH_SPREAD * chance.clamp(0.0, 1.0));
                self.token = Some(IssuedToken { token, issued: asked, life, refresh_age });
                (self.fault, self.failures, self.unsaved) = (None, 0, None);
                if let Some((secret, fault)) = unsaved {
                    self.unsaved = Some(secret);
                    self.fail(fault, at, chance);
                }
            }
            RefreshOutcome::Saved => {
                (self.fault, self.failures, self.unsaved) = (None, 0, None);
            }
            RefreshOutcome::Failed(fault) => self.fail(fault, at, chance),
        }
    }

    fn fail(&mut self, fault: RefreshFault, at: ClockReading, chance: f64) {
        // At least half of the step: an endpoint that is down is not asked again at once.
        let spread = 0.5 + chance.clamp(0.0, 1.0) / 2.0;
        self.next_attempt = at.now + full_jitter(RETRY_FIRST, RETRY_MAX, self.failures, spread);
        self.failures = self.failures.saturating_add(1);
        self.fault = Some(fault);
    }

    /// Lets the next request try again at once.
    pub(super) fn clear_fault(&mut self) {
        (self.fault, self.failures) = (None, 0);
    }

    /// The provider refused the token before its end, so it is asked for anew.
    pub(super) fn refuse_token(&mut self, at: ClockReading) {
        self.token.take_if(|issued| issued.age(at) >= REFUSED_AGE_MIN);
    }

    pub(super) const fn fault(&self) -> Option<&RefreshFault> {
        self.fault.as_ref()
    }

    /// When the token was asked for and when it ends, by the wall clock of then.
    pub(super) fn times(&self) -> Option<(WallTime, WallTime)> {
        let issued = self.token.as_ref()?;
        let end = issued.issued.wall_at(issued.issued.now + issued.life);
        Some((issued.issued.wall, end))
    }

    pub(super) fn is_expired(&self, at: ClockReading) -> bool {
        self.token.as_ref().is_none_or(|issued| issued.is_expired(at))
    }
}

#[cfg(test)]
mod tests;
