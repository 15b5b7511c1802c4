//! Merges missing records of one ledger into another: requests recorded since a backup was made or
//! since a damaged ledger was set aside, and the requests of another machine. Requests are matched by
//! id, so merging twice changes nothing, and each added request is counted in the roll-ups once.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use crate::integer_columns::row_count;
use crate::usage::SLOT_MS;
use crate::{LedgerError, hourly_rollup, meter_rollup, rollup, stated_costs};
use domain::WallTime;

/// Requests in both ledgers that are finished only in the other one. They are in no roll-ups yet.
const DELETE_UNFINISHED: &str = "DELETE FROM main.requests WHERE state = 'reserved'
    AND id IN (SELECT id FROM other.requests WHERE state <> 'reserved')";

/// `?1` is the id after which to look, `?2` how many to add at most.
const LIST_ADDED: &str = "CREATE TEMP TABLE added AS SELECT id FROM other.requests
    WHERE id > ?1 AND id NOT IN (SELECT id FROM main.requests) ORDER BY id LIMIT ?2";

/// Most requests of another machine added in one transaction, so that this machine's own do not
/// wait long.
const DEVICE_REQUESTS_AT_ONCE_MAX: usize = 2_000;

/// The machine that a request of the other ledger was made on: the other one itself, or one that it
/// had merged. `?1` is the other one's number here, NULL if both are one machine.
const DEVICE_HERE: &str = "iif(device IS NULL, ?1, (SELECT m.number FROM main.devices m
    JOIN other.devices o ON o.id = m.id WHERE o.number = device))";

const ADD_EXPLANATIONS: &str = "INSERT INTO main.explanations (id, last_day, sentence, decision)
    SELECT id, last_day, sentence, decision FROM other.explanations WHERE id IN (SELECT explanation_id
     FROM other.requests WHERE id IN (SELECT id FROM temp.added))
    ON CONFLICT (id) DO UPDATE SET last_day = max(last_day, excluded.last_day)";

/// Logs without unique ids: rows newer than all present ones are added.
const ADD_LOGS: &str = "
    INSERT INTO main.health_log (backend, from_state, to_state, at_ms, reason)
        SELECT backend, from_state, to_state, at_ms, reason FROM other.health_log
        WHERE at_ms > (SELECT coalesce(max(at_ms), 0) FROM main.health_log) ORDER BY number;
    INSERT INTO main.transitions
        (at_ms, backend, credential, model, from_state, to_state, rule, evidence, lasts_us)
        SELECT at_ms, backend, credential, model, from_state, to_state, rule, evidence, lasts_us
        FROM other.transitions
        WHERE at_ms > (SELECT coalesce(max(at_ms), 0) FROM main.transitions) ORDER BY number;
    INSERT OR IGNORE INTO main.runs SELECT * FROM other.runs;
    INSERT INTO main.billed SELECT * FROM other.billed o WHERE NOT EXISTS (SELECT 1 FROM main.billed m
         WHERE (m.day, m.provider, m.source) = (o.day, o.provider, o.source));
    INSERT OR IGNORE INTO main.session_usage (SESSION_COLUMNS)
        SELECT SESSION_COLUMNS FROM other.session_usage;
    INSERT OR IGNORE INTO main.prices (id, provider, backend, model, terms, valid_from_ms,
         valid_to_ms, source, confidence, change_id)
        SELECT id, provider, backend, model, terms, valid_from_ms, valid_to_ms, source, confidence,
         change_id + (SELECT coalesce(max(id), 0) FROM main.price_changes) FROM other.prices;
    INSERT OR IGNORE INTO main.repriced_attempts
        SELECT change_id + (SELECT coalesce(max(id), 0) FROM main.price_changes), request_id,
         number, reason, detail FROM other.repriced_attempts
        WHERE request_id IN (SELECT id FROM temp.added);
    INSERT INTO main.price_changes
        SELECT id + (SELECT coalesce(max(id), 0) FROM main.price_changes), at_ms, what, undone_ms
        FROM other.price_changes
        o WHERE NOT EXISTS (SELECT 1 FROM main.price_changes m
         WHERE m.at_ms = o.at_ms AND m.what = o.what) ORDER BY id;
    INSERT OR IGNORE INTO main.observed_time SELECT * FROM other.observed_time;
    INSERT OR IGNORE INTO main.observed_service_time SELECT * FROM other.observed_service_time;
    INSERT OR IGNORE INTO main.watch_spans SELECT * FROM other.watch_spans;
    INSERT OR IGNORE INTO main.alert_state SELECT * FROM other.alert_state;
    INSERT OR IGNORE INTO main.alerts SELECT * FROM other.alerts;
    INSERT OR IGNORE INTO main.alert_notes SELECT * FROM other.alert_notes;
    INSERT INTO main.audit_log
        (at_ms, caller, agent, agent_version, operation, subject, outcome)
        SELECT at_ms, caller, agent, agent_version, operation, subject, outcome FROM other.audit_log
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
    let added = add_requests(&transaction, None, "", usize::MAX)?.0;
    let session_columns = columns(&transaction, "session_usage")?.replace("number, ", "");
    transaction.execute_batch(&ADD_LOGS.replace("SESSION_COLUMNS", &session_columns))?;
    transaction.commit()?;
    Ok(u64::try_from(added).unwrap_or(u64::MAX))
}

/// What one step of merging another machine's export did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceStep {
    pub(crate) added: u64,
    /// Where the next step begins; `None` after the last one.
    pub(crate) after: Option<String>,
}

/// Adds some requests of the export at `other` that `target` lacks, and the usage from its session
/// logs. Its health, prices and checks are that machine's own and stay there.
pub(crate) fn add_from_device(
    target: &Connection,
    other: &Path,
    after: &str,
    at: WallTime,
) -> Result<DeviceStep, LedgerError> {
    with_attached(target, other, |target| {
        let transaction = target.unchecked_transaction()?;
        add_devices(&transaction)?;
        let device = add_other_device(&transaction, at)?;
        let (added, last) = add_requests(&transaction, device, after, DEVICE_REQUESTS_AT_ONCE_MAX)?;
        if last.is_none() {
            let columns = columns(&transaction, "session_usage")?.replace("number, ", "");
            transaction.execute_batch(&format!(
                "INSERT OR IGNORE INTO main.session_usage ({columns})
                 SELECT {columns} FROM other.session_usage"
            ))?;
        }
        transaction.commit()?;
        Ok(DeviceStep { added: u64::try_from(added).unwrap_or(u64::MAX), after: last })
    })
}

/// Adds the machines that the other ledger knows, but not this one.
fn add_devices(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO main.devices (id, name, merged_ms)
        SELECT id, name, merged_ms FROM other.devices
        WHERE id <> (SELECT id FROM main.identity) ORDER BY number";
    connection.execute(sql, []).map(drop)
}

/// The other machine's number here; `None` if it is this one.
fn add_other_device(connection: &Connection, at: WallTime) -> rusqlite::Result<Option<i64>> {
    let sql = "INSERT INTO main.devices (id, name, merged_ms)
        SELECT id, coalesce(name, 'unnamed'), ?1 FROM other.identity
        WHERE id <> (SELECT id FROM main.identity)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, merged_ms = excluded.merged_ms";
    connection.execute(sql, [at.unix_ms()])?;
    let sql = "SELECT number FROM main.devices WHERE id = (SELECT id FROM other.identity)";
    connection.query_row(sql, [], |row| row.get(0)).optional()
}

/// Adds at most `rows_max` missing requests with an id after `after`, lists them in `temp.added`,
/// and counts them. Returns how many, and the last one if there may be more.
fn add_requests(
    transaction: &Connection,
    device: Option<i64>,
    after: &str,
    rows_max: usize,
) -> rusqlite::Result<(usize, Option<String>)> {
    transaction.execute_batch("DROP TABLE IF EXISTS temp.added")?;
    transaction.execute(LIST_ADDED, params![after, row_count(rows_max)])?;
    let columns = columns(transaction, "requests")?.replace(", device", "");
    let added = transaction.execute(
        &format!(
            "INSERT INTO main.requests ({columns}, device)
             SELECT {columns}, {DEVICE_HERE} FROM other.requests
             WHERE id IN (SELECT id FROM temp.added)"
        ),
        [device],
    )?;
    transaction.execute(
        "UPDATE main.devices SET requests = requests + (SELECT count(*) FROM main.requests
         WHERE device = number AND id IN (SELECT id FROM temp.added))",
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
    count_added(transaction)?;
    let last = match added == rows_max {
        true => transaction.query_row("SELECT max(id) FROM temp.added", [], |row| row.get(0))?,
        false => None,
    };
    Ok((added, last))
}

/// Counts the added requests that have ended in the roll-ups.
fn count_added(connection: &Connection) -> rusqlite::Result<()> {
    let earliest =
        "SELECT min(started_ms) FROM main.requests WHERE id IN (SELECT id FROM temp.added)";
    let Some(earliest) = connection.query_row(earliest, [], |row| row.get(0))? else {
        return Ok(());
    };
    hourly_rollup::unfold(connection, WallTime::from_unix_ms(earliest))?;
    rollup::add_listed(connection)?;
    meter_rollup::add_listed(connection)?;
    stated_costs::add_listed(connection)?;
    connection.execute(
        "INSERT INTO main.rollup_failures
         SELECT r.started_ms - r.started_ms % ?1, r.purpose, a.backend, coalesce(a.credential, ''),
          coalesce(a.class, a.error_class), count(*), sum(coalesce(a.cost_nano_usd, 0)),
          sum(a.cost_nano_usd IS NULL)
         FROM main.attempts a JOIN main.requests r ON r.id = a.request_id
         WHERE a.request_id IN (SELECT id FROM temp.added) AND a.error_class IS NOT NULL
         GROUP BY 1, 2, 3, 4, 5 ON CONFLICT DO UPDATE SET
          attempts = attempts + excluded.attempts,
          cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd,
          unpriced_attempts = unpriced_attempts + excluded.unpriced_attempts",
        params![SLOT_MS],
    )?;
    connection.execute(
        "INSERT INTO main.rollup_bypasses
         SELECT started_ms - started_ms % ?1, purpose, coalesce(cache_reason, ''), count(*)
         FROM main.requests WHERE id IN (SELECT id FROM temp.added) AND cache = 'bypass'
          AND state NOT IN ('reserved', 'unknown') GROUP BY 1, 2, 3
         ON CONFLICT DO UPDATE SET requests = requests + excluded.requests",
        params![SLOT_MS],
    )?;
    Ok(())
}

/// What a merge of another machine's export would add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissingRequests {
    /// What the other machine is called; `None` if it is this one.
    pub(crate) device: Option<String>,
    pub(crate) requests: u64,
    /// When the first and the last of them began.
    pub(crate) period: Option<(WallTime, WallTime)>,
}

/// Counts the requests of the export at `other` that `target` lacks.
pub(crate) fn count_missing(
    target: &Connection,
    other: &Path,
) -> Result<MissingRequests, LedgerError> {
    with_attached(target, other, |target| {
        let sql = "SELECT count(*), min(started_ms), max(started_ms),
            (SELECT coalesce(name, 'unnamed') FROM other.identity
             WHERE id <> (SELECT id FROM main.identity))
            FROM other.requests WHERE id NOT IN (SELECT id FROM main.requests)";
        target.query_row(sql, [], |row| {
            let time =
                |place| row.get::<_, Option<i64>>(place).map(|ms| ms.map(WallTime::from_unix_ms));
            Ok(MissingRequests {
                device: row.get(3)?,
                requests: row.get::<_, i64>(0)?.unsigned_abs(),
                period: time(1)?.zip(time(2)?),
            })
        })
    })
}

/// The columns of a table, comma separated for use in a statement. Only for our own schema.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    let mut names = connection.prepare("SELECT name FROM pragma_table_info(?1, 'main')")?;
    let names = names.query_map([table], |row| row.get::<_, String>(0))?;
    Ok(names.collect::<Result<Vec<_>, _>>()?.join(", "))
}
