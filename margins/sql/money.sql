-- Revenue by kind and costs per customer by line, cut as asked for (see usage.sql for the columns). `fact` is what
-- the sources bring, or what spread.sql made of it.
SELECT f.slice, c.currency,
       CASE WHEN %(by_customer)s OR (%(any_customers)s AND f.customer_id = ANY(%(named_customers)s::bigint[])) THEN f.customer_id END,
       CASE WHEN %(by_plan)s OR (%(any_plan_versions)s AND f.plan_version_id = ANY(%(named_plan_versions)s::bigint[])) THEN f.plan_version_id END,
       CASE WHEN %(by_feature)s THEN f.feature_id END,
       CASE WHEN %(by_model)s THEN f.model END,
       CASE WHEN %(by_user)s THEN f.user_key END,
       CASE WHEN %(by_cohort)s THEN cohort.month END,
       f.currency, f.kind, f.line_id, sum(f.amount_nano)
FROM fact f
JOIN customer c ON c.id = f.customer_id
LEFT JOIN cohort ON %(by_cohort)s AND cohort.customer_id = f.customer_id
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
HAVING sum(f.amount_nano) <> 0
