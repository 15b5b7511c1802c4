-- The cost of every priced request, packed by quarter hour: pairs of numbers in LEB128, the
-- combination of names (rollup_keys) and the cost in nano-dollars.
CREATE TABLE request_costs (
    slot_ms INTEGER PRIMARY KEY,
    costs BLOB NOT NULL
) STRICT;

-- Folded from the requests, with the hours of the other roll-ups, a few with each commit.
DELETE FROM rollup_hour;
DELETE FROM rollup_cross;
DELETE FROM rollup_latency;
UPDATE rollup_folded SET until_ms = 0;
