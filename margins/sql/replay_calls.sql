-- Real calls of some customers in their order in time, in the column order of margins.simulation.rules.ReplayedCall; what
-- re-rating has moved of a cost is in it.
SELECT e.feature_id, e.plan_version_id, e.model, e.reported_model, e.provider, e.processing, e.region, e.memoised,
       e.rate_id IS NULL AND e.charged_microcredits IS NOT NULL, e.reported_cost_nanousd IS NOT NULL, e.cost_card,
       e.customer_id, e.occurred_at, e.charged_microcredits, {cost}, e.user_key, e.run_key,
       e.input_tokens, e.cache_read_tokens, e.cache_write_5m_tokens, e.cache_write_1h_tokens, e.output_tokens,
       e.reasoning_tokens, e.other_usage::text
FROM usage_event e
{adjusted}
WHERE e.customer_id = ANY(%(customers)s) AND e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
ORDER BY e.customer_id, e.occurred_at, e.key_digest
