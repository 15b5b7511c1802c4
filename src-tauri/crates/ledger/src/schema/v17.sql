-- Sums by meter alone: with backend and model they were sixteen times as many, and nothing asks
-- for those.
ALTER TABLE rollup_meters RENAME TO model_meters;
CREATE TABLE rollup_meters (
    slot_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    meter TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    unpriced_quantity INTEGER NOT NULL,
    PRIMARY KEY (slot_ms, purpose, meter)
) STRICT, WITHOUT ROWID;
INSERT INTO rollup_meters
    SELECT slot_ms, purpose, meter, sum(quantity), sum(cost_nano_usd), sum(unpriced_quantity)
    FROM model_meters GROUP BY 1, 2, 3;
DROP TABLE model_meters;

-- Hours tell where requests of a model or a route are, as for clients and backends. The roll-ups
-- know the billed model; this table knows the hours of one that was asked for by another name.
DROP INDEX requests_model_asked;
DROP INDEX requests_model_billed;
DROP INDEX requests_route;
CREATE TABLE asked_hours (
    model TEXT NOT NULL,
    slot_ms INTEGER NOT NULL,
    PRIMARY KEY (model, slot_ms)
) STRICT, WITHOUT ROWID;

-- How many requests there are. Without an index of all of them, to count them reads the whole table.
CREATE TABLE request_count (requests INTEGER NOT NULL) STRICT;
INSERT INTO request_count SELECT count(*) FROM requests;
CREATE TRIGGER requests_added AFTER INSERT ON requests
BEGIN UPDATE request_count SET requests = requests + 1; END;
CREATE TRIGGER requests_removed AFTER DELETE ON requests
BEGIN UPDATE request_count SET requests = requests - 1; END;

-- Why a backend was chosen, once for all requests with the same explanation and decision. Older
-- requests keep theirs in their row and in `decisions`.
CREATE TABLE explanations (
    -- A hash of both texts.
    id INTEGER NOT NULL PRIMARY KEY,
    -- The last day, counted from 1970, on which a request with it began.
    last_day INTEGER NOT NULL,
    sentence TEXT,
    -- As JSON, packed.
    decision BLOB
) STRICT, WITHOUT ROWID;
ALTER TABLE requests ADD COLUMN explanation_id INTEGER;

-- The parts of a request's latency in one row: each part's length in two bytes, little-endian, and
-- its counts as HdrHistogram's format V2 has them after its header.
DROP TABLE rollup_latency;
CREATE TABLE rollup_latency (
    hours INTEGER NOT NULL CHECK (hours = 1 OR hours = 24),
    slot_ms INTEGER NOT NULL,
    dimension TEXT NOT NULL,
    purpose TEXT NOT NULL,
    name TEXT NOT NULL,
    histograms BLOB NOT NULL,
    PRIMARY KEY (hours, dimension, slot_ms, purpose, name)
) STRICT, WITHOUT ROWID;

-- For the few hours around the days of a range, where the order by combination reads too much.
CREATE INDEX rollup_cross_slots ON rollup_cross (slot_ms) WHERE hours = 1;

-- Folded again while nothing is queued.
DELETE FROM rollup_hour;
DELETE FROM rollup_cross;
DELETE FROM request_costs;
UPDATE rollup_folded SET until_ms = 0;
