-- Revenue, a column for each kind, and costs per customer by line, cut as asked for (see usage.sql for the columns) and
-- added up by customer. `fact` is what the sources bring, or what spread.sql made of it.
part AS (
    SELECT f.slice, f.customer_id,
           CASE WHEN %(by_plan)s OR (%(any_plan_versions)s AND f.plan_version_id = ANY(%(named_plan_versions)s::bigint[])) THEN f.plan_version_id END AS plan_version_id,
           CASE WHEN %(by_feature)s THEN f.feature_id END AS feature_id,
           CASE WHEN %(by_model)s THEN f.model END AS model,
           CASE WHEN %(by_user)s THEN f.user_key END AS user_key,
           f.currency, f.line_id,
           sum(f.amount_nano) FILTER (WHERE f.line_id IS NOT NULL) AS cost_nano,
           sum(f.amount_nano) FILTER (WHERE f.kind = 'subscription') AS subscription_nano,
           sum(f.amount_nano) FILTER (WHERE f.kind = 'credits') AS credits_nano,
           sum(f.amount_nano) FILTER (WHERE f.kind = 'breakage') AS breakage_nano,
           sum(f.amount_nano) FILTER (WHERE f.kind = 'overage') AS overage_nano,
           sum(f.amount_nano) FILTER (WHERE f.kind = 'reversal') AS reversal_nano
    FROM fact f
    GROUP BY 1, 2, 7, 8, {dimensions}
)
