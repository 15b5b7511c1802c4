-- Failed requests that cost something, or nobody knows what: few.
CREATE INDEX requests_failed_costs
    ON requests (state, id, purpose, cost_nano_usd, wasted_nano_usd, unpriced_attempts)
    WHERE state = 'failed' AND (cost_nano_usd IS NULL OR cost_nano_usd > 0);
