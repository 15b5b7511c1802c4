-- Which ledger this is. Copies and backups share the id; a ledger that was begun anew has another. SQLite
-- draws it here, so that no file of this version is without one.
CREATE TABLE identity (
    id TEXT NOT NULL
) STRICT;
INSERT INTO identity VALUES (lower(hex(randomblob(16))));
