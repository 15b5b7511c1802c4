-- Latencies as histograms (HdrHistogram, V2, microseconds), per hour and per UTC day.
CREATE TABLE rollup_latency (
    hours INTEGER NOT NULL CHECK (hours = 1 OR hours = 24),
    slot_ms INTEGER NOT NULL,
    dimension TEXT NOT NULL,
    purpose TEXT NOT NULL,
    name TEXT NOT NULL,
    part TEXT NOT NULL,
    histogram BLOB NOT NULL,
    PRIMARY KEY (hours, dimension, slot_ms, purpose, name, part)
) STRICT, WITHOUT ROWID;

-- Folded from the requests, with the hours of the other roll-ups, a few with each commit.
DELETE FROM rollup_hour;
DELETE FROM rollup_cross;
UPDATE rollup_folded SET until_ms = 0;
