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
