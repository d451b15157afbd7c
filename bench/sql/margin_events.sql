-- A month of usage of every customer in the span of ids, evenly over the month; every sixteenth call is unpriced.
INSERT INTO usage_event (customer_id, key_digest, key, body_digest, occurred_at, received_at, feature_id, action, user_key,
    run_key, provider, model, reported_model, processing, region, memoised, input_tokens, cache_read_tokens,
    cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, plan_version_id, charged_microcredits,
    cost_nanousd, computed_cost_nanousd, cost_card)
SELECT c.id, md5(c.id || '.' || n)::uuid, c.id || '.' || n, md5(n::text)::uuid, at.at, at.at, feature.ids[1 + n %% 3], '',
       'user-' || n %% 5, '', 'openai', (ARRAY['gpt-4o-mini', 'gpt-4.1-nano', 'claude-3-5-haiku'])[1 + n / 3 %% 3], '', '', '', false,
       500 + n * 37 %% 2000, 0, 0, 0, 100 + n * 13 %% 500, 0, version.id, (500 + n * 37 %% 2000) * 61,
       cost.nanousd, cost.nanousd, 'bench'
FROM customer c
CROSS JOIN (SELECT id FROM plan_version) version
CROSS JOIN (SELECT array_agg(id ORDER BY key) AS ids FROM feature) feature
CROSS JOIN generate_series(1, %(events)s) AS n
CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + (n - 1) * ((%(end)s::timestamptz - %(start)s::timestamptz) / %(events)s) AS at) at
CROSS JOIN LATERAL (SELECT CASE WHEN n %% 16 <> 0 THEN (500 + n * 37 %% 2000) * 150 + c.id %% 7 END AS nanousd) cost
WHERE c.id BETWEEN %(first)s AND %(last)s
