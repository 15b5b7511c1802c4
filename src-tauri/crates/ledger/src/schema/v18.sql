-- False until the user was told of the mark: a crash between may not lose it.
ALTER TABLE budget_crossings ADD COLUMN is_told INTEGER NOT NULL DEFAULT 1;
