//! The prices table: every row that ever priced a request, so that an old cost can be explained
//! after the bundled table has changed.

use domain::{MicroUsd, Rates, WallTime};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::integer_columns::{clamp_count, get_parsed};
use crate::price::{LongContextRates, Price, PriceBook, PriceOwner, Provider};
use crate::text_columns::{WordColumn, bound_name};

/// Inserts a price. An existing row with the same id stays: prices are never edited.
pub(crate) fn insert(connection: &Connection, price: &Price) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO prices VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
        ?14, ?15, ?16, ?17, ?18, ?19) ON CONFLICT (id) DO NOTHING";
    let (provider, backend) = match &price.owner {
        PriceOwner::Provider(provider) => (Some(WordColumn(*provider)), None),
        PriceOwner::Backend(backend) => (None, Some(backend.as_str())),
    };
    let rates = price.rates;
    let long = price.long_context.map(|long| long.rates).unwrap_or_default();
    let micros = |rate: Option<MicroUsd>| rate.map(MicroUsd::micros);
    connection.prepare_cached(sql)?.execute(params![
        price.id,
        provider,
        backend,
        bound_name(&price.model),
        micros(rates.input),
        micros(rates.cache_read),
        micros(rates.cache_write_5m),
        micros(rates.cache_write_1h),
        micros(rates.output),
        price.long_context.map(|long| clamp_count(long.over_input_tokens)),
        micros(long.input),
        micros(long.cache_read),
        micros(long.cache_write_5m),
        micros(long.cache_write_1h),
        micros(long.output),
        price.valid_from.unix_ms(),
        price.valid_to.map(WallTime::unix_ms),
        bound_name(&price.source),
        WordColumn(price.confidence),
    ])
}

pub(crate) fn find(connection: &Connection, id: &str) -> rusqlite::Result<Option<Price>> {
    let mut statement = connection.prepare_cached("SELECT * FROM prices WHERE id = ?1")?;
    statement.query_row([id], read).optional()
}

/// The bundled prices and those declared by the user.
pub(crate) fn load_price_book(connection: &Connection) -> rusqlite::Result<PriceBook> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM prices WHERE backend IS NOT NULL")?;
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
    let rate = |column: &str| {
        let micros: rusqlite::Result<Option<i64>> = row.get(column);
        micros.map(|micros| micros.map(MicroUsd::new))
    };
    let rates = |columns: [&str; 5]| -> rusqlite::Result<Rates> {
        let [input, cache_read, cache_write_5m, cache_write_1h, output] = columns;
        Ok(Rates {
            input: rate(input)?,
            cache_read: rate(cache_read)?,
            cache_write_5m: rate(cache_write_5m)?,
            cache_write_1h: rate(cache_write_1h)?,
            output: rate(output)?,
        })
    };
    let long_rates = rates([
        "long_input",
        "long_cache_read",
        "long_cache_write_5m",
        "long_cache_write_1h",
        "long_output",
    ])?;
    let long_over: Option<i64> = row.get("long_over_input_tokens")?;
    Ok(Price {
        id: row.get("id")?,
        owner: place,
        model: row.get("model")?,
        rates: rates(["input", "cache_read", "cache_write_5m", "cache_write_1h", "output"])?,
        long_context: long_over.map(|over| LongContextRates {
            over_input_tokens: over.unsigned_abs(),
            rates: long_rates,
        }),
        valid_from: WallTime::from_unix_ms(row.get("valid_from_ms")?),
        valid_to: row.get::<_, Option<i64>>("valid_to_ms")?.map(WallTime::from_unix_ms),
        source: row.get("source")?,
        confidence: row.get::<_, WordColumn<_>>("confidence")?.0,
    })
}
