-- What was unusual and the user said is fine. An id is made of the rule, the start and the name.
CREATE TABLE dismissed_anomalies (
    id TEXT NOT NULL PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Conversations that the runaway guard stopped, with the answer that made them a loop.
CREATE TABLE loops (
    request_id TEXT NOT NULL PRIMARY KEY,
    client TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
