-- Prices that the user set or imported belong to a change that can be taken back.
CREATE TABLE price_changes (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    what TEXT NOT NULL,
    undone_ms INTEGER
) STRICT;
ALTER TABLE prices ADD COLUMN change_id INTEGER;

-- Attempts that a change priced, and why they had no price before.
CREATE TABLE repriced_attempts (
    change_id INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT,
    PRIMARY KEY (change_id, request_id, number)
) STRICT, WITHOUT ROWID;

-- What decides the price of an attempt besides its lines; NULL for the standard tier, and anywhere.
ALTER TABLE attempts ADD COLUMN tier TEXT;
ALTER TABLE attempts ADD COLUMN region TEXT;
CREATE INDEX attempts_without_price ON attempts (request_id, number)
    WHERE unpriced_reason = 'no_price' OR unpriced_reason = 'no_rate';
