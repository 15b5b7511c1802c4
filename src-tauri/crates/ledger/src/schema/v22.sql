-- For how long backends were seen to answer or not, per hour and later per UTC day. What is missing was not
-- observed: asleep, offline, paused or not running.
CREATE TABLE observed_time (
    hours INTEGER NOT NULL CHECK (hours = 1 OR hours = 24),
    slot_ms INTEGER NOT NULL,
    backend TEXT NOT NULL,
    good_ms INTEGER NOT NULL,
    bad_ms INTEGER NOT NULL,
    PRIMARY KEY (hours, slot_ms, backend)
) STRICT, WITHOUT ROWID;
