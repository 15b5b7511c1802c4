-- What providers say they billed, by UTC day and by their own name for it. A day on which they
-- billed nothing has one row with an empty line, which tells it from a day without a report.
CREATE TABLE billed (
    provider TEXT NOT NULL,
    day TEXT NOT NULL,
    source TEXT NOT NULL,
    line TEXT NOT NULL,
    amount_nano_usd INTEGER NOT NULL,
    fetched_ms INTEGER NOT NULL,
    PRIMARY KEY (day, provider, source, line)
) STRICT, WITHOUT ROWID;
