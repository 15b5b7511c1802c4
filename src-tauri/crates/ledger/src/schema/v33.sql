-- Requests with failed attempts that did not fail themselves, and Gatehouse's own requests: both few
-- among all requests.
CREATE INDEX requests_retried ON requests (id, purpose, unpriced_attempts)
    WHERE state <> 'failed' AND (attempts > 1 OR wasted_nano_usd > 0 OR unpriced_attempts > 0);
CREATE INDEX requests_own ON requests (purpose, id) WHERE purpose <> 'user';
