-- Machines whose requests were added from an export, and which one a request came from: NULL for this one.
CREATE TABLE devices (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    merged_ms INTEGER NOT NULL
) STRICT;
ALTER TABLE requests ADD COLUMN device INTEGER;
-- Only in an export: what its user calls the machine.
ALTER TABLE identity ADD COLUMN name TEXT;
