-- Money in nano-dollars: eight tokens of an embedding cost 160, which micro-dollars rounded away.
ALTER TABLE requests RENAME COLUMN cost_micro_usd TO cost_nano_usd;
ALTER TABLE requests RENAME COLUMN saved_micro_usd TO saved_nano_usd;
ALTER TABLE requests RENAME COLUMN wasted_micro_usd TO wasted_nano_usd;
ALTER TABLE attempts RENAME COLUMN cost_micro_usd TO cost_nano_usd;
ALTER TABLE rollup_quarter RENAME COLUMN cost_micro_usd TO cost_nano_usd;
ALTER TABLE rollup_quarter RENAME COLUMN saved_micro_usd TO saved_nano_usd;
ALTER TABLE rollup_quarter RENAME COLUMN wasted_micro_usd TO wasted_nano_usd;
ALTER TABLE rollup_hour RENAME COLUMN cost_micro_usd TO cost_nano_usd;
ALTER TABLE rollup_hour RENAME COLUMN saved_micro_usd TO saved_nano_usd;
ALTER TABLE rollup_hour RENAME COLUMN wasted_micro_usd TO wasted_nano_usd;
ALTER TABLE rollup_failures RENAME COLUMN cost_micro_usd TO cost_nano_usd;

-- The bound is nine billion dollars: a larger product is no integer, and STRICT refuses it.
UPDATE requests SET cost_nano_usd = cost_nano_usd * 1000, saved_nano_usd = saved_nano_usd * 1000,
    wasted_nano_usd = wasted_nano_usd * 1000
    WHERE cost_nano_usd <> 0 OR saved_nano_usd <> 0 OR wasted_nano_usd <> 0;
UPDATE attempts SET cost_nano_usd = cost_nano_usd * 1000 WHERE cost_nano_usd <> 0;
UPDATE rollup_quarter SET cost_nano_usd = min(cost_nano_usd, 9000000000000000) * 1000,
    saved_nano_usd = saved_nano_usd * 1000, wasted_nano_usd = wasted_nano_usd * 1000;
UPDATE rollup_hour SET cost_nano_usd = min(cost_nano_usd, 9000000000000000) * 1000,
    saved_nano_usd = saved_nano_usd * 1000, wasted_nano_usd = wasted_nano_usd * 1000;
UPDATE rollup_failures SET cost_nano_usd = cost_nano_usd * 1000;
UPDATE prices SET input = input * 1000, cache_read = cache_read * 1000,
    cache_write_5m = cache_write_5m * 1000, cache_write_1h = cache_write_1h * 1000,
    output = output * 1000, long_input = long_input * 1000, long_cache_read = long_cache_read * 1000,
    long_cache_write_5m = long_cache_write_5m * 1000,
    long_cache_write_1h = long_cache_write_1h * 1000, long_output = long_output * 1000;
