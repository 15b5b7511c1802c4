-- What each try cost, how it failed and how long was waited before it; what a request lost on tries
-- that failed; how the cache took part and what it saved; why a request went where it went.
ALTER TABLE attempts ADD COLUMN class TEXT;
ALTER TABLE attempts ADD COLUMN owner TEXT;
ALTER TABLE attempts ADD COLUMN waited_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN input_uncached INTEGER;
ALTER TABLE attempts ADD COLUMN cache_read INTEGER;
ALTER TABLE attempts ADD COLUMN cache_write_5m INTEGER;
ALTER TABLE attempts ADD COLUMN cache_write_1h INTEGER;
ALTER TABLE attempts ADD COLUMN output_visible INTEGER;
ALTER TABLE attempts ADD COLUMN reasoning INTEGER;
ALTER TABLE attempts ADD COLUMN cost_micro_usd INTEGER;
ALTER TABLE attempts ADD COLUMN price_id TEXT;
ALTER TABLE attempts ADD COLUMN cost_basis TEXT NOT NULL DEFAULT 'unpriced'
    CHECK (cost_basis = 'reported' OR cost_basis = 'computed' OR cost_basis = 'unpriced'
        OR cost_basis = 'not_billed')
    CHECK ((cost_basis = 'unpriced') = (cost_micro_usd IS NULL))
    CHECK ((cost_basis = 'computed') = (price_id IS NOT NULL));

-- Until now a request's tokens and cost were those of its last try. What the others cost is not known.
UPDATE attempts SET
    (input_uncached, cache_read, cache_write_5m, cache_write_1h, output_visible, reasoning,
     cost_micro_usd, price_id, cost_basis) =
    (SELECT input_uncached, cache_read, cache_write_5m, cache_write_1h, output_visible, reasoning,
     cost_micro_usd, price_id, cost_basis FROM requests WHERE id = request_id)
    WHERE number = (SELECT requests.attempts FROM requests WHERE id = request_id);

ALTER TABLE requests ADD COLUMN cache_reason TEXT;
ALTER TABLE requests ADD COLUMN saved_micro_usd INTEGER;
ALTER TABLE requests ADD COLUMN saved_us INTEGER;
ALTER TABLE requests ADD COLUMN wasted_micro_usd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN unpriced_attempts INTEGER NOT NULL DEFAULT 0;

-- Beside the requests, so that a page of those reads none of it.
CREATE TABLE decisions (
    request_id TEXT NOT NULL PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    decision TEXT NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE rollup_quarter ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_quarter ADD COLUMN wasted_micro_usd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_quarter ADD COLUMN unpriced_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_quarter ADD COLUMN cache_hits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_quarter ADD COLUMN cache_shared INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_quarter ADD COLUMN cache_misses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_quarter ADD COLUMN saved_micro_usd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_quarter ADD COLUMN saved_us INTEGER NOT NULL DEFAULT 0;

-- Whole hours along one dimension at a time, which is all that dashboards ask, made from the quarters
-- once they are past: a month is some thousand rows instead of a hundred thousand. Filled again from
-- the quarters, a few hours with each commit.
DROP TABLE rollup_hour;
CREATE TABLE rollup_hour (
    dimension TEXT NOT NULL,
    slot_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    name TEXT NOT NULL,
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
    retries INTEGER NOT NULL,
    wasted_micro_usd INTEGER NOT NULL,
    unpriced_attempts INTEGER NOT NULL,
    cache_hits INTEGER NOT NULL,
    cache_shared INTEGER NOT NULL,
    cache_misses INTEGER NOT NULL,
    saved_micro_usd INTEGER NOT NULL,
    saved_us INTEGER NOT NULL,
    PRIMARY KEY (dimension, slot_ms, purpose, name)
) STRICT, WITHOUT ROWID;

-- One row: the end of the last hour that stands in rollup_hour. What began later is in the quarters.
CREATE TABLE rollup_folded (
    until_ms INTEGER NOT NULL
) STRICT;
INSERT INTO rollup_folded VALUES (0);

-- Tries that failed, per quarter hour, by where they failed: a request that another backend answered
-- stands in the sums of that one.
CREATE TABLE rollup_failures (
    slot_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    backend TEXT NOT NULL,
    credential TEXT NOT NULL,
    class TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    cost_micro_usd INTEGER NOT NULL,
    unpriced_attempts INTEGER NOT NULL,
    PRIMARY KEY (slot_ms, purpose, backend, credential, class)
) STRICT, WITHOUT ROWID;

-- Why the cache was not asked, per quarter hour.
CREATE TABLE rollup_bypasses (
    slot_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    reason TEXT NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (slot_ms, purpose, reason)
) STRICT, WITHOUT ROWID;

-- How breakers, cooldowns and blocks went from state to state; '' stands for no credential.
CREATE TABLE transitions (
    number INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    backend TEXT NOT NULL,
    credential TEXT NOT NULL,
    model TEXT,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    rule TEXT NOT NULL,
    evidence TEXT NOT NULL,
    lasts_us INTEGER
) STRICT;

CREATE INDEX transitions_backend ON transitions (backend, at_ms);
CREATE INDEX transitions_time ON transitions (at_ms);

-- The states themselves, as their owner wrote them; '' stands for no credential.
CREATE TABLE access_states (
    backend TEXT NOT NULL,
    credential TEXT NOT NULL,
    state TEXT NOT NULL,
    saved_ms INTEGER NOT NULL,
    PRIMARY KEY (backend, credential)
) STRICT, WITHOUT ROWID;
