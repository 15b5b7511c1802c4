-- Of an agent's call: the client whose token it has, and whether a person confirmed it, which is NULL where
-- nobody was asked or nobody answered.
ALTER TABLE audit_log ADD COLUMN client TEXT;
ALTER TABLE audit_log ADD COLUMN confirmed INTEGER;
