INSERT INTO usage_event
    (customer_id, key_digest, key, body_digest, occurred_at, received_at, feature_id, action, user_key, run_key, tags,
     provider, model, reported_model, processing, region, memoised, input_tokens, cache_read_tokens,
     cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, other_usage, plan_version_id,
     rate_id, charged_microcredits, cost_nanousd, computed_cost_nanousd, reported_cost_nanousd, cost_card, hold_id)
SELECT * FROM unnest(
    %(customer_id)s::bigint[], %(key_digest)s::uuid[], %(key)s::text[], %(body_digest)s::uuid[],
    %(occurred_at)s::timestamptz[], %(received_at)s::timestamptz[], %(feature_id)s::bigint[], %(action)s::text[],
    %(user_key)s::text[], %(run_key)s::text[], %(tags)s::jsonb[], %(provider)s::text[], %(model)s::text[],
    %(reported_model)s::text[], %(processing)s::text[], %(region)s::text[], %(memoised)s::boolean[],
    %(input_tokens)s::integer[], %(cache_read_tokens)s::integer[], %(cache_write_5m_tokens)s::integer[],
    %(cache_write_1h_tokens)s::integer[], %(output_tokens)s::integer[], %(reasoning_tokens)s::integer[],
    %(other_usage)s::jsonb[], %(plan_version_id)s::bigint[], %(rate_id)s::bigint[],
    %(charged_microcredits)s::bigint[], %(cost_nanousd)s::bigint[], %(computed_cost_nanousd)s::bigint[],
    %(reported_cost_nanousd)s::bigint[], %(cost_card)s::text[], %(hold_id)s::uuid[]
)
