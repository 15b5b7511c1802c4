//! Two separate clocks: a monotonic one for intervals, and wall time for labels.

use std::ops::{Add, Sub};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Lengths of wall time, in milliseconds. Days are those of UTC.
pub const MINUTE_MS: i64 = 60_000;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A point on the monotonic clock, in microseconds since the process's clock was created.
///
/// A plain number, so that tests can write `Moment::from_secs(30)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Moment(u64);

impl Moment {
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time since `earlier`; zero if `earlier` is in the future.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, interval: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(interval.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;
    fn sub(self, interval: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(interval.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// Wall time in milliseconds since 1970-01-01 UTC. For labels and day buckets, never for intervals.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct WallTime(i64);

impl WallTime {
    #[must_use]
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// The start of a day in UTC, written `2026-11-21`; `None` for any other text.
    #[must_use]
    pub fn from_day(day: &str) -> Option<Self> {
        let date: jiff::civil::Date = day.parse().ok()?;
        let start = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        (date.to_string() == day).then(|| Self(start.timestamp().as_millisecond()))
    }

    /// The day in UTC, as [`Self::from_day`] reads it: `2026-11-21`.
    #[must_use]
    pub fn to_day(self) -> String {
        self.to_rfc3339().chars().take(10).collect()
    }

    /// The start of its day in UTC.
    #[must_use]
    pub const fn day_start(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(DAY_MS)))
    }

    /// The start of its hour in UTC.
    #[must_use]
    pub const fn hour_start(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(HOUR_MS)))
    }

    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    #[must_use]
    pub const fn minus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-21T08:00:00.000Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map(|time| format!("{time:.3}"))
            .unwrap_or_else(|_| self.0.to_string())
    }

    /// UTC to the second, as a part of a file's name on every system: `2026-11-21T08-00-00Z`.
    #[must_use]
    pub fn to_file_stamp(self) -> String {
        let time: String = self.to_rfc3339().chars().take(19).collect();
        format!("{}Z", time.replace(':', "-"))
    }
}

impl Add<Duration> for WallTime {
    type Output = Self;
    fn add(self, interval: Duration) -> Self {
        self.plus_ms(millis(interval))
    }
}

impl Sub<Duration> for WallTime {
    type Output = Self;
    fn sub(self, interval: Duration) -> Self {
        self.minus_ms(millis(interval))
    }
}

fn millis(interval: Duration) -> i64 {
    i64::try_from(interval.as_millis()).unwrap_or(i64::MAX)
}

/// Both clocks, passed in wherever time is needed.
pub trait Clock: Send + Sync {
    fn now(&self) -> Moment;
    fn wall(&self) -> WallTime;
}

/// Both clocks, read together, to convert between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockReading {
    /// For intervals.
    pub now: Moment,
    /// For display and storage.
    pub wall: WallTime,
}

impl ClockReading {
    #[must_use]
    pub fn read(clock: &dyn Clock) -> Self {
        Self { now: clock.now(), wall: clock.wall() }
    }

    /// Converts a point of the monotonic clock to the wall clock.
    #[must_use]
    pub fn wall_at(&self, moment: Moment) -> WallTime {
        self.wall + moment.since(self.now) - self.now.since(moment)
    }
}

/// The machine's clocks. The monotonic one is tokio's, so a paused test runtime controls timers and
/// state machines together.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: tokio::time::Instant,
}

impl SystemClock {
    /// The monotonic clock starts at zero.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn new() -> Self {
        Self { start: tokio::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let elapsed = tokio::time::Instant::now().saturating_duration_since(self.start);
        Moment::default() + elapsed
    }

    fn wall(&self) -> WallTime {
        let elapsed = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        WallTime(millis(elapsed))
    }
}

/// A clock that moves only when a test moves it.
#[derive(Debug, Default)]
pub struct ManualClock {
    micros: AtomicU64,
    wall_ms: AtomicI64,
}

impl ManualClock {
    /// The monotonic clock starts at zero, the wall clock at `wall`.
    #[must_use]
    pub const fn starting_at(wall: WallTime) -> Self {
        Self { micros: AtomicU64::new(0), wall_ms: AtomicI64::new(wall.0) }
    }

    /// Moves both clocks forward.
    pub fn advance(&self, interval: Duration) {
        let micros = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::SeqCst);
        self.wall_ms.fetch_add(millis(interval), Ordering::SeqCst);
    }

    /// Sets only the wall clock, as a user or a time server does.
    pub fn set_wall(&self, wall: WallTime) {
        self.wall_ms.store(wall.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment(self.micros.load(Ordering::SeqCst))
    }

    fn wall(&self) -> WallTime {
        WallTime(self.wall_ms.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_do_not_see_the_wall_clock_move() {
        let clock = ManualClock::starting_at(WallTime::from_unix_ms(5_000));
        let start = clock.now();
        clock.set_wall(WallTime::from_unix_ms(0));
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.now().since(start), Duration::from_secs(2));
        assert_eq!(clock.wall().unix_ms(), 2_000);
        assert_eq!(start.since(clock.now()), Duration::ZERO);
    }

    #[test]
    fn a_point_on_one_clock_is_a_point_on_the_other() {
        let clocks =
            ClockReading { now: Moment::from_secs(100), wall: WallTime::from_unix_ms(1_000_000) };
        let at = |secs| clocks.wall_at(Moment::from_secs(secs)).unix_ms();
        assert_eq!((at(100), at(160), at(40)), (1_000_000, 1_060_000, 940_000));
    }

    #[test]
    fn wall_time_stays_in_its_range() {
        let end = WallTime::from_unix_ms(i64::MAX);
        assert_eq!([end.plus_ms(1), end + Duration::MAX], [end, end]);
        let before = WallTime::from_unix_ms(-1);
        assert_eq!(before.hour_start().unix_ms(), -HOUR_MS);
        assert_eq!(before.minus_ms(i64::MAX), WallTime::from_unix_ms(i64::MIN));
        assert_eq!((before - Duration::from_hours(24)).unix_ms(), -1 - DAY_MS);
    }

    #[test]
    fn wall_time_prints_as_rfc_3339() {
        let time = WallTime::from_unix_ms(1_794_902_400_123);
        assert_eq!(time.to_rfc3339(), "2026-11-17T08:00:00.123Z");
    }
}
