//! Latencies as histograms that can be merged (HdrHistogram), per hour and per UTC day: of all
//! requests, and by backend, by model and by route.
//!
//! They are folded from the requests of a past hour together with the sums
//! ([`crate::rollup::hourly_rollup`]), so that a commit pays nothing for them; the newest hours are
//! read from their requests. Only requests that a backend answered whole count: an answer from the cache
//! or a failure tells nothing about how fast a backend is. What a request waited before a backend was
//! asked, for a slot or for others that failed, says nothing about that backend or model either, so their
//! times begin at the attempt.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

use domain::{DAY_MS, HOUR_MS, WallTime};
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::get_interval;
use crate::requests::oldest_id_at;
use crate::rollup::bucket_sums::StepEdges;
use crate::rollup::day_share::{DayShare, split_for_steps};
use crate::rollup::latency_histogram::{BucketCounts, LatencyHistogram, damaged, unusable};
use crate::rollup::rollup_range::{self, RangePiece, SlotWidth, day_start_ms};
use crate::rollup::rollup_sums::NameNumbers;
use crate::{Purpose, UsageQuery};

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
            Ok(free.insert(LatencyHistogram::empty()?))
        }
    }
}

fn merge_into(parts: &mut LatencyParts, other: &LatencyParts) -> rusqlite::Result<()> {
    for (part, histogram) in other {
        part_of(parts, *part)?.merge(histogram);
    }
    Ok(())
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
    let mut groups: HashMap<GroupKey, StoredParts> = HashMap::new();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([day, day + DAY_MS])?;
    while let Some(row) = rows.next()? {
        let key = (row.get("dimension")?, row.get("purpose")?, row.get("name")?);
        groups.entry(key).or_default().change(row, BucketCounts::add)?;
    }
    insert(connection, SlotWidth::Day, day, &histograms(groups)?)
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
        statement.execute(params![
            width_in_hours(width),
            slot,
            dimension,
            purpose,
            name,
            stored
        ])?;
    }
    Ok(())
}

const fn width_in_hours(width: SlotWidth) -> i64 {
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

/// The stored counts of each part, added up.
#[derive(Debug, Default)]
struct StoredParts([BucketCounts; LatencyPart::ALL.len()]);

impl StoredParts {
    /// Adds the counts of a row, or takes them out.
    fn change(
        &mut self,
        row: &Row<'_>,
        change: fn(&mut BucketCounts, &[u8]) -> Result<(), FromSqlError>,
    ) -> rusqlite::Result<()> {
        let mut stored = row.get_ref("histograms")?.as_blob()?;
        for sum in &mut self.0 {
            let Some((length, rest)) = stored.split_first_chunk() else { break };
            let length = usize::from(u16::from_le_bytes(*length));
            let (counts, rest) = rest.split_at_checked(length).ok_or_else(damaged)?;
            change(sum, counts)?;
            stored = rest;
        }
        Ok(())
    }

    fn histograms(&self) -> rusqlite::Result<LatencyParts> {
        let made = |(part, sum): (&LatencyPart, &BucketCounts)| {
            sum.histogram().map(|made| Some((*part, made?))).transpose()
        };
        LatencyPart::ALL.iter().zip(&self.0).filter_map(made).collect()
    }
}

fn histograms<K: Eq + Hash>(
    sums: impl IntoIterator<Item = (K, StoredParts)>,
) -> rusqlite::Result<HashMap<K, LatencyParts>> {
    sums.into_iter().map(|(key, sum)| Ok((key, sum.histograms()?))).collect()
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
    let edges = StepEdges::new(&query.edges);
    let shown = match name {
        Some(name) => (group_by, name),
        None => (LatencyGroupBy::All, ""),
    };
    let hours = RangePiece { width: SlotWidth::Hour, start_ms: from, end_ms: hours_end };
    let mut buckets = folded_buckets(&transaction, &edges, hours, shown)?;
    let mut groups = match group_by {
        LatencyGroupBy::All => HashMap::new(),
        named => folded_groups(&transaction, hours, named)?,
    };
    let range = [hours_end, to].map(|ms| oldest_id_at(WallTime::from_unix_ms(ms)));
    let mut statement = transaction.prepare_cached(MEASURED)?;
    let mut rows = statement.query(range)?;
    while let Some(row) = rows.next()? {
        let measured = read_measured(row)?;
        if measured.purpose != Purpose::User.word() {
            continue;
        }
        for own in measured.groups() {
            if own == shown
                && let Some(parts) = buckets.get_mut(edges.step_of(measured.started_ms))
            {
                measured.add_to(parts, own.0)?;
            }
            if own.0 == group_by && own.0 != LatencyGroupBy::All {
                measured.add_to(groups.entry(own.1.to_owned()).or_default(), own.0)?;
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

/// The folded hours of one group in the steps, from whole UTC days where steps are long.
fn folded_buckets(
    connection: &Connection,
    edges: &StepEdges,
    hours: RangePiece,
    (dimension, name): (LatencyGroupBy, &str),
) -> rusqlite::Result<Vec<LatencyParts>> {
    let sql = "SELECT slot_ms, histograms FROM rollup_latency WHERE hours = ?1
        AND slot_ms >= ?2 AND slot_ms < ?3 AND dimension = ?4 AND purpose = 'user' AND name = ?5";
    let mut statement = connection.prepare_cached(sql)?;
    let mut sums = Vec::new();
    sums.resize_with(edges.steps(), StoredParts::default);
    let mut change = |step: usize, row: &Row<'_>, change| match sums.get_mut(step) {
        Some(sum) => sum.change(row, change),
        None => Ok(()),
    };
    let mut read =
        |piece: RangePiece, each: &mut dyn FnMut(i64, &Row<'_>) -> rusqlite::Result<()>| {
            let RangePiece { width, start_ms, end_ms } = piece;
            let values = params![width_in_hours(width), start_ms, end_ms, dimension.word(), name];
            let mut rows = statement.query(values)?;
            while let Some(row) = rows.next()? {
                each(row.get("slot_ms")?, row)?;
            }
            Ok::<_, rusqlite::Error>(())
        };
    for piece in split_for_steps(hours, edges) {
        if piece.width != SlotWidth::Day {
            read(piece, &mut |hour, row| change(edges.step_of(hour), row, BucketCounts::add))?;
            continue;
        }
        let share = |day| DayShare::of(day, edges);
        read(piece, &mut |day, row| change(share(day).step, row, BucketCounts::add))?;
        for day in piece.days() {
            let DayShare { step, moved } = share(day);
            let Some(moved) = moved else { continue };
            read(moved, &mut |hour, row| {
                change(step, row, BucketCounts::subtract)?;
                change(edges.step_of(hour), row, BucketCounts::add)
            })?;
        }
    }
    sums.iter().map(StoredParts::histograms).collect()
}

/// The folded hours of a range by name, from whole UTC days where there are some.
fn folded_groups(
    connection: &Connection,
    hours: RangePiece,
    group_by: LatencyGroupBy,
) -> rusqlite::Result<HashMap<String, LatencyParts>> {
    let sql = "SELECT name, histograms FROM rollup_latency WHERE hours = ?1
        AND slot_ms >= ?2 AND slot_ms < ?3 AND dimension = ?4 AND purpose = 'user'";
    let mut statement = connection.prepare_cached(sql)?;
    let (mut names, mut sums) = (NameNumbers::default(), Vec::new());
    for RangePiece { width, start_ms, end_ms } in hours.split_days() {
        let values = params![width_in_hours(width), start_ms, end_ms, group_by.word()];
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            let number = names.number(row.get_ref("name")?.as_str()?);
            if sums.len() <= number {
                sums.resize_with(number + 1, StoredParts::default);
            }
            if let Some(sum) = sums.get_mut(number) {
                sum.change(row, BucketCounts::add)?;
            }
        }
    }
    histograms(names.into_names().into_iter().zip(sums))
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
