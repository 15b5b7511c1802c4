-- What requests cost by what backends stated alone, and by what the price list computes alone, beside the
-- known costs, which are the one or the other. Counts are of what is known: sums of requests that are
-- deleted keep their zeros, which say that nothing of them is known on that basis.
ALTER TABLE rollup_quarter ADD COLUMN reported_nano_usd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_quarter ADD COLUMN reported_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_quarter ADD COLUMN unreported_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_quarter ADD COLUMN computed_nano_usd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_quarter ADD COLUMN computed_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_quarter ADD COLUMN uncomputed_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_hour ADD COLUMN reported_nano_usd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_hour ADD COLUMN reported_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_hour ADD COLUMN unreported_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_hour ADD COLUMN computed_nano_usd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_hour ADD COLUMN computed_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_hour ADD COLUMN uncomputed_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_day ADD COLUMN reported_nano_usd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_day ADD COLUMN reported_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_day ADD COLUMN unreported_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_day ADD COLUMN computed_nano_usd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_day ADD COLUMN computed_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_day ADD COLUMN uncomputed_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_cross ADD COLUMN reported_nano_usd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_cross ADD COLUMN reported_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_cross ADD COLUMN unreported_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_cross ADD COLUMN computed_nano_usd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_cross ADD COLUMN computed_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_cross ADD COLUMN uncomputed_attempts INTEGER NOT NULL DEFAULT 0;

-- Attempts with what they cost on each basis; NULL where that is not known.
CREATE TEMP VIEW costs AS
    SELECT request_id, number, backend, coalesce(credential, '') AS credential, model,
     CASE cost_basis WHEN 'reported' THEN cost_nano_usd WHEN 'not_billed' THEN 0 END AS reported,
     CASE cost_basis WHEN 'computed' THEN cost_nano_usd WHEN 'not_billed' THEN 0
      WHEN 'reported' THEN (SELECT iif(count(*) = count(line.value ->> 3),
       min(sum(min(line.value ->> 3, 1000000000000)), 1000000000000), NULL)
       FROM json_each(lines) line) END AS computed
    FROM main.attempts;
-- Ended requests with what they cost on each basis.
CREATE TEMP VIEW ended AS
    SELECT id, started_ms, started_ms - started_ms % 900000 AS slot_ms, purpose,
     coalesce(backend, '') AS backend, coalesce(model_billed, model_asked) AS model, client,
     coalesce(credential, '') AS credential, coalesce(project, '') AS project, route,
     model_asked AS asked, attempts AS made,
     CASE WHEN cost_basis = 'not_billed' THEN 0
      WHEN attempts <= 1 AND cost_basis = 'reported' THEN coalesce(cost_nano_usd, 0)
      WHEN attempts <= 1 AND cost_basis IN ('unpriced', 'computed') THEN 0
      ELSE coalesce((SELECT sum(c.reported) FROM costs c WHERE c.request_id = requests.id), 0) END
      AS reported,
     CASE WHEN cost_basis = 'not_billed' THEN 1 WHEN cost_basis IN ('unpriced', 'computed') THEN 0
      WHEN attempts <= 1 AND cost_basis = 'reported' THEN 1
      ELSE (SELECT count(c.reported) FROM costs c WHERE c.request_id = requests.id)
       >= max(attempts, 1) END AS is_reported,
     CASE WHEN attempts <= 1 THEN 0 ELSE (SELECT count(*) FROM costs c
      WHERE c.request_id = requests.id AND c.number < requests.attempts AND c.reported IS NULL) END
      AS unreported_attempts,
     CASE WHEN cost_basis = 'not_billed' THEN 0
      WHEN attempts <= 1 AND cost_basis = 'computed' THEN coalesce(cost_nano_usd, 0)
      WHEN attempts <= 1 AND cost_basis = 'unpriced' THEN 0
      ELSE coalesce((SELECT sum(c.computed) FROM costs c WHERE c.request_id = requests.id), 0) END
      AS computed,
     CASE WHEN cost_basis = 'not_billed' THEN 1 WHEN cost_basis = 'unpriced' THEN 0
      WHEN attempts <= 1 AND cost_basis = 'computed' THEN 1
      ELSE (SELECT count(c.computed) FROM costs c WHERE c.request_id = requests.id)
       >= max(attempts, 1) END AS is_computed,
     CASE WHEN attempts <= 1 THEN 0 ELSE (SELECT count(*) FROM costs c
      WHERE c.request_id = requests.id AND c.number < requests.attempts AND c.computed IS NULL) END
      AS uncomputed_attempts,
     (SELECT c.model FROM costs c WHERE c.request_id = requests.id ORDER BY c.number DESC LIMIT 1)
      AS sent
    FROM main.requests WHERE state <> 'reserved';

CREATE TEMP TABLE counted AS
    SELECT slot_ms, purpose, backend, model, client, credential, project, route,
     sum(reported) AS reported_nano_usd, sum(is_reported) AS reported_requests,
     sum(unreported_attempts) AS unreported_attempts, sum(computed) AS computed_nano_usd,
     sum(is_computed) AS computed_requests, sum(uncomputed_attempts) AS uncomputed_attempts
    FROM ended GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;

-- Attempts that belong under another backend, key or model than the answer.
CREATE TEMP TABLE moved AS
    SELECT e.*, c.backend AS own_backend, c.credential AS own_credential,
     iif(c.model = e.sent, e.model, c.model) AS own_model, coalesce(c.reported, 0) AS own_reported,
     (NOT e.is_reported AND c.number IS (SELECT max(u.number) FROM costs u
      WHERE u.request_id = e.id AND u.reported IS NULL)) AS own_is_unreported,
     (c.number < e.made AND c.reported IS NULL) AS own_unreported_attempts,
     coalesce(c.computed, 0) AS own_computed,
     (NOT e.is_computed AND c.number IS (SELECT max(u.number) FROM costs u
      WHERE u.request_id = e.id AND u.computed IS NULL)) AS own_is_uncomputed,
     (c.number < e.made AND c.computed IS NULL) AS own_uncomputed_attempts
    FROM (SELECT * FROM ended WHERE made > 1 OR asked <> model OR sent <> model) e
    CROSS JOIN costs c ON c.request_id = e.id
    WHERE (coalesce(c.reported, 1) > 0 OR coalesce(c.computed, 1) > 0)
     AND (c.backend <> e.backend OR c.credential <> e.credential
      OR (c.model <> e.sent AND c.model <> e.model));
INSERT INTO counted
    SELECT slot_ms, purpose, backend, model, client, credential, project, route, -own_reported,
     own_is_unreported, -own_unreported_attempts, -own_computed, own_is_uncomputed,
     -own_uncomputed_attempts FROM moved
    UNION ALL
    SELECT slot_ms, purpose, own_backend, own_model, client, own_credential, project, route,
     own_reported, -own_is_unreported, own_unreported_attempts, own_computed, -own_is_uncomputed,
     own_uncomputed_attempts FROM moved;

INSERT INTO rollup_quarter (slot_ms, purpose, backend, model, client, credential, project, route,
     requests, complete, failed, cost_nano_usd, unpriced_requests, first_token_us_sum,
     first_token_count, duration_us_sum, retries, wasted_nano_usd, unpriced_attempts, cache_hits,
     cache_shared, cache_misses, saved_nano_usd, saved_us, input_uncached, cache_read,
     cache_write_5m, cache_write_1h, output_visible, reasoning, reported_nano_usd,
     reported_requests, unreported_attempts, computed_nano_usd, computed_requests,
     uncomputed_attempts)
    SELECT slot_ms, purpose, backend, model, client, credential, project, route,
     0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, sum(reported_nano_usd),
     sum(reported_requests), sum(unreported_attempts), sum(computed_nano_usd),
     sum(computed_requests), sum(uncomputed_attempts)
    FROM counted WHERE true GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT DO UPDATE SET
     reported_nano_usd = reported_nano_usd + excluded.reported_nano_usd,
     reported_requests = reported_requests + excluded.reported_requests,
     unreported_attempts = unreported_attempts + excluded.unreported_attempts,
     computed_nano_usd = computed_nano_usd + excluded.computed_nano_usd,
     computed_requests = computed_requests + excluded.computed_requests,
     uncomputed_attempts = uncomputed_attempts + excluded.uncomputed_attempts;

-- The folded hours from the first request that is kept on are folded again. Where older ones were
-- deleted, they may have been of the same hour, which then stays as it is.
CREATE TEMP TABLE refolded AS
    SELECT slot_ms - slot_ms % 3600000 AS from_ms FROM rollup_folded,
     (SELECT min(started_ms) + 3600000 * EXISTS (SELECT 1 FROM purged_requests) AS slot_ms
      FROM ended)
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
DROP TABLE counted;
DROP TABLE moved;
DROP VIEW ended;
DROP VIEW costs;
DROP TABLE refolded;
