-- 'GATE': tells our file from another program's.
PRAGMA application_id = 1195463749;

-- One row per call of a client. The id is time-ordered (UUID version 7), so this b-tree only grows at
-- its end and "newest first" is its reverse.
-- The words are compared one by one: for a list of them SQLite makes and fills a table at every write.
CREATE TABLE requests (
    id TEXT NOT NULL PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    client TEXT NOT NULL,
    project TEXT,
    route TEXT NOT NULL,
    model_asked TEXT NOT NULL,
    dialect TEXT NOT NULL,
    streamed INTEGER NOT NULL CHECK (streamed = 0 OR streamed = 1),
    purpose TEXT NOT NULL CHECK (purpose = 'user' OR purpose = 'health' OR purpose = 'check'),
    state TEXT NOT NULL
        CHECK (state = 'reserved' OR state = 'complete' OR state = 'partial' OR state = 'failed'
            OR state = 'cancelled' OR state = 'unknown'),
    backend TEXT,
    credential TEXT,
    model_billed TEXT,
    http_status INTEGER,
    finish_reason TEXT,
    error_class TEXT,
    usage_source TEXT NOT NULL DEFAULT 'unknown'
        CHECK (usage_source = 'reported' OR usage_source = 'unknown'),
    input_uncached INTEGER,
    cache_read INTEGER,
    cache_write_5m INTEGER,
    cache_write_1h INTEGER,
    output_visible INTEGER,
    reasoning INTEGER,
    cost_micro_usd INTEGER,
    cost_basis TEXT NOT NULL DEFAULT 'unpriced'
        CHECK (cost_basis = 'reported' OR cost_basis = 'computed' OR cost_basis = 'unpriced'
            OR cost_basis = 'not_billed'),
    price_id TEXT,
    cache TEXT NOT NULL DEFAULT 'bypass'
        CHECK (cache = 'bypass' OR cache = 'miss' OR cache = 'hit' OR cache = 'coalesced'),
    queue_us INTEGER,
    first_byte_us INTEGER,
    first_token_us INTEGER,
    total_us INTEGER,
    bytes_in INTEGER NOT NULL DEFAULT 0,
    bytes_out INTEGER NOT NULL DEFAULT 0,
    explanation TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    CHECK ((usage_source = 'reported') = (input_uncached IS NOT NULL)),
    CHECK ((cost_basis = 'unpriced') = (cost_micro_usd IS NULL)),
    CHECK ((cost_basis = 'computed') = (price_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_client ON requests (client, id);
CREATE INDEX requests_backend ON requests (backend, id);
-- Small on purpose: what runs now, and what did not end well.
CREATE INDEX requests_reserved ON requests (id) WHERE state = 'reserved';
CREATE INDEX requests_trouble ON requests (state, id) WHERE state NOT IN ('complete', 'reserved');

CREATE TABLE attempts (
    request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    backend TEXT NOT NULL,
    credential TEXT,
    model TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    error_class TEXT,
    http_status INTEGER,
    message TEXT,
    PRIMARY KEY (request_id, number)
) STRICT, WITHOUT ROWID;

-- Sums per quarter hour and per hour; '' stands for none. Kept in the transaction that settles the
-- request. Hours answer fast, quarters make up the ends of a day in zones off by half an hour.
CREATE TABLE rollup_quarter (
    slot_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    backend TEXT NOT NULL,
    model TEXT NOT NULL,
    client TEXT NOT NULL,
    credential TEXT NOT NULL,
    project TEXT NOT NULL,
    requests INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    input_uncached INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write_5m INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output_visible INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost_micro_usd INTEGER NOT NULL,
    unpriced_requests INTEGER NOT NULL,
    first_token_us_sum INTEGER NOT NULL,
    first_token_count INTEGER NOT NULL,
    duration_us_sum INTEGER NOT NULL,
    PRIMARY KEY (slot_ms, purpose, backend, model, client, credential, project)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_hour (
    slot_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    backend TEXT NOT NULL,
    model TEXT NOT NULL,
    client TEXT NOT NULL,
    credential TEXT NOT NULL,
    project TEXT NOT NULL,
    requests INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    input_uncached INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write_5m INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output_visible INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost_micro_usd INTEGER NOT NULL,
    unpriced_requests INTEGER NOT NULL,
    first_token_us_sum INTEGER NOT NULL,
    first_token_count INTEGER NOT NULL,
    duration_us_sum INTEGER NOT NULL,
    PRIMARY KEY (slot_ms, purpose, backend, model, client, credential, project)
) STRICT, WITHOUT ROWID;

CREATE TABLE prices (
    id TEXT NOT NULL PRIMARY KEY,
    provider TEXT,
    backend TEXT,
    model TEXT NOT NULL,
    input INTEGER,
    cache_read INTEGER,
    cache_write_5m INTEGER,
    cache_write_1h INTEGER,
    output INTEGER,
    long_over_input_tokens INTEGER,
    long_input INTEGER,
    long_cache_read INTEGER,
    long_cache_write_5m INTEGER,
    long_cache_write_1h INTEGER,
    long_output INTEGER,
    valid_from_ms INTEGER NOT NULL,
    valid_to_ms INTEGER,
    source TEXT NOT NULL,
    confidence TEXT NOT NULL
        CHECK (confidence = 'listed' OR confidence = 'declared' OR confidence = 'made_up'),
    CHECK ((provider IS NULL) <> (backend IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    id TEXT NOT NULL PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    set_name TEXT NOT NULL,
    score INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    report TEXT NOT NULL
) STRICT;

CREATE TABLE health (
    backend TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE health_log (
    number INTEGER PRIMARY KEY,
    backend TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;

CREATE INDEX health_log_backend ON health_log (backend, number);
