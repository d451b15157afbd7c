-- Every row of the rollups beside what the ledger up to the marks earned: a row that is on one side only has a null on
-- the other. Begins with reread.sql and earned.sql.
, recount AS MATERIALIZED (
    SELECT customer_id, day, plan_version_id, feature_id, model, user_key, kind, currency, sum(amount_nano) AS amount_nano,
           coalesce(sum(amount_nano) FILTER (WHERE is_late), 0) AS restated_nano
    FROM earned
    GROUP BY customer_id, day, plan_version_id, feature_id, model, user_key, kind, currency
),
stored AS (
    SELECT customer_id, day, plan_version_id, feature_id, model, user_key, kind, currency, amount_nano, restated_nano
    FROM revenue_day WHERE %(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[])
),
recount_month AS (
    SELECT customer_id, date_trunc('month', day)::date AS month, plan_version_id, kind, currency,
           sum(amount_nano) AS amount_nano
    FROM recount GROUP BY 1, 2, 3, 4, 5
),
stored_month AS (
    SELECT customer_id, month, plan_version_id, kind, currency, amount_nano
    FROM revenue_month WHERE %(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[])
)
SELECT customer_id, 'revenue_day' AS rollup, concat_ws(' ', day, 'plan version ' || plan_version_id, 'feature ' || feature_id,
           nullif(model, ''), nullif(user_key, ''), kind, currency) AS place,
       stored.amount_nano AS stored, recount.amount_nano AS recounted,
       stored.restated_nano AS stored_restated, recount.restated_nano AS recounted_restated
FROM stored FULL JOIN recount USING (customer_id, day, plan_version_id, feature_id, model, user_key, kind, currency)
UNION ALL
SELECT customer_id, 'revenue_month', concat_ws(' ', to_char(month, 'YYYY-MM'), 'plan version ' || plan_version_id, kind,
           currency),
       stored_month.amount_nano, recount_month.amount_nano, NULL, NULL
FROM stored_month FULL JOIN recount_month USING (customer_id, month, plan_version_id, kind, currency)
