-- Usage of each slice, cut as asked for. A column that is not asked for is NULL; one asked for only because cost lines
-- name some of its values keeps those and merges the rest. `u` is a rollup (usage_of_days.sql, usage_of_months.sql).
SELECT slice_day.number, c.currency,
       CASE WHEN %(by_customer)s OR (%(any_customers)s AND u.customer_id = ANY(%(named_customers)s::bigint[])) THEN u.customer_id END,
       CASE WHEN %(by_plan)s OR (%(any_plan_versions)s AND u.plan_version_id = ANY(%(named_plan_versions)s::bigint[])) THEN u.plan_version_id END,
       CASE WHEN %(by_feature)s OR (%(any_features)s AND u.feature_id = ANY(%(named_features)s::bigint[])) THEN u.feature_id END,
       CASE WHEN %(by_model)s THEN u.model END,
       CASE WHEN %(by_user)s THEN u.user_key END,
       CASE WHEN %(by_cohort)s THEN cohort.month END,
       -- Counts and credits fit a bigint whatever they are of (nine trillion credits); money need not.
       sum(u.calls)::bigint, sum(u.memoised_calls)::bigint, sum(u.unpriced_calls)::bigint, sum(u.unrated_calls)::bigint,
       sum(u.input_tokens + u.output_tokens)::bigint, sum(u.charged_microcredits)::bigint,
       sum(CASE %(inference)s WHEN 'computed' THEN u.computed_cost_nanousd ELSE u.cost_nanousd END)
FROM u
JOIN slice_day ON slice_day.day = u.day
JOIN customer c ON c.id = u.customer_id
LEFT JOIN cohort ON %(by_cohort)s AND cohort.customer_id = u.customer_id
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
