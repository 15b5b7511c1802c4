-- Money that budgets reserved for requests that are not settled. What a killed process leaves here
-- belongs to requests whose cost is unknown.
CREATE TABLE budget_reservations (
    request_id TEXT NOT NULL,
    budget TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    nano_usd INTEGER NOT NULL,
    PRIMARY KEY (request_id, budget)
) STRICT, WITHOUT ROWID;
