-- What providers made of keys, one row where it changed.
CREATE TABLE key_verdicts (
    number INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    credential TEXT NOT NULL,
    place TEXT,
    verdict TEXT NOT NULL,
    source TEXT NOT NULL
) STRICT;
CREATE INDEX key_verdicts_credential ON key_verdicts (credential, number);
