-- Marks of budgets that were reached. The user is told of each once, also after a restart.
CREATE TABLE budget_crossings (
    number INTEGER PRIMARY KEY,
    budget TEXT NOT NULL,
    mark TEXT NOT NULL,
    period_from_ms INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    spent_nano_usd INTEGER NOT NULL,
    limit_nano_usd INTEGER NOT NULL
) STRICT;
CREATE INDEX budget_crossings_budget ON budget_crossings (budget, at_ms);

-- What the user allowed more than a budget's limit, for a time.
CREATE TABLE budget_allowances (
    number INTEGER PRIMARY KEY,
    budget TEXT NOT NULL,
    nano_usd INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX budget_allowances_budget ON budget_allowances (budget, at_ms);
