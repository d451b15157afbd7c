-- Real calls of some customers in their order in time, as COPY writes them: the customer, the kind of call (columns as
-- margins.simulation.calls.KindKey has them), when, charge, cost, and the rest as margins.simulation.calls.Rest has it.
-- What re-rating has moved of a cost is in it.
SELECT e.customer_id,
       concat_ws(chr(31), e.feature_id, e.plan_version_id, translate(e.model, chr(31), ' '),
                 translate(e.reported_model, chr(31), ' '), translate(e.provider, chr(31), ' '),
                 translate(e.processing, chr(31), ' '), translate(e.region, chr(31), ' '), e.memoised::int,
                 (e.rate_id IS NULL AND e.charged_microcredits IS NOT NULL)::int,
                 (e.reported_cost_nanousd IS NOT NULL)::int, e.cost_card),
       (extract(epoch FROM e.occurred_at) * 1000000)::bigint, e.charged_microcredits, {cost}, e.user_key, e.run_key,
       e.input_tokens, e.cache_read_tokens, e.cache_write_5m_tokens, e.cache_write_1h_tokens, e.output_tokens,
       e.reasoning_tokens, e.other_usage::text
FROM usage_event e
{adjusted}
WHERE e.customer_id = ANY(%(customers)s) AND e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
ORDER BY e.customer_id, e.occurred_at, e.key_digest
