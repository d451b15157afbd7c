-- Every monthly rollup beside what its events, the archived ones and adjustments of
-- their cost add up to, both in the order of
-- metering.events.SUMS. A side that has no such row is null.
WITH event AS (
    SELECT customer_id, date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date AS month, plan_version_id, feature_id,
           model, count(*) AS calls, count(*) FILTER (WHERE memoised) AS memoised_calls,
           count(*) FILTER (WHERE cost_nanousd IS NULL) AS unpriced_calls,
           count(*) FILTER (WHERE charged_microcredits IS NULL) AS unrated_calls,
           sum(input_tokens) AS input_tokens, sum(cache_read_tokens) AS cache_read_tokens,
           sum(cache_write_5m_tokens) AS cache_write_5m_tokens, sum(cache_write_1h_tokens) AS cache_write_1h_tokens,
           sum(output_tokens) AS output_tokens, sum(reasoning_tokens) AS reasoning_tokens,
           COALESCE(sum(charged_microcredits), 0) AS charged_microcredits, COALESCE(sum(cost_nanousd), 0) AS cost_nanousd,
           COALESCE(sum(computed_cost_nanousd), 0) AS computed_cost_nanousd,
           COALESCE(sum(reported_cost_nanousd), 0) AS reported_cost_nanousd
    FROM usage_event
    WHERE (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
      AND (%(start)s::date IS NULL
           OR occurred_at >= %(start)s::date::timestamp AT TIME ZONE 'UTC'
              AND occurred_at < %(end)s::date::timestamp AT TIME ZONE 'UTC')
    GROUP BY 1, 2, 3, 4, 5
), known AS (
    SELECT * FROM event
    UNION ALL
    SELECT customer_id, date_trunc('month', day)::date, plan_version_id, feature_id, model, calls, memoised_calls,
           unpriced_calls, unrated_calls, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
           output_tokens, reasoning_tokens, charged_microcredits, cost_nanousd, computed_cost_nanousd,
           reported_cost_nanousd
    FROM archived_usage_day
    WHERE (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
      AND (%(start)s::date IS NULL OR day >= %(start)s::date AND day < %(end)s::date)
    UNION ALL
    SELECT customer_id, date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date, plan_version_id, feature_id, model,
           0, 0, -priced, 0, 0, 0, 0, 0, 0, 0, 0, delta_nanousd, delta_computed_nanousd, 0
    FROM cost_adjustment
    WHERE (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
      AND (%(start)s::date IS NULL
           OR occurred_at >= %(start)s::date::timestamp AT TIME ZONE 'UTC'
              AND occurred_at < %(end)s::date::timestamp AT TIME ZONE 'UTC')
), recounted AS (
    SELECT customer_id, month, plan_version_id, feature_id, model,
           ARRAY[sum(calls), sum(memoised_calls), sum(unpriced_calls), sum(unrated_calls), sum(input_tokens),
                 sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens), sum(output_tokens),
                 sum(reasoning_tokens), sum(charged_microcredits), sum(cost_nanousd), sum(computed_cost_nanousd),
                 sum(reported_cost_nanousd)]::bigint[] AS sums
    FROM known
    GROUP BY 1, 2, 3, 4, 5
), stored AS (
    SELECT customer_id, month, plan_version_id, feature_id, model,
           ARRAY[calls, memoised_calls, unpriced_calls, unrated_calls, input_tokens, cache_read_tokens,
                 cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, charged_microcredits,
                 cost_nanousd, computed_cost_nanousd, reported_cost_nanousd] AS sums
    FROM usage_month
    WHERE (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
      AND (%(start)s::date IS NULL OR month >= %(start)s::date AND month < %(end)s::date)
)
SELECT customer_id, month, plan_version_id, feature_id, model,
       stored.sums AS stored, recounted.sums AS recounted
FROM stored FULL JOIN recounted USING (customer_id, month, plan_version_id, feature_id, model)
