//! The prices table: every row that ever priced a request, so that an old cost can be explained
//! after the bundled table has changed.

use std::collections::BTreeSet;

use domain::WallTime;
use pricing::{Price, PriceBook, PriceOwner, Provider};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::Settlement;
use crate::columns::integer_columns::get_parsed;
use crate::columns::text_columns::{WordColumn, bound_name};

const INSERT: &str = "INSERT INTO prices
    (id, provider, backend, model, terms, valid_from_ms, valid_to_ms, source, confidence)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING";

/// Inserts a price. An existing row with the same id stays: prices are never edited.
pub(crate) fn insert(connection: &Connection, price: &Price) -> rusqlite::Result<usize> {
    let (provider, backend) = match &price.owner {
        PriceOwner::Provider(provider) => (Some(WordColumn(*provider)), None),
        PriceOwner::Backend(backend) => (None, Some(backend.as_str())),
    };
    let terms = serde_json::to_string(&price.terms)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection.prepare_cached(INSERT)?.execute(params![
        price.id,
        provider,
        backend,
        bound_name(&price.model),
        terms,
        price.valid_from.unix_ms(),
        price.valid_to.map(WallTime::unix_ms),
        bound_name(&price.source),
        WordColumn(price.confidence),
    ])
}

/// Inserts the bundled prices that just settled requests were priced by.
pub(crate) fn keep_used(connection: &Connection, settled: &[&Settlement]) -> rusqlite::Result<()> {
    let attempts = settled.iter().flat_map(|ended| &ended.attempts);
    keep_bundled(connection, attempts.filter_map(|attempt| attempt.cost.price_id()))
}

/// Inserts the bundled prices among these.
pub(crate) fn keep_bundled<'a>(
    connection: &Connection,
    ids: impl Iterator<Item = &'a str>,
) -> rusqlite::Result<()> {
    let ids: BTreeSet<&str> = ids.collect();
    for id in ids {
        let mut statement = connection.prepare_cached("SELECT 1 FROM prices WHERE id = ?1")?;
        if !statement.exists([id])?
            && let Some(price) = pricing::bundled_price(id)
        {
            insert(connection, price)?;
        }
    }
    Ok(())
}

pub(crate) fn find(connection: &Connection, id: &str) -> rusqlite::Result<Option<Price>> {
    let mut statement = connection.prepare_cached("SELECT * FROM prices WHERE id = ?1")?;
    let kept = statement.query_row([id], read).optional()?;
    Ok(kept.or_else(|| pricing::bundled_price(id).cloned()))
}

/// Adds the prices with the ids that `ids` selects from another machine's ledger, as `other`: they explain
/// its costs, and are in force there alone.
pub(crate) fn add_of_device_sql(ids: &str) -> String {
    format!(
        "INSERT OR IGNORE INTO main.prices (id, provider, backend, model, terms, valid_from_ms,
          valid_to_ms, source, confidence, change_id)
         SELECT id, provider, backend, model, terms, valid_from_ms, valid_to_ms, source, confidence,
          iif(change_id IS NULL AND backend IS NULL, NULL, 0)
         FROM other.prices WHERE id IN ({ids})"
    )
}

/// The bundled prices and those of the user that were not taken back. Prices of a backend without a
/// change are of versions before 9; those of change 0 came with another machine's requests.
pub(crate) fn load_price_book(connection: &Connection) -> rusqlite::Result<PriceBook> {
    let mut statement = connection.prepare_cached(
        "SELECT p.* FROM prices p LEFT JOIN price_changes c ON c.id = p.change_id
         WHERE iif(p.change_id IS NULL, p.backend IS NOT NULL,
          c.id IS NOT NULL AND c.undone_ms IS NULL)
         ORDER BY p.change_id",
    )?;
    let declared = statement.query_map([], read)?;
    declared.into_iter().try_fold(PriceBook::bundled(), |book, price| Ok(book.with_price(price?)))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Price> {
    let provider: Option<WordColumn<Provider>> = row.get("provider")?;
    let place = match (provider, get_parsed(row, "backend")?) {
        (_, Some(backend)) => PriceOwner::Backend(backend),
        (Some(WordColumn(provider)), None) => PriceOwner::Provider(provider),
        (None, None) => return Err(rusqlite::Error::QueryReturnedNoRows),
    };
    let terms: String = row.get("terms")?;
    let terms = serde_json::from_str(&terms).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })?;
    Ok(Price {
        id: row.get("id")?,
        owner: place,
        model: row.get("model")?,
        terms,
        valid_from: WallTime::from_unix_ms(row.get("valid_from_ms")?),
        valid_to: row.get::<_, Option<i64>>("valid_to_ms")?.map(WallTime::from_unix_ms),
        source: row.get("source")?,
        confidence: row.get::<_, WordColumn<_>>("confidence")?.0,
    })
}
