-- How the token counts of a request are known, and the provider's own usage object as it came.
-- Requests of version 1 have neither: their counts came from the provider, and whether one of them
-- had to be adjusted was not written down. `usage_source` = 'reported' says only that there are counts.
ALTER TABLE requests ADD COLUMN usage_basis TEXT
    CHECK (usage_basis = 'reported' OR usage_basis = 'adjusted' OR usage_basis = 'estimated')
    CHECK (usage_basis IS NULL OR input_uncached IS NOT NULL);
ALTER TABLE requests ADD COLUMN usage_raw TEXT;
