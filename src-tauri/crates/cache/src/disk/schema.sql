-- `number` only grows, also over restarts, so that rows of this process can be told from earlier ones.
CREATE TABLE entries (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    address BLOB    NOT NULL UNIQUE,
    asked   INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used    INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    backend     TEXT NOT NULL,
    model_asked TEXT NOT NULL,
    model       TEXT NOT NULL,
    client      TEXT NOT NULL,
    route       TEXT NOT NULL,
    sealed  BLOB NOT NULL
) STRICT;

CREATE INDEX entries_used ON entries (used);
