-- False until the user was told of the mark: a crash between may not lose it.
ALTER TABLE budget_crossings ADD COLUMN is_told INTEGER NOT NULL DEFAULT 1;

-- Where an answer was made, if that has a price: needed to price it once a price is known.
ALTER TABLE session_usage ADD COLUMN region TEXT;
