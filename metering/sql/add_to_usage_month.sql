INSERT INTO usage_month AS r SELECT s.* FROM json_populate_recordset(NULL::usage_month, %(rows)s::json) s
ON CONFLICT (customer_id, month, plan_version_id, feature_id, model) DO UPDATE SET
    calls = r.calls + excluded.calls,
    memoised_calls = r.memoised_calls + excluded.memoised_calls,
    unpriced_calls = r.unpriced_calls + excluded.unpriced_calls,
    unrated_calls = r.unrated_calls + excluded.unrated_calls,
    input_tokens = r.input_tokens + excluded.input_tokens,
    cache_read_tokens = r.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_5m_tokens = r.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
    cache_write_1h_tokens = r.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
    output_tokens = r.output_tokens + excluded.output_tokens,
    reasoning_tokens = r.reasoning_tokens + excluded.reasoning_tokens,
    charged_microcredits = r.charged_microcredits + excluded.charged_microcredits,
    cost_nanousd = r.cost_nanousd + excluded.cost_nanousd,
    computed_cost_nanousd = r.computed_cost_nanousd + excluded.computed_cost_nanousd,
    reported_cost_nanousd = r.reported_cost_nanousd + excluded.reported_cost_nanousd
