//! Merges records of one ledger into another: requests recorded since a backup was made or since a
//! damaged ledger was set aside, and the requests of another machine. Requests are matched by id, and
//! of two versions the greater one is kept ([`request_versions`]), so that neither the order
//! nor the number of merges matters. Each request is counted in the roll-ups once: a version that is
//! replaced is taken out of the sums first.

pub(crate) mod request_versions;

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::integer_columns::{get_count, row_count};
use crate::costs::price_table;
use crate::costs::stated_costs::STATED;
use crate::requests::cache_bypasses;
use crate::requests::failed_attempts::FAILURES;
use crate::rollup::Counting;
use crate::rollup::hourly_rollup;
use crate::rollup::meter_rollup::METERS;
use crate::rollup::usage::SLOT_MS;
use crate::sessions::{session_matches, session_merge};
use crate::{LedgerError, rollup};
use domain::{DAY_MS, WallTime};

/// Requests in both ledgers that are finished only in the other one. They are in no roll-ups yet.
const DELETE_UNFINISHED: &str = "DELETE FROM main.requests WHERE state = 'reserved'
    AND id IN (SELECT id FROM other.requests WHERE state <> 'reserved')";

/// Most requests of another machine looked at in one transaction, so that this machine's own do not
/// wait long.
const DEVICE_REQUESTS_AT_ONCE_MAX: usize = 2_000;

/// Requests after `?1`, at most `?2`.
const EXAMINED: &str = "SELECT * FROM other.requests WHERE id > ?1 ORDER BY id LIMIT ?2";

/// Roll-ups and what is true of a row that counts nothing. One may have a cost without a request.
const EMPTY: [(&str, &str, &str); 6] = [
    (
        "rollup_quarter",
        "slot_ms",
        "requests = 0 AND cost_nano_usd = 0 AND unpriced_requests = 0 AND unpriced_attempts = 0
         AND reported_nano_usd = 0 AND reported_requests = 0 AND unreported_attempts = 0
         AND computed_nano_usd = 0 AND computed_requests = 0 AND uncomputed_attempts = 0",
    ),
    (
        "rollup_model_names",
        "slot_ms",
        "requests = 0 AND cost_nano_usd = 0 AND unpriced_requests = 0",
    ),
    ("rollup_meters", "slot_ms", "quantity = 0"),
    ("rollup_failures", "slot_ms", "attempts = 0"),
    ("rollup_bypasses", "slot_ms", "requests = 0"),
    ("rollup_stated", "day_ms", "answers = 0"),
];

/// The machine that a request of the other ledger was made on: the other one itself, or one that it
/// had merged. `?1` is the other one's number here, NULL if both are one machine.
const DEVICE_HERE: &str = "iif(device IS NULL, ?1, (SELECT m.number FROM main.devices m
    JOIN other.devices o ON o.id = m.id WHERE o.number = device))";

const ADD_EXPLANATIONS: &str = "INSERT INTO main.explanations (id, last_day, sentence, decision)
    SELECT id, last_day, sentence, decision FROM other.explanations WHERE id IN (SELECT explanation_id
     FROM other.requests WHERE id IN (SELECT id FROM temp.added))
    ON CONFLICT (id) DO UPDATE SET last_day = max(last_day, excluded.last_day)";

/// The number here of the change of prices that the row `o` of the other ledger belongs to.
const CHANGE_HERE: &str = "(SELECT m.id FROM main.price_changes m JOIN other.price_changes c
     ON c.at_ms = m.at_ms AND c.what = m.what WHERE c.id = o.change_id)";

/// The prices that the costs of the added requests refer to.
const PRICES_OF_ADDED: &str = "SELECT price_id FROM other.requests
     WHERE id IN (SELECT id FROM temp.added)
    UNION SELECT price_id FROM other.attempts WHERE request_id IN (SELECT id FROM temp.added)";

/// Logs without unique ids: rows newer than all present ones are added.
const ADD_LOGS: &str = "
    INSERT INTO main.health_log (backend, from_state, to_state, at_ms, reason)
        SELECT backend, from_state, to_state, at_ms, reason FROM other.health_log
        WHERE at_ms > (SELECT coalesce(max(at_ms), 0) FROM main.health_log) ORDER BY number;
    INSERT INTO main.service_health_log (service, address, state, since_ms, reason)
        SELECT service, address, state, since_ms, reason FROM other.service_health_log
        WHERE since_ms > (SELECT coalesce(max(since_ms), 0) FROM main.service_health_log)
        ORDER BY number;
    INSERT INTO main.transitions
        (at_ms, backend, credential, model, from_state, to_state, rule, evidence, lasts_us)
        SELECT at_ms, backend, credential, model, from_state, to_state, rule, evidence, lasts_us
        FROM other.transitions
        WHERE at_ms > (SELECT coalesce(max(at_ms), 0) FROM main.transitions) ORDER BY number;
    INSERT INTO main.key_verdicts (at_ms, credential, place, verdict, source)
        SELECT at_ms, credential, place, verdict, source FROM other.key_verdicts
        WHERE at_ms > (SELECT coalesce(max(at_ms), 0) FROM main.key_verdicts) ORDER BY number;
    INSERT OR IGNORE INTO main.runs SELECT * FROM other.runs;
    INSERT INTO main.billed SELECT * FROM other.billed o WHERE NOT EXISTS (SELECT 1 FROM main.billed m
         WHERE (m.day, m.provider, m.source) = (o.day, o.provider, o.source));
    INSERT INTO main.price_changes (at_ms, what, undone_ms)
        SELECT at_ms, what, undone_ms FROM other.price_changes o WHERE NOT EXISTS (SELECT 1
         FROM main.price_changes m WHERE m.at_ms = o.at_ms AND m.what = o.what) ORDER BY id;
    UPDATE main.price_changes SET undone_ms = (SELECT o.undone_ms FROM other.price_changes o
         WHERE o.at_ms = main.price_changes.at_ms AND o.what = main.price_changes.what)
        WHERE undone_ms IS NULL;
    INSERT OR IGNORE INTO main.prices (id, provider, backend, model, terms, valid_from_ms,
         valid_to_ms, source, confidence, change_id)
        SELECT id, provider, backend, model, terms, valid_from_ms, valid_to_ms, source, confidence,
         iif(change_id > 0, CHANGE_HERE, change_id) FROM other.prices o;
    INSERT OR IGNORE INTO main.repriced_attempts
        SELECT CHANGE_HERE, request_id, number, reason, detail FROM other.repriced_attempts o
        WHERE request_id IN (SELECT id FROM temp.added);
    INSERT OR IGNORE INTO main.observed_time SELECT * FROM other.observed_time;
    INSERT OR IGNORE INTO main.observed_service_time SELECT * FROM other.observed_service_time;
    INSERT INTO main.watch_spans SELECT * FROM other.watch_spans WHERE true
        ON CONFLICT (from_ms) DO UPDATE SET until_ms = max(until_ms, excluded.until_ms);
    INSERT INTO main.degraded_spans (backend, from_ms, until_ms, reason)
        SELECT backend, from_ms, until_ms, reason FROM other.degraded_spans WHERE true ORDER BY number
        ON CONFLICT (backend, from_ms) DO UPDATE
        SET until_ms = excluded.until_ms, reason = excluded.reason
        WHERE excluded.until_ms > until_ms;
    INSERT OR IGNORE INTO main.alert_state SELECT * FROM other.alert_state;
    INSERT OR IGNORE INTO main.alerts SELECT * FROM other.alerts;
    INSERT OR IGNORE INTO main.alert_notes SELECT * FROM other.alert_notes;
    INSERT INTO main.audit_log
        (at_ms, caller, agent, agent_version, operation, subject, outcome, client, confirmed)
        SELECT at_ms, caller, agent, agent_version, operation, subject, outcome, client, confirmed
        FROM other.audit_log
        WHERE at_ms > (SELECT coalesce(max(at_ms), 0) FROM main.audit_log) ORDER BY number;
    INSERT INTO main.budget_crossings
        (budget, mark, period_from_ms, at_ms, spent_nano_usd, limit_nano_usd)
        SELECT budget, mark, period_from_ms, at_ms, spent_nano_usd, limit_nano_usd
        FROM other.budget_crossings
        WHERE at_ms > (SELECT coalesce(max(at_ms), 0) FROM main.budget_crossings) ORDER BY number;
    INSERT INTO main.budget_allowances (budget, nano_usd, at_ms, until_ms)
        SELECT budget, nano_usd, at_ms, until_ms FROM other.budget_allowances
        WHERE at_ms > (SELECT coalesce(max(at_ms), 0) FROM main.budget_allowances) ORDER BY number;
    INSERT OR REPLACE INTO main.health SELECT * FROM other.health o WHERE o.since_ms >=
        (SELECT coalesce(max(m.since_ms), 0) FROM main.health m WHERE m.backend = o.backend);
    INSERT OR REPLACE INTO main.service_health SELECT * FROM other.service_health o
        WHERE o.since_ms >= (SELECT coalesce(max(m.since_ms), 0) FROM main.service_health m
         WHERE m.service = o.service);
    INSERT OR REPLACE INTO main.access_states SELECT * FROM other.access_states o WHERE o.saved_ms >=
        (SELECT coalesce(max(m.saved_ms), 0) FROM main.access_states m
         WHERE m.backend = o.backend AND m.credential = o.credential);
";

/// Deletes unfinished requests of `target` that the ledger at `other` has, since its rows are
/// newer.
pub(crate) fn delete_unfinished(target: &Connection, other: &Path) -> Result<(), LedgerError> {
    with_attached(target, other, |target| {
        let sql = "DELETE FROM main.requests
            WHERE state = 'reserved' AND id IN (SELECT id FROM other.requests)";
        target.execute(sql, []).map(drop)
    })
}

/// Adds the records that `target` lacks from the ledger at `other`, in one transaction. Both have
/// this program's schema version. Returns the number of added requests.
pub(crate) fn add_missing(target: &Connection, other: &Path) -> Result<u64, LedgerError> {
    with_attached(target, other, add_attached)
}

fn with_attached<T>(
    target: &Connection,
    other: &Path,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, LedgerError> {
    target.execute("ATTACH DATABASE ?1 AS other", [other.to_string_lossy()])?;
    let done = work(target);
    target.execute_batch("DETACH DATABASE other")?;
    done.map_err(LedgerError::from)
}

fn add_attached(target: &Connection) -> rusqlite::Result<u64> {
    let transaction = target.unchecked_transaction()?;
    transaction.execute(DELETE_UNFINISHED, [])?;
    add_devices(&transaction)?;
    let taken = take_requests(&transaction, None, "", usize::MAX)?;
    transaction.execute_batch(&ADD_LOGS.replace("CHANGE_HERE", CHANGE_HERE))?;
    let sessions = session_merge::add(&transaction)?;
    if sessions > 0 || taken.added + taken.replaced > 0 {
        session_matches::replace(&transaction, &session_matches::find_anew(&transaction)?)?;
    }
    transaction.commit()?;
    Ok(taken.added)
}

/// How far a merge of another machine's export is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MergePosition {
    /// The last request that was looked at.
    Requests(String),
    /// The last row of session logs that was looked at.
    Sessions(i64),
}

impl MergePosition {
    pub(crate) const START: Self = Self::Requests(String::new());
}

/// What one step of merging another machine's export did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceStep {
    pub(crate) taken: TakenRequests,
    /// Where the next step begins; `None` after the last one.
    pub(crate) next: Option<MergePosition>,
}

/// Requests of the other ledger that were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TakenRequests {
    pub(crate) examined: u64,
    pub(crate) added: u64,
    /// Known ones of which the other ledger had the version to keep.
    pub(crate) replaced: u64,
    /// The last one that was looked at; `None` if there are no more.
    pub(crate) last: Option<String>,
}

/// Takes some requests of the export at `other` that `target` lacks or has in a lesser version, or
/// some usage from its session logs. Its health, prices in force and checks are that machine's own
/// and stay there.
pub(crate) fn take_from_device(
    target: &Connection,
    other: &Path,
    from: &MergePosition,
    at: WallTime,
) -> Result<DeviceStep, LedgerError> {
    with_attached(target, other, |target| {
        let transaction = target.unchecked_transaction()?;
        let step = match from {
            MergePosition::Requests(after) => {
                add_devices(&transaction)?;
                let device = add_other_device(&transaction, at)?;
                let rows_max = DEVICE_REQUESTS_AT_ONCE_MAX;
                let taken = take_requests(&transaction, device, after, rows_max)?;
                transaction.execute(&price_table::add_of_device_sql(PRICES_OF_ADDED), [])?;
                let next = taken.last.clone().map(MergePosition::Requests);
                DeviceStep { taken, next: next.or(Some(MergePosition::Sessions(0))) }
            }
            MergePosition::Sessions(after) => {
                let rows_max = DEVICE_REQUESTS_AT_ONCE_MAX;
                let last = session_merge::add_from_device(&transaction, *after, rows_max)?;
                let next = last.map(MergePosition::Sessions);
                DeviceStep { taken: TakenRequests::default(), next }
            }
        };
        transaction.commit()?;
        Ok(step)
    })
}

/// Adds the machines that the other ledger knows, but not this one. Of two names of one machine the
/// one that was given later is kept.
fn add_devices(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT INTO main.devices (id, name, merged_ms, named_ms)
        SELECT id, name, merged_ms, named_ms FROM other.devices
        WHERE id <> (SELECT id FROM main.identity) ORDER BY number
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, named_ms = excluded.named_ms
         WHERE (excluded.named_ms, excluded.name) > (named_ms, name)";
    connection.execute(sql, []).map(drop)
}

/// The other machine's number here; `None` if it is this one.
fn add_other_device(connection: &Connection, at: WallTime) -> rusqlite::Result<Option<i64>> {
    let sql = "INSERT INTO main.devices (id, name, merged_ms, named_ms)
        SELECT id, coalesce(name, 'unnamed'), ?1, coalesce(named_ms, 0) FROM other.identity
        WHERE id <> (SELECT id FROM main.identity)
        ON CONFLICT (id) DO UPDATE SET merged_ms = max(merged_ms, excluded.merged_ms),
         name = iif((excluded.named_ms, excluded.name) > (named_ms, name), excluded.name, name),
         named_ms = max(named_ms, excluded.named_ms)";
    connection.execute(sql, [at.unix_ms()])?;
    let sql = "SELECT number FROM main.devices WHERE id = (SELECT id FROM other.identity)";
    connection.query_row(sql, [], |row| row.get(0)).optional()
}

/// Looks at `rows_max` requests after `after` at most, takes those to keep, lists them in
/// `temp.added`, and counts them in place of the versions that they replace.
fn take_requests(
    transaction: &Connection,
    device: Option<i64>,
    after: &str,
    rows_max: usize,
) -> rusqlite::Result<TakenRequests> {
    let range = params![after, row_count(rows_max)];
    let examined = format!("SELECT count(*), max(id) FROM ({EXAMINED})");
    let (examined, last): (i64, Option<String>) =
        transaction.query_row(&examined, range, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let is_taken = request_versions::is_taken_sql(transaction)?;
    transaction.execute_batch(
        "DROP TABLE IF EXISTS temp.added;
         CREATE TEMP TABLE added (id TEXT NOT NULL PRIMARY KEY, is_known INTEGER, device INTEGER)",
    )?;
    let taken = transaction.execute(
        &format!(
            "INSERT INTO temp.added SELECT theirs.id, ours.id IS NOT NULL, ours.device
             FROM ({EXAMINED}) theirs LEFT JOIN main.requests ours ON ours.id = theirs.id
             WHERE {is_taken}"
        ),
        range,
    )?;
    let replaced = transaction
        .query_row("SELECT coalesce(sum(is_known), 0) FROM temp.added", [], |row| {
            row.get::<_, i64>(0)
        })?
        .unsigned_abs();
    if taken > 0 {
        unfold_listed(transaction)?;
        remove_replaced(transaction)?;
        insert_listed(transaction, device)?;
        count_listed(transaction, Counting::Add)?;
        remove_empty_sums(transaction)?;
    }
    let is_full = examined == row_count(rows_max);
    Ok(TakenRequests {
        examined: examined.unsigned_abs(),
        added: (taken as u64).saturating_sub(replaced),
        replaced,
        last: last.filter(|_| is_full),
    })
}

fn insert_listed(transaction: &Connection, device: Option<i64>) -> rusqlite::Result<()> {
    let columns = columns(transaction, "requests")?.replace(", device", "");
    transaction.execute(
        &format!(
            "INSERT INTO main.requests ({columns}, device)
             SELECT {columns}, iif((SELECT is_known FROM temp.added a WHERE a.id = r.id),
              (SELECT a.device FROM temp.added a WHERE a.id = r.id), {DEVICE_HERE})
             FROM other.requests r WHERE id IN (SELECT id FROM temp.added)"
        ),
        [device],
    )?;
    transaction.execute(
        "UPDATE main.devices SET requests = requests + (SELECT count(*) FROM main.requests
         WHERE device = number AND id IN (SELECT id FROM temp.added WHERE NOT is_known))",
        [],
    )?;
    transaction.execute(ADD_EXPLANATIONS, [])?;
    for table in ["attempts", "decisions"] {
        let columns = self::columns(transaction, table)?;
        transaction.execute(
            &format!(
                "INSERT INTO main.{table} ({columns}) SELECT {columns} FROM other.{table}
                 WHERE request_id IN (SELECT id FROM temp.added)"
            ),
            [],
        )?;
    }
    Ok(())
}

/// Takes the versions that are replaced out of the sums and deletes them, with their attempts. What
/// a change of prices here had priced in them is no longer its own to take back.
fn remove_replaced(connection: &Connection) -> rusqlite::Result<()> {
    count_listed(connection, Counting::Subtract)?;
    connection.execute_batch(
        "DELETE FROM main.repriced_attempts WHERE request_id IN (SELECT id FROM temp.added);
         DELETE FROM main.requests WHERE id IN (SELECT id FROM temp.added)",
    )
}

fn unfold_listed(connection: &Connection) -> rusqlite::Result<()> {
    let earliest =
        "SELECT min(started_ms) FROM other.requests WHERE id IN (SELECT id FROM temp.added)";
    let earliest: Option<i64> = connection.query_row(earliest, [], |row| row.get(0))?;
    match earliest {
        Some(earliest) => {
            hourly_rollup::unfold(connection, WallTime::from_unix_ms(earliest)).map(drop)
        }
        None => Ok(()),
    }
}

/// Counts the listed requests that have ended in the roll-ups, or takes them out.
fn count_listed(connection: &Connection, counting: Counting) -> rusqlite::Result<()> {
    rollup::count_listed(connection, counting)?;
    METERS.count_listed(connection, counting)?;
    STATED.count_listed(connection, counting)?;
    FAILURES.count_listed(connection, counting)?;
    cache_bypasses::count_listed(connection, counting)
}

/// Deletes rows of roll-ups that only a replaced version had been counted in.
fn remove_empty_sums(connection: &Connection) -> rusqlite::Result<()> {
    for (table, start, is_empty) in EMPTY {
        let width = if start == "day_ms" { DAY_MS } else { SLOT_MS };
        connection.execute(
            &format!(
                "DELETE FROM main.{table} WHERE {is_empty} AND {start} IN
                 (SELECT started_ms - started_ms % ?1 FROM other.requests
                  WHERE id IN (SELECT id FROM temp.added WHERE is_known))"
            ),
            [width],
        )?;
    }
    Ok(())
}

/// What a merge of another machine's export would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissingRequests {
    /// What the other machine is called; `None` if it is this one.
    pub(crate) device: Option<String>,
    pub(crate) requests: u64,
    /// When the first and the last of them began.
    pub(crate) period: Option<(WallTime, WallTime)>,
    /// Known requests of which the export has the version to keep.
    pub(crate) replaced: u64,
}

/// Counts the requests of the export at `other` that `target` lacks or has in a lesser version.
pub(crate) fn count_missing(
    target: &Connection,
    other: &Path,
) -> Result<MissingRequests, LedgerError> {
    with_attached(target, other, |target| {
        let is_taken = request_versions::is_taken_sql(target)?;
        let sql = format!(
            "SELECT count(*) FILTER (WHERE ours.id IS NULL) AS added,
              min(theirs.started_ms) FILTER (WHERE ours.id IS NULL) AS first_ms,
              max(theirs.started_ms) FILTER (WHERE ours.id IS NULL) AS last_ms,
              count(ours.id) AS replaced,
              (SELECT coalesce(name, 'unnamed') FROM other.identity
               WHERE id <> (SELECT id FROM main.identity)) AS device
             FROM other.requests theirs LEFT JOIN main.requests ours ON ours.id = theirs.id
             WHERE {is_taken}"
        );
        target.query_row(&sql, [], |row| {
            let time =
                |name| row.get::<_, Option<i64>>(name).map(|ms| ms.map(WallTime::from_unix_ms));
            Ok(MissingRequests {
                device: row.get("device")?,
                requests: get_count(row, "added")?,
                period: time("first_ms")?.zip(time("last_ms")?),
                replaced: get_count(row, "replaced")?,
            })
        })
    })
}

/// The columns of a table, comma separated for use in a statement. Only for our own schema.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    request_versions::column_names(connection, table).map(|names| names.join(", "))
}
