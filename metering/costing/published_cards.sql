-- The published cost cards, one row per rate, in the order of metering.costing.overrides.CardRow.
SELECT c.id, c.provider, c.model, c.match, c.processing, c.region, c.effective_from, c.effective_until,
       r.kind, r.above_input_tokens, r.rate_nanousd_per_million
FROM cost_card c
JOIN cost_rate r ON r.card_id = c.id
WHERE c.status = 'published'
