-- When a backend that answered did so slowly or failed often. A span that goes on is one row whose end
-- moves.
CREATE TABLE degraded_spans (
    number INTEGER PRIMARY KEY,
    backend TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    UNIQUE (backend, from_ms)
) STRICT;

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
