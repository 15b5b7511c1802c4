//! Models without a price: how many requests each has, and why the newest of them has no cost.

use std::collections::HashMap;

use domain::{BackendId, WallTime};
use pricing::Unpriced;
use rusqlite::{Connection, params, params_from_iter};

use crate::columns::integer_columns::get_count;
use crate::requests::attempt_costs::booked_model;
use crate::requests::{attempts, request_query};
use crate::rollup::cross_rollup;
use crate::rollup::rollup_range::{self, split_days};
use crate::rollup::usage::{slot_end, slot_start};
use crate::{DimensionFilter, Purpose, RequestQuery};

/// Most models in one result.
pub(crate) const UNPRICED_MODELS_MAX: usize = 12;

/// Most requests that are looked at for the reason of a model, in the hours that it has requests.
const REASON_ROWS_MAX: usize = 500;

/// A model at a backend that has requests whose cost is not known, or only a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpricedModel {
    pub model: String,
    /// `None` if no backend was reached.
    pub backend: Option<String>,
    /// Requests without a known cost of what was made there: at least so many, since a request with
    /// several attempts of unknown cost counts at the last of them.
    pub requests: u64,
    /// The reason of the newest one, if one of the model's newest requests has it.
    pub unpriced: Option<Unpriced>,
}

impl UnpricedModel {
    /// `backend/model`, as a pinned model is asked for: several backends may have one of that name.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.backend {
            Some(backend) => format!("{backend}/{}", self.model),
            None => self.model.clone(),
        }
    }
}

/// Over whole quarter hours of the user's own traffic, most requests first.
pub(crate) fn list(
    connection: &Connection,
    (from, to): (WallTime, WallTime),
    filter: &DimensionFilter,
) -> rusqlite::Result<Vec<UnpricedModel>> {
    let transaction = connection.unchecked_transaction()?;
    let folded = rollup_range::folded_until(&transaction)?;
    let mut counts: HashMap<(String, String), u64> = HashMap::new();
    for piece in split_days(slot_start(from), slot_end(to), folded) {
        let sql = cross_rollup::unpriced_sql(&piece, filter);
        let mut statement = transaction.prepare_cached(&sql)?;
        let values = cross_rollup::parameters(piece.range(Purpose::User), filter);
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let key = (row.get("model")?, row.get("backend")?);
            *counts.entry(key).or_default() += get_count(row, "unpriced_requests")?;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(key, count), (other_key, other)| other.cmp(count).then(key.cmp(other_key)));
    counts.truncate(UNPRICED_MODELS_MAX);
    let model = |((model, backend), requests): ((String, String), u64)| {
        let unpriced = newest_reason(&transaction, (from, to), &model, &backend)?;
        let backend = Some(backend).filter(|name| !name.is_empty());
        Ok(UnpricedModel { model, backend, requests, unpriced })
    };
    counts.into_iter().map(model).collect()
}

fn newest_reason(
    connection: &Connection,
    (from, to): (WallTime, WallTime),
    model: &str,
    backend: &str,
) -> rusqlite::Result<Option<Unpriced>> {
    let query = RequestQuery {
        since: Some(slot_start(from)),
        until: Some(slot_end(to)),
        model: Some(model.to_owned()),
        backend: BackendId::new(backend).ok(),
        is_unpriced: true,
        ..RequestQuery::newest(1)
    };
    let Some(newest) = request_query::find_newest(connection, &query, REASON_ROWS_MAX)? else {
        return Ok(None);
    };
    let booked = booked_model("a");
    let sql = format!(
        "SELECT a.unpriced_reason, a.unpriced_detail
         FROM attempts a JOIN requests ON requests.id = a.request_id
         WHERE a.request_id = ?1 AND a.backend = ?2 AND {booked} = ?3
          AND a.cost_nano_usd IS NULL ORDER BY a.number DESC"
    );
    let mut there = connection.prepare_cached(&sql)?;
    let values = params![newest.request.id.to_string(), backend, model];
    for unpriced in there.query_map(values, attempts::read_unpriced)? {
        if let Some(unpriced) = unpriced? {
            return Ok(Some(unpriced));
        }
    }
    Ok(newest.unpriced)
}
