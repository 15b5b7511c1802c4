//! What attempts cost, where they were made and by the names that they were made under.
//!
//! A request counts in the roll-ups under the backend, key and model of its answer, but an earlier
//! attempt may have cost money elsewhere, or nobody knows what. Its cost is moved there, so that the
//! sum over all names stays what the requests cost. A request of unknown cost counts as unpriced
//! once, where its last attempt of unknown cost was made. A model has up to three names: what the
//! client asked for, what the backend was asked for, and what it billed. Roll-ups have the last of
//! them; `rollup_model_names` has the same sums by the others, for budgets.

use domain::{BackendId, NanoUsd, WallTime};
use rusqlite::{Connection, params};

use crate::columns::integer_columns::{get_count, get_named, row_count};
use crate::columns::text_columns::WordColumn;
use crate::costs::cost_bases::{BASES, BasisColumns};
use crate::rollup::Counting;
use crate::rollup::rollup_sums::{PARTLY_UNPRICED, list_sums, sum_columns};
use crate::rollup::usage::{slot_end, slot_start};
use crate::{Purpose, Settlement, Spend};

/// Newest requests that are searched for models that are billed by another name.
const REQUESTS_SEARCHED_MAX: usize = 2_000;

/// The model that the last attempt of a row of `requests` was sent to. An attempt at it is booked under
/// the name that the answer was billed by.
pub(crate) const SENT_MODEL: &str =
    "(SELECT l.model FROM attempts l WHERE l.request_id = requests.id
     ORDER BY l.number DESC LIMIT 1)";

/// The name that an attempt is booked under, in a query of its request; `attempt` is its alias.
pub(crate) fn booked_model(attempt: &str) -> String {
    format!(
        "iif({attempt}.model = {SENT_MODEL}, coalesce(requests.model_billed, requests.model_asked),
          {attempt}.model)"
    )
}

/// A model that a backend bills by another name than it was asked by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BilledName {
    pub backend: BackendId,
    /// The name that was sent.
    pub model: String,
    pub billed: String,
}

/// True if a request has a cost elsewhere or a model by another name, which few have.
pub(crate) fn is_counted_apart(ended: &Settlement) -> bool {
    let asked = ended.request.model_asked.as_str();
    let booked = ended.model_billed.as_deref().unwrap_or(asked);
    ended.attempts.len() > 1
        || asked != booked
        || ended.attempts.iter().any(|attempt| attempt.model != booked)
}

/// What an attempt elsewhere takes out of the sums of its request's names and adds to those of its own,
/// of the known costs: the column of the roll-ups, and that of `moved`.
const MOVED: [(&str, &str); 4] = [
    ("cost_nano_usd", "own_cost"),
    ("wasted_nano_usd", "own_wasted"),
    ("unpriced_requests", "own_unpriced"),
    ("unpriced_attempts", "own_unpriced_attempts"),
];

/// [`MOVED`] and the same of each basis.
fn moved_on_every_basis() -> impl Iterator<Item = (&'static str, String)> {
    let known = MOVED.map(|(column, own)| (column, own.to_owned()));
    let bases = BASES.iter().flat_map(BasisColumns::columns);
    known.into_iter().chain(bases.map(|column| (column, format!("own_{column}"))))
}

/// What `counted` and `moved` also select for the bases, and what else is moved for them.
#[derive(Default)]
struct OfBases {
    counted: String,
    moved: String,
    is_moved: String,
}

impl OfBases {
    fn every() -> Self {
        let mut all = Self::default();
        for own in &BASES {
            let (word, is_known) = (own.word(), own.is_known());
            let (of_any, cost) = (own.attempt_cost("u"), own.attempt_cost("a"));
            all.counted.push_str(&format!(
                ", {is_known} AS {word}_is_known,
                 iif(attempts <= 1, 1, (SELECT max(u.number) FROM attempts u
                  WHERE u.request_id = requests.id AND {of_any} IS NULL)) AS {word}_unknown_number"
            ));
            all.moved.push_str(&format!(
                ", coalesce({cost}, 0) AS own_{},
                 -(NOT c.{word}_is_known AND a.number IS c.{word}_unknown_number) AS own_{},
                 (a.number < c.made AND {cost} IS NULL) AS own_{}",
                own.cost, own.requests, own.unknown_attempts,
            ));
            all.is_moved.push_str(&format!(" OR coalesce({cost}, 1) > 0"));
        }
        all
    }
}

/// The requests that match a fixed condition, and those of their attempts that belong under another
/// backend, key or model. `?1` is a slot's width.
fn moved(condition: &str, bases: &OfBases) -> String {
    let OfBases { counted: counted_too, moved: moved_too, is_moved } = bases;
    format!(
        "WITH counted AS MATERIALIZED (
          SELECT id, attempts AS made, started_ms - started_ms % ?1 AS slot_ms, purpose,
           coalesce(backend, '') AS backend, coalesce(model_billed, model_asked) AS model, client,
           coalesce(credential, '') AS credential, coalesce(project, '') AS project, route,
           model_asked AS asked, coalesce(cost_nano_usd, wasted_nano_usd) AS cost,
           {PARTLY_UNPRICED} AS is_unpriced, unpriced_attempts, wasted_nano_usd AS wasted,
           {SENT_MODEL} AS sent,
           iif({PARTLY_UNPRICED}, (SELECT max(u.number) FROM attempts u
            WHERE u.request_id = requests.id AND u.cost_nano_usd IS NULL), NULL) AS unpriced_number
           {counted_too}
          FROM requests WHERE {condition}),
         moved AS MATERIALIZED (
          SELECT c.*, a.number, a.backend AS own_backend,
           coalesce(a.credential, '') AS own_credential, a.model AS own_sent,
           iif(a.model = c.sent, c.model, a.model) AS own_model,
           coalesce(a.cost_nano_usd, 0) AS own_cost,
           iif(a.error_class IS NULL OR c.wasted = 0, 0, coalesce(a.cost_nano_usd, 0))
            AS own_wasted, a.number IS c.unpriced_number AS own_unpriced,
           (a.cost_nano_usd IS NULL AND a.error_class IS NOT NULL AND c.unpriced_attempts > 0)
            AS own_unpriced_attempts{moved_too}
          FROM counted c CROSS JOIN attempts a ON a.request_id = c.id
          WHERE (a.backend <> c.backend OR coalesce(a.credential, '') <> c.credential
            OR (a.model <> c.sent AND a.model <> c.model))
           AND (a.cost_nano_usd > 0 OR a.cost_nano_usd IS NULL AND c.is_unpriced{is_moved}))"
    )
}

/// The statement that sums up cost, waste and what is unpriced of the requests that match a fixed
/// condition, where their attempts were made, as far as `filter` matches. `?1` is a slot's width.
pub(crate) fn placed_sums_sql(condition: &str, filter: &str) -> String {
    let moved = moved(condition, &OfBases::default());
    let counted = MOVED.map(|(_, own)| own).join(", ");
    let sums = MOVED.map(|(column, own)| format!("coalesce(sum(sign * {own}), 0) AS {column}"));
    let sums = sums.join(", ");
    format!(
        "{moved}
         SELECT {sums} FROM (
          SELECT backend, model, client, credential, project, route, 1 AS sign, cost AS own_cost,
           wasted AS own_wasted, is_unpriced AS own_unpriced,
           unpriced_attempts AS own_unpriced_attempts FROM counted
          UNION ALL
          SELECT backend, model, client, credential, project, route, -1, {counted} FROM moved
          UNION ALL
          SELECT own_backend, own_model, client, own_credential, project, route, 1, {counted}
           FROM moved)
         WHERE true{filter}"
    )
}

/// The statement that takes what attempts elsewhere count out of the rows of their requests and books
/// it where they were made.
pub(crate) fn move_sql(condition: &str, counting: Counting) -> String {
    let (columns, moved) = (sum_columns(), moved(condition, &OfBases::every()));
    let booked: Vec<(&str, String)> = moved_on_every_basis().collect();
    let own = |column: &str| booked.iter().find(|(name, _)| *name == column).map(|(_, own)| own);
    let sums = list_sums(|column| {
        own(column).map_or_else(|| "0".to_owned(), |own| format!("sum(sign * {own})"))
    });
    let update: Vec<_> = booked.iter().map(|(column, _)| counting.update(column)).collect();
    let update = update.join(", ");
    let counted: Vec<&str> = booked.iter().map(|(_, own)| own.as_str()).collect();
    let counted = counted.join(", ");
    format!(
        "{moved}
         INSERT INTO rollup_quarter
          (slot_ms, purpose, backend, model, client, credential, project, route, {columns})
         SELECT slot_ms, purpose, backend, model, client, credential, project, route, {sums} FROM (
          SELECT slot_ms, purpose, backend, model, client, credential, project, route,
           -1 AS sign, {counted} FROM moved
          UNION ALL
          SELECT slot_ms, purpose, own_backend, own_model, client, own_credential, project, route,
           1, {counted} FROM moved)
         WHERE true GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
         ON CONFLICT DO UPDATE SET {update}"
    )
}

/// The statement that counts requests and attempts by the names of their model that the other
/// roll-ups do not have, each name once.
pub(crate) fn name_sql(condition: &str, counting: Counting) -> String {
    let moved = moved(condition, &OfBases::default());
    let updates = ["requests", "cost_nano_usd", "unpriced_requests"].map(|it| counting.update(it));
    let updates = updates.join(", ");
    let of_request = |name: &str| {
        format!(
            "SELECT id, 0, slot_ms, purpose, {name}, model, 1, cost,
              is_unpriced FROM counted WHERE {name} <> model"
        )
    };
    let of_attempt = |sign: char, name: &str, model: &str| {
        format!(
            "SELECT id, {sign}number, slot_ms, purpose, {name}, {model}, 0, {sign}own_cost,
              {sign}own_unpriced FROM moved WHERE {name} <> {model}"
        )
    };
    let named = [
        of_request("asked"),
        of_request("sent"),
        of_attempt('-', "asked", "model"),
        of_attempt('-', "sent", "model"),
        of_attempt('+', "asked", "own_model"),
        of_attempt('+', "own_sent", "own_model"),
    ];
    format!(
        "{moved},
         named (id, number, slot_ms, purpose, name, model, requests, cost, unpriced) AS ({})
         INSERT INTO rollup_model_names
          (slot_ms, purpose, name, model, requests, cost_nano_usd, unpriced_requests)
         SELECT slot_ms, purpose, name, model, sum(requests), sum(cost), sum(unpriced) FROM named
         WHERE true GROUP BY 1, 2, 3, 4 ON CONFLICT DO UPDATE SET {updates}",
        named.join(" UNION ")
    )
}

/// What is counted for the model `name` by that name only, over whole quarter hours.
pub(crate) fn spend_by_name(
    connection: &Connection,
    name: &str,
    from: WallTime,
    to: WallTime,
) -> rusqlite::Result<Spend> {
    let sql = "SELECT coalesce(sum(requests), 0) AS requests,
          coalesce(sum(cost_nano_usd), 0) AS cost_nano_usd,
          coalesce(sum(unpriced_requests), 0) AS unpriced_requests
         FROM rollup_model_names
         WHERE slot_ms >= ?1 AND slot_ms < ?2 AND purpose = ?3 AND name = ?4";
    let (from, to) = (slot_start(from).unix_ms(), slot_end(to).unix_ms());
    let values = params![from, to, WordColumn(Purpose::User), name];
    connection.prepare_cached(sql)?.query_row(values, |row| {
        Ok(Spend {
            cost: NanoUsd::new(row.get("cost_nano_usd")?),
            requests: get_count(row, "requests")?,
            // Of names that only the attempts have, nothing tells them apart.
            unbilled_requests: 0,
            unpriced_requests: get_count(row, "unpriced_requests")?,
        })
    })
}

/// Models that were lately billed by another name than they were asked by, the newest last.
pub(crate) fn billed_names(connection: &Connection) -> rusqlite::Result<Vec<BilledName>> {
    // SQLite takes the columns beside `max` from the row that has it. Backends of other devices may
    // have the same names.
    let sql = "SELECT a.backend, a.model, r.model_billed, max(r.id) AS newest
         FROM (SELECT id, model_billed, attempts FROM requests WHERE device IS NULL
          ORDER BY id DESC LIMIT ?1) r
         CROSS JOIN attempts a ON a.request_id = r.id AND a.number = r.attempts
         WHERE r.model_billed IS NOT NULL AND a.error_class IS NULL
          AND a.input_uncached IS NOT NULL
         GROUP BY 1, 2 HAVING r.model_billed <> a.model ORDER BY newest";
    let read = |row: &rusqlite::Row<'_>| {
        let (backend, model) = (get_named(row, "backend")?, row.get("model")?);
        Ok(BilledName { backend, model, billed: row.get("model_billed")? })
    };
    let searched = row_count(REQUESTS_SEARCHED_MAX);
    connection.prepare_cached(sql)?.query_map([searched], read)?.collect()
}
