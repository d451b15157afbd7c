-- The monthly rollup of the span of ids, from its days.
INSERT INTO usage_month (customer_id, month, plan_version_id, feature_id, model, calls, memoised_calls, unpriced_calls,
    unrated_calls, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens,
    reasoning_tokens, charged_microcredits, cost_nanousd, computed_cost_nanousd, reported_cost_nanousd)
SELECT customer_id, date_trunc('month', day)::date, plan_version_id, feature_id, model, sum(calls), 0, sum(unpriced_calls),
       0, sum(input_tokens), 0, 0, 0, sum(output_tokens), 0, sum(charged_microcredits), sum(cost_nanousd),
       sum(computed_cost_nanousd), 0
FROM usage_day WHERE customer_id BETWEEN %(first)s AND %(last)s
GROUP BY 1, 2, 3, 4, 5
