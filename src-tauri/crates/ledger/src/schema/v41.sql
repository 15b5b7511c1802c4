-- Requests that nothing was billed for, since no backend worked for them: whether they have a price says
-- nothing of those that were billed. Sums of requests that are deleted keep their zeros.
ALTER TABLE rollup_quarter ADD COLUMN unbilled_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_hour ADD COLUMN unbilled_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_day ADD COLUMN unbilled_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_cross ADD COLUMN unbilled_requests INTEGER NOT NULL DEFAULT 0;

UPDATE rollup_quarter SET unbilled_requests = counted.requests FROM (
     SELECT started_ms - started_ms % 900000 AS slot_ms, purpose, coalesce(backend, '') AS backend,
      coalesce(model_billed, model_asked) AS model, client, coalesce(credential, '') AS credential,
      coalesce(project, '') AS project, route, count(*) AS requests
     FROM requests WHERE state <> 'reserved' AND cost_basis = 'not_billed'
     GROUP BY 1, 2, 3, 4, 5, 6, 7, 8) AS counted
    WHERE rollup_quarter.slot_ms = counted.slot_ms AND rollup_quarter.purpose = counted.purpose
     AND rollup_quarter.backend = counted.backend AND rollup_quarter.model = counted.model
     AND rollup_quarter.client = counted.client
     AND rollup_quarter.credential = counted.credential
     AND rollup_quarter.project = counted.project AND rollup_quarter.route = counted.route;

-- The folded hours from the first request that is kept on are folded again, as in version 38.
CREATE TEMP TABLE refolded AS
    SELECT slot_ms - slot_ms % 3600000 AS from_ms FROM rollup_folded,
     (SELECT min(started_ms) + 3600000 * EXISTS (SELECT 1 FROM purged_requests) AS slot_ms
      FROM requests WHERE state <> 'reserved')
    WHERE slot_ms IS NOT NULL AND slot_ms - slot_ms % 3600000 < until_ms;
DELETE FROM rollup_hour WHERE slot_ms >= (SELECT from_ms FROM refolded);
DELETE FROM rollup_day WHERE slot_ms >= (SELECT from_ms - from_ms % 86400000 FROM refolded);
DELETE FROM rollup_cross WHERE hours = 1 AND slot_ms >= (SELECT from_ms FROM refolded);
DELETE FROM rollup_cross WHERE hours = 24
    AND slot_ms >= (SELECT from_ms - from_ms % 86400000 FROM refolded);
DELETE FROM rollup_latency WHERE hours = 1 AND slot_ms >= (SELECT from_ms FROM refolded);
DELETE FROM rollup_latency WHERE hours = 24
    AND slot_ms >= (SELECT from_ms - from_ms % 86400000 FROM refolded);
DELETE FROM asked_hours WHERE slot_ms >= (SELECT from_ms FROM refolded);
DELETE FROM request_costs WHERE slot_ms >= (SELECT from_ms FROM refolded);
UPDATE rollup_folded SET until_ms = (SELECT from_ms FROM refolded)
    WHERE EXISTS (SELECT 1 FROM refolded);
DROP TABLE refolded;
