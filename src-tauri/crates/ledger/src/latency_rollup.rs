//! Latencies as histograms that can be merged (HdrHistogram), per hour and per UTC day: of all
//! requests, and by backend, by model and by route.
//!
//! They are folded from the requests of a past hour together with the sums
//! ([`crate::hourly_rollup`]), so that a commit pays nothing for them; the newest hours are read
//! from their requests. Only requests that a backend answered whole count: an answer from the cache
//! or a failure tells nothing about how fast a backend is. What a request waited before a backend was
//! asked, for a slot or for others that failed, says nothing about that backend or model either, so their
//! times begin at the attempt.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::time::Duration;

use domain::{DAY_MS, HOUR_MS, WallTime};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2Serializer};
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, Row, params};

use crate::integer_columns::get_interval;
use crate::requests::oldest_id_at;
use crate::rollup_range::{self, SlotWidth, day_start_ms};
use crate::{Purpose, UsageQuery};

/// Longest latency told apart, in microseconds; a longer one counts as an hour.
const MICROS_MAX: u64 = 3_600_000_000;

/// Significant digits: a percentile is at most one percent off.
const DIGITS: u8 = 2;

domain::words! {
    /// What was waited for.
    LatencyPart {
        /// A free slot.
        Queue = "queue",
        /// The backend's first byte, without the queue; by backend and model from the start of the attempt.
        Connect = "connect",
        /// The first token, from the arrival of the request; by backend and model from the start of the
        /// attempt.
        FirstToken = "first_token",
        /// The end, from the arrival of the request.
        Total = "total",
    }
}

domain::words! {
    LatencyGroupBy {
        /// All requests together.
        All = "all",
        Backend = "backend",
        /// The billed model, or the requested one if the backend did not report it.
        Model = "model",
        Route = "route",
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct LatencyHistogram(Histogram<u64>);

impl LatencyHistogram {
    fn empty() -> Result<Self, hdrhistogram::CreationError> {
        Histogram::new_with_max(MICROS_MAX, DIGITS).map(Self)
    }

    fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros.min(MICROS_MAX));
    }

    /// Adds the latencies of `other`.
    pub fn merge(&mut self, other: &Self) {
        // Both have the same bounds.
        let _ = self.0.add(&other.0);
    }

    /// Takes away latencies that were merged before.
    pub fn unmerge(&mut self, other: &Self) {
        let _ = self.0.subtract(&other.0);
    }

    /// The counts as they are stored.
    fn counts(&self) -> rusqlite::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&self.0, &mut bytes).map_err(unusable)?;
        Ok(bytes.split_off(V2_HEADER_BYTES.min(bytes.len())))
    }

    /// Adds stored counts without making a histogram of them: a year has some ten thousand.
    fn add_counts(&mut self, mut counts: &[u8]) -> Result<(), FromSqlError> {
        let mut index = 0_u64;
        while let Some(count) = read_count(&mut counts) {
            match u64::try_from(count) {
                Ok(0) => index += 1,
                Ok(count) => {
                    let value = lowest_value(index).ok_or_else(damaged)?;
                    self.0.record_n(value, count).map_err(|_| damaged())?;
                    index += 1;
                }
                Err(_) => index = index.saturating_add(count.unsigned_abs()),
            }
        }
        Ok(())
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// How many requests were within `limit`.
    #[must_use]
    pub fn count_within(&self, limit: Duration) -> u64 {
        self.0
            .count_between(0, u64::try_from(limit.as_micros()).unwrap_or(u64::MAX).min(MICROS_MAX))
    }

    /// The latency within which `percent` of the requests were.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Duration {
        Duration::from_micros(self.0.value_at_percentile(percent))
    }

    /// Between which latencies the one at `rank` lies, the shortest being at 1; `None` if there is none.
    #[must_use]
    pub fn at_rank(&self, rank: u64) -> Option<RangeInclusive<Duration>> {
        let count = self.count();
        if !(1..=count).contains(&rank) {
            return None;
        }
        // In the middle between two ranks, so that no rounding leads to the next.
        let value = self.0.value_at_quantile((rank as f64 - 0.5) / count as f64);
        let ends = [self.0.lowest_equivalent(value), self.0.highest_equivalent(value)];
        let [low, high] = ends.map(Duration::from_micros);
        Some(low..=high)
    }

    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_micros(self.0.max())
    }
}

/// Bytes before the counts in format V2 of HdrHistogram, the same in all histograms.
const V2_HEADER_BYTES: usize = 40;

fn damaged() -> FromSqlError {
    FromSqlError::Other("a histogram is damaged".into())
}

/// Buckets of the first, finest width: twice as many as of each later one.
const FINEST_BUCKETS: u64 = 256;

/// The lowest value that counts in a bucket of a histogram; `None` past the last bucket.
fn lowest_value(index: u64) -> Option<u64> {
    if index < FINEST_BUCKETS {
        return Some(index);
    }
    let half = FINEST_BUCKETS / 2;
    (index % half + half).checked_shl(u32::try_from(index / half - 1).ok()?)
}

/// Reads the next count: a zigzag number of 7 bits a byte, negative for so many empty buckets.
fn read_count(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for place in 0..9_u32 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        // The ninth byte has all of its bits.
        let is_last = byte & 0x80 == 0 || place == 8;
        let bits = if place == 8 { *byte } else { byte & 0x7f };
        value |= u64::from(bits) << (7 * place);
        if is_last {
            break;
        }
    }
    Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}

/// A histogram for each part that was measured.
pub type LatencyParts = BTreeMap<LatencyPart, LatencyHistogram>;

/// Latencies over time and by group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LatencySummary {
    /// All groups, or the one that was asked for, in the steps of the query. A step has the hours
    /// of UTC that begin in it.
    pub buckets: Vec<(WallTime, LatencyParts)>,
    /// By name, most requests first; empty for [`LatencyGroupBy::All`].
    pub groups: Vec<(String, LatencyParts)>,
    /// Of all buckets.
    pub all: LatencyParts,
}

/// Latencies of one request.
struct Measured {
    purpose: String,
    started_ms: i64,
    names: [String; 3],
    /// Of the request, from its arrival.
    whole: MeasuredParts,
    /// Of the backend that answered, from the start of its attempt.
    answering: MeasuredParts,
}

type MeasuredParts = [(LatencyPart, Option<Duration>); 4];

const MEASURED: &str = "SELECT r.purpose, r.started_ms, coalesce(r.backend, '') AS backend,
     coalesce(r.model_billed, r.model_asked) AS model, r.route, r.queue_us, r.first_byte_us,
     r.first_token_us, r.total_us, a.started_ms - r.started_ms AS attempted_after_ms
    FROM requests r LEFT JOIN attempts a ON a.request_id = r.id AND a.number = r.attempts
    WHERE r.id >= ?1 AND r.id < ?2 AND r.state = 'complete'
     AND r.cache <> 'hit' AND r.cache <> 'coalesced'";

fn read_measured(row: &Row<'_>) -> rusqlite::Result<Measured> {
    let (queue, total) = (get_interval(row, "queue_us")?, get_interval(row, "total_us")?);
    let first_byte = get_interval(row, "first_byte_us")?;
    let first_token = get_interval(row, "first_token_us")?;
    let after = |time: Option<Duration>, wait: Option<Duration>| {
        time.map(|time| time.saturating_sub(wait.unwrap_or_default()))
    };
    // Negative if the wall clock was set back meanwhile.
    let attempted: Option<i64> = row.get("attempted_after_ms")?;
    let attempted = attempted.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
    let parts = |connect, first_token| {
        [
            (LatencyPart::Queue, queue),
            (LatencyPart::Connect, connect),
            (LatencyPart::FirstToken, first_token),
            (LatencyPart::Total, total),
        ]
    };
    Ok(Measured {
        purpose: row.get("purpose")?,
        started_ms: row.get("started_ms")?,
        names: [row.get("backend")?, row.get("model")?, row.get("route")?],
        whole: parts(after(first_byte, queue), first_token),
        answering: parts(after(first_byte, attempted.or(queue)), after(first_token, attempted)),
    })
}

const NAMED: [LatencyGroupBy; 3] =
    [LatencyGroupBy::Backend, LatencyGroupBy::Model, LatencyGroupBy::Route];

impl Measured {
    /// The name in each dimension.
    fn groups(&self) -> impl Iterator<Item = (LatencyGroupBy, &str)> {
        let names = NAMED.into_iter().zip(self.names.iter().map(String::as_str));
        std::iter::once((LatencyGroupBy::All, "")).chain(names)
    }

    /// Adds what counts for a group of this dimension.
    fn add_to(&self, parts: &mut LatencyParts, group_by: LatencyGroupBy) -> rusqlite::Result<()> {
        let measured = match group_by {
            LatencyGroupBy::All | LatencyGroupBy::Route => self.whole,
            LatencyGroupBy::Backend | LatencyGroupBy::Model => self.answering,
        };
        for (part, latency) in measured {
            if let Some(latency) = latency {
                part_of(parts, part)?.record(latency);
            }
        }
        Ok(())
    }
}

fn part_of(parts: &mut LatencyParts, part: LatencyPart) -> rusqlite::Result<&mut LatencyHistogram> {
    match parts.entry(part) {
        std::collections::btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
        std::collections::btree_map::Entry::Vacant(free) => {
            Ok(free.insert(LatencyHistogram::empty().map_err(unusable)?))
        }
    }
}

fn merge_into(parts: &mut LatencyParts, other: &LatencyParts) -> rusqlite::Result<()> {
    for (part, histogram) in other {
        part_of(parts, *part)?.merge(histogram);
    }
    Ok(())
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    FromSqlError::other(error).into()
}

/// Folds the hours `from..until`, and the UTC days that end by `until` and were not whole at
/// `folded`, all in milliseconds.
pub(crate) fn fold(
    connection: &Connection,
    folded: i64,
    from: i64,
    until: i64,
) -> rusqlite::Result<()> {
    let mut hour = from;
    while hour < until {
        fold_hour(connection, hour)?;
        hour += HOUR_MS;
    }
    let mut day = day_start_ms(folded);
    while day < day_start_ms(until) {
        fold_day(connection, day)?;
        day += DAY_MS;
        // Skips months without requests.
        if day < from {
            day = day_start_ms(from);
        }
    }
    Ok(())
}

type GroupKey = (String, String, String);

fn fold_hour(connection: &Connection, hour: i64) -> rusqlite::Result<()> {
    let range = [hour, hour + HOUR_MS].map(|ms| oldest_id_at(WallTime::from_unix_ms(ms)));
    let mut groups: HashMap<GroupKey, LatencyParts> = HashMap::new();
    let mut statement = connection.prepare_cached(MEASURED)?;
    let mut rows = statement.query(range)?;
    while let Some(row) = rows.next()? {
        let measured = read_measured(row)?;
        for (group_by, name) in measured.groups() {
            let key = (group_by.word().to_owned(), measured.purpose.clone(), name.to_owned());
            measured.add_to(groups.entry(key).or_default(), group_by)?;
        }
    }
    insert(connection, SlotWidth::Hour, hour, &groups)
}

fn fold_day(connection: &Connection, day: i64) -> rusqlite::Result<()> {
    let sql = "SELECT dimension, purpose, name, histograms FROM rollup_latency
        WHERE hours = 1 AND dimension IN ('all', 'backend', 'model', 'route')
         AND slot_ms >= ?1 AND slot_ms < ?2";
    let mut groups: HashMap<GroupKey, LatencyParts> = HashMap::new();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([day, day + DAY_MS])?;
    while let Some(row) = rows.next()? {
        let key = (row.get("dimension")?, row.get("purpose")?, row.get("name")?);
        merge_row(groups.entry(key).or_default(), row)?;
    }
    insert(connection, SlotWidth::Day, day, &groups)
}

fn insert(
    connection: &Connection,
    width: SlotWidth,
    slot: i64,
    groups: &HashMap<GroupKey, LatencyParts>,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO rollup_latency
         (hours, slot_ms, dimension, purpose, name, histograms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut statement = connection.prepare_cached(sql)?;
    for ((dimension, purpose, name), parts) in groups {
        let stored = stored_parts(parts)?;
        statement.execute(params![hours(width), slot, dimension, purpose, name, stored])?;
    }
    Ok(())
}

const fn hours(width: SlotWidth) -> i64 {
    match width {
        SlotWidth::Day => 24,
        SlotWidth::Hour | SlotWidth::Quarter => 1,
    }
}

/// Every part in order: the length of its counts and the counts.
fn stored_parts(parts: &LatencyParts) -> rusqlite::Result<Vec<u8>> {
    let mut stored = Vec::new();
    for part in LatencyPart::ALL {
        let counts = parts.get(part).map_or(Ok(Vec::new()), LatencyHistogram::counts)?;
        stored.extend(u16::try_from(counts.len()).map_err(unusable)?.to_le_bytes());
        stored.extend(counts);
    }
    Ok(stored)
}

/// Merges a row into the histograms of its parts.
fn merge_row(parts: &mut LatencyParts, row: &Row<'_>) -> rusqlite::Result<()> {
    let mut stored = row.get_ref("histograms")?.as_blob()?;
    for part in LatencyPart::ALL {
        let Some((length, rest)) = stored.split_first_chunk() else { break };
        let length = usize::from(u16::from_le_bytes(*length));
        let (counts, rest) = rest.split_at_checked(length).ok_or_else(damaged)?;
        if !counts.is_empty() {
            part_of(parts, *part)?.add_counts(counts)?;
        }
        stored = rest;
    }
    Ok(())
}

/// Removes the hours from `from` on, and the days that they belong to.
pub(crate) fn unfold(connection: &Connection, from: i64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM rollup_latency WHERE hours = ?1
        AND dimension IN ('all', 'backend', 'model', 'route') AND slot_ms >= ?2";
    let mut forget = connection.prepare_cached(sql)?;
    forget.execute([1, from])?;
    forget.execute([24, day_start_ms(from)]).map(drop)
}

/// Latencies of the user's own traffic in the steps of `query`, whose dimension and filter do not
/// matter: of all requests or those of one `name`, and by group.
pub(crate) fn summarise(
    connection: &Connection,
    query: &UsageQuery,
    group_by: LatencyGroupBy,
    name: Option<&str>,
) -> rusqlite::Result<LatencySummary> {
    let transaction = connection.unchecked_transaction()?;
    let folded = rollup_range::folded_until(&transaction)?.unix_ms();
    let (Some(first), Some(last)) = (query.edges.first(), query.edges.last()) else {
        return Ok(LatencySummary::default());
    };
    let from = first.unix_ms() - first.unix_ms().rem_euclid(HOUR_MS);
    let to = last.unix_ms();
    let hours_end = folded.clamp(from, to.max(from));
    let starts: Vec<i64> = query.edges.iter().map(|edge| edge.unix_ms()).collect();
    let bucket_of = |ms: i64| starts.partition_point(|start| *start <= ms).max(1) - 1;
    let mut buckets = vec![LatencyParts::new(); starts.len().saturating_sub(1)];
    let (dimension, wanted) = match name {
        Some(name) => (group_by, name),
        None => (LatencyGroupBy::All, ""),
    };
    let hours = "SELECT slot_ms, histograms FROM rollup_latency WHERE hours = 1
        AND slot_ms >= ?1 AND slot_ms < ?2 AND dimension = ?3 AND purpose = ?4 AND name = ?5";
    let mut statement = transaction.prepare_cached(hours)?;
    let user = Purpose::User.word();
    let mut rows = statement.query(params![from, hours_end, dimension.word(), user, wanted])?;
    while let Some(row) = rows.next()? {
        if let Some(parts) = buckets.get_mut(bucket_of(row.get("slot_ms")?)) {
            merge_row(parts, row)?;
        }
    }
    let mut groups: HashMap<String, LatencyParts> = HashMap::new();
    if group_by != LatencyGroupBy::All {
        add_groups(&transaction, (from, hours_end), group_by, &mut groups)?;
    }
    let range = [hours_end, to].map(|ms| oldest_id_at(WallTime::from_unix_ms(ms)));
    let mut statement = transaction.prepare_cached(MEASURED)?;
    let mut rows = statement.query(range)?;
    while let Some(row) = rows.next()? {
        let measured = read_measured(row)?;
        if measured.purpose != user {
            continue;
        }
        for (by, own) in measured.groups() {
            if by == dimension
                && own == wanted
                && let Some(parts) = buckets.get_mut(bucket_of(measured.started_ms))
            {
                measured.add_to(parts, by)?;
            }
            if by == group_by && by != LatencyGroupBy::All {
                measured.add_to(groups.entry(own.to_owned()).or_default(), by)?;
            }
        }
    }
    let mut all = LatencyParts::new();
    for parts in &buckets {
        merge_into(&mut all, parts)?;
    }
    Ok(LatencySummary {
        buckets: query.edges.iter().copied().zip(buckets).collect(),
        groups: rank(groups, name),
        all,
    })
}

/// Adds the folded hours of a range by name, whole UTC days where there are some.
fn add_groups(
    connection: &Connection,
    (from, until): (i64, i64),
    group_by: LatencyGroupBy,
    groups: &mut HashMap<String, LatencyParts>,
) -> rusqlite::Result<()> {
    let sql = "SELECT name, histograms FROM rollup_latency WHERE hours = ?1
        AND slot_ms >= ?2 AND slot_ms < ?3 AND dimension = ?4 AND purpose = 'user'";
    let [from, until] = [from, until].map(WallTime::from_unix_ms);
    let mut statement = connection.prepare_cached(sql)?;
    for piece in rollup_range::split_days(from, until, until) {
        let (start, end, _) = piece.range(Purpose::User);
        let mut rows = statement.query(params![hours(piece.width), start, end, group_by.word()])?;
        while let Some(row) = rows.next()? {
            merge_row(groups.entry(row.get("name")?).or_default(), row)?;
        }
    }
    Ok(())
}

fn rank(groups: HashMap<String, LatencyParts>, name: Option<&str>) -> Vec<(String, LatencyParts)> {
    let count = |parts: &LatencyParts| parts.values().map(LatencyHistogram::count).max();
    let wanted = groups.into_iter().filter(|(own, _)| name.is_none_or(|name| name == own));
    let mut ranked: Vec<_> = wanted.collect();
    ranked.sort_by(|(name, parts), (other_name, other)| {
        count(other).cmp(&count(parts)).then_with(|| name.cmp(other_name))
    });
    ranked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(micros: &[u64]) -> LatencyHistogram {
        let mut made = LatencyHistogram::empty().expect("valid bounds");
        micros.iter().for_each(|micros| made.record(Duration::from_micros(*micros)));
        made
    }

    fn merged(left: &LatencyHistogram, right: &LatencyHistogram) -> LatencyHistogram {
        let mut sum = left.clone();
        sum.merge(right);
        sum
    }

    proptest! {
        #[test]
        fn a_rank_has_the_latency_at_its_place_within_a_percent(
            mut samples in prop::collection::vec(0_u64..5_000_000_000, 1..300),
        ) {
            let found = histogram(&samples);
            samples.sort_unstable();
            for (place, micros) in samples.iter().enumerate() {
                let rank = u64::try_from(place).expect("small") + 1;
                let within = found.at_rank(rank).expect("recorded");
                let exact = Duration::from_micros((*micros).min(MICROS_MAX));
                prop_assert!(within.contains(&exact), "{exact:?} at {rank}: {within:?}");
                prop_assert!(*within.end() <= *within.start() * 101 / 100 + Duration::from_micros(1));
            }
            prop_assert_eq!(found.at_rank(0), None);
            prop_assert_eq!(found.at_rank(found.count() + 1), None);
        }

        #[test]
        fn merging_is_commutative_and_associative_and_survives_storage(
            samples in prop::array::uniform3(prop::collection::vec(0_u64..5_000_000_000, 0..50)),
        ) {
            let [a, b, c] = samples.each_ref().map(|sample| histogram(sample));
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
            prop_assert_eq!(merged(&merged(&a, &b), &c), histogram(&samples.concat()));
            let counts = a.counts().expect("bytes");
            let mut stored = histogram(&[]);
            stored.add_counts(&counts).expect("stored");
            prop_assert_eq!(&stored, &a);
            stored.add_counts(&counts).expect("stored");
            prop_assert_eq!(stored, merged(&a, &a));
        }

        #[test]
        fn no_stored_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _either = histogram(&[]).add_counts(&bytes);
        }

        #[test]
        fn a_percentile_is_at_most_a_percent_off(
            mut micros in prop::collection::vec(1_u64..3_600_000_000, 1..200),
            percent in 1.0..=100.0_f64,
        ) {
            let made = histogram(&micros).percentile(percent).as_micros() as f64;
            micros.sort_unstable();
            let rank = (percent / 100.0 * micros.len() as f64).ceil().max(1.0);
            let near = |rank: f64| micros.iter().enumerate().any(|(index, exact)| {
                (index as f64 + 1.0 - rank).abs() < 0.5 && (made - *exact as f64).abs() <= 0.01 * *exact as f64 + 1.0
            });
            // A share that falls on a rank may be rounded up to the next one.
            prop_assert!(near(rank) || near(rank + 1.0) || near(rank - 1.0), "{made}");
        }
    }
}
