-- What became of the alerts, as the book of alerts saves itself: one text.
CREATE TABLE alert_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    json TEXT NOT NULL
) STRICT;

-- Alerts that fired. Also the inbox.
CREATE TABLE alerts (
    number INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    -- Names of what it is about, separated by commas.
    scopes TEXT NOT NULL,
    title TEXT NOT NULL,
    detail TEXT NOT NULL,
    path TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    fired_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    ending TEXT,
    acknowledged_ms INTEGER,
    notified_ms INTEGER,
    is_read INTEGER NOT NULL
) STRICT;

-- What the user wrote about an alert.
CREATE TABLE alert_notes (
    number INTEGER PRIMARY KEY,
    alert INTEGER NOT NULL REFERENCES alerts (number) ON DELETE CASCADE,
    at_ms INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX alert_notes_by_alert ON alert_notes (alert);
