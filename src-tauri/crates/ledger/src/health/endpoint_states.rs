//! Endpoint state saved across restarts, as opaque JSON text of its owner.

use domain::{Endpoint, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{clamp_time, get_named, row_count};

/// Most endpoints whose state is saved; the rest is dropped.
pub(crate) const ENDPOINT_STATES_MAX: usize = 512;

/// Longest state that is saved, in bytes; a longer one is dropped.
pub(crate) const ENDPOINT_STATE_BYTES_MAX: usize = 65_536;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEndpointState {
    pub endpoint: Endpoint,
    pub saved: WallTime,
    /// The state as JSON text.
    pub json: String,
}

/// Replaces all saved states.
pub(crate) fn replace(
    connection: &Connection,
    states: &[StoredEndpointState],
) -> rusqlite::Result<usize> {
    connection.prepare_cached("DELETE FROM access_states")?.execute([])?;
    update(connection, states)
}

/// Replaces the states of these endpoints unless the saved one is newer; others stay.
pub(crate) fn update(
    connection: &Connection,
    states: &[StoredEndpointState],
) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO access_states (backend, credential, state, saved_ms)
        SELECT ?1, ?2, ?3, ?4 WHERE (SELECT count(*) FROM access_states) < ?5
          OR EXISTS (SELECT 1 FROM access_states WHERE backend = ?1 AND credential = ?2)
        ON CONFLICT DO UPDATE SET state = excluded.state, saved_ms = excluded.saved_ms
        WHERE excluded.saved_ms >= saved_ms";
    let mut statement = connection.prepare_cached(sql)?;
    let mut written = 0;
    for state in states.iter().filter(|state| state.json.len() <= ENDPOINT_STATE_BYTES_MAX) {
        let (backend, credential) =
            (state.endpoint.backend.as_str(), credential_text(&state.endpoint));
        let (saved, states_max) = (clamp_time(state.saved), row_count(ENDPOINT_STATES_MAX));
        written +=
            statement.execute(params![backend, credential, state.json, saved, states_max])?;
    }
    Ok(written)
}

pub(crate) fn list(connection: &Connection) -> rusqlite::Result<Vec<StoredEndpointState>> {
    let read = |row: &Row<'_>| {
        Ok(StoredEndpointState {
            endpoint: read_endpoint(row)?,
            saved: WallTime::from_unix_ms(row.get("saved_ms")?),
            json: row.get("state")?,
        })
    };
    let sql = "SELECT * FROM access_states ORDER BY backend, credential";
    connection.prepare_cached(sql)?.query_map([], read)?.collect()
}

/// The credential column, which is never null: '' means none.
pub(crate) fn credential_text(endpoint: &Endpoint) -> &str {
    endpoint.credential.as_ref().map_or("", |credential| credential.as_str())
}

/// Reads the two columns of an endpoint, where '' means no credential.
pub(crate) fn read_endpoint(row: &Row<'_>) -> rusqlite::Result<Endpoint> {
    let has_credential = !row.get_ref("credential")?.as_str()?.is_empty();
    Ok(Endpoint {
        backend: get_named(row, "backend")?,
        credential: if has_credential { Some(get_named(row, "credential")?) } else { None },
    })
}
