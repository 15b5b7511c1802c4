//! The states of accesses over a restart, as their owner wrote them: text that is not looked into.

use domain::{Access, WallTime};
use rusqlite::{Connection, Row, params};

use crate::number::{get_named, rows, time};

/// Most accesses whose state is kept; those past it are left out.
pub const ACCESS_STATES_MAX: usize = 512;

/// Longest state kept, in bytes; a longer one is left out.
pub const ACCESS_STATE_BYTES_MAX: usize = 65_536;

/// The state of one access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessState {
    /// Whose.
    pub access: Access,
    /// When it was so.
    pub saved: WallTime,
    /// The state as JSON text.
    pub json: String,
}

/// Puts `states` in the place of everything kept before.
pub(crate) fn replace(connection: &Connection, states: &[AccessState]) -> rusqlite::Result<usize> {
    connection.prepare_cached("DELETE FROM access_states")?.execute([])?;
    update(connection, states)
}

/// Puts `states` in the place of older ones of the same accesses; the others stay.
pub(crate) fn update(connection: &Connection, states: &[AccessState]) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO access_states (backend, credential, state, saved_ms)
        SELECT ?1, ?2, ?3, ?4 WHERE (SELECT count(*) FROM access_states) < ?5
          OR EXISTS (SELECT 1 FROM access_states WHERE backend = ?1 AND credential = ?2)
        ON CONFLICT DO UPDATE SET state = excluded.state, saved_ms = excluded.saved_ms
        WHERE excluded.saved_ms >= saved_ms";
    let mut statement = connection.prepare_cached(sql)?;
    let mut written = 0;
    for state in states.iter().filter(|state| state.json.len() <= ACCESS_STATE_BYTES_MAX) {
        let (backend, credential) = (state.access.backend.as_str(), credential_text(&state.access));
        let (saved, states_max) = (time(state.saved), rows(ACCESS_STATES_MAX));
        written +=
            statement.execute(params![backend, credential, state.json, saved, states_max])?;
    }
    Ok(written)
}

/// Everything that is kept.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<AccessState>> {
    let read = |row: &Row<'_>| {
        Ok(AccessState {
            access: read_access(row)?,
            saved: WallTime::from_unix_ms(row.get("saved_ms")?),
            json: row.get("state")?,
        })
    };
    let sql = "SELECT * FROM access_states ORDER BY backend, credential";
    connection.prepare_cached(sql)?.query_map([], read)?.collect()
}

/// A credential in a column that is never empty: '' stands for none.
pub(crate) fn credential_text(access: &Access) -> &str {
    access.credential.as_ref().map_or("", |credential| credential.as_str())
}

/// The two columns of an access, where '' stands for no credential.
pub(crate) fn read_access(row: &Row<'_>) -> rusqlite::Result<Access> {
    let has_credential = !row.get_ref("credential")?.as_str()?.is_empty();
    Ok(Access {
        backend: get_named(row, "backend")?,
        credential: if has_credential { Some(get_named(row, "credential")?) } else { None },
    })
}
