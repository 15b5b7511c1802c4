-- Usage from the session logs of coding tools: a second source beside the requests that the gateway
-- measured. '' stands for none.
CREATE TABLE session_usage (
    number INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    tool TEXT NOT NULL,
    session TEXT NOT NULL,
    message_id TEXT,
    request_id TEXT,
    time_ms INTEGER NOT NULL,
    model TEXT NOT NULL,
    provider TEXT,
    project TEXT NOT NULL,
    web_searches INTEGER NOT NULL,
    service_tier TEXT,
    stated_nano_usd INTEGER,
    value_nano_usd INTEGER,
    price_id TEXT,
    input_uncached INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write_5m INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output_visible INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    -- The gateway's request that is the same call. Such a row is in no sum.
    measured_by TEXT
) STRICT;

CREATE INDEX session_usage_time ON session_usage (time_ms);
CREATE UNIQUE INDEX session_usage_measured ON session_usage (measured_by) WHERE measured_by IS NOT NULL;
-- Finds the rows that a request may have measured: the sums are the same whatever the classes.
CREATE INDEX session_usage_sums ON session_usage
    (input_uncached + cache_read + cache_write_5m + cache_write_1h, output_visible + reasoning)
    WHERE measured_by IS NULL;

-- How far each log was read; written in the transaction of its rows.
CREATE TABLE session_files (
    path TEXT NOT NULL PRIMARY KEY,
    tool TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    position INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    head INTEGER NOT NULL,
    head_bytes INTEGER NOT NULL,
    state TEXT NOT NULL,
    is_complete INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What could not be used, by line; more than are listed are counted in the last one.
CREATE TABLE session_problems (
    path TEXT NOT NULL,
    line INTEGER NOT NULL,
    number INTEGER NOT NULL,
    field TEXT NOT NULL,
    what TEXT NOT NULL,
    problems INTEGER NOT NULL,
    PRIMARY KEY (path, line, number)
) STRICT, WITHOUT ROWID;
