-- Times in which the program ran and watched without a gap, and what held all the while. The gaps
-- between them were not observed. One that goes on is written again with a later end.
CREATE TABLE watch_spans (
    from_ms INTEGER NOT NULL PRIMARY KEY,
    until_ms INTEGER NOT NULL,
    -- 'started', 'resumed' or 'changed'
    begun_by TEXT NOT NULL,
    is_online INTEGER NOT NULL,
    is_listening INTEGER NOT NULL
) STRICT;
