-- Usage of each slice from the daily rollup, cut as asked for. A column that is not asked for is NULL; one asked for
-- only because cost lines name some of its values keeps those and merges the rest.
SELECT slice.number, c.currency,
       CASE WHEN %(by_customer)s OR u.customer_id = ANY(%(named_customers)s::bigint[]) THEN u.customer_id END,
       CASE WHEN %(by_plan)s OR u.plan_version_id = ANY(%(named_plan_versions)s::bigint[]) THEN u.plan_version_id END,
       CASE WHEN %(by_feature)s OR u.feature_id = ANY(%(named_features)s::bigint[]) THEN u.feature_id END,
       CASE WHEN %(by_model)s THEN u.model END,
       sum(u.calls)::numeric, sum(u.memoised_calls)::numeric, sum(u.unpriced_calls)::numeric, sum(u.unrated_calls)::numeric,
       sum(u.input_tokens + u.output_tokens)::numeric, sum(u.charged_microcredits)::numeric, sum(u.cost_nanousd)::numeric
FROM slice
JOIN usage_day u ON u.day >= slice.first_day AND u.day < slice.end_day
JOIN customer c ON c.id = u.customer_id
WHERE u.day >= %(first_day)s AND u.day < %(end_day)s
  AND (%(customers)s::bigint[] IS NULL OR u.customer_id = ANY(%(customers)s::bigint[]))
GROUP BY 1, 2, 3, 4, 5, 6
