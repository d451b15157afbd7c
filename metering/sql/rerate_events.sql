-- A customer's live events of a stretch after a cursor, with what earlier adjustments have moved, in the column order of
-- metering.rerating.core.PastEvent. Memoised ones, and those without a model, reached no supplier: they stay at nothing.
SELECT e.key_digest, e.occurred_at, e.plan_version_id, e.feature_id, e.model, e.user_key, e.provider, e.reported_model,
       e.processing, e.region, e.input_tokens, e.cache_read_tokens, e.cache_write_5m_tokens, e.cache_write_1h_tokens,
       e.output_tokens, e.reasoning_tokens, e.other_usage::text, e.computed_cost_nanousd, e.reported_cost_nanousd,
       e.cost_card, COALESCE(a.moved, 0)::bigint, COALESCE(a.moved_computed, 0)::bigint, COALESCE(a.priced, 0)::int
FROM usage_event e
LEFT JOIN LATERAL (
    SELECT sum(delta_nanousd) AS moved, sum(delta_computed_nanousd) AS moved_computed, sum(priced) AS priced
    FROM cost_adjustment WHERE customer_id = e.customer_id AND key_digest = e.key_digest
) a ON true
WHERE e.customer_id = %(customer_id)s AND e.occurred_at >= %(start)s AND e.occurred_at < %(end)s
  AND NOT e.memoised AND e.reported_model <> ''
  AND (%(model)s = '' OR %(model)s IN (e.model, e.reported_model))
  AND (NOT %(unpriced_only)s OR e.cost_nanousd IS NULL AND COALESCE(a.priced, 0) = 0)
  AND (%(after_at)s::timestamptz IS NULL OR (e.occurred_at, e.key_digest) > (%(after_at)s, %(after_digest)s::uuid))
ORDER BY e.occurred_at, e.key_digest
LIMIT %(most)s
