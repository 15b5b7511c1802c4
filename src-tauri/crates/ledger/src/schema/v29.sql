-- When the cost was last priced, or unpriced again, after the request had ended; NULL for a cost that
-- never changed. Each change is later than the one before: a merge keeps the latest.
ALTER TABLE requests ADD COLUMN priced_ms INTEGER;
UPDATE requests SET priced_ms = (SELECT max(c.at_ms) FROM repriced_attempts a
        JOIN price_changes c ON c.id = a.change_id WHERE a.request_id = requests.id)
    WHERE id IN (SELECT request_id FROM repriced_attempts);
ALTER TABLE session_usage ADD COLUMN priced_ms INTEGER;

-- When an export of the machine was named: the latest name is kept.
ALTER TABLE identity ADD COLUMN named_ms INTEGER;
ALTER TABLE devices ADD COLUMN named_ms INTEGER NOT NULL DEFAULT 0;

-- Up to which request of a machine rows were deleted for their age. Their sums stay, so a merge must
-- not count them once more.
CREATE TABLE purged_requests (
    device_id TEXT NOT NULL PRIMARY KEY,
    until_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- After a merge all pairs of rows and requests are looked for, those known before among them.
DROP INDEX session_usage_sums;
CREATE INDEX session_usage_sums ON session_usage
    (input_uncached + cache_read + cache_write_5m + cache_write_1h, output_visible + reasoning);
