//! The prices table: every row that ever priced a request, so that an old cost can be explained
//! after the bundled table has changed.

use std::sync::LazyLock;

use domain::{NanoUsd, WallTime};
use pricing::{LongContextRates, Price, PriceBook, PriceOwner, Provider, RateKind, Rates};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::integer_columns::{clamp_count, get_parsed};
use crate::statements::{execute_with_integers, insert_into};
use crate::text_columns::{WordColumn, bound_name};

/// Columns of a price before those of its rates, in the order of [`insert`].
const COLUMNS: &[&str] = &[
    "id",
    "provider",
    "backend",
    "model",
    "long_over_input_tokens",
    "valid_from_ms",
    "valid_to_ms",
    "source",
    "confidence",
];

/// Precedes the name of a rate for long input.
const LONG: &str = "long_";

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let rates = ["", LONG].into_iter().flat_map(rate_columns);
    let columns: Vec<_> = COLUMNS.iter().copied().map(str::to_owned).chain(rates).collect();
    format!("{} ON CONFLICT (id) DO NOTHING", insert_into("prices", &columns))
});

fn rate_columns(prefix: &str) -> impl Iterator<Item = String> {
    RateKind::ALL.iter().map(move |kind| format!("{prefix}{}", kind.name()))
}

/// Inserts a price. An existing row with the same id stays: prices are never edited.
pub(crate) fn insert(connection: &Connection, price: &Price) -> rusqlite::Result<usize> {
    let (provider, backend) = match &price.owner {
        PriceOwner::Provider(provider) => (Some(WordColumn(*provider)), None),
        PriceOwner::Backend(backend) => (None, Some(backend.as_str())),
    };
    let long = price.long_context.map(|long| long.rates).unwrap_or_default();
    let rates = [price.rates, long];
    let nanos = rates
        .iter()
        .flat_map(|rates| RateKind::ALL.iter().map(|kind| rates.get(*kind).map(NanoUsd::nanos)));
    let values = params![
        price.id,
        provider,
        backend,
        bound_name(&price.model),
        price.long_context.map(|long| clamp_count(long.over_input_tokens)),
        price.valid_from.unix_ms(),
        price.valid_to.map(WallTime::unix_ms),
        bound_name(&price.source),
        WordColumn(price.confidence),
    ];
    let mut statement = connection.prepare_cached(&INSERT)?;
    execute_with_integers(&mut statement, values, &nanos.collect::<Vec<_>>())
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
    let rates = |prefix: &str| {
        Rates::try_from_fn(|kind| {
            let nanos: Option<i64> = row.get(format!("{prefix}{}", kind.name()).as_str())?;
            Ok::<_, rusqlite::Error>(nanos.map(NanoUsd::new))
        })
    };
    let long_rates = rates(LONG)?;
    let long_over: Option<i64> = row.get("long_over_input_tokens")?;
    Ok(Price {
        id: row.get("id")?,
        owner: place,
        model: row.get("model")?,
        rates: rates("")?,
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
