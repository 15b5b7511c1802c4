-- A request of unknown cost counts as unpriced where its last attempt of unknown cost was made; its
-- failed attempts of unknown cost and the cost of the others are booked where they were made. Until
-- here all of that counted at its answer, so that the waste of a name could exceed its cost.
-- Only requests that are kept can be booked so: sums of deleted ones stay as they are, since nothing
-- tells their attempts.
CREATE TEMP TABLE counted AS
    SELECT id, started_ms - started_ms % 900000 AS slot_ms, purpose,
     coalesce(backend, '') AS backend, coalesce(model_billed, model_asked) AS model, client,
     coalesce(credential, '') AS credential, coalesce(project, '') AS project, route,
     model_asked AS asked, unpriced_attempts, wasted_nano_usd AS wasted,
     (cost_nano_usd IS NULL OR unpriced_attempts > 0) AS is_unpriced,
     (SELECT a.model FROM attempts a WHERE a.request_id = requests.id ORDER BY a.number DESC LIMIT 1)
      AS sent,
     (SELECT max(a.number) FROM attempts a WHERE a.request_id = requests.id
      AND a.cost_nano_usd IS NULL) AS unpriced_number
    FROM requests WHERE state <> 'reserved' AND attempts > 1
     AND (cost_nano_usd IS NULL OR unpriced_attempts > 0 OR wasted_nano_usd > 0);
CREATE TEMP TABLE moved AS
    SELECT c.*, a.number, a.backend AS own_backend, coalesce(a.credential, '') AS own_credential,
     a.model AS own_sent, iif(a.model = c.sent, c.model, a.model) AS own_model,
     (c.is_unpriced AND a.number IS c.unpriced_number) AS own_unpriced,
     (a.cost_nano_usd IS NULL AND a.error_class IS NOT NULL AND c.unpriced_attempts > 0)
      AS own_unpriced_attempts,
     iif(a.error_class IS NULL OR c.wasted = 0, 0, coalesce(a.cost_nano_usd, 0)) AS own_wasted
    FROM counted c CROSS JOIN attempts a ON a.request_id = c.id
    WHERE (a.cost_nano_usd IS NULL AND c.is_unpriced
      OR a.cost_nano_usd > 0 AND a.error_class IS NOT NULL AND c.wasted > 0)
     AND (a.backend <> c.backend OR coalesce(a.credential, '') <> c.credential
      OR (a.model <> c.sent AND a.model <> c.model));

INSERT INTO rollup_model_names
    SELECT slot_ms, purpose, name, model, 0, 0, sum(unpriced) FROM (
     SELECT id, -number, slot_ms, purpose, asked AS name, model, -own_unpriced AS unpriced
      FROM moved WHERE asked <> model
     UNION SELECT id, -number, slot_ms, purpose, sent, model, -own_unpriced
      FROM moved WHERE sent <> model
     UNION SELECT id, number, slot_ms, purpose, asked, own_model, own_unpriced
      FROM moved WHERE asked <> own_model
     UNION SELECT id, number, slot_ms, purpose, own_sent, own_model, own_unpriced
      FROM moved WHERE own_sent <> own_model)
    WHERE true GROUP BY 1, 2, 3, 4
    ON CONFLICT DO UPDATE SET unpriced_requests = unpriced_requests + excluded.unpriced_requests;

INSERT INTO rollup_quarter (slot_ms, purpose, backend, model, client, credential, project, route,
      requests, complete, failed, cost_nano_usd, unpriced_requests, first_token_us_sum,
      first_token_count, duration_us_sum, retries, wasted_nano_usd, unpriced_attempts, cache_hits,
      cache_shared, cache_misses, saved_nano_usd, saved_us, input_uncached, cache_read,
      cache_write_5m, cache_write_1h, output_visible, reasoning)
    SELECT slot_ms, purpose, backend, model, client, credential, project, route,
     0, 0, 0, 0, sum(unpriced), 0, 0, 0, 0, sum(wasted), sum(unpriced_attempts),
     0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM (
     SELECT slot_ms, purpose, backend, model, client, credential, project, route,
      -own_unpriced AS unpriced, -own_unpriced_attempts AS unpriced_attempts, -own_wasted AS wasted
      FROM moved
     UNION ALL
     SELECT slot_ms, purpose, own_backend, own_model, client, own_credential, project, route,
      own_unpriced, own_unpriced_attempts, own_wasted FROM moved)
    WHERE true GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT DO UPDATE SET unpriced_requests = unpriced_requests + excluded.unpriced_requests,
     unpriced_attempts = unpriced_attempts + excluded.unpriced_attempts,
     wasted_nano_usd = wasted_nano_usd + excluded.wasted_nano_usd;

-- The folded hours from the first of them on are folded again.
CREATE TEMP TABLE refolded AS
    SELECT slot_ms - slot_ms % 3600000 AS from_ms FROM rollup_folded,
     (SELECT min(slot_ms) AS slot_ms FROM moved)
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
DROP TABLE refolded;
