-- usage_event for the admin, which needs a single-column key: customer_id-key digest.
CREATE OR REPLACE VIEW usage_line AS
SELECT customer_id || '-' || key_digest AS id, customer_id, key_digest, key, occurred_at, received_at,
       NULLIF(feature_id, 0) AS feature_id, action, user_key, run_key, tags, provider, model, reported_model,
       processing, region, memoised, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
       output_tokens, reasoning_tokens, other_usage, NULLIF(plan_version_id, 0) AS plan_version_id,
       charged_microcredits, cost_nanousd, computed_cost_nanousd, reported_cost_nanousd, cost_card
FROM usage_event;
