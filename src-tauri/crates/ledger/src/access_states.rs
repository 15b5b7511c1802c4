//! The states of accesses over a restart, as their owner wrote them: text that is not looked into.

use domain::{Access, WallTime};
use rusqlite::{Connection, Row, params};

use crate::number::{get_named, time};

/// Most accesses whose state is kept; those past it are left out.
pub const ACCESS_STATES_MAX: usize = 512;

/// Longest state kept, in bytes; a longer one is left out.
pub const ACCESS_STATE_BYTES_MAX: usize = 65_536;

/// The state of one access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessState {
    /// Whose.
    pub access: Access,
    /// The state as JSON text.
    pub json: String,
}

/// All states that were kept at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessStates {
    /// When.
    pub saved: WallTime,
    /// One for each access, by name.
    pub states: Vec<AccessState>,
}

/// Puts `kept` in the place of everything kept before.
pub(crate) fn replace(connection: &Connection, kept: &AccessStates) -> rusqlite::Result<usize> {
    connection.prepare_cached("DELETE FROM access_states")?.execute([])?;
    let sql = "INSERT OR REPLACE INTO access_states (backend, credential, state, saved_ms)
        VALUES (?1, ?2, ?3, ?4)";
    let mut statement = connection.prepare_cached(sql)?;
    let short = kept.states.iter().filter(|state| state.json.len() <= ACCESS_STATE_BYTES_MAX);
    let mut written = 0;
    for state in short.take(ACCESS_STATES_MAX) {
        let (access, saved) = (&state.access, time(kept.saved));
        let backend = access.backend.as_str();
        written +=
            statement.execute(params![backend, credential_text(access), state.json, saved])?;
    }
    Ok(written)
}

/// Everything that is kept; `None` if that is nothing.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Option<AccessStates>> {
    let read = |row: &Row<'_>| {
        let state = AccessState { access: read_access(row)?, json: row.get("state")? };
        Ok((WallTime::from_unix_ms(row.get("saved_ms")?), state))
    };
    let sql = "SELECT * FROM access_states ORDER BY backend, credential";
    let mut statement = connection.prepare_cached(sql)?;
    let mut kept: Option<AccessStates> = None;
    for row in statement.query_map([], read)? {
        let (saved, state) = row?;
        kept.get_or_insert(AccessStates { saved, states: Vec::new() }).states.push(state);
    }
    Ok(kept)
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
