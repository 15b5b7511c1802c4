-- Operations that changed something: what called them, what they were about and how they ended.
CREATE TABLE audit_log (
    number INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    caller TEXT NOT NULL,
    agent TEXT,
    agent_version TEXT,
    operation TEXT NOT NULL,
    subject TEXT,
    outcome TEXT NOT NULL
) STRICT;
