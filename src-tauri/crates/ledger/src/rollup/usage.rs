//! Usage queries and results. Answered from roll-ups, not from request rows.

use std::time::Duration;

pub use domain::GroupBy;
use domain::{CostBasis, NanoUsd, TokenUsage, WallTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::Purpose;

/// Most buckets in one result: 41 days of hours, or 2.7 years of days.
pub(crate) const USAGE_BUCKETS_MAX: usize = 1_000;

/// Groups shown by name in each bucket; the others are summed as [`UsageKey::Other`].
pub const USAGE_SERIES_MAX: usize = 8;

/// Most groups in [`UsageSummary::groups`]; the others are summed as [`UsageKey::Other`].
pub(crate) const USAGE_GROUPS_MAX: usize = 200;

/// Most rows and columns of a [`CrossSummary`]; the others are summed as [`UsageKey::Other`].
pub(crate) const USAGE_CROSS_ROWS_MAX: usize = 20;
pub(crate) const USAGE_CROSS_COLUMNS_MAX: usize = 8;

/// Width of a roll-up slot in milliseconds. Every time zone in use has an offset in whole quarter
/// hours (Nepal 5:45, India 5:30), so the days of any zone are whole numbers of these.
pub(crate) const SLOT_MS: i64 = 15 * 60 * 1_000;

/// A usage query, cut into buckets. `from` is rounded down and `to` up to a quarter hour.
#[derive(Debug, Clone)]
pub struct UsageQuery {
    pub(crate) edges: Vec<WallTime>,
    pub(crate) group_by: GroupBy,
    /// Groups by name in each bucket.
    pub(crate) series_max: usize,
    pub(crate) purpose: Purpose,
    pub(crate) filter: DimensionFilter,
    pub(crate) basis: CostBasis,
}

impl UsageQuery {
    /// The user's own traffic in `from..to`, per hour or per day of `zone`.
    ///
    /// # Errors
    /// See [`UsageRangeError`].
    pub fn new(
        from: WallTime,
        to: WallTime,
        bucket: BucketWidth,
        zone: &TimeZone,
        group_by: GroupBy,
    ) -> Result<Self, UsageRangeError> {
        let edges = bucket_edges(from, to, bucket, zone)?;
        Ok(Self::of(edges, group_by))
    }

    /// The user's own traffic in `from..to` as one bucket.
    ///
    /// # Errors
    /// [`UsageRangeError::Empty`]
    pub fn whole(from: WallTime, to: WallTime, group_by: GroupBy) -> Result<Self, UsageRangeError> {
        if from >= to {
            return Err(UsageRangeError::Empty);
        }
        let edges = vec![slot_start(from), slot_end(to)];
        Ok(Self::of(edges, group_by))
    }

    fn of(edges: Vec<WallTime>, group_by: GroupBy) -> Self {
        let filter = DimensionFilter::default();
        let series_max = USAGE_SERIES_MAX;
        let basis = CostBasis::default();
        Self { edges, group_by, series_max, purpose: Purpose::User, filter, basis }
    }

    /// Each bucket names every group of [`UsageSummary::groups`], for the course of each of them.
    #[must_use]
    pub fn every_group(mut self) -> Self {
        self.series_max = USAGE_GROUPS_MAX;
        self
    }

    /// Selects traffic other than the user's.
    #[must_use]
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// Sums only requests that match.
    #[must_use]
    pub fn filter(mut self, filter: DimensionFilter) -> Self {
        self.filter = filter;
        self
    }

    /// Sums other costs than all known ones.
    #[must_use]
    pub const fn basis(mut self, basis: CostBasis) -> Self {
        self.basis = basis;
        self
    }
}

/// Two dimensions crossed over a range, which is rounded outwards to quarter hours.
#[derive(Debug, Clone)]
pub struct CrossQuery {
    pub(crate) from: WallTime,
    pub(crate) to: WallTime,
    pub(crate) rows: GroupBy,
    pub(crate) columns: GroupBy,
    pub(crate) purpose: Purpose,
    pub(crate) filter: DimensionFilter,
    pub(crate) basis: CostBasis,
}

impl CrossQuery {
    /// The user's own traffic in `from..to`.
    ///
    /// # Errors
    /// [`UsageRangeError::Empty`]
    pub fn new(
        from: WallTime,
        to: WallTime,
        (rows, columns): (GroupBy, GroupBy),
        filter: DimensionFilter,
    ) -> Result<Self, UsageRangeError> {
        if from >= to {
            return Err(UsageRangeError::Empty);
        }
        let (from, to) = (slot_start(from), slot_end(to));
        let basis = CostBasis::default();
        Ok(Self { from, to, rows, columns, purpose: Purpose::User, filter, basis })
    }

    /// Sums other costs than all known ones.
    #[must_use]
    pub const fn basis(mut self, basis: CostBasis) -> Self {
        self.basis = basis;
        self
    }
}

/// The name that requests must have in some dimensions; the empty name is that of requests without
/// one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DimensionFilter(Vec<(GroupBy, String)>);

impl DimensionFilter {
    pub(crate) fn values(&self) -> &[(GroupBy, String)] {
        &self.0
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if it asks for names that attempts of one request may differ in.
    #[must_use]
    pub fn is_of_attempts(&self) -> bool {
        self.0.iter().any(|(group_by, _)| group_by.is_of_attempts())
    }
}

impl FromIterator<(GroupBy, String)> for DimensionFilter {
    fn from_iter<I: IntoIterator<Item = (GroupBy, String)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// Reason why a time range is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsageRangeError {
    /// `to` is not after `from`.
    #[error("the range is empty; it must end after it starts")]
    Empty,
    /// More than `USAGE_BUCKETS_MAX` buckets.
    #[error(
        "the range has more than {USAGE_BUCKETS_MAX} steps; choose a shorter range, or days \
         instead of hours"
    )]
    TooLong,
    /// Outside the calendar (years -9999 to 9999).
    #[error("the range is outside the supported dates")]
    Calendar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketWidth {
    /// An hour of the zone's clock.
    Hour,
    /// A day of the zone: 23 or 25 hours at a clock change.
    Day,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageSummary {
    /// Every bucket of the range in order, including empty ones.
    pub buckets: Vec<UsageBucket>,
    /// Every group with its totals, highest cost first; past `USAGE_GROUPS_MAX` summed as
    /// [`UsageKey::Other`].
    pub groups: Vec<(UsageKey, UsageTotals)>,
    /// Equal to the sum of `groups` and of all buckets.
    pub totals: UsageTotals,
}

/// One time step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageBucket {
    pub start: WallTime,
    /// Exclusive.
    pub end: WallTime,
    /// The groups in use, in the order of [`UsageSummary::groups`]: at most [`USAGE_SERIES_MAX`],
    /// or every one with [`UsageQuery::every_group`], and [`UsageKey::Other`].
    pub groups: Vec<(UsageKey, UsageTotals)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UsageKey {
    /// A backend, model, client, credential or project.
    Named(String),
    /// Requests without one: no backend was reached, no project was given.
    Unnamed,
    /// All groups that are not shown by name.
    Other,
}

impl UsageKey {
    pub(crate) fn named(name: String) -> Self {
        if name.is_empty() { Self::Unnamed } else { Self::Named(name) }
    }
}

/// Sums by two dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CrossSummary {
    /// Highest cost first.
    pub rows: Vec<(UsageKey, UsageTotals)>,
    /// Highest cost first.
    pub columns: Vec<(UsageKey, UsageTotals)>,
    /// By row, then by column; equal to the sums of both.
    pub cells: Vec<Vec<UsageTotals>>,
    pub totals: UsageTotals,
}

/// Orders groups by cost, then requests, and sums those past `shown_max` as [`UsageKey::Other`].
pub(crate) fn rank_groups(
    groups: impl IntoIterator<Item = (UsageKey, UsageTotals)>,
    shown_max: usize,
) -> Vec<(UsageKey, UsageTotals)> {
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|(key, sum), (other_key, other)| {
        let ranked = (other.cost, other.requests).cmp(&(sum.cost, sum.requests));
        ranked.then_with(|| key.cmp(other_key))
    });
    merge_past(&mut groups, shown_max);
    groups
}

/// Sums the groups from `shown_max` on as [`UsageKey::Other`].
pub(crate) fn merge_past(groups: &mut Vec<(UsageKey, UsageTotals)>, shown_max: usize) {
    if groups.len() <= shown_max {
        return;
    }
    let mut other = UsageTotals::default();
    groups.drain(shown_max..).for_each(|(_, group)| other += group);
    groups.push((UsageKey::Other, other));
}

/// Sums over finished requests. Costs are those of the query's [`CostBasis`]; what is said of unknown
/// ones holds for costs that are not known on that basis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageTotals {
    pub requests: u64,
    /// Requests with [`crate::RequestOutcome::Complete`].
    pub complete: u64,
    /// Requests with [`crate::RequestOutcome::Failed`].
    pub failed: u64,
    pub tokens: TokenUsage,
    /// The sum of the known costs. By backend, key and model, those of failed attempts count where they
    /// were made, so a group may have a cost without a request.
    pub cost: NanoUsd,
    /// Requests with an unknown cost, or only a part of it known; that part is in `cost`. Each counts
    /// once: where its last attempt of unknown cost was made.
    pub unpriced_requests: u64,
    /// Requests that nothing was billed for, since no backend worked for them: refused here, failed
    /// before an answer, or answered from the cache.
    pub unbilled_requests: u64,
    pub first_token_us_sum: u64,
    /// Requests with a first token.
    pub first_token_count: u64,
    pub duration_us_sum: u64,
    /// Attempts after the first, over all requests.
    pub retries: u64,
    /// Known cost of failed attempts, where they were made; part of the known `cost`, and the same on
    /// every basis.
    pub wasted: NanoUsd,
    /// Failed attempts with an unknown cost, which is in neither sum, where they were made.
    pub unpriced_attempts: u64,
    pub cache: CacheTotals,
}

/// Sums over requests that looked into the response cache. Bypasses (not cacheable, or not enabled)
/// are in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheTotals {
    pub hits: u64,
    /// Answered together with an identical request in flight.
    pub shared: u64,
    pub misses: u64,
    /// Known cost of the answers that were not requested again.
    pub saved: NanoUsd,
    /// Time saved compared to the backend's answers, in microseconds.
    pub saved_us: u64,
}

impl CacheTotals {
    /// Requests that looked into the cache: the base of a hit rate.
    #[must_use]
    pub const fn eligible(&self) -> u64 {
        self.hits + self.shared + self.misses
    }
}

impl std::ops::AddAssign for CacheTotals {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.shared += other.shared;
        self.misses += other.misses;
        self.saved += other.saved;
        self.saved_us += other.saved_us;
    }
}

impl UsageTotals {
    /// Requests that a backend worked for: those whose cost may be unknown.
    #[must_use]
    pub const fn billed_requests(&self) -> u64 {
        self.requests.saturating_sub(self.unbilled_requests)
    }

    #[must_use]
    pub const fn priced_requests(&self) -> u64 {
        self.requests.saturating_sub(self.unpriced_requests)
    }

    /// [`Self::priced_requests`]. `None` where it is not known: in the sums of a backend, key or model
    /// (`is_of_attempts`), requests that another one answered may be among the unpriced ones.
    #[must_use]
    pub const fn known_priced_requests(&self, is_of_attempts: bool) -> Option<u64> {
        if is_of_attempts && self.unpriced_attempts > 0 {
            return None;
        }
        Some(self.priced_requests())
    }

    /// True if something was made here whose cost is not known.
    #[must_use]
    pub const fn is_partly_unpriced(&self) -> bool {
        self.unpriced_requests > 0 || self.unpriced_attempts > 0
    }

    /// True if something was made here, and nothing is known of what it cost. A failed attempt here may
    /// be of a request that another name counts.
    #[must_use]
    pub const fn is_cost_unknown(&self) -> bool {
        let billed = self.billed_requests();
        let unpriced = match (billed, self.unpriced_requests) {
            (0, 0) => self.unpriced_attempts,
            (_, unpriced) => unpriced,
        };
        domain::is_cost_unknown(self.cost, billed, unpriced)
    }

    /// `None` if nothing is known of it: that is not zero.
    #[must_use]
    pub const fn known_cost(&self) -> Option<NanoUsd> {
        if self.is_cost_unknown() { None } else { Some(self.cost) }
    }

    /// True if any of the cost is known: of some requests, of a part of one, or of attempts elsewhere.
    #[must_use]
    pub fn is_cost_known(&self) -> bool {
        let has_free = self.requests > 0 && !self.is_partly_unpriced();
        has_free || self.billed_requests() > self.unpriced_requests || self.cost > NanoUsd::ZERO
    }

    /// `None` without a first token.
    #[must_use]
    pub fn first_token_mean(&self) -> Option<Duration> {
        self.first_token_us_sum.checked_div(self.first_token_count).map(Duration::from_micros)
    }
}

impl std::ops::AddAssign for UsageTotals {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.complete += other.complete;
        self.failed += other.failed;
        self.tokens += other.tokens;
        self.cost += other.cost;
        self.unpriced_requests += other.unpriced_requests;
        self.unbilled_requests += other.unbilled_requests;
        self.first_token_us_sum += other.first_token_us_sum;
        self.first_token_count += other.first_token_count;
        self.duration_us_sum += other.duration_us_sum;
        self.retries += other.retries;
        self.wasted += other.wasted;
        self.unpriced_attempts += other.unpriced_attempts;
        self.cache += other.cache;
    }
}

/// Cost over a range, for budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spend {
    /// The sum of the known costs.
    pub cost: NanoUsd,
    pub requests: u64,
    /// See [`UsageTotals::unbilled_requests`].
    pub unbilled_requests: u64,
    /// Requests with an unknown cost, or only a part of it known; that part is in `cost`.
    pub unpriced_requests: u64,
}

impl Spend {
    /// True if nothing is known of what the billed requests cost.
    #[must_use]
    pub const fn is_cost_unknown(&self) -> bool {
        let billed = self.requests.saturating_sub(self.unbilled_requests);
        domain::is_cost_unknown(self.cost, billed, self.unpriced_requests)
    }
}

/// `time` rounded down to the start of its slot.
pub(crate) fn slot_start(time: WallTime) -> WallTime {
    let ms = time.unix_ms();
    WallTime::from_unix_ms(ms.saturating_sub(ms.rem_euclid(SLOT_MS)))
}

/// `time` rounded up to the end of a slot.
pub(crate) fn slot_end(time: WallTime) -> WallTime {
    slot_start(time.plus_ms(SLOT_MS - 1))
}

fn bucket_edges(
    from: WallTime,
    to: WallTime,
    bucket: BucketWidth,
    zone: &TimeZone,
) -> Result<Vec<WallTime>, UsageRangeError> {
    if from >= to {
        return Err(UsageRangeError::Empty);
    }
    let (from, to) = (slot_start(from), slot_end(to));
    let mut edges = vec![from];
    let mut edge = bucket_start(from, bucket, zone)?;
    loop {
        edge = match bucket {
            BucketWidth::Hour => edge.checked_add(1.hour()),
            BucketWidth::Day => edge.checked_add(1.day()).and_then(|next| next.start_of_day()),
        }
        .map_err(|_| UsageRangeError::Calendar)?;
        let time = slot_start(WallTime::from_unix_ms(edge.timestamp().as_millisecond()));
        if edges.len() > USAGE_BUCKETS_MAX {
            return Err(UsageRangeError::TooLong);
        }
        if time >= to {
            edges.push(to);
            return Ok(edges);
        }
        edges.push(time);
    }
}

fn bucket_start(
    time: WallTime,
    bucket: BucketWidth,
    zone: &TimeZone,
) -> Result<Zoned, UsageRangeError> {
    let zoned = Timestamp::from_millisecond(time.unix_ms())
        .map_err(|_| UsageRangeError::Calendar)?
        .to_zoned(zone.clone());
    match bucket {
        BucketWidth::Day => zoned.start_of_day(),
        BucketWidth::Hour => zoned.with().minute(0).second(0).subsec_nanosecond(0).build(),
    }
    .map_err(|_| UsageRangeError::Calendar)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: &str, to: &str, bucket: BucketWidth, zone: &str) -> Vec<i64> {
        let time = |text: &str| {
            let time: Timestamp = text.parse().expect("a time");
            WallTime::from_unix_ms(time.as_millisecond())
        };
        let zone = TimeZone::get(zone).expect("a zone");
        let edges = bucket_edges(time(from), time(to), bucket, &zone).expect("a range");
        edges.windows(2).map(|pair| (pair[1].unix_ms() - pair[0].unix_ms()) / 60_000).collect()
    }

    #[test]
    fn days_follow_the_zone_and_its_changes_of_clock() {
        let day = |from, to, zone| hours(from, to, BucketWidth::Day, zone);
        assert_eq!(day("2026-11-20T00:00Z", "2026-11-22T00:00Z", "UTC"), [1440, 1440]);
        // Berlin: 29 March has 23 hours, 25 October has 25.
        let spring = day("2026-03-28T23:00Z", "2026-03-30T22:00Z", "Europe/Berlin");
        assert_eq!(spring, [23 * 60, 24 * 60]);
        let autumn = day("2026-10-24T22:00Z", "2026-10-25T23:00Z", "Europe/Berlin");
        assert_eq!(autumn, [25 * 60]);
        // A day in Kolkata starts at 18:30 UTC: the range cuts the first and last bucket.
        let kolkata = day("2026-11-20T00:00Z", "2026-11-21T00:00Z", "Asia/Kolkata");
        assert_eq!(kolkata, [18 * 60 + 30, 5 * 60 + 30]);
    }

    #[test]
    fn requests_that_nothing_was_billed_for_make_no_cost_known() {
        let refused = UsageTotals { requests: 3, unbilled_requests: 3, ..UsageTotals::default() };
        assert_eq!((refused.known_cost(), refused.is_cost_known()), (Some(NanoUsd::ZERO), true));
        let unpriced = UsageTotals { requests: 4, unpriced_requests: 1, ..refused };
        assert_eq!((unpriced.known_cost(), unpriced.is_cost_known()), (None, false));
        let free = UsageTotals { requests: 5, ..unpriced };
        assert_eq!((free.known_cost(), free.is_cost_known()), (Some(NanoUsd::ZERO), true));
        let spend = Spend { requests: 4, unbilled_requests: 3, ..Spend::default() };
        assert!(!spend.is_cost_unknown());
        assert!(Spend { unpriced_requests: 1, ..spend }.is_cost_unknown());
    }

    #[test]
    fn a_range_is_refused_past_its_limit_and_when_empty() {
        let ask = |hours: i64| {
            let to = WallTime::from_unix_ms(hours * 3_600_000);
            UsageQuery::new(
                WallTime::default(),
                to,
                BucketWidth::Hour,
                &TimeZone::UTC,
                GroupBy::Model,
            )
        };
        assert_eq!(ask(1_000).map(|query| query.edges.len()), Ok(USAGE_BUCKETS_MAX + 1));
        assert_eq!(ask(1_001).map(|query| query.edges.len()), Err(UsageRangeError::TooLong));
        assert_eq!(ask(0).map(|query| query.edges.len()), Err(UsageRangeError::Empty));
    }
}
