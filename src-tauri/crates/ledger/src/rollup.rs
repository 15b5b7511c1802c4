//! Roll-ups: sums updated in the transaction that settles a request, so that dashboards need not
//! read request rows. They are kept per quarter hour, because the days of every time zone are whole
//! numbers of those. Past hours are folded for fast queries over months ([`hourly_rollup`]). A range
//! is answered from its folded hours and the quarters at its ends.

pub(crate) mod attempt_rollup;
pub(crate) mod bucket_sums;
pub(crate) mod cross_rollup;
pub(crate) mod daily_rollup;
pub(crate) mod day_share;
pub(crate) mod hourly_rollup;
pub(crate) mod latency_histogram;
pub(crate) mod latency_rollup;
pub(crate) mod meter_rollup;
pub(crate) mod rollup_range;
pub(crate) mod rollup_sums;
pub(crate) mod usage;

use std::collections::HashMap;
use std::sync::LazyLock;

use domain::{BudgetDimension, HOUR_MS, NanoUsd, RequestId, WallTime};
use rusqlite::{Connection, params, params_from_iter};

use crate::requests::attempt_costs;
use crate::rollup::bucket_sums::{BucketSums, StepEdges};
use crate::rollup::rollup_range::{RangePiece, SlotWidth, split_range};
use crate::rollup::rollup_sums::{list_sums, request_sums, sum_columns};

use crate::rollup::usage::{
    SLOT_MS, USAGE_GROUPS_MAX, merge_past, rank_groups, slot_end, slot_start,
};
use crate::{
    Purpose, Settlement, Spend, UsageBucket, UsageKey, UsageQuery, UsageSummary, UsageTotals,
};

/// Whether rows are added to the sums or taken out of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    Add,
    Subtract,
}

impl Counting {
    /// How `column` of a roll-up row changes by the counted rows.
    pub(crate) fn update(self, column: &str) -> String {
        let sign = if self == Self::Add { '+' } else { '-' };
        format!("{column} = {column} {sign} excluded.{column}")
    }
}

/// Counts the requests that match a fixed condition, with one write per roll-up row. Reads the
/// request rows, so that sums and rows cannot disagree. `?1` is a slot's width.
fn count_where(condition: &str, counting: Counting) -> String {
    let (columns, sums) = (sum_columns(), request_sums());
    let updates = list_sums(|column| counting.update(column));
    format!(
        "INSERT INTO rollup_quarter
          (slot_ms, purpose, backend, model, client, credential, project, route, {columns})
         SELECT started_ms - started_ms % ?1, purpose, coalesce(backend, ''),
          coalesce(model_billed, model_asked), client, coalesce(credential, ''),
          coalesce(project, ''), route, {sums}
         FROM requests WHERE {condition} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
         ON CONFLICT DO UPDATE SET {updates}"
    )
}

const LISTED: &str = "id IN (SELECT value FROM json_each(?2))";

static COUNT_SETTLED: LazyLock<String> = LazyLock::new(|| count_where(LISTED, Counting::Add));
static MOVE_SETTLED: LazyLock<String> =
    LazyLock::new(|| attempt_costs::move_sql(LISTED, Counting::Add));
static NAME_SETTLED: LazyLock<String> =
    LazyLock::new(|| attempt_costs::name_sql(LISTED, Counting::Add));

/// Everything that counts the requests that match a fixed condition.
fn count_sql(condition: &str, counting: Counting) -> [String; 3] {
    [
        count_where(condition, counting),
        attempt_costs::move_sql(condition, counting),
        attempt_costs::name_sql(condition, counting),
    ]
}

/// Counts just settled requests, in the same transaction and all at once: under load most of them
/// belong to the same few rows.
pub(crate) fn count_settled(
    connection: &Connection,
    settled: &[&Settlement],
) -> rusqlite::Result<()> {
    if settled.is_empty() {
        return Ok(());
    }
    let ids: Vec<RequestId> = settled.iter().map(|ended| ended.request.id).collect();
    connection.prepare_cached(&COUNT_SETTLED)?.execute(params![SLOT_MS, id_list(&ids)])?;
    let apart = settled.iter().filter(|ended| attempt_costs::is_counted_apart(ended));
    let apart: Vec<RequestId> = apart.map(|ended| ended.request.id).collect();
    if apart.is_empty() {
        return Ok(());
    }
    let values = params![SLOT_MS, id_list(&apart)];
    connection.prepare_cached(&MOVE_SETTLED)?.execute(values)?;
    connection.prepare_cached(&NAME_SETTLED)?.execute(values).map(drop)
}

/// Counts requests, or takes them out of the sums before their rows change.
pub(crate) fn count(
    connection: &Connection,
    ids: &[RequestId],
    counting: Counting,
) -> rusqlite::Result<()> {
    let ids = id_list(ids);
    for sql in count_sql(LISTED, counting) {
        connection.prepare_cached(&sql)?.execute(params![SLOT_MS, ids])?;
    }
    Ok(())
}

/// The ids as a JSON array; ids need no escapes.
pub(crate) fn id_list(ids: &[RequestId]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    format!("[{}]", ids.join(","))
}

/// Counts the unfinished requests of a dead process, with an unknown cost.
pub(crate) fn add_reserved(connection: &Connection) -> rusqlite::Result<()> {
    let earliest = "SELECT min(started_ms) FROM requests WHERE state = 'reserved'";
    if let Some(earliest) = connection.query_row(earliest, [], |row| row.get(0))? {
        hourly_rollup::unfold(connection, WallTime::from_unix_ms(earliest))?;
    }
    count_matching(connection, "state = 'reserved'", Counting::Add)
}

fn count_matching(
    connection: &Connection,
    condition: &str,
    counting: Counting,
) -> rusqlite::Result<()> {
    for sql in count_sql(condition, counting) {
        connection.execute(&sql, [SLOT_MS])?;
    }
    Ok(())
}

/// Counts the finished requests in the temporary table `added`, or takes them out of the sums.
pub(crate) fn count_listed(connection: &Connection, counting: Counting) -> rusqlite::Result<()> {
    let condition = "state <> 'reserved' AND id IN (SELECT id FROM temp.added)";
    count_matching(connection, condition, counting)
}

/// Counts the requests of quarter hours without any roll-up row.
pub(crate) fn add_uncounted_slots(connection: &Connection) -> rusqlite::Result<()> {
    // Listed first: what is counted of them at once leaves no slot without a row.
    connection.execute_batch("CREATE TEMP TABLE uncounted (id TEXT NOT NULL PRIMARY KEY)")?;
    let list = "INSERT INTO temp.uncounted SELECT id FROM requests WHERE state <> 'reserved'
         AND started_ms - started_ms % ?1 NOT IN (SELECT slot_ms FROM rollup_quarter)";
    connection.execute(list, [SLOT_MS])?;
    let forget = "DELETE FROM rollup_model_names
         WHERE slot_ms NOT IN (SELECT slot_ms FROM rollup_quarter)";
    connection.execute(forget, [])?;
    count_matching(connection, "id IN (SELECT id FROM temp.uncounted)", Counting::Add)?;
    connection.execute_batch("DROP TABLE temp.uncounted")
}

/// Cost over whole quarter hours, of one backend, client, … or of all. A model has what was asked for
/// by its name and what was billed by it.
pub(crate) fn spend(
    connection: &Connection,
    scope: Option<&(BudgetDimension, String)>,
    from: WallTime,
    to: WallTime,
) -> rusqlite::Result<Spend> {
    let (dimension, name) = match scope {
        Some((dimension, name)) => (Some(*dimension), Some(name)),
        None => (None, None),
    };
    let transaction = connection.unchecked_transaction()?;
    let folded = rollup_range::folded_until(&transaction)?;
    let mut total = Spend::default();
    for piece in split_range(slot_start(from), slot_end(to), folded) {
        let mut statement = transaction.prepare_cached(&spend_sql(piece.width, dimension))?;
        let (start, end, purpose) = piece.range(Purpose::User);
        statement.query_row(params![start, end, purpose, name], |row| {
            total.cost += NanoUsd::new(row.get(0)?);
            total.requests += row.get::<_, i64>(1)?.unsigned_abs();
            total.unpriced_requests += row.get::<_, i64>(2)?.unsigned_abs();
            total.unbilled_requests += row.get::<_, i64>(3)?.unsigned_abs();
            Ok(())
        })?;
    }
    if let Some((BudgetDimension::Model, name)) = scope {
        let named = attempt_costs::spend_by_name(&transaction, name, from, to)?;
        total.cost += named.cost;
        total.requests += named.requests;
        total.unpriced_requests += named.unpriced_requests;
        total.unbilled_requests += named.unbilled_requests;
    }
    Ok(total)
}

pub(crate) fn usage(connection: &Connection, query: &UsageQuery) -> rusqlite::Result<UsageSummary> {
    // One read transaction: all buckets show the same moment.
    let transaction = connection.unchecked_transaction()?;
    let folded = rollup_range::folded_until(&transaction)?;
    let (Some(first), Some(last)) = (query.edges.first(), query.edges.last()) else {
        return Ok(UsageSummary::default());
    };
    let edges = StepEdges::new(&query.edges);
    let mut sums = BucketSums::new(&edges);
    let columns = format!("slot_ms, {}", query.group_by.word());
    let add = |piece: RangePiece, sums: &mut BucketSums| {
        let sql = cross_rollup::rows_sql(&piece, &columns, &query.filter, query.basis);
        let values = cross_rollup::parameters(piece.range(query.purpose), &query.filter);
        let mut statement = transaction.prepare_cached(&sql)?;
        let rows = &mut statement.query(params_from_iter(values))?;
        match piece.width {
            SlotWidth::Quarter => sums.add(rows, |quarter| Some(edges.step_of(quarter))),
            _ => sums.add(rows, |hour| edges.step_of_hour(hour)),
        }
    };
    // A filter that excludes nothing would only read more rows.
    let is_filtered = !cross_rollup::is_everything(&transaction, query.purpose, &query.filter)?;
    for piece in split_range(*first, *last, folded) {
        if piece.width == SlotWidth::Quarter || is_filtered {
            add(piece, &mut sums)?;
        } else {
            daily_rollup::add_hours(&transaction, query, &edges, piece, &mut sums)?;
        }
        if piece.width == SlotWidth::Hour {
            for start_ms in edges.shared_hours(piece.start_ms, piece.end_ms) {
                let end_ms = start_ms + HOUR_MS;
                add(RangePiece { width: SlotWidth::Quarter, start_ms, end_ms }, &mut sums)?;
            }
        }
    }
    Ok(summarise(sums.into_buckets(&query.edges), query.series_max))
}

/// The cost statement for a piece; its fourth parameter is a name in `dimension`, or NULL.
pub(crate) fn spend_sql(width: SlotWidth, dimension: Option<BudgetDimension>) -> String {
    let rows = match (width, dimension.map(BudgetDimension::word)) {
        (SlotWidth::Quarter, None) => "rollup_quarter WHERE ?4 IS NULL".to_owned(),
        (SlotWidth::Quarter, Some(column)) => format!("rollup_quarter WHERE {column} = ?4"),
        // Every dimension has the same total.
        (SlotWidth::Hour | SlotWidth::Day, None) => {
            "rollup_hour WHERE dimension = 'backend' AND ?4 IS NULL".to_owned()
        }
        (SlotWidth::Hour | SlotWidth::Day, Some(column)) => {
            format!("rollup_hour WHERE dimension = '{column}' AND name = ?4")
        }
    };
    format!(
        "SELECT coalesce(sum(cost_nano_usd), 0), coalesce(sum(requests), 0),
          max(coalesce(sum(unpriced_requests), 0), coalesce(sum(unpriced_attempts), 0) > 0),
          coalesce(sum(unbilled_requests), 0)
         FROM {rows} AND slot_ms >= ?1 AND slot_ms < ?2 AND purpose = ?3"
    )
}

/// Ranks the groups and merges those past the limits into one.
fn summarise(mut buckets: Vec<UsageBucket>, series_max: usize) -> UsageSummary {
    let mut sums: HashMap<UsageKey, UsageTotals> = HashMap::new();
    let mut totals = UsageTotals::default();
    for (key, group) in buckets.iter().flat_map(|bucket| &bucket.groups) {
        *sums.entry(key.clone()).or_default() += *group;
        totals += *group;
    }
    let groups = rank_groups(sums, usize::MAX);
    let ranks: HashMap<_, _> = groups.iter().map(|(key, _)| key.clone()).zip(0_usize..).collect();
    for bucket in &mut buckets {
        bucket.groups.sort_by_key(|(key, _)| ranks.get(key).copied());
        let rest = |(key, _): &(UsageKey, UsageTotals)| {
            ranks.get(key).is_none_or(|rank| *rank >= series_max)
        };
        if let Some(first) = bucket.groups.iter().position(rest) {
            merge_past(&mut bucket.groups, first);
        }
    }
    let groups = rank_groups(groups, USAGE_GROUPS_MAX);
    UsageSummary { buckets, groups, totals }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::USAGE_SERIES_MAX;

    fn bucket(groups: usize) -> UsageBucket {
        let group = |number: usize| {
            let cost = NanoUsd::new(i64::try_from(number).expect("small"));
            let totals = UsageTotals { requests: 1, cost, ..UsageTotals::default() };
            (UsageKey::Named(format!("model-{number:03}")), totals)
        };
        UsageBucket {
            start: WallTime::default(),
            end: WallTime::from_unix_ms(SLOT_MS),
            groups: (0..groups).map(group).collect(),
        }
    }

    #[test]
    fn a_range_is_cut_into_whole_hours_and_the_quarters_at_its_ends() {
        let time = |quarters: i64| WallTime::from_unix_ms(quarters * SLOT_MS);
        let cut = |start: i64, end: i64, folded: i64| -> Vec<_> {
            let cut = split_range(time(start), time(end), time(folded));
            cut.map(|piece| (piece.width, piece.start_ms / SLOT_MS, piece.end_ms / SLOT_MS))
                .collect()
        };
        let check = |start: i64, end: i64, expected: &[(SlotWidth, i64, i64)]| {
            assert_eq!(cut(start, end, 400), expected, "{start}..{end}");
        };
        check(4, 12, &[(SlotWidth::Hour, 4, 12)]);
        check(
            3,
            14,
            &[(SlotWidth::Quarter, 3, 4), (SlotWidth::Hour, 4, 12), (SlotWidth::Quarter, 12, 14)],
        );
        check(5, 7, &[(SlotWidth::Quarter, 5, 7)]);
        check(3, 5, &[(SlotWidth::Quarter, 3, 4), (SlotWidth::Quarter, 4, 5)]);
        check(-3, 4, &[(SlotWidth::Quarter, -3, 0), (SlotWidth::Hour, 0, 4)]);
        let partly =
            [(SlotWidth::Quarter, 3, 4), (SlotWidth::Hour, 4, 8), (SlotWidth::Quarter, 8, 14)];
        assert_eq!(cut(3, 14, 8), partly);
        for folded in [0, 4] {
            assert_eq!(cut(4, 12, folded), [(SlotWidth::Quarter, 4, 12)], "{folded}");
        }
        assert_eq!(cut(3, 12, 0), [(SlotWidth::Quarter, 3, 12)]);
    }

    #[test]
    fn groups_past_the_limits_are_summed_as_other_and_nothing_is_lost() {
        let (few, every) = (USAGE_SERIES_MAX, USAGE_GROUPS_MAX);
        for (groups, max, series, rows) in [
            (8, few, 8, 8),
            (9, few, 9, 9),
            (200, few, 9, 200),
            (201, few, 9, 201),
            (300, few, 9, 201),
            (200, every, 200, 200),
            (300, every, 201, 201),
        ] {
            let summary = summarise(vec![bucket(groups)], max);
            let shown = &summary.buckets[0].groups;
            assert_eq!((shown.len(), summary.groups.len()), (series, rows), "{groups} groups");
            let sum = |groups: &[(UsageKey, UsageTotals)]| -> u64 {
                groups.iter().map(|(_, group)| group.requests).sum()
            };
            assert_eq!(sum(shown), summary.totals.requests);
            assert_eq!(sum(&summary.groups), summary.totals.requests);
            let has_other = shown.iter().any(|(key, _)| *key == UsageKey::Other);
            assert_eq!(has_other, groups > max);
            assert_eq!(shown[0].0, UsageKey::Named(format!("model-{:03}", groups - 1)));
        }
    }
}
