-- States of each service, one row per change. The latest known state is the first row.
CREATE TABLE service_health_log (
    number INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    address TEXT NOT NULL,
    state TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX service_health_log_service ON service_health_log (service, number);
INSERT INTO service_health_log (service, address, state, since_ms, reason)
    SELECT service, address, state, since_ms, reason FROM service_health ORDER BY since_ms;
