//! What single requests cost: how many cost how much, and the most expensive ones, of any period
//! and filter.
//!
//! An index by cost would have to be walked past whatever the period and the filter leave out.
//! Instead the costs of a past quarter hour are folded into a few bytes for each request, with the
//! combination of names that it has ([`crate::rollup::cross_rollup`]). Reading those of a million requests
//! takes some ten milliseconds; then only quarter hours with an expensive request are searched.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use domain::{NanoUsd, RequestId, WallTime};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use crate::columns::integer_columns::get_named;
use crate::requests::{find, oldest_id_at};
use crate::rollup::usage::{SLOT_MS, slot_end, slot_start};
use crate::rollup::{cross_rollup, rollup_range};
use crate::{DimensionFilter, GroupBy, Purpose, RequestRow};

/// Most requests in [`RequestCosts::expensive`].
pub(crate) const EXPENSIVE_REQUESTS_MAX: usize = 20;

/// Powers of ten in nano-dollars that the steps lie between: from a hundredth of a cent to more than
/// a request can cost.
const STEP_POWERS: std::ops::Range<u32> = 5..14;

/// Requests with a known cost above zero.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequestCosts {
    pub requests: u64,
    pub cost: NanoUsd,
    /// From the lowest step with a request to the highest one, without gaps.
    pub steps: Vec<CostStep>,
    /// Highest cost first; of those that are not purged.
    pub expensive: Vec<RequestRow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostStep {
    pub from: NanoUsd,
    /// Exclusive.
    pub to: NanoUsd,
    pub requests: u64,
    /// The sum of their costs.
    pub cost: NanoUsd,
}

/// Packs the costs of the hours `from..until`, in milliseconds, once their combinations of names
/// are numbered.
pub(crate) fn fold(connection: &Connection, from: i64, until: i64) -> rusqlite::Result<()> {
    let select = "SELECT k.id, r.cost_nano_usd FROM requests r CROSS JOIN rollup_keys k
         ON k.purpose = r.purpose AND k.backend = coalesce(r.backend, '')
         AND k.model = coalesce(r.model_billed, r.model_asked) AND k.client = r.client
         AND k.credential = coalesce(r.credential, '') AND k.project = coalesce(r.project, '')
         AND k.route = r.route
        WHERE r.id >= ?1 AND r.id < ?2 AND r.cost_nano_usd > 0";
    let insert = "INSERT INTO request_costs (slot_ms, costs) VALUES (?1, ?2)";
    let (mut select, mut insert) =
        (connection.prepare_cached(select)?, connection.prepare_cached(insert)?);
    let mut slot = from;
    while slot < until {
        let mut packed = Vec::new();
        let mut rows = select.query([slot, slot + SLOT_MS].map(id_at))?;
        while let Some(row) = rows.next()? {
            push_number(&mut packed, row.get::<_, i64>(0)?.unsigned_abs());
            push_number(&mut packed, row.get::<_, i64>(1)?.unsigned_abs());
        }
        if !packed.is_empty() {
            insert.execute(params![slot, packed])?;
        }
        slot += SLOT_MS;
    }
    Ok(())
}

/// Removes the quarter hours from `from` on.
pub(crate) fn unfold(connection: &Connection, from: i64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM request_costs WHERE slot_ms >= ?1";
    connection.prepare_cached(sql)?.execute([from]).map(drop)
}

/// Costs over whole quarter hours of the user's own traffic.
pub(crate) fn summarise(
    connection: &Connection,
    (from, to): (WallTime, WallTime),
    filter: &DimensionFilter,
) -> rusqlite::Result<RequestCosts> {
    let transaction = connection.unchecked_transaction()?;
    let (from, to) = (slot_start(from).unix_ms(), slot_end(to).unix_ms());
    let folded = rollup_range::folded_until(&transaction)?.unix_ms().clamp(from, to);
    let mut tally = Tally::new(oldest_slot(&transaction)?);
    let keys = cross_rollup::matching_keys(&transaction, Purpose::User, filter)?;
    let sql = "SELECT slot_ms, costs FROM request_costs WHERE slot_ms >= ?1 AND slot_ms < ?2";
    let mut packed = transaction.prepare_cached(sql)?;
    let mut rows = packed.query([from, folded])?;
    while let Some(row) = rows.next()? {
        let (slot, mut costs) = (row.get(0)?, row.get_ref(1)?.as_blob()?);
        while let (Some(key), Some(cost)) = (take_number(&mut costs), take_number(&mut costs)) {
            if usize::try_from(key).is_ok_and(|key| keys.get(key) == Some(&true)) {
                tally.add(slot, i64::try_from(cost).unwrap_or(i64::MAX));
            }
        }
    }
    let slot = format!("started_ms - started_ms % {SLOT_MS}, cost_nano_usd");
    let mut unfolded = transaction.prepare_cached(&request_sql(&slot, filter))?;
    let mut rows = unfolded.query(params_from_iter(parameters(folded, to, 1, filter)))?;
    while let Some(row) = rows.next()? {
        tally.add(row.get(0)?, row.get(1)?);
    }
    let expensive = tally.find_expensive(&transaction, filter)?;
    let steps = tally.into_steps();
    let (requests, cost) =
        (steps.iter().map(|step| step.requests).sum(), steps.iter().map(|step| step.cost).sum());
    Ok(RequestCosts { requests, cost, steps, expensive })
}

/// Columns of the user's own requests with ids `?1..?2` that cost at least `?3`.
fn request_sql(columns: &str, filter: &DimensionFilter) -> String {
    let equal = |((group_by, _), place): (&(GroupBy, String), usize)| {
        format!(" AND {} = ?{place}", request_name(*group_by))
    };
    let conditions: String = filter.values().iter().zip(4..).map(equal).collect();
    format!(
        "SELECT {columns} FROM requests WHERE id >= ?1 AND id < ?2
          AND cost_nano_usd >= ?3 AND purpose = 'user'{conditions}"
    )
}

/// A request's name in a dimension, as the roll-ups have it.
pub(crate) const fn request_name(group_by: GroupBy) -> &'static str {
    match group_by {
        GroupBy::Backend => "coalesce(backend, '')",
        GroupBy::Model => "coalesce(model_billed, model_asked)",
        GroupBy::Client => "client",
        GroupBy::Credential => "coalesce(credential, '')",
        GroupBy::Project => "coalesce(project, '')",
        GroupBy::Route => "route",
    }
}

/// The parameters of [`request_sql`] for the time `from..to` in milliseconds.
fn parameters(from: i64, to: i64, cost_min: i64, filter: &DimensionFilter) -> Vec<Value> {
    let ids = [from, to].map(|ms| Value::Text(id_at(ms)));
    let names = filter.values().iter().map(|(_, name)| Value::Text(name.clone()));
    ids.into_iter().chain([Value::Integer(cost_min)]).chain(names).collect()
}

fn id_at(ms: i64) -> String {
    oldest_id_at(WallTime::from_unix_ms(ms))
}

/// Start of the quarter hour of the oldest request that is kept.
fn oldest_slot(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT started_ms FROM requests ORDER BY id LIMIT 1";
    let oldest = connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    Ok(slot_start(WallTime::from_unix_ms(oldest.unwrap_or_default())).unix_ms())
}

struct Tally {
    /// Where the steps start, in nano-dollars.
    starts: Vec<i64>,
    /// Requests and costs of each step.
    sums: Vec<(u64, NanoUsd)>,
    /// The highest costs, lowest first, each with its quarter hour.
    highest: BinaryHeap<Reverse<(i64, i64)>>,
    /// Requests of earlier quarter hours are purged.
    listed_from: i64,
}

impl Tally {
    fn new(listed_from: i64) -> Self {
        let steps = STEP_POWERS.flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.pow(power)));
        let starts: Vec<i64> = std::iter::once(0).chain(steps).collect();
        let sums = vec![(0, NanoUsd::ZERO); starts.len()];
        Self { starts, sums, highest: BinaryHeap::new(), listed_from }
    }

    fn add(&mut self, slot: i64, cost: i64) {
        let step = self.starts.partition_point(|start| *start <= cost).saturating_sub(1);
        if let Some((requests, sum)) = self.sums.get_mut(step) {
            *requests += 1;
            *sum += NanoUsd::new(cost);
        }
        let is_full = self.highest.len() == EXPENSIVE_REQUESTS_MAX;
        let is_low = || self.highest.peek().is_some_and(|Reverse(lowest)| (cost, slot) <= *lowest);
        if slot < self.listed_from || is_full && is_low() {
            return;
        }
        if is_full {
            self.highest.pop();
        }
        self.highest.push(Reverse((cost, slot)));
    }

    /// Searches the quarter hours of the highest costs for their requests.
    fn find_expensive(
        &self,
        connection: &Connection,
        filter: &DimensionFilter,
    ) -> rusqlite::Result<Vec<RequestRow>> {
        let Some(Reverse((lowest, _))) = self.highest.peek() else { return Ok(Vec::new()) };
        let slots: BTreeSet<i64> = self.highest.iter().map(|Reverse((_, slot))| *slot).collect();
        let mut statement = connection.prepare_cached(&request_sql("cost_nano_usd, id", filter))?;
        let mut found: Vec<(i64, RequestId)> = Vec::new();
        for slot in slots {
            let values = parameters(slot, slot + SLOT_MS, *lowest, filter);
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                found.push((row.get(0)?, get_named(row, "id")?));
            }
        }
        found.sort_unstable_by_key(|place| Reverse(*place));
        found.truncate(EXPENSIVE_REQUESTS_MAX);
        let rows = found.into_iter().map(|(_, id)| find(connection, id).transpose());
        rows.flatten().collect()
    }

    fn into_steps(self) -> Vec<CostStep> {
        let ends = self.starts.iter().skip(1).chain([&i64::MAX]);
        let steps = self.starts.iter().zip(ends).zip(self.sums);
        let steps = steps.map(|((from, to), (requests, cost))| CostStep {
            from: NanoUsd::new(*from),
            to: NanoUsd::new(*to),
            requests,
            cost,
        });
        let mut steps: Vec<_> = steps.skip_while(|step| step.requests == 0).collect();
        let used = steps.iter().rposition(|step| step.requests > 0).map_or(0, |last| last + 1);
        steps.truncate(used);
        steps
    }
}

/// Appends a number in LEB128: seven bits to a byte, the lowest first.
fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = (number & 0x7f).to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// Takes a number off the front; `None` at the end.
fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_numbers_are_read_back() {
        let numbers = [0, 1, 127, 128, 16_383, 16_384, 1_000_000_000_000, u64::MAX];
        let mut packed = Vec::new();
        numbers.iter().for_each(|number| push_number(&mut packed, *number));
        let mut rest = packed.as_slice();
        let read: Vec<u64> = std::iter::from_fn(|| take_number(&mut rest)).collect();
        assert_eq!(read, numbers);
        assert_eq!(take_number(&mut [0x80_u8; 11].as_slice()), None);
    }

    #[test]
    fn steps_are_one_two_and_five_times_powers_of_ten() {
        let mut tally = Tally::new(0);
        for cost in [99_999, 100_000, 499_999, 1_000_000_000_000] {
            tally.add(0, cost);
        }
        let steps: Vec<_> = tally.into_steps().iter().map(|step| step.from.nanos()).collect();
        assert_eq!(steps[..4], [0, 100_000, 200_000, 500_000]);
        assert_eq!(steps.last(), Some(&1_000_000_000_000));
    }
}
