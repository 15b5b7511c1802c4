-- From when on usage from session logs is stored that was not yet looked for among the requests; no row
-- if all was. Imports until version 38 that were killed may have left some.
CREATE TABLE session_unmatched (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    since_ms INTEGER NOT NULL
) STRICT;
INSERT INTO session_unmatched
    SELECT 1, since_ms FROM (SELECT min(time_ms) AS since_ms FROM session_usage
     WHERE measured_by IS NULL) WHERE since_ms IS NOT NULL;
