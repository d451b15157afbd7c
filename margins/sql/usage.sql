-- Usage of each slice, cut as asked for. A column that is not asked for is NULL; one asked for only because cost lines
-- name some of its values keeps those and merges the rest. `u` is a rollup (usage_of_days.sql, usage_of_months.sql).
-- Added up by customer before anything is joined: of rows there are many, of customers few.
part AS (
    SELECT CASE WHEN cardinality(%(slice_first_day)s::date[]) = 1 THEN 1 ELSE width_bucket(u.day, %(slice_first_day)s::date[]) END AS slice, u.customer_id,
           CASE WHEN %(by_plan)s OR (%(any_plan_versions)s AND u.plan_version_id = ANY(%(named_plan_versions)s::bigint[])) THEN u.plan_version_id END AS plan_version_id,
           CASE WHEN %(by_feature)s OR (%(any_features)s AND u.feature_id = ANY(%(named_features)s::bigint[])) THEN u.feature_id END AS feature_id,
           CASE WHEN %(by_model)s THEN u.model END AS model,
           CASE WHEN %(by_user)s THEN u.user_key END AS user_key,
           -- Counts and credits fit a bigint whatever they are of (nine trillion credits); money need not.
           sum(u.calls)::bigint AS calls, sum(u.memoised_calls)::bigint AS memoised_calls,
           sum(u.unpriced_calls)::bigint AS unpriced_calls, sum(u.unrated_calls)::bigint AS unrated_calls,
           sum(u.input_tokens + u.output_tokens)::bigint AS tokens, sum(u.charged_microcredits)::bigint AS charged_microcredits,
           sum(CASE %(inference)s WHEN 'computed' THEN u.computed_cost_nanousd ELSE u.cost_nanousd END) AS cost_nanousd
    FROM u
    GROUP BY 1, 2, {dimensions}
)
