-- A field of an answer from a session log that may change its cost and is not understood.
ALTER TABLE session_usage ADD COLUMN unread TEXT;
