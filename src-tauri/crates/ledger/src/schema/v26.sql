-- What backends stated that their answers cost, beside what the price list computes for the same
-- ones, by UTC day. The amounts are of the `compared` answers, which have both.
CREATE TABLE rollup_stated (
    number INTEGER PRIMARY KEY,
    day_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    backend TEXT NOT NULL,
    model TEXT NOT NULL,
    answers INTEGER NOT NULL,
    compared INTEGER NOT NULL,
    stated_nano_usd INTEGER NOT NULL,
    computed_nano_usd INTEGER NOT NULL,
    UNIQUE (day_ms, purpose, backend, model)
) STRICT;
INSERT INTO rollup_stated (day_ms, purpose, backend, model, answers, compared, stated_nano_usd, computed_nano_usd)
    SELECT day_ms, purpose, backend, model, count(*), count(computed),
     sum(iif(computed IS NULL, 0, stated)), sum(coalesce(computed, 0))
    FROM (SELECT r.started_ms - r.started_ms % 86400000 AS day_ms, r.purpose, a.backend, a.model,
      a.cost_nano_usd AS stated,
      (SELECT iif(count(*) = count(line.value ->> 3), sum(line.value ->> 3), NULL) FROM json_each(a.lines) line)
       AS computed
     FROM attempts a JOIN requests r ON r.id = a.request_id WHERE a.cost_basis = 'reported')
    GROUP BY 1, 2, 3, 4;
