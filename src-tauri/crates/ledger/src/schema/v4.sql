-- The error as the client got it: what `error_class` is the word for.
ALTER TABLE requests ADD COLUMN error_message TEXT;

-- Requests are found by route, by model and by an HTTP status that is an error. Each index ends with the
-- id, so that a page is read in its order and stops at its limit.
CREATE INDEX requests_route ON requests (route, id);
CREATE INDEX requests_model_asked ON requests (model_asked, id);
CREATE INDEX requests_model_billed ON requests (model_billed, id) WHERE model_billed <> model_asked;
CREATE INDEX requests_error_status ON requests (id, http_status) WHERE http_status >= 400;

-- The mock's prices were invented, and sums must hold no money that nobody was billed. What a request
-- lost on other backends before the mock answered stays.
UPDATE attempts SET cost_micro_usd = 0, cost_basis = 'not_billed', price_id = NULL
    WHERE backend = 'mock' AND cost_basis = 'computed';
UPDATE requests SET saved_micro_usd = 0 WHERE backend = 'mock' AND saved_micro_usd > 0;
UPDATE requests SET cost_micro_usd = wasted_micro_usd,
    cost_basis = iif(wasted_micro_usd = 0, 'not_billed', cost_basis),
    price_id = iif(wasted_micro_usd = 0, NULL, price_id)
    WHERE backend = 'mock' AND cost_basis = 'computed';
UPDATE rollup_quarter SET cost_micro_usd = wasted_micro_usd, saved_micro_usd = 0 WHERE backend = 'mock';
UPDATE rollup_failures SET cost_micro_usd = 0 WHERE backend = 'mock';
-- The hours are folded again from the quarters, a few with each commit.
DELETE FROM rollup_hour;
UPDATE rollup_folded SET until_ms = 0;
