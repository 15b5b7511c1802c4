-- As observed_time, for services.
CREATE TABLE observed_service_time (
    hours INTEGER NOT NULL CHECK (hours = 1 OR hours = 24),
    slot_ms INTEGER NOT NULL,
    service TEXT NOT NULL,
    good_ms INTEGER NOT NULL,
    bad_ms INTEGER NOT NULL,
    PRIMARY KEY (hours, slot_ms, service)
) STRICT, WITHOUT ROWID;

-- The latest health of each service. That of a service which has another address by now is not its own.
CREATE TABLE service_health (
    service TEXT NOT NULL PRIMARY KEY,
    address TEXT NOT NULL,
    state TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
