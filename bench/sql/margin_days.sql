-- The daily rollup of the span of ids, from its events.
INSERT INTO usage_day (customer_id, day, plan_version_id, feature_id, model, user_key, calls, memoised_calls, unpriced_calls,
    unrated_calls, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens,
    reasoning_tokens, charged_microcredits, cost_nanousd, computed_cost_nanousd, reported_cost_nanousd)
SELECT customer_id, (occurred_at AT TIME ZONE 'UTC')::date, plan_version_id, feature_id, model, user_key, count(*), 0,
       count(*) FILTER (WHERE cost_nanousd IS NULL), 0, sum(input_tokens), 0, 0, 0, sum(output_tokens), 0,
       sum(charged_microcredits), coalesce(sum(cost_nanousd), 0), coalesce(sum(computed_cost_nanousd), 0), 0
FROM usage_event WHERE customer_id BETWEEN %(first)s AND %(last)s
GROUP BY 1, 2, 3, 4, 5, 6
