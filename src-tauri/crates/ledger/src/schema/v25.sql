-- How many requests of a merged machine are here: to count them in `requests` would read all of it.
ALTER TABLE devices ADD COLUMN requests INTEGER NOT NULL DEFAULT 0;
UPDATE devices SET requests = (SELECT count(*) FROM requests WHERE device = number);
