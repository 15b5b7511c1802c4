-- UTC days along one dimension at a time, folded from the hours: a year by any name is some
-- thousand rows instead of a hundred thousand.
CREATE TABLE rollup_day (
    dimension TEXT NOT NULL,
    slot_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    name TEXT NOT NULL,
    requests INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    failed INTEGER NOT NULL,
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
    input_uncached INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write_5m INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output_visible INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    PRIMARY KEY (dimension, slot_ms, purpose, name)
) STRICT, WITHOUT ROWID;

-- Of the days whose hours are all folded.
INSERT INTO rollup_day
    SELECT dimension, slot_ms - slot_ms % 86400000, purpose, name, sum(requests), sum(complete),
     sum(failed), sum(cost_nano_usd), sum(unpriced_requests), sum(first_token_us_sum),
     sum(first_token_count), sum(duration_us_sum), sum(retries), sum(wasted_nano_usd),
     sum(unpriced_attempts), sum(cache_hits), sum(cache_shared), sum(cache_misses),
     sum(saved_nano_usd), sum(saved_us), sum(input_uncached), sum(cache_read),
     sum(cache_write_5m), sum(cache_write_1h), sum(output_visible), sum(reasoning)
    FROM rollup_hour
    WHERE slot_ms < (SELECT until_ms - until_ms % 86400000 FROM rollup_folded)
    GROUP BY 1, 2, 3, 4;
