-- What models cost under the names that they were asked by, where the roll-ups have the billed one.
CREATE TABLE rollup_model_names (
    slot_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    name TEXT NOT NULL,
    model TEXT NOT NULL,
    requests INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    unpriced_requests INTEGER NOT NULL,
    PRIMARY KEY (slot_ms, purpose, name, model)
) STRICT, WITHOUT ROWID;

-- The requests that are kept, as the roll-ups have counted them, with what attempts of them cost
-- elsewhere. Sums of older ones stay as they are.
CREATE TEMP TABLE counted AS
    SELECT * FROM (SELECT id, started_ms - started_ms % 900000 AS slot_ms, purpose,
      coalesce(backend, '') AS backend, coalesce(model_billed, model_asked) AS model, client,
      coalesce(credential, '') AS credential, coalesce(project, '') AS project, route,
      model_asked AS asked, cost_nano_usd, attempts,
      coalesce(cost_nano_usd, wasted_nano_usd) AS cost,
      (cost_nano_usd IS NULL OR unpriced_attempts > 0) AS is_unpriced,
      (SELECT a.model FROM attempts a WHERE a.request_id = requests.id ORDER BY a.number DESC LIMIT 1)
       AS sent
     FROM requests WHERE state <> 'reserved')
    WHERE attempts > 1 OR asked <> model OR sent <> model OR (is_unpriced AND (cost_nano_usd IS NOT NULL OR cost > 0));
CREATE TEMP TABLE moved AS
    SELECT c.*, a.number, a.backend AS own_backend, coalesce(a.credential, '') AS own_credential,
     a.model AS own_sent, iif(a.model = c.sent, c.model, a.model) AS own_model,
     a.cost_nano_usd AS own_cost
    FROM counted c CROSS JOIN attempts a ON a.request_id = c.id
    WHERE a.cost_nano_usd > 0
     AND (a.backend <> c.backend OR coalesce(a.credential, '') <> c.credential
      OR (a.model <> c.sent AND a.model <> c.model));

INSERT INTO rollup_model_names
    SELECT slot_ms, purpose, name, model, sum(requests), sum(cost), sum(unpriced) FROM (
     SELECT id, 0, slot_ms, purpose, asked AS name, model, 1 AS requests, cost,
      is_unpriced AS unpriced FROM counted WHERE asked <> model
     UNION SELECT id, 0, slot_ms, purpose, sent, model, 1, cost, is_unpriced
      FROM counted WHERE sent <> model
     UNION SELECT id, -number, slot_ms, purpose, asked, model, 0, -own_cost, 0
      FROM moved WHERE asked <> model
     UNION SELECT id, -number, slot_ms, purpose, sent, model, 0, -own_cost, 0
      FROM moved WHERE sent <> model
     UNION SELECT id, number, slot_ms, purpose, asked, own_model, 0, own_cost, 0
      FROM moved WHERE asked <> own_model
     UNION SELECT id, number, slot_ms, purpose, own_sent, own_model, 0, own_cost, 0
      FROM moved WHERE own_sent <> own_model)
    GROUP BY 1, 2, 3, 4;

-- Costs elsewhere, and requests of which only a part has a known cost: they count as unpriced, with
-- that part.
INSERT INTO rollup_quarter (slot_ms, purpose, backend, model, client, credential, project, route,
      requests, complete, failed, cost_nano_usd, unpriced_requests, first_token_us_sum,
      first_token_count, duration_us_sum, retries, wasted_nano_usd, unpriced_attempts, cache_hits,
      cache_shared, cache_misses, saved_nano_usd, saved_us, input_uncached, cache_read,
      cache_write_5m, cache_write_1h, output_visible, reasoning)
    SELECT slot_ms, purpose, backend, model, client, credential, project, route,
     0, 0, 0, sum(cost), sum(unpriced), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM (
     SELECT slot_ms, purpose, backend, model, client, credential, project, route,
      -own_cost AS cost, 0 AS unpriced FROM moved
     UNION ALL
     SELECT slot_ms, purpose, own_backend, own_model, client, own_credential, project, route,
      own_cost, 0 FROM moved
     UNION ALL
     SELECT slot_ms, purpose, backend, model, client, credential, project, route,
      iif(cost_nano_usd IS NULL, cost, 0), cost_nano_usd IS NOT NULL
      FROM counted WHERE is_unpriced)
    WHERE true GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT DO UPDATE SET cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd,
     unpriced_requests = unpriced_requests + excluded.unpriced_requests;

-- The folded hours from the first of them on are folded again.
CREATE TEMP TABLE refolded AS
    SELECT slot_ms - slot_ms % 3600000 AS from_ms FROM rollup_folded,
     (SELECT min(slot_ms) AS slot_ms FROM (SELECT slot_ms FROM moved UNION ALL
      SELECT slot_ms FROM counted WHERE is_unpriced AND (cost_nano_usd IS NOT NULL OR cost > 0)))
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

-- Attempts that a price of the user's can price: also those of which the price names what nothing
-- counted.
DROP INDEX attempts_without_price;
CREATE INDEX attempts_without_price ON attempts (request_id, number)
    WHERE unpriced_reason = 'no_price' OR unpriced_reason = 'no_rate'
        OR unpriced_reason = 'unknown_tier' OR unpriced_reason = 'unknown_region'
        OR unpriced_reason = 'not_counted';
