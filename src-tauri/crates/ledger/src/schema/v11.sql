-- Sums by route too. Requests that are still kept are counted again with their route; quarter hours of
-- which some are gone keep their sums, under no route.
ALTER TABLE rollup_quarter RENAME TO routeless_quarter;
CREATE TABLE rollup_quarter (
    slot_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    backend TEXT NOT NULL,
    model TEXT NOT NULL,
    client TEXT NOT NULL,
    credential TEXT NOT NULL,
    project TEXT NOT NULL,
    route TEXT NOT NULL,
    requests INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    input_uncached INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write_5m INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output_visible INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    unpriced_requests INTEGER NOT NULL,
    first_token_us_sum INTEGER NOT NULL,
    first_token_count INTEGER NOT NULL,
    duration_us_sum INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    wasted_nano_usd INTEGER NOT NULL,
    unpriced_attempts INTEGER NOT NULL,
    cache_hits INTEGER NOT NULL,
    cache_shared INTEGER NOT NULL,
    cache_misses INTEGER NOT NULL,
    saved_nano_usd INTEGER NOT NULL,
    saved_us INTEGER NOT NULL,
    PRIMARY KEY (slot_ms, purpose, backend, model, client, credential, project, route)
) STRICT, WITHOUT ROWID;

CREATE TEMP TABLE whole_slots (slot_ms INTEGER PRIMARY KEY);
INSERT INTO temp.whole_slots
    SELECT slot_ms FROM (SELECT slot_ms, sum(requests) AS requests FROM routeless_quarter GROUP BY 1)
    JOIN (SELECT started_ms - started_ms % 900000 AS started_slot_ms, count(*) AS kept FROM requests
        WHERE state <> 'reserved' GROUP BY 1) ON started_slot_ms = slot_ms
    WHERE requests = kept;
INSERT INTO rollup_quarter
    (slot_ms, purpose, backend, model, client, credential, project, route,
     requests, complete, failed, input_uncached, cache_read, cache_write_5m, cache_write_1h,
     output_visible, reasoning, cost_nano_usd, unpriced_requests, first_token_us_sum,
     first_token_count, duration_us_sum, retries, wasted_nano_usd, unpriced_attempts, cache_hits,
     cache_shared, cache_misses, saved_nano_usd, saved_us)
    SELECT started_ms - started_ms % 900000, purpose, coalesce(backend, ''),
     coalesce(model_billed, model_asked), client, coalesce(credential, ''), coalesce(project, ''), route,
     count(*), sum(state = 'complete'), sum(state = 'failed'), sum(coalesce(input_uncached, 0)),
     sum(coalesce(cache_read, 0)), sum(coalesce(cache_write_5m, 0)),
     sum(coalesce(cache_write_1h, 0)), sum(coalesce(output_visible, 0)),
     sum(coalesce(reasoning, 0)), sum(coalesce(cost_nano_usd, 0)), sum(cost_nano_usd IS NULL),
     sum(coalesce(first_token_us, 0)), sum(first_token_us IS NOT NULL), sum(coalesce(total_us, 0)),
     sum(max(attempts - 1, 0)), sum(wasted_nano_usd), sum(unpriced_attempts), sum(cache = 'hit'),
     sum(cache = 'coalesced'), sum(cache = 'miss'), sum(coalesce(saved_nano_usd, 0)),
     sum(coalesce(saved_us, 0))
    FROM requests WHERE state <> 'reserved'
     AND started_ms - started_ms % 900000 IN (SELECT slot_ms FROM temp.whole_slots)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
INSERT INTO rollup_quarter
    (slot_ms, purpose, backend, model, client, credential, project, route,
     requests, complete, failed, input_uncached, cache_read, cache_write_5m, cache_write_1h,
     output_visible, reasoning, cost_nano_usd, unpriced_requests, first_token_us_sum,
     first_token_count, duration_us_sum, retries, wasted_nano_usd, unpriced_attempts, cache_hits,
     cache_shared, cache_misses, saved_nano_usd, saved_us)
    SELECT slot_ms, purpose, backend, model, client, credential, project, '',
     requests, complete, failed, input_uncached, cache_read, cache_write_5m, cache_write_1h,
     output_visible, reasoning, cost_nano_usd, unpriced_requests, first_token_us_sum,
     first_token_count, duration_us_sum, retries, wasted_nano_usd, unpriced_attempts, cache_hits,
     cache_shared, cache_misses, saved_nano_usd, saved_us
    FROM routeless_quarter WHERE slot_ms NOT IN (SELECT slot_ms FROM temp.whole_slots);
DROP TABLE temp.whole_slots;
DROP TABLE routeless_quarter;

-- The combinations of names that were used, and sums of each per hour and per UTC day once those are past:
-- for two dimensions crossed, and for one with the others as filter.
CREATE TABLE rollup_keys (
    id INTEGER PRIMARY KEY,
    purpose TEXT NOT NULL,
    backend TEXT NOT NULL,
    model TEXT NOT NULL,
    client TEXT NOT NULL,
    credential TEXT NOT NULL,
    project TEXT NOT NULL,
    route TEXT NOT NULL,
    UNIQUE (purpose, backend, model, client, credential, project, route)
) STRICT;

CREATE TABLE rollup_cross (
    hours INTEGER NOT NULL CHECK (hours = 1 OR hours = 24),
    key_id INTEGER NOT NULL,
    slot_ms INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    input_uncached INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write_5m INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output_visible INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    unpriced_requests INTEGER NOT NULL,
    first_token_us_sum INTEGER NOT NULL,
    first_token_count INTEGER NOT NULL,
    duration_us_sum INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    wasted_nano_usd INTEGER NOT NULL,
    unpriced_attempts INTEGER NOT NULL,
    cache_hits INTEGER NOT NULL,
    cache_shared INTEGER NOT NULL,
    cache_misses INTEGER NOT NULL,
    saved_nano_usd INTEGER NOT NULL,
    saved_us INTEGER NOT NULL,
    PRIMARY KEY (hours, key_id, slot_ms)
) STRICT, WITHOUT ROWID;

-- Folded again from the quarters, a few hours with each commit.
DELETE FROM rollup_hour;
UPDATE rollup_folded SET until_ms = 0;
