-- Attempts that a price of the user's can price: also those of a tier or a region without rates.
DROP INDEX attempts_without_price;
CREATE INDEX attempts_without_price ON attempts (request_id, number)
    WHERE unpriced_reason = 'no_price' OR unpriced_reason = 'no_rate'
        OR unpriced_reason = 'unknown_tier' OR unpriced_reason = 'unknown_region';

-- The bundled prices by which requests without a price were priced last.
CREATE TABLE bundled_prices (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    fingerprint TEXT NOT NULL
) STRICT;
