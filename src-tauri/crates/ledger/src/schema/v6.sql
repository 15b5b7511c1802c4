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
-- The lines of an attempt's invoice: meter, quantity, nano-dollars for a million units, nano-dollars;
-- and why a cost is unknown. The classes of tokens stay as coarse sums.
ALTER TABLE attempts ADD COLUMN lines TEXT;
ALTER TABLE attempts ADD COLUMN unpriced_reason TEXT;
ALTER TABLE attempts ADD COLUMN unpriced_detail TEXT;
ALTER TABLE requests ADD COLUMN unpriced_reason TEXT;
ALTER TABLE requests ADD COLUMN unpriced_detail TEXT;

-- What each meter counted and cost, per quarter hour.
CREATE TABLE rollup_meters (
    slot_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    backend TEXT NOT NULL,
    model TEXT NOT NULL,
    meter TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    unpriced_quantity INTEGER NOT NULL,
    PRIMARY KEY (slot_ms, purpose, backend, model, meter)
) STRICT, WITHOUT ROWID;

-- Prices in the program's own format, which has tiers, long input and regions.
ALTER TABLE prices RENAME TO flat_prices;
CREATE TABLE prices (
    id TEXT NOT NULL PRIMARY KEY,
    provider TEXT,
    backend TEXT,
    model TEXT NOT NULL,
    terms TEXT NOT NULL,
    valid_from_ms INTEGER NOT NULL,
    valid_to_ms INTEGER,
    source TEXT NOT NULL,
    confidence TEXT NOT NULL
        CHECK (confidence = 'listed' OR confidence = 'declared' OR confidence = 'made_up'),
    CHECK ((provider IS NULL) <> (backend IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO prices SELECT id, provider, backend, model,
    '{"rates":{' || substr(
        iif(input IS NULL, '', printf(',"input":%d.%06d', input / 1000000, input % 1000000)) ||
        iif(cache_read IS NULL, '', printf(',"cache_read":%d.%06d', cache_read / 1000000, cache_read % 1000000)) ||
        iif(cache_write_5m IS NULL, '', printf(',"cache_write_5m":%d.%06d', cache_write_5m / 1000000, cache_write_5m % 1000000)) ||
        iif(cache_write_1h IS NULL, '', printf(',"cache_write_1h":%d.%06d', cache_write_1h / 1000000, cache_write_1h % 1000000)) ||
        iif(output IS NULL, '', printf(',"output":%d.%06d', output / 1000000, output % 1000000)), 2) || '}' ||
    iif(long_over_input_tokens IS NULL, '',
        ',"above":{"input_tokens":' || long_over_input_tokens || ',"rates":{' || substr(
        iif(long_input IS NULL, '', printf(',"input":%d.%06d', long_input / 1000000, long_input % 1000000)) ||
        iif(long_cache_read IS NULL, '', printf(',"cache_read":%d.%06d', long_cache_read / 1000000, long_cache_read % 1000000)) ||
        iif(long_cache_write_5m IS NULL, '', printf(',"cache_write_5m":%d.%06d', long_cache_write_5m / 1000000, long_cache_write_5m % 1000000)) ||
        iif(long_cache_write_1h IS NULL, '', printf(',"cache_write_1h":%d.%06d', long_cache_write_1h / 1000000, long_cache_write_1h % 1000000)) ||
        iif(long_output IS NULL, '', printf(',"output":%d.%06d', long_output / 1000000, long_output % 1000000)), 2) || '}}') || '}',
    valid_from_ms, valid_to_ms, source, confidence FROM flat_prices;
DROP TABLE flat_prices;
